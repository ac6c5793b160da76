"""What an invoice would be now: the rows' invoice, computed here, with nothing changed (design rule 3)."""

from collections.abc import Sequence
from pathlib import Path

from billing.invoice import to_body
from billstream.cli.results import PreviewResult
from billstream.closing import agreements_of
from billstream.gateway import Desk
from billstream.showing import body_item
from books.book import Book
from books.catalog import Agreement, Catalog
from books.closing import document_of
from books.invoicing import billed_elsewhere, gather, invoice, terms_now
from schemas.draft import DocumentScope, DraftBody
from schemas.period import Period


async def preview(desk: Desk, clients: Sequence[str], period: Period) -> PreviewResult:
    """The invoices of a period as of the journal's present end."""
    await desk.catch_up()
    bodies = [body for one in agreements_of(desk, clients, period) if (body := _body(desk, one, period)) is not None]
    entries = {source.entry_id for body in bodies for line in body.lines for source in line.sources}
    entries |= {placement.entry_id for body in bodies for placement in body.placements}
    return PreviewResult(period=period.text, entries=len(entries), documents=tuple(body_item(body) for body in bodies))


def _body(desk: Desk, agreement: Agreement, period: Period) -> DraftBody | None:
    scope = DocumentScope(
        client_id=agreement.client_id, contract_id=agreement.contract_id, date_from=period.start, date_to=period.end
    )
    return preview_body(desk.book, desk.catalog, scope)


def preview_body(book: Book, catalog: Catalog, scope: DocumentScope) -> DraftBody | None:
    """The body a close would draft now; None without a directory."""
    terms = terms_now(book, catalog, scope)
    if terms is None:
        return None
    document_id = document_of(book, scope)
    entries = [(row, billed_elsewhere(book, row, document_id)) for row in gather(book, terms.agreement, scope)]
    return to_body(invoice(book, terms, scope, entries))


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The files of a list of files and folders, in name order within a folder."""
    found: list[Path] = []
    for path in paths:
        found += sorted(one for one in path.iterdir() if one.is_file()) if path.is_dir() else [path]
    return found
