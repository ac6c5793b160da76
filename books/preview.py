"""An invoice now: what a close at this offset would draft. The last preview before a close is the draft's body (rule
3).
"""

from datetime import date

from billing.invoice import Invoice, to_body
from books.book import Book
from books.catalog import Catalog
from books.composing import compose, facts_now
from books.corrections import to_look_at
from books.entries import BY_CONTRACT
from books.invoicing import gather, invoice, rates_now, terms_now
from schemas.draft import DocumentScope, DraftBody
from schemas.period import Period


def preview_invoice(book: Book, catalog: Catalog, scope: DocumentScope) -> Invoice | None:
    """The period's own invoice from today's rows, without corrections of earlier ones; None while its contract or the
    directory is unknown.
    """
    terms = terms_now(book, catalog, scope)
    return None if terms is None else invoice(book, terms, scope, gather(book, terms.agreement, scope), rates_now(book))


def preview_bodies(book: Book, catalog: Catalog, scope: DocumentScope) -> tuple[DraftBody, ...]:
    """All that a close of a scope would draft now: credit notes, then the invoice; nothing where all is billed."""
    terms = terms_now(book, catalog, scope)
    if terms is None:
        return ()
    looked = to_look_at(book, catalog, terms.agreement)
    return compose(book, facts_now(book, terms, scope, looked), scope, looked).bodies


def preview_documents(book: Book, catalog: Catalog, scope: DocumentScope) -> tuple[DraftBody, ...]:
    """What a close of a scope would draft now; for a period that is billed already and has not changed, its invoice as
    it would be today; nothing while the contract or the directory is unknown.
    """
    bodies = preview_bodies(book, catalog, scope)
    own = None if bodies else preview_invoice(book, catalog, scope)
    return bodies if own is None else (to_body(own),)


def preview(book: Book, catalog: Catalog, scope: DocumentScope) -> DraftBody | None:
    """The invoice of `preview_documents`, or the last credit note when there is no invoice."""
    found = preview_documents(book, catalog, scope)
    return found[-1] if found else None


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
