"""Invoices computed once more for explanations: of a document by the revisions that it names, or of a preview."""

from billing.invoice import Traced, trace_invoice
from books.bodies import read_body
from books.book import Book
from books.catalog import Catalog, read_agreement, read_people
from books.invoicing import Terms, gather, invoice, rates_now
from books.preview import preview_invoice
from schemas.draft import DocumentScope
from schemas.errors import ConservationBroken


def trace_document(book: Book, document_id: str) -> Traced | None:
    """A document from today's rows by its own contract, directory and date.

    None when it cannot be computed. It differs from the document when entries or decisions changed since; the caller
    compares what it shows.
    """
    body = read_body(book, document_id)
    people = read_people(book, body.directory_revision)
    if people is None:
        return None
    agreement = read_agreement(book, body.contract_revision)
    terms = Terms(agreement, people, body.invoice_date)
    entries = gather(book, agreement, body.scope)
    try:
        return trace_invoice(invoice(book, terms, body.scope, entries, rates_now(book)).request)
    except ConservationBroken:
        return None


def trace_preview(book: Book, catalog: Catalog, scope: DocumentScope) -> Traced | None:
    """The invoice of a scope as it would be now; None while it cannot be computed."""
    try:
        found = preview_invoice(book, catalog, scope)
    except ConservationBroken:
        return None
    return None if found is None else trace_invoice(found.request)
