"""What if: the difference per client, line and reason adds up, and only what was changed differs."""

import asyncio
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from billstream.applying import apply_configuration
from billstream.cli.results import ChangedClient, WhatIfResult
from billstream.cli.session import Session
from billstream.closing import Order, approve, close
from billstream.demo.run import FIRM
from billstream.entry_orders import hold, order_entries
from billstream.file_preview import memory_desk
from billstream.importing import Declared, publish_file, understand
from billstream.memory_desk import MemoryDesk
from billstream.settings import load_settings
from billstream.what_if import Instead, what_if_on_book, what_if_on_files
from books.rows import EntryRow
from schemas.period import parse_period

pytestmark = pytest.mark.proof

ORDER = Order("dana", "test", 1)
OCTOBER = parse_period("2026-10")
EXPORTS = ("clockify-2026-11-02.csv", "expenses-2026-10.jsonl", "toggl-2026-10-30.csv")
Call = Callable[..., Any]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[MemoryDesk, Path]:
    """A book with three exports; October is closed and one document is approved."""
    firm = Path(shutil.copytree(FIRM, tmp_path_factory.mktemp("what-if") / "firm"))
    made = memory_desk(load_settings(firm, {}))

    async def fill() -> None:
        await apply_configuration(made, None, "dana", "test", dry_run=False)
        for one in understand(made.installation, [firm / "exports" / name for name in EXPORTS], Declared()):
            await publish_file(made, Session(quiet=True), one)
        row = next(row for _, row in made.book.scan(EntryRow) if row.client_id == "tidewell")
        await order_entries(made, [row.entry_id], "hold", hold, ORDER)
        closed = await close(made, ["northwind"], OCTOBER, ORDER)
        await approve(made, [closed.documents[0].document_id], ORDER, issue_too=False)

    asyncio.run(fill())
    return made, firm


def proposal(firm: Path, tmp_path: Path, client: str, *changes: tuple[str, str]) -> Path:
    """A contract file of a client with other words."""
    text = (firm / f"contracts/{client}.yaml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / f"{client}.yaml"
    path.write_text(text)
    return path


def ask(prepared: tuple[MemoryDesk, Path], contracts: Path, span: str = "2026-10") -> dict[str, ChangedClient]:
    result = asyncio.run(what_if_on_book(prepared[0], Instead(contracts), [], parse_period(span)))
    for one in result.clients:
        assert sum((why.amount for why in one.reasons), Decimal(0)) == one.difference
        assert sum((line.difference for line in one.lines), Decimal(0)) == one.difference
    return {one.client: one for one in result.clients}


def test_the_same_contract_changes_nothing(prepared: tuple[MemoryDesk, Path], tmp_path: Path) -> None:
    """Both sides are folded anew, so what was closed and approved since makes no difference."""
    found = ask(prepared, proposal(prepared[1], tmp_path, "northwind"))
    assert {client: one.difference for client, one in found.items() if one.difference} == {}
    assert not any(one.lines or one.reasons for one in found.values())


def test_another_rate_is_told_as_rate_on_its_lines_only(prepared: tuple[MemoryDesk, Path], tmp_path: Path) -> None:
    """Three euros more for developers are the developers' hours times three, and nobody else changes."""
    before, after = "role: developer, rate: 112.00", "role: developer, rate: 115.00"
    found = ask(prepared, proposal(prepared[1], tmp_path, "northwind", (before, after)))
    northwind = found.pop("northwind")
    assert all(not one.difference for one in found.values())
    assert {why.reason for why in northwind.reasons} <= {"rate", "line rounding"}
    assert northwind.difference > 0
    assert all("(developer)" in line.text for line in northwind.lines)
    seconds = sum(line.before_seconds for line in northwind.lines)
    assert abs(northwind.difference - Decimal(3 * seconds) / 3600) < Decimal("0.01") * len(northwind.lines)


def test_a_narrower_cap_is_told_by_its_name(prepared: tuple[MemoryDesk, Path], tmp_path: Path) -> None:
    """36 hours instead of 40 take time off the lines; the reason is the cap, with the seconds it takes."""
    found = ask(prepared, proposal(prepared[1], tmp_path, "northwind", ("hours: 40", "hours: 36")))
    (cap,) = [why for why in found["northwind"].reasons if why.reason == "cap:senior-week"]
    assert cap.amount < 0
    assert cap.seconds < 0
    assert cap.entries > 0


def test_another_rounding_of_time_is_told_as_increments(prepared: tuple[MemoryDesk, Path], tmp_path: Path) -> None:
    """Whole half hours instead of quarter hours."""
    change = ("minutes: 15, mode: up, tolerance_minutes: 3", "minutes: 30, mode: up")
    found = ask(prepared, proposal(prepared[1], tmp_path, "pavlik", change))
    assert "increments" in {why.reason for why in found["pavlik"].reasons}
    assert found["pavlik"].difference > 0


def test_a_discount_is_told_as_such(prepared: tuple[MemoryDesk, Path], tmp_path: Path) -> None:
    """Ten percent on fees, shown on a line of its own."""
    discount = "discounts: [{id: ten, percent: 10, counts: fees, show: separate}]\ntaxes:"
    found = ask(prepared, proposal(prepared[1], tmp_path, "tidewell", ("taxes:", discount)))
    tidewell = found["tidewell"]
    assert tidewell.difference < 0
    assert {why.reason for why in tidewell.reasons} == {"discount"}


def test_a_span_of_several_periods_is_billed_period_by_period(
    prepared: tuple[MemoryDesk, Path], tmp_path: Path
) -> None:
    """A month with nothing in it adds nothing, and a cap per week counts in each."""
    path = proposal(prepared[1], tmp_path, "northwind", ("hours: 40", "hours: 36"))
    assert (
        ask(prepared, path, "2026-09-01..2026-12-01")["northwind"].difference
        <= ask(prepared, path)["northwind"].difference
    )


def test_nothing_of_the_book_is_changed(prepared: tuple[MemoryDesk, Path], tmp_path: Path) -> None:
    """A what-if writes no record."""
    before = prepared[0].next_offset
    ask(prepared, proposal(prepared[1], tmp_path, "northwind", ("hours: 40", "hours: 36")))
    assert prepared[0].next_offset == before


def test_files_and_book_give_the_same_answer_and_a_rate_card_counts(
    prepared: tuple[MemoryDesk, Path], tmp_path: Path
) -> None:
    """Another directory raises what no contract prices; files need no broker."""
    desk, firm = prepared
    other = Path(shutil.copytree(firm / "directory", tmp_path / "directory"))
    (other / "firm.yaml").write_text(
        (other / "firm.yaml").read_text().replace("role: lead, rate: 130.00", "role: lead, rate: 140.00")
    )
    instead = Instead(
        proposal(firm, tmp_path, "northwind", ('  - {role: lead, rate: 130.00, clause: "§ 4.1"}\n', "")), other
    )
    session = Session(quiet=True, project=firm)
    on_files = what_if_on_files(
        session, [firm / "exports" / name for name in EXPORTS], None, instead, ["northwind"], OCTOBER
    )
    on_book = asyncio.run(what_if_on_book(desk, instead, ["northwind"], OCTOBER))
    assert on_files.clients == on_book.clients
    (northwind,) = on_book.clients
    assert {why.reason for why in northwind.reasons} <= {"rate", "line rounding"}
    assert all("(lead)" in line.text for line in northwind.lines)


def test_the_answer_has_its_published_form(call: Call, firm: Path, tmp_path: Path) -> None:
    """`--json` fits the schema of `billstream.what-if/1`; without anything to change the call is a usage error."""
    path = proposal(firm, tmp_path, "quillon", ("rate: 185.00", "rate: 190.00"))
    called = call(
        "what-if",
        "--contracts",
        path,
        "--entries",
        firm / "exports/clockify-2026-11-02.csv",
        "--json",
        "--project",
        firm,
    )
    assert called.code in (0, 6)
    assert called.json["schema"] == "billstream.what-if/1"
    jsonschema.validate(called.json, WhatIfResult.model_json_schema(mode="serialization", by_alias=True))
    shown = call(
        "what-if", "--contracts", path, "--entries", firm / "exports/clockify-2026-11-02.csv", "--project", firm
    )
    assert "rate" in shown.out
    assert call("what-if", "--project", firm).code == 2
