"""Invoices computed once more for explanations: of a document by the revisions that it names, or of a preview."""

from billing.invoice import Traced, trace_invoice
from books.bodies import read_body
from books.book import Book
from books.catalog import Catalog, read_agreement, read_people
from books.invoicing import Terms, frozen_rates, gather, invoice, rates_now
from books.preview import preview_invoice
from books.rows import DocumentRow, FrozenRow
from schemas.draft import DocumentScope
from schemas.errors import ConservationBroken


def trace_document(book: Book, document_id: str) -> Traced | None:
    """A document from the rows of its own close, by its own contract, directory and date; from today's rows when its
    close is not kept any more.

    None when it cannot be computed. Corrections of other documents are not part of it, and from today's rows it may
    differ from the document; the caller compares what it shows.
    """
    body = read_body(book, document_id)
    document = book.get(DocumentRow, document_id)
    people = read_people(book, body.directory_revision)
    if people is None:
        return None
    agreement = read_agreement(book, body.contract_revision)
    terms = Terms(agreement, people, body.invoice_date)
    key = "" if document is None else document.inputs
    frozen = [one.entry for _, one in book.scan(FrozenRow, key)] if key else []
    entries = frozen or gather(book, agreement, body.scope)
    rates = (frozen_rates(book, key) if frozen else ()) or rates_now(book)
    try:
        return trace_invoice(invoice(book, terms, body.scope, entries, rates).request)
    except ConservationBroken:
        return None


def trace_preview(book: Book, catalog: Catalog, scope: DocumentScope) -> Traced | None:
    """The invoice of a scope as it would be now; None while it cannot be computed."""
    try:
        found = preview_invoice(book, catalog, scope)
    except ConservationBroken:
        return None
    return None if found is None else trace_invoice(found.request)
