"""What approved documents took from money held for a client: facts that a later invoice is paid after (step 16)."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import cast

from billing.contract import Contract
from books.book import Book
from books.rows import BodyRow, DocumentRow
from schemas.codec import decode
from schemas.draft import DocumentScope, DocumentState
from schemas.facts import DocumentDrafted

_STANDS = (DocumentState.APPROVED.value, DocumentState.ISSUED.value)


def drawn_before(book: Book, contract: Contract, scope: DocumentScope) -> Mapping[date, Mapping[str, Decimal]]:
    """By first date of a period and account, what standing documents before a scope drew; a void one drew nothing."""
    found: dict[date, dict[str, Decimal]] = {}
    if contract.document.money_retainer is None and contract.document.trust is None:
        return found
    for document_id, row in book.scan(DocumentRow):
        is_earlier = row.date_from < scope.date_from.isoformat()
        is_fixed = row.state in (*_STANDS, DocumentState.VOID.value)
        if (row.client_id, row.contract_id) != (scope.client_id, scope.contract_id) or not (is_earlier and is_fixed):
            continue
        drawn = found.setdefault(date.fromisoformat(row.date_from), {})
        body = book.get(BodyRow, document_id)
        if row.state in _STANDS and body is not None:
            for use in cast(DocumentDrafted, decode(body.value)).body.held_money:
                drawn[use.held_id] = drawn.get(use.held_id, Decimal(0)) + use.applied
    return found
