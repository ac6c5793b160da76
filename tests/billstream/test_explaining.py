"""Explanations of a real book: both ways between entry, line and document, with who decided and what a cap had left."""

import asyncio
import copy
import shutil
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from billstream.applying import apply_configuration
from billstream.cli.results import ExplainResult, StoryNode
from billstream.cli.session import Session
from billstream.closing import Order, approve, close
from billstream.demo.run import FIRM
from billstream.entry_orders import correct, order_entries, write_off
from billstream.explaining import explain
from billstream.file_preview import memory_desk
from billstream.importing import Declared, publish_file, understand
from billstream.memory_desk import MemoryDesk
from billstream.previewing import preview
from billstream.settings import load_settings
from books.bodies import read_body
from books.rows import DocumentRow, EntryRow
from schemas.inputs import Category
from schemas.period import parse_period

Call = Callable[..., Any]
ORDER = Order("dana", "test", 1)
OCTOBER = parse_period("2026-10")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> MemoryDesk:
    """The sample firm with its studio's first export; Northwind's October is closed and approved."""
    firm = Path(shutil.copytree(FIRM, tmp_path_factory.mktemp("explain") / "firm"))
    contract = firm / "contracts/northwind.yaml"
    contract.write_text(contract.read_text() + 'clauses: {payment_terms_days: "§ 9: within thirty days"}\n')
    made = memory_desk(load_settings(firm, {}))

    async def fill() -> None:
        await apply_configuration(made, None, "dana", "test", dry_run=False)
        for one in understand(made.installation, [firm / "exports/toggl-2026-10-30.csv"], Declared()):
            await publish_file(made, Session(quiet=True), one)
        closed = await close(made, ["northwind"], OCTOBER, ORDER)
        await approve(made, [closed.documents[0].document_id], ORDER, issue_too=True)

    asyncio.run(fill())
    return made


@pytest.fixture
def desk(prepared: MemoryDesk) -> MemoryDesk:
    """A copy of the prepared book."""
    return copy.deepcopy(prepared)


def nodes(story: Sequence[StoryNode]) -> Iterator[StoryNode]:
    for node in story:
        yield node
        yield from nodes(node.below)


def of_kind(result: ExplainResult, kind: str) -> list[StoryNode]:
    return [node for node in nodes(result.story) if node.kind == kind]


def entry(desk: MemoryDesk, description: str) -> EntryRow:
    return next(row for _, row in desk.book.scan(EntryRow) if row.description == description)


async def test_every_line_of_a_document_is_a_tree_that_adds_up(desk: MemoryDesk) -> None:
    """Line, charges, allocations: the amounts of each level are the amount above it, and entry versions stand below."""
    (row,) = [row for _, row in desk.book.scan(DocumentRow)]
    for line in read_body(desk.book, row.document_id).lines:
        told = await explain(desk, line.line_id)
        assert told.story[0].facts["amount"] == f"{line.amount:f}"
        parts = of_kind(told, "allocation")
        assert sum(Decimal(str(one.facts["amount"])) for one in parts) == line.amount
        assert {one.facts["entry_id"] for one in parts} == {source.entry_id for source in line.sources}
        assert {one.facts["number"] for one in of_kind(told, "document")} == {row.number}
        assert len(of_kind(told, "decision")) == len(parts)
        assert of_kind(told, "contract")[0].facts["contract_id"] == "northwind-2026"


async def test_clauses_are_shown_in_their_own_words(desk: MemoryDesk) -> None:
    """The contract's words stand beside the rate, the cap, and settings that have no row of their own."""
    (row,) = [row for _, row in desk.book.scan(DocumentRow)]
    line = next(one for one in read_body(desk.book, row.document_id).lines if "(senior)" in one.text)
    said = {str(node.facts.get("clause")) for node in of_kind(await explain(desk, line.line_id), "clause")}
    assert said == {"§ 4.1", "§ 4.3", "§ 9: within thirty days"}


async def test_an_entry_over_the_cap_leads_to_its_line_and_to_what_is_held(desk: MemoryDesk) -> None:
    """Both ways: the entry names document and line of its billed part, and the full cap of the rest."""
    (row,) = [row for _, row in desk.book.scan(DocumentRow)]
    body = read_body(desk.book, row.document_id)
    billed = {source.entry_id for line in body.lines for source in line.sources}
    cut = next(one for one in body.placements if one.reason == "cap:senior-week" and one.entry_id in billed)
    told = await explain(desk, cut.entry_id)
    (placed,) = of_kind(told, "placement")
    assert placed.facts["worked_seconds"] == cut.seconds
    (line_id,) = {str(one.facts["line_id"]) for one in of_kind(told, "allocation")}
    assert line_id in {line.line_id for line in body.lines}
    assert placed.facts["reason"] == "cap:senior-week"
    full = next(node for node in placed.below if node.kind == "cap")
    assert full.facts["after_seconds"] == full.facts["limit_seconds"] == 40 * 3600
    assert of_kind(told, "document")


async def test_a_person_who_decided_is_named(desk: MemoryDesk) -> None:
    """The classification shows category, confidence, rank and the person who corrected it."""
    row = next(
        row for _, row in desk.book.scan(EntryRow) if row.client_id == "kestrel" and row.local_date > "2026-10-10"
    )
    await order_entries(desk, [row.entry_id], "correct", correct(Category.BILLABLE, "", "", "", remember=False), ORDER)
    told = await explain(desk, row.entry_id)
    decided = of_kind(told, "decision")[0]
    assert (decided.facts["decider"], decided.facts["rank"]) == ("dana", "person")


async def test_a_line_of_a_preview_is_explained_before_anything_is_drafted(desk: MemoryDesk) -> None:
    """The id that `preview` shows is enough."""
    shown = await preview(desk, ["kestrel"], OCTOBER)
    line = shown.documents[0].lines[0]
    told = await explain(desk, line.line_id[:12])
    assert told.id == line.line_id
    assert told.story[0].facts["amount"] == f"{line.amount:f}"
    assert "preview of kestrel" in of_kind(told, "document")[0].text


async def test_a_document_is_explained_by_what_it_was_made_of(desk: MemoryDesk) -> None:
    """An issued line keeps its tree though its entries are others now; the entry itself tells its new state."""
    (row,) = [row for _, row in desk.book.scan(DocumentRow)]
    line = read_body(desk.book, row.document_id).lines[0]
    before = await explain(desk, line.line_id)
    await order_entries(desk, [line.sources[0].entry_id], "write-off", write_off, ORDER)
    after = await explain(desk, line.line_id)
    assert after.story[0].facts == before.story[0].facts
    assert [one.facts for one in of_kind(after, "allocation")] == [one.facts for one in of_kind(before, "allocation")]
    told = await explain(desk, line.sources[0].entry_id)
    assert any("Written off" in node.text for node in nodes(told.story))


async def test_a_correction_names_the_line_that_it_corrects(desk: MemoryDesk) -> None:
    """A line that was issued and changed since: the adjustment leads back to it, with what stood and what is right."""
    (row,) = [row for _, row in desk.book.scan(DocumentRow)]
    line = read_body(desk.book, row.document_id).lines[0]
    await order_entries(desk, [line.sources[0].entry_id], "write-off", write_off, ORDER)
    await close(desk, ["northwind"], parse_period("2026-11"), ORDER)
    bodies = {one.document_id: read_body(desk.book, one.document_id) for _, one in desk.book.scan(DocumentRow)}
    found = [(name, one) for name, body in bodies.items() for one in body.lines if one.corrects]
    (document_id, adjustment) = found[0]
    told = await explain(desk, adjustment.line_id)
    corrected = of_kind(told, "correction")
    assert corrected[0].facts["line_id"] == line.line_id
    assert corrected[0].facts["amount"] == f"{adjustment.amount:f}"
    assert adjustment.amount < 0
    assert "stood, today's facts give" in corrected[-1].text
    document = await explain(desk, document_id)
    assert of_kind(document, "certificate")


async def test_the_answer_has_its_published_form(desk: MemoryDesk) -> None:
    """Text, JSON and structure are one tree."""
    told = await explain(desk, entry(desk, "relaunch night: DNS, cache, one rollback").entry_id)
    schema = ExplainResult.model_json_schema(mode="serialization", by_alias=True)
    jsonschema.validate(told.model_dump(mode="json", by_alias=True), schema)


async def test_every_figure_of_a_document_has_its_reasons(desk: MemoryDesk) -> None:
    """Tax, the certificate and each bucket are told with their figures; lines carry ids to go on with."""
    (row,) = [row for _, row in desk.book.scan(DocumentRow)]
    body = read_body(desk.book, row.document_id)
    result = await explain(desk, row.number)
    (head,) = result.story
    assert head.facts["net"] == f"{body.net:f}"
    assert [node.facts["amount"] for node in of_kind(result, "tax")] == [f"{one.tax:f}" for one in body.taxes]
    assert sum(int(node.facts["seconds"]) for node in of_kind(result, "bucket")) == body.worked_seconds
    lines = of_kind(result, "line")
    assert [node.facts["line_id"] for node in lines] == [line.line_id for line in body.lines]
    for line in lines:
        charges = [node for node in line.below if node.kind == "charge"]
        assert sum(Decimal(str(node.facts["amount"])) for node in charges) == Decimal(str(line.facts["amount"]))


async def test_a_held_entry_says_how_to_settle_it(desk: MemoryDesk) -> None:
    """An entry without a client is on no document, and the command that changes it stands there."""
    row = next(row for _, row in desk.book.scan(EntryRow) if row.client_ref == "Nortwind Outdoor")
    result = await explain(desk, row.entry_id)
    (hold,) = of_kind(result, "hold")
    assert hold.facts["reason"] == "client_unknown"
    assert hold.facts["fix"] == f"billstream entries assign {row.entry_id[:12]} --client CLIENT"
    (understood,) = of_kind(result, "understood")
    assert understood.facts["client"] == ""


async def test_a_milestone_is_not_said_to_wait_for_a_decision(desk: MemoryDesk) -> None:
    """It says itself what it is, so nobody is asked."""
    for one in understand(desk.installation, [FIRM / "exports/care-2026-10.jsonl"], Declared()):
        await publish_file(desk, Session(quiet=True), one)
    row = next(row for _, row in desk.book.scan(EntryRow) if row.kind == "milestone")
    told = [node.text for node in nodes((await explain(desk, row.entry_id)).story)]
    assert "Nobody is asked what it is: it says itself that it is of kind milestone" in told
    assert "Not decided yet" not in told


@pytest.mark.proof
def test_files_are_explained_without_a_broker(call: Call, firm: Path) -> None:
    """A line that the preview of files shows, an entry of it, and a client's money, as text that nothing cuts."""
    files = ("--entries", firm / "exports" / "care-2026-10.jsonl", "--project", firm)
    previewed = call("preview", "--period", "2026-10", "--client", "varga", "--json", *files)
    line = previewed.json["documents"][0]["lines"][0]
    told = call("explain", line["line_id"], "--json", *files)
    assert told.code == 0, told.err
    (story,) = told.json["story"]
    assert (story["kind"], story["facts"]["amount"]) == ("line", line["amount"])
    (entry_id, *_) = [node["facts"]["entry_id"] for node in _flat(story) if node["kind"] == "allocation"]
    back = call("explain", entry_id, *files)
    assert line["text"] in back.out
    money = call("explain", "varga", "--json", *files)
    kinds = {node["kind"] for node in _flat(money.json["story"][0])}
    assert {"tax", "due", "held_money", "line", "bucket"} <= kinds
    text = call("explain", "varga", *files).out
    assert line["line_id"] in text
    missing = call("explain", "va", *files)
    assert (missing.code, "at least 6 characters" in missing.err) == (3, True)


def _flat(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *(one for below in node["below"] for one in _flat(below))]
