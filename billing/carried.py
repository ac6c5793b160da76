"""What one invoice hands to the next: open shortfalls, deposits that were deducted, money that was used.

Nothing of it is stored: it follows from the invoices of the periods before, each computed from today's facts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from billing.contract import Contract
from schemas.charges import DepositDeduction, Shortfall
from schemas.period import Period


class OpenShortfall(NamedTuple):
    """Units of a minimum that a period did not reach; billed when `periods_left` is used up."""

    minimum_id: str
    period: str
    units: int
    periods_left: int


class Received(NamedTuple):
    """Money of a client that arrived for an account of held money and may be used from a date on."""

    held_id: str
    on: date
    amount: Decimal


class Used(NamedTuple):
    """Units of held money that were received and used up to an invoice."""

    received: int
    applied: int


@dataclass(frozen=True, slots=True)
class Carried:
    """The state between two invoices of a contract; deposits and held money by their ids."""

    shortfalls: tuple[OpenShortfall, ...] = ()
    deducted: Mapping[str, int] = field(default_factory=dict)
    held: Mapping[str, Used] = field(default_factory=dict)

    def applied_of(self, held_id: str) -> int:
        """Units of held money that were used so far."""
        used = self.held.get(held_id)
        return 0 if used is None else used.applied


def needs_earlier_invoices(contract: Contract) -> bool:
    """Whether an invoice depends on the amounts of those before it."""
    document = contract.document
    return (
        any(row.shortfall is Shortfall.CARRY for row in document.minimum)
        or any(row.deduct_from is DepositDeduction.NEXT_INVOICES for row in document.deposits)
        or document.money_retainer is not None
        or document.trust is not None
    )


def earlier_periods(contract: Contract, period: Period) -> Iterator[Period]:
    """The billing periods from the contract's start up to a period, in order."""
    assert contract.document.date_from is not None, "validated with the contract"
    day = contract.document.date_from
    while day < period.start:
        span = contract.period_of(day)
        yield Period(start=span.start, end=min(span.end, period.start))
        day = span.end
