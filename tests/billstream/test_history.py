"""The front door's orders that take something back, on a whole book in memory: reopen, void, and the list."""

import asyncio
import copy
import shutil
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from billstream.applying import apply_configuration
from billstream.cli import render
from billstream.cli.session import Session
from billstream.closing import Order, approve, close
from billstream.demo.run import FIRM
from billstream.entry_orders import order_entries, write_off
from billstream.file_preview import memory_desk
from billstream.history import list_documents, reopen, void
from billstream.importing import Declared, publish_file, understand
from billstream.memory_desk import MemoryDesk
from billstream.previewing import preview
from billstream.settings import load_settings
from books.bodies import read_body
from books.rows import DocumentRow
from schemas.period import parse_period

OCTOBER, NOVEMBER = parse_period("2026-10"), parse_period("2026-11")
ORDER = Order("dana", "test", 1)


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> MemoryDesk:
    """Northwind's October is issued; made once, tests get copies."""
    firm = Path(shutil.copytree(FIRM, tmp_path_factory.mktemp("history") / "firm"))
    desk = memory_desk(load_settings(firm, {}))

    async def fill() -> None:
        await apply_configuration(desk, None, "dana", "start", dry_run=False)
        for one in understand(desk.installation, [firm / "exports" / "toggl-2026-10-30.csv"], Declared()):
            await publish_file(desk, Session(quiet=True), one)
        await close(desk, ["northwind"], OCTOBER, ORDER)
        await approve(desk, [], ORDER, issue_too=True)

    asyncio.run(fill())
    return desk


@pytest.fixture
def desk(issued: MemoryDesk) -> MemoryDesk:
    """A copy of the book."""
    return copy.deepcopy(issued)


async def test_a_period_is_reopened_until_it_is_issued(desk: MemoryDesk) -> None:
    """An issued period is refused; another client's approved draft goes back to be drafted again."""
    refused = await reopen(desk, ["northwind"], OCTOBER, ORDER)
    assert [one.reason for one in refused.refused] == ["already_issued"]
    await close(desk, ["pavlik"], OCTOBER, ORDER)
    await approve(desk, [], ORDER, issue_too=False)
    taken = await reopen(desk, ["pavlik"], OCTOBER, ORDER)
    assert [one.state for one in taken.documents] == ["withdrawn"]


async def test_an_invoice_of_nothing_gets_no_number_unless_it_is_named(desk: MemoryDesk) -> None:
    """A month without work is drafted; all drafts together leave it out and say so, and who names it has it."""
    await close(desk, ["kestrel", "pavlik"], NOVEMBER, ORDER)
    done = await approve(desk, [], ORDER, issue_too=True)
    assert (done.documents, len(done.empty)) == ((), 2)
    shown = StringIO()
    render.documents(Console(file=shown, width=200), done)
    assert "2 without a line left as they are" in shown.getvalue()
    named = await approve(desk, [done.empty[0]], ORDER, issue_too=True)
    assert [(one.state, one.number) for one in named.documents] == [("issued", "0002")]


async def test_void_shows_the_document_and_its_credit_note(desk: MemoryDesk) -> None:
    """The number stays, the credit note has one of its own series, and with rebill the period is drafted anew."""
    [number] = [one.number for one in (await list_documents(desk, [])).documents]
    result = await void(desk, [number], ORDER, rebill=True)
    assert [(one.state, one.number) for one in result.documents] == [("void", number), ("issued", "CN-0001")]
    assert result.documents[0].totals.net + result.documents[1].totals.net == 0
    again = await close(desk, ["northwind"], OCTOBER, ORDER)
    assert again.documents[0].totals == result.documents[0].totals


async def test_a_close_shows_its_credit_notes_and_they_are_approved_first(desk: MemoryDesk) -> None:
    """What is owed to the client is a document of its own, listed with what it corrects."""
    before = await list_documents(desk, ["northwind"])
    told = await preview(desk, ["northwind"], OCTOBER)
    entry_id = next(iter(_entries(desk)))
    await order_entries(desk, [entry_id], "write-off", write_off, ORDER)
    closed = await close(desk, ["northwind"], NOVEMBER, ORDER)
    assert len(closed.documents) == 2
    assert min(one.totals.net for one in closed.documents) < 0
    done = await approve(desk, [], ORDER, issue_too=True)
    assert {one.number for one in done.documents} >= {"CN-0001"}
    after = await list_documents(desk, ["northwind"])
    notes = [one for one in after.documents if one.kind == "credit_note"]
    assert [one.corrects for one in notes] == [(before.documents[0].number,)]
    assert told.documents[0].totals.net + notes[0].net < told.documents[0].totals.net
    shown = StringIO()
    render.document_list(Console(file=shown, width=200), after)
    assert "credit note" in shown.getvalue()
    assert "CN-0001" in shown.getvalue()


def _entries(desk: MemoryDesk) -> list[str]:
    """The entries on the issued lines."""
    [(document_id, _)] = list(desk.book.scan(DocumentRow))
    return [source.entry_id for line in read_body(desk.book, document_id).lines for source in line.sources]
