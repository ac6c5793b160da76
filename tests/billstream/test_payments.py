"""Money that arrived, told by a person: it counts once, pays the next invoice, and what cannot be meant is refused."""

import asyncio
import copy
import shutil
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from billstream.applying import apply_configuration
from billstream.cli import render
from billstream.cli.exits import Exit
from billstream.cli.failure import CommandFailed
from billstream.cli.running import exit_of
from billstream.demo.run import FIRM
from billstream.file_preview import memory_desk
from billstream.memory_desk import MemoryDesk
from billstream.payments import Arrived, receive
from billstream.previewing import preview
from billstream.settings import load_settings
from schemas.period import parse_period

NOVEMBER = parse_period("2026-11")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> MemoryDesk:
    """The sample firm's contracts without any work; Varga has paid 3,000.00 in advance."""
    firm = Path(shutil.copytree(FIRM, tmp_path_factory.mktemp("payments") / "firm"))
    desk = memory_desk(load_settings(firm, {}))
    asyncio.run(apply_configuration(desk, None, "dana", "start", dry_run=False))
    return desk


@pytest.fixture
def desk(begun: MemoryDesk) -> MemoryDesk:
    """A copy of the book."""
    return copy.deepcopy(begun)


def arrived(amount: str = "500.00", reference: str = "2026-1112", **changed: str) -> Arrived:
    contract, account = changed.get("contract", "varga-registry"), changed.get("account", "")
    return Arrived(contract, account, Decimal(amount), date(2026, 11, 12), reference)


async def test_a_payment_counts_once_and_stands_on_the_next_invoice(desk: MemoryDesk) -> None:
    """3,000.00 by contract and 500.00 by payment are 3,500.00; told again, nothing is sent."""
    first = await receive(desk, arrived(), 1, dry_run=False)
    assert (first.account, first.balance, first.known, first.in_force) == ("advance", Decimal("3500.00"), False, True)
    before = desk.next_offset
    again = await receive(desk, arrived(), 1, dry_run=False)
    assert (again.known, again.balance, desk.next_offset) == (True, Decimal("3500.00"), before)
    (body,) = (await preview(desk, ["varga"], NOVEMBER)).documents
    assert body.totals.due == body.totals.gross == 0
    shown = StringIO()
    render.payment(Console(file=shown, width=200), first)
    assert "500.00 EUR of varga for advance (2026-1112, 2026-11-12) arrived." in shown.getvalue()
    assert exit_of(first) is Exit.DONE


async def test_a_dry_run_sends_nothing(desk: MemoryDesk) -> None:
    """The balance is as before, and nothing new stands in the journal."""
    before = desk.next_offset
    shown = await receive(desk, arrived(), 1, dry_run=True)
    assert (shown.balance, shown.in_force, desk.next_offset) == (Decimal("3000.00"), None, before)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (arrived(contract="varga"), "contract_unknown"),
        (arrived(contract="alpenrad-care"), "account_unknown"),
        (arrived(account="trust"), "account_unknown"),
        (arrived("0.00"), "payment_unusable"),
        (arrived("1.001"), "payment_unusable"),
        (arrived(reference=" "), "payment_unusable"),
        (arrived("700.00", "first"), "payment_differs"),
    ],
)
async def test_what_cannot_be_meant_is_refused_before_it_is_sent(desk: MemoryDesk, said: Arrived, code: str) -> None:
    """Another contract or account, no amount, a part of a cent, no reference, or one in use."""
    await receive(desk, arrived("1.00", "first"), 1, dry_run=False)
    before = desk.next_offset
    with pytest.raises(CommandFailed) as refused:
        await receive(desk, said, 1, dry_run=False)
    assert refused.value.code == code
    assert desk.next_offset == before
