"""An invoice now: what a close at this offset would draft. The last preview before a close is the draft's body (rule
3).
"""

from datetime import date

from billing.invoice import Invoice, to_body
from books.billed import billed_elsewhere
from books.book import Book
from books.catalog import Catalog
from books.closing import document_of
from books.entries import BY_CONTRACT
from books.invoicing import gather, invoice, rates_now, terms_now
from schemas.draft import DocumentScope, DraftBody
from schemas.period import Period


def preview_invoice(book: Book, catalog: Catalog, scope: DocumentScope) -> Invoice | None:
    """The invoice of a scope from today's rows; None while its contract or the directory is unknown."""
    terms = terms_now(book, catalog, scope)
    if terms is None:
        return None
    document_id = document_of(book, scope)
    entries = [(row, billed_elsewhere(book, row, document_id)) for row in gather(book, terms.agreement, scope)]
    return invoice(book, terms, scope, entries, rates_now(book))


def preview(book: Book, catalog: Catalog, scope: DocumentScope) -> DraftBody | None:
    """The body of `preview_invoice`."""
    found = preview_invoice(book, catalog, scope)
    return None if found is None else to_body(found)


def scopes_of(book: Book, catalog: Catalog, period: Period, client_id: str = "") -> tuple[DocumentScope, ...]:
    """The scopes of all contracts (of one client, if given) that are valid in a period and have entries in it."""
    found = []
    for agreement in sorted(catalog.agreements.values(), key=lambda one: (one.client_id, one.contract_id)):
        document = agreement.document
        valid = (document.date_from or date.min) < period.end and period.start < (document.date_to or date.max)
        if not valid or (client_id and agreement.client_id != client_id):
            continue
        keys = book.marked_between(
            (BY_CONTRACT, agreement.client_id, agreement.contract_id), period.start.isoformat(), period.end.isoformat()
        )
        if next(keys, None) is not None:
            found.append(
                DocumentScope(
                    client_id=agreement.client_id,
                    contract_id=agreement.contract_id,
                    date_from=period.start,
                    date_to=period.end,
                )
            )
    return tuple(found)
