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
from billstream.closing import agreements_of
from billstream.demo.run import FIRM
from billstream.file_preview import memory_desk
from billstream.importing import Declared, publish_file, understand
from billstream.project import open_project
from billstream.settings import PdfFiles
from books.preview import preview
from schemas.draft import DocumentScope, DocumentState, DraftBody, body_hash
from schemas.period import parse_period
from sinks.base import DraftToSend
from sinks.json_file.document import write_document
from sinks.ledes_1998b import Receiver, render
from sinks.ledes_1998b import fields as f
from sinks.ledes_1998b.reader import number_of, read_ledes
from sinks.pdf.settings import Details
from sinks.pdf.sink import Press

pytestmark = pytest.mark.proof

PERIOD = parse_period("2026-10")
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
