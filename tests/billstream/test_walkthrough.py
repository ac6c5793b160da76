"""The walkthrough follows a real row: what docs/walkthrough.md says of it is what the program makes of it."""

import asyncio
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from billstream.applying import apply_configuration
from billstream.cli.session import Session
from billstream.closing import Order, approve, close
from billstream.demo.run import FIRM
from billstream.file_preview import memory_desk
from billstream.importing import Declared, publish_file, understand
from billstream.memory_desk import MemoryDesk
from billstream.settings import load_settings
from books.bodies import read_body
from books.entries import decision_of
from books.rows import DocumentRow, EntryRow
from schemas.draft import DraftLine
from schemas.period import parse_period

EXPORT = "toggl-2026-10-30.csv"
ENTRY = "ed55eaeec5318afa0370425bda26682b"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> MemoryDesk:
    """The sample firm with one export, October closed, approved and issued for one client."""
    firm = Path(shutil.copytree(FIRM, tmp_path_factory.mktemp("walkthrough") / "firm"))
    made = memory_desk(load_settings(firm, {}))
    order = Order("dana", "walkthrough", 1)

    async def walk() -> None:
        await apply_configuration(made, None, "dana", "start", dry_run=False)
        for one in understand(made.installation, [firm / "exports" / EXPORT], Declared()):
            await publish_file(made, Session(quiet=True), one)
        await close(made, ["northwind"], parse_period("2026-10"), order)
        await approve(made, [], order, issue_too=True)

    asyncio.run(walk())
    return made


@pytest.fixture(scope="module")
def page(repository_root: Path) -> str:
    """What the page says."""
    return (repository_root / "docs/walkthrough.md").read_text()


def test_the_row_of_the_page_stands_in_the_export(page: str) -> None:
    """The page shows the row as it is in the file that ships."""
    row = page.split("```text\n")[1].split("\n```", maxsplit=1)[0]
    assert row in (FIRM / "exports" / EXPORT).read_text(encoding="utf-8-sig").splitlines()


def test_the_entry_is_what_the_page_says(desk: MemoryDesk, page: str) -> None:
    """Its ids, seconds, names and decision stand on the page."""
    row = desk.book.get(EntryRow, ENTRY)
    assert row is not None
    decided = decision_of(row)
    assert decided is not None
    said = [row.entry_id, row.source_entry_id, row.client_id, row.person_id, row.project_id, row.contract_id, row.role]
    said += [f"{row.worked_seconds} worked seconds", decided.confidence, decided.service_item, decided.category]
    assert [text for text in said if text not in page] == []
    assert row.hours is not None
    assert row.hours.key.split("\x1f")[1] in page


def test_the_line_is_what_the_page_says(desk: MemoryDesk, page: str) -> None:
    """Line, share, rate, number of entries and invoice number stand on the page."""
    ((document_id, document),) = desk.book.scan(DocumentRow)
    (line,) = [one for one in read_body(desk.book, document_id).lines if _share_of(one) is not None]
    said = [
        line.line_id,
        f"{_share_of(line)} EUR",
        f"{line.unit_price} an hour",
        f"{len(line.sources) - 1} other entries",
    ]
    assert [text for text in [*said, f"`{document.number}`"] if text not in page] == []


def _share_of(line: DraftLine) -> Decimal | None:
    """What the entry contributes to a line; None for a line that it is not on."""
    return next((source.amount for source in line.sources if source.entry_id == ENTRY), None)
