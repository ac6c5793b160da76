"""Expenses: converted by the rate of their own date, marked up, rounded once (billing-domain step 12; BD-45, BD-46)."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from billing.attribute import work_date_of
from billing.classify import verdict_of
from billing.contract import Contract
from billing.currency import Exchange
from billing.entries import BillingEntry, OrderKey, work_order
from billing.exact import product
from billing.portions import Placed
from schemas.clauses import Markup
from schemas.draft import Bucket
from schemas.entry import EntryKind


class ExpensePart(NamedTuple):
    """An expense in the contract's currency: exact cost and mark-up percent; quantity and price where it has them."""

    order: OrderKey
    entry: BillingEntry
    day: date
    cost: Fraction
    percent: Decimal
    utbms_code: str
    quantity: Decimal | None
    unit_cost: Decimal | None
    conversion: str

    @property
    def markup(self) -> Fraction:
        """The exact mark-up on the cost."""
        return self.cost * Fraction(self.percent) / 100


class Expenses(NamedTuple):
    """Billable expenses in order of their dates, and those that are not billed."""

    parts: list[ExpensePart]
    placed: list[Placed]


def gather_expenses(contract: Contract, exchange: Exchange, entries: Iterable[BillingEntry]) -> Expenses:
    """Classify and convert expense entries of any order."""
    parts: list[ExpensePart] = []
    placed: list[Placed] = []
    for entry in entries:
        if entry.kind is not EntryKind.EXPENSE:
            continue
        day = work_date_of(contract.zone, entry)
        found = _part(contract, exchange, entry, day)
        if isinstance(found, ExpensePart):
            parts.append(found)
        else:
            placed.append(found)
    parts.sort(key=lambda part: part.order)
    return Expenses(parts, placed)


def _part(contract: Contract, exchange: Exchange, entry: BillingEntry, day: date) -> ExpensePart | Placed:
    document = contract.document
    verdict = verdict_of(entry, document.decide.confidence_min)
    if verdict is not None:
        return Placed(entry, day, day, verdict.bucket, verdict.reason, verdict.detail, 0)
    if entry.expense_category and entry.expense_category in document.expenses.not_billable:
        return Placed(entry, day, day, Bucket.NON_BILLABLE, "expense_category", entry.expense_category, 0)
    other_project = bool(document.project) and entry.project_id != document.project
    if not document.covers(day) or other_project:
        return Placed(entry, day, day, Bucket.HELD, "contract_missing", f"contract {contract.id}", 0)
    cost = _cost(entry)
    if cost is None:
        return Placed(entry, day, day, Bucket.HELD, "amount_missing", "", 0)
    if not entry.currency:
        return Placed(entry, day, day, Bucket.HELD, "currency_missing", "", 0)
    conversion = exchange.expense(entry.currency, day)
    if conversion is None:
        detail = f"{contract.currency} per {entry.currency} on {day}"
        return Placed(entry, day, day, Bucket.HELD, "exchange_rate_missing", detail, 0)
    markup = _markup(document.expenses.markups, entry.expense_category, day)
    unit_cost = _unit_cost(entry, cost)
    return ExpensePart(
        order=work_order(entry, contract.zone),
        entry=entry,
        day=day,
        cost=Fraction(cost) * Fraction(conversion.factor),
        percent=Decimal(0) if markup is None else markup.percent,
        utbms_code="" if markup is None else markup.utbms_code,
        quantity=None if unit_cost is None else entry.quantity,
        unit_cost=None if unit_cost is None else product(unit_cost, conversion.factor),
        conversion=conversion.text,
    )


def _cost(entry: BillingEntry) -> Decimal | None:
    """The amount of an expense as its source gave it, or quantity times price; None when neither is known."""
    if entry.amount is not None:
        return entry.amount
    if entry.quantity is None or entry.unit_price is None:
        return None
    return product(entry.quantity, entry.unit_price)


def _unit_cost(entry: BillingEntry, cost: Decimal) -> Decimal | None:
    """The price of one unit where quantity times price is the amount; a source that contradicts itself has none."""
    if entry.quantity is None or entry.unit_price is None or product(entry.quantity, entry.unit_price) != cost:
        return None
    return entry.unit_price


def _markup(rows: tuple[Markup, ...], category: str, day: date) -> Markup | None:
    """The row of the category, or the one for all others."""
    valid = [row for row in rows if row.covers(day)]
    own = next((row for row in valid if row.category and row.category == category), None)
    return own or next((row for row in valid if not row.category), None)
