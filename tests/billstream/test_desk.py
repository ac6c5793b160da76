"""The front door's actions on a whole book in memory: apply, import, close, approve, issue, reject, explain, hold."""

import asyncio
import copy
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from billstream.applying import apply_configuration
from billstream.cli.failure import CommandFailed
from billstream.cli.results import StoryNode
from billstream.cli.session import Session
from billstream.closing import Order, approve, close, issue, reject
from billstream.demo.run import FIRM
from billstream.entry_orders import assign, correct, delete, hold, order_entries, release, write_off
from billstream.explaining import explain
from billstream.file_preview import memory_desk
from billstream.importing import Declared, publish_file, understand
from billstream.memory_desk import MemoryDesk
from billstream.previewing import preview
from billstream.reporting import held, held_reason, status
from billstream.settings import load_settings
from books.rows import EntryRow
from schemas.inputs import Category
from schemas.period import parse_period

pytestmark = pytest.mark.proof

OCTOBER = parse_period("2026-10")
ORDER = Order("dana", "test", 1)
EXPORTS = ("harvest-2026-11-02.csv", "clockify-2026-11-02.csv", "expenses-2026-10.jsonl", "toggl-2026-10-30.csv")


async def read(desk: MemoryDesk, firm: Path, names: Sequence[str]) -> None:
    for one in understand(desk.installation, [firm / "exports" / name for name in names], Declared()):
        await publish_file(desk, Session(quiet=True), one)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> MemoryDesk:
    """A book with the sample firm's contracts and its first exports; made once, tests get copies."""
    firm = Path(shutil.copytree(FIRM, tmp_path_factory.mktemp("desk") / "firm"))
    desk = memory_desk(load_settings(firm, {}))

    async def fill() -> None:
        await apply_configuration(desk, None, "dana", "start", dry_run=False)
        await read(desk, firm, EXPORTS)

    asyncio.run(fill())
    return desk


@pytest.fixture
def desk(prepared: MemoryDesk) -> MemoryDesk:
    """A copy of the prepared book."""
    return copy.deepcopy(prepared)


def texts(nodes: Sequence[StoryNode]) -> str:
    return "\n".join(f"{node.text}\n{texts(node.below)}" for node in nodes)


def entry(desk: MemoryDesk, description: str) -> EntryRow:
    found = [row for _, row in desk.book.scan(EntryRow) if row.description == description]
    return found[0]


async def test_applying_again_sends_nothing(desk: MemoryDesk) -> None:
    """What the book has already is left out; a dry run sends nothing at all."""
    again = await apply_configuration(desk, None, "dana", "again", dry_run=False)
    assert again.published == 0


async def test_a_dry_run_changes_nothing(firm: Path) -> None:
    """It says how much would be sent and leaves the journal as it is."""
    desk = memory_desk(load_settings(firm, {}))
    result = await apply_configuration(desk, None, "dana", "try", dry_run=True)
    assert (result.published, desk.next_offset) == (14, 0)


async def test_the_last_preview_is_the_draft(desk: MemoryDesk) -> None:
    """Preview and close give the same lines and sums."""
    before = await preview(desk, ["northwind"], OCTOBER)
    closed = await close(desk, ["northwind"], OCTOBER, ORDER)
    assert closed.documents[0].lines == before.documents[0].lines
    assert closed.documents[0].totals == before.documents[0].totals
    assert closed.documents[0].state == "draft"


async def test_approve_and_issue_give_gapless_numbers(desk: MemoryDesk) -> None:
    """Numbers follow the order of issue, not of drafting; a rejected draft has none."""
    closed = await close(desk, [], OCTOBER, ORDER)
    ids = {one.client: one.document_id for one in closed.documents}
    assert len(ids) == 10
    rejected = await reject(desk, [ids["kestrel"]], ORDER)
    assert rejected.documents[0].state == "rejected"
    first = await approve(desk, [ids["pavlik"]], ORDER, issue_too=True)
    await approve(desk, [ids["meridian"]], ORDER, issue_too=False)
    second = await issue(desk, [ids["meridian"]], ORDER)
    numbers = [first.documents[0].number, second.documents[0].number]
    assert int(numbers[1]) == int(numbers[0]) + 1


async def test_a_draft_that_was_overtaken_is_refused(desk: MemoryDesk, firm: Path) -> None:
    """After the second export moved an entry, the old draft cannot be approved; a new close makes revision 2."""
    closed = await close(desk, ["northwind"], OCTOBER, ORDER)
    await read(desk, firm, ["toggl-2026-11-02.csv"])
    refused = await approve(desk, [closed.documents[0].document_id], ORDER, issue_too=False)
    assert [one.reason for one in refused.refused] == ["stale"]
    again = await close(desk, ["northwind"], OCTOBER, ORDER)
    assert again.documents[0].revision == 2


async def test_the_second_export_moves_deletes_and_stops(desk: MemoryDesk, firm: Path) -> None:
    """The moved row is one entry at its new client, the missing row is proposed as deleted, the timer has stopped."""
    assert entry(desk, "NOR-260 returns portal").running
    await read(desk, firm, ["toggl-2026-11-02.csv"])
    moved = [row for _, row in desk.book.scan(EntryRow) if row.description == "proof upload, virus scan"]
    assert [row.client_id for row in moved] == ["kestrel"]
    assert not entry(desk, "NOR-260 returns portal").running
    gone = entry(desk, "spike: other search engine")
    assert held_reason(gone) == "deletion_proposed"
    await order_entries(desk, [gone.entry_id], "delete", delete, ORDER)
    assert held_reason(entry(desk, "spike: other search engine")) == ""


async def test_the_same_hour_from_two_sources_is_held_once(desk: MemoryDesk) -> None:
    """Jonas wrote the hour at the brewery into two tools: one of the two is held."""
    reasons = [one.reason for one in (await held(desk)).entries]
    assert reasons.count("possible_duplicate") == 1


async def test_held_entries_name_the_command_that_settles_them(desk: MemoryDesk) -> None:
    """A misspelt client waits for a person, and the person's word settles it."""
    waiting = {one.client: one for one in (await held(desk)).entries if one.reason == "client_unknown"}
    mistake = waiting["Nortwind Outdoor"]
    assert mistake.fix == f"billstream entries assign {mistake.entry_id[:12]} --client CLIENT"
    done = await order_entries(desk, [mistake.entry_id[:12]], "assign", assign("northwind", "", ""), ORDER)
    assert done.done == (mistake.entry_id,)
    assert mistake.entry_id not in {one.entry_id for one in (await held(desk)).entries}


async def test_orders_about_entries_take_effect(desk: MemoryDesk) -> None:
    """Hold, release, correct and write off each leave their mark on the row."""
    row = entry(desk, "relaunch rehearsal, second try 🤞")
    await order_entries(desk, [row.entry_id], "hold", hold, ORDER)
    assert held_reason(entry(desk, row.description)) == "held_by_person"
    await order_entries(desk, [row.entry_id], "release", release("held_by_person"), ORDER)
    assert held_reason(entry(desk, row.description)) == ""
    make = correct(Category.NON_BILLABLE, "", "", "", remember=False)
    await order_entries(desk, [row.entry_id], "correct", make, ORDER)
    decision = entry(desk, row.description).person_decision
    assert decision is not None
    assert decision.category == "non_billable"
    await order_entries(desk, [row.entry_id], "write-off", write_off, ORDER)
    assert entry(desk, row.description).written_off == "dana: test"


async def test_a_refused_order_says_why(desk: MemoryDesk) -> None:
    """A deletion that no import proposed is refused with its reason."""
    row = entry(desk, "relaunch rehearsal, second try 🤞")
    result = await order_entries(desk, [row.entry_id], "delete", delete, ORDER)
    assert [one.reason for one in result.refused] == ["deletion_not_proposed"]


async def test_explain_tells_the_story_of_lines_and_entries(desk: MemoryDesk) -> None:
    """A line leads to its entries and rates, an entry to its line, or to the reason why it is on none."""
    closed = await close(desk, ["northwind"], OCTOBER, ORDER)
    line = closed.documents[0].lines[0]
    told = await explain(desk, line.line_id[:12])
    assert told.kind == "line"
    assert str(line.amount) in texts(told.story).replace(",", "")
    assert "Rate: contract role" in texts(told.story)
    capped = await explain(desk, entry(desk, "relaunch night: DNS, cache, one rollback").entry_id)
    assert "senior-week" in texts(capped.story)
    lost = await explain(desk, entry(desk, "banner sizes for the autumn sale").entry_id)
    assert "client_unknown" in texts(lost.story)
    document = await explain(desk, closed.documents[0].document_id)
    assert document.kind == "document"


async def test_status_counts_what_is_there(desk: MemoryDesk) -> None:
    """Entries, held time, caps and documents of the book."""
    await close(desk, ["pavlik"], OCTOBER, ORDER)
    result = await status(desk, "memory")
    assert result.entries > 700
    assert result.caps[0].percent > 100
    assert [one.client for one in result.documents] == ["pavlik"]
    assert {one.reason for one in result.held} >= {"client_unknown", "possible_duplicate"}


@pytest.mark.parametrize("name", ["nothing-like-it", "zzzzzzzz"])
async def test_what_does_not_exist_is_not_found(desk: MemoryDesk, name: str) -> None:
    """Unknown ids end with 3, not with an empty answer."""
    with pytest.raises(CommandFailed) as caught:
        await explain(desk, name)
    assert caught.value.exit_code == 3
    with pytest.raises(CommandFailed, match="There is no client"):
        await close(desk, [name], OCTOBER, ORDER)
