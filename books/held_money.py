"""Money held for a client: what arrived, and what approved documents took of it; a later invoice is paid after both.

Billing-domain step 16 (BD-40).
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import cast

from billing.carried import Received
from billing.contract import Contract
from books.bodies import documents_of
from books.book import SEPARATOR, Book, key_of
from books.catalog import Catalog
from books.effects import Cause, Effects
from books.rows import BodyRow, HeldReceiptRow
from schemas.charges import HeldMoney, has_places
from schemas.codec import decode
from schemas.draft import DocumentScope, DocumentState
from schemas.facts import DocumentDrafted
from schemas.inputs import Payment

STANDS = (DocumentState.APPROVED.value, DocumentState.ISSUED.value)
"""States in which a document and what it says is a fact."""


def drawn_before(book: Book, contract: Contract, scope: DocumentScope) -> Mapping[date, Mapping[str, Decimal]]:
    """By first date of a period and account, what standing documents before a scope drew; a void one drew nothing."""
    found: dict[date, dict[str, Decimal]] = {}
    if contract.document.money_retainer is None and contract.document.trust is None:
        return found
    for row in documents_of(book, scope.client_id, scope.contract_id):
        is_earlier = row.date_from < scope.date_from.isoformat()
        is_fixed = row.state in (*STANDS, DocumentState.VOID.value)
        if not (is_earlier and is_fixed):
            continue
        drawn = found.setdefault(date.fromisoformat(row.date_from), {})
        body = book.get(BodyRow, row.document_id)
        if row.state in STANDS and body is not None:
            for use in cast(DocumentDrafted, decode(body.value)).body.held_money:
                drawn[use.held_id] = drawn.get(use.held_id, Decimal(0)) + use.applied
    return found


def apply_payment(book: Book, catalog: Catalog, payment: Payment, cause: Cause, effects: Effects) -> None:
    """Take in money for an account of a contract, once per payment id; what pays a document changes no draft."""
    if not payment.held_id:
        return
    agreement = catalog.agreements.get(payment.contract_id)
    held = None if agreement is None else _account(agreement.compiled, payment.held_id)
    if agreement is None or held is None:
        detail = f"contract {payment.contract_id} has no account {payment.held_id}"
        effects.unapplied.append((cause.offset, "payment_account_unknown", detail))
        return
    currency = agreement.compiled.currency
    if payment.currency != currency or payment.amount <= 0 or not has_places(payment.amount, currency):
        detail = f"{payment.amount:f} {payment.currency} for an account in {currency}"
        effects.unapplied.append((cause.offset, "payment_unusable", detail))
        return
    key = key_of(payment.contract_id, payment.held_id, payment.payment_id)
    if not book.has(HeldReceiptRow, key):
        book.put(key, HeldReceiptRow(amount=format(payment.amount, "f"), paid_on=payment.paid_on.isoformat()))


def received_for(book: Book, contract: Contract) -> tuple[Received, ...]:
    """What arrived for the accounts of a contract, beside what the contract itself says."""
    if contract.document.money_retainer is None and contract.document.trust is None:
        return ()
    found: list[Received] = []
    for key, row in book.scan(HeldReceiptRow, contract.id):
        _, held_id, _ = key.split(SEPARATOR)
        found.append(Received(held_id, date.fromisoformat(row.paid_on), Decimal(row.amount)))
    return tuple(found)


def _account(contract: Contract, held_id: str) -> HeldMoney | None:
    accounts = (contract.document.money_retainer, contract.document.trust)
    return next((held for held in accounts if held is not None and held.id == held_id), None)
