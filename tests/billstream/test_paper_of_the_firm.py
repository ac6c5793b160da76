"""The sample firm's invoices on paper: what a client reads on the pages is what the JSON and LEDES files say."""

import asyncio
import io
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from pypdf import PdfReader

from billstream.applying import apply_configuration
from billstream.cli.session import Session
from billstream.closing import Order, agreements_of, approve, close
from billstream.demo.run import FIRM
from billstream.entry_orders import order_entries, write_off
from billstream.file_preview import memory_desk
from billstream.history import void
from billstream.importing import Declared, publish_file, understand
from billstream.project import open_project
from billstream.settings import PdfFiles
from books.bodies import read_body
from books.preview import preview
from books.rows import DocumentRow
from schemas.draft import DocumentScope, DocumentState, DraftBody, LineKind, body_hash
from schemas.period import parse_period
from sinks.base import DraftToSend
from sinks.json_file.document import write_document
from sinks.ledes_1998b import Receiver, render
from sinks.ledes_1998b import fields as f
from sinks.ledes_1998b.reader import number_of, read_ledes
from sinks.ledes_1998b.validator import check_ledes
from sinks.pdf.settings import Details
from sinks.pdf.sink import Press

pytestmark = pytest.mark.proof

PERIOD = parse_period("2026-10")
ORDER = Order("dana", "test", 1)
AMOUNT = re.compile(r"(?<![\d.,])-?\d{1,3}(?:,\d{3})*\.\d{2}(?!\d)")
FLAT = {"\u00a0": " ", "\u202f": " ", "\u200b": ""}


async def bodies_of(firm: Path) -> dict[str, DraftBody]:
    """The October invoices of the sample firm, as a close would draft them."""
    session, installation = Session(project=firm), open_project(firm, {})
    desk = memory_desk(installation)
    await apply_configuration(desk, None, "test", "test", dry_run=False)
    for file in understand(installation, sorted((firm / "exports").iterdir()), Declared()):
        await publish_file(desk, session, file)
    await desk.catch_up()
    found = {}
    for one in agreements_of(desk, [], PERIOD):
        scope = DocumentScope(
            client_id=one.client_id, contract_id=one.contract_id, date_from=PERIOD.start, date_to=PERIOD.end
        )
        body = preview(desk.book, desk.catalog, scope)
        assert body is not None, one.client_id
        found[one.client_id] = body
    return found


@pytest.fixture(scope="module")
def bodies() -> dict[str, DraftBody]:
    """What October of the sample firm comes to; computed once, nothing is written."""
    return asyncio.run(bodies_of(FIRM))


@pytest.fixture(scope="module")
def sink() -> PdfFiles:
    """The PDF sink of the sample firm, with the paper of no client in particular."""
    found = open_project(FIRM, {}).settings.sinks["pdf"]
    assert isinstance(found, PdfFiles)
    return found.model_copy(update={"clients": {}})


def issued(body: DraftBody) -> DraftToSend:
    return DraftToSend(
        document_id="0123456789abcdef0123456789abcdef",
        sequence=1,
        revision=1,
        state=DocumentState.ISSUED,
        number="2026-0001",
        content=body_hash(body),
        body=body,
    )


async def credit_notes_of(firm: Path) -> dict[str, DraftBody]:
    """October is issued; Meridian's invoice is void, and of Varga's some work is written off afterwards."""
    session, installation = Session(project=firm, quiet=True), open_project(firm, {})
    desk = memory_desk(installation)
    await apply_configuration(desk, None, "test", "test", dry_run=False)
    names = ("harvest-2026-11-02.csv", "care-2026-10.jsonl", "expenses-2026-10.jsonl")
    for file in understand(installation, [firm / "exports" / name for name in names], Declared()):
        await publish_file(desk, session, file)
    await close(desk, ["meridian", "varga"], PERIOD, ORDER)
    issued_ones = (await approve(desk, [], ORDER, issue_too=True)).documents
    ids = {one.client: one.document_id for one in issued_ones}
    first = read_body(desk.book, ids["varga"]).lines[0]
    await order_entries(desk, [source.entry_id for source in first.sources][:2], "write-off", write_off, ORDER)
    await void(desk, [ids["meridian"]], ORDER, rebill=False)
    await close(desk, ["varga"], parse_period("2026-11"), ORDER)
    rows = [row for _, row in desk.book.scan(DocumentRow) if row.kind == "credit_note"]
    return {row.client_id: read_body(desk.book, row.document_id) for row in rows}


def test_credit_notes_of_the_firm_are_the_same_in_all_three_files(sink: PdfFiles) -> None:
    """What is given back stands on the pages and in both files, hours and expenses apart; nobody is asked to pay."""
    notes = asyncio.run(credit_notes_of(FIRM))
    assert set(notes) == {"meridian", "varga"}
    press = Press(sink)
    for client, body in notes.items():
        draft = issued(body)
        pages = PdfReader(io.BytesIO(press.render(draft).content)).pages
        text = "".join(FLAT.get(letter, letter) for page in pages for letter in page.extract_text() + "\n")
        shown = [Decimal(amount.replace(",", "")) for amount in AMOUNT.findall(text)]
        said = json.loads(write_document(draft))["body"]
        for line in said["lines"]:
            assert Decimal(line["amount"]) in shown, (client, line["text"])
            shown.remove(Decimal(line["amount"]))
        assert -body.due in shown
        assert "In your favour" in text
        assert "IBAN" not in text
        assert sum(one.amount for one in body.timekeepers) == sum(
            line.amount for line in body.lines if line.corrected_kind is LineKind.FEE
        )
    receiver = Receiver.model_validate({"activity_code_required": False, "task_code_required": False})
    content = render(issued(notes["meridian"]), receiver).content
    assert check_ledes(content, receiver) == ()
    records = read_ledes(content, receiver).records
    assert [record[f.LINE_TYPE] for record in records] == ["IF", "IE"]
    assert sum(number_of(record[f.LINE_ITEM_TOTAL]) for record in records) == notes["meridian"].net


@pytest.mark.parametrize("details", ["lines", "entries"])
def test_each_invoice_of_the_firm_reads_on_paper_as_in_json(
    bodies: dict[str, DraftBody], sink: PdfFiles, details: str
) -> None:
    """Every client: each line's amount, net, each tax and what is due stand on the pages, to the cent."""
    paper = sink.paper.model_copy(update={"details": Details(details), "locale": "en-GB", "logo": None})
    press = Press(sink.model_copy(update={"paper": paper}))
    assert len(bodies) >= 6
    for client, body in bodies.items():
        draft = issued(body)
        pages = PdfReader(io.BytesIO(press.render(draft).content)).pages
        text = "".join(FLAT.get(letter, letter) for page in pages for letter in page.extract_text() + "\n")
        shown = [Decimal(amount.replace(",", "")) for amount in AMOUNT.findall(text)]
        said = json.loads(write_document(draft))["body"]
        wanted = [Decimal(line["amount"]) for line in said["lines"]]
        wanted += [Decimal(row["tax"]) for row in said["taxes"] if Decimal(row["tax"])]
        wanted += [Decimal(said["due"])]
        for amount in wanted:
            assert amount in shown, (client, amount)
            shown.remove(amount)  # two lines of one amount are there twice


def test_the_legal_invoice_is_the_same_in_all_three_files(bodies: dict[str, DraftBody], sink: PdfFiles) -> None:
    """The client who gets PDF and LEDES for one matter finds one set of figures."""
    draft = issued(bodies["meridian"])
    receiver = Receiver.model_validate({"activity_code_required": False, "task_code_required": False})
    records = read_ledes(render(draft, receiver).content, receiver).records
    sheet, notes = Press(sink).sheet(draft)
    fees = next(table for table in sheet.details if table.columns[0].head == "Date" and len(table.columns) == 7)
    on_paper = [Decimal(row.cells[-1].replace(",", "")) for row in fees.rows[:-1]]
    assert on_paper == [number_of(record[f.LINE_ITEM_TOTAL]) for record in records if record[f.LINE_TYPE] == "F"]
    assert number_of(records[0][f.INVOICE_TOTAL]) == draft.body.net
    assert notes == ()
