"""Retainers and prepaid blocks made ready for billing: one engagement each, with its dated rows and its life.

Implements the terms of billing-domain section 3, step 8; what happens to their hours is in `billing.retainers`.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from schemas.contract import ContractDocument
from schemas.engagement import BurnWeight, PrepaidBlock, Retainer, Rollover, SurplusAtEnd
from schemas.period import Period, month_of, week_of

BURN_UNITS = 100
"""A balance is kept in hundredths of a second, because a weight has at most two decimals."""


@dataclass(frozen=True, slots=True, eq=False)
class Engagement:
    """A retainer with its rows by date, or a prepaid block; its balance lives on the dates `[start, end)`."""

    id: str
    name: str
    retainer: tuple[Retainer, ...]
    block: PrepaidBlock | None
    start: date
    end: date | None

    @property
    def reason(self) -> str:
        """The reason under which the ledger shows its time."""
        return f"retainer:{self.id}" if self.block is None else f"block:{self.id}"

    def row_on(self, day: date) -> Retainer | PrepaidBlock | None:
        """The terms that count on a date."""
        if self.block is not None:
            return self.block
        return next((row for row in self.retainer if row.covers(day)), None)

    @property
    def remembers(self) -> bool:
        """Whether anything is handed from one of its periods to the next."""
        rows = self.retainer
        return self.block is not None or any(row.rollover is not Rollover.NONE or row.allow_deficit for row in rows)

    def period_of(self, day: date) -> Period:
        """The period of the retainer that holds a date."""
        return week_of(day) if self.retainer[0].every == "week" else month_of(day)


@dataclass(frozen=True, slots=True, eq=False)
class Engaged:
    """An engagement as it meets one kind of work: the row of the work date."""

    engagement: Engagement
    row: Retainer | PrepaidBlock


def engagements_of(document: ContractDocument) -> tuple[Engagement, ...]:
    """Retainers by id, then blocks by purchase and id: the order in which deficit and overage rates are looked for."""
    by_id: dict[str, list[Retainer]] = {}
    for row in document.retainers:
        by_id.setdefault(row.id, []).append(row)
    found = [_retainer(document, rows) for _, rows in sorted(by_id.items())]
    blocks = sorted(document.prepaid_blocks, key=lambda block: (block.purchased, block.id))
    for block in blocks:
        start = max(block.purchased, document.date_from or block.purchased)
        found.append(Engagement(block.id, block.name or block.id, (), block, start, document.date_to))
    return tuple(found)


def _retainer(document: ContractDocument, rows: Iterable[Retainer]) -> Engagement:
    ordered = tuple(sorted(rows, key=lambda row: row.date_from or date.min))
    starts = [bound for bound in (ordered[0].date_from, document.date_from) if bound is not None]
    ends = [bound for bound in (ordered[-1].date_to, document.date_to) if bound is not None]
    newest = ordered[-1]
    return Engagement(newest.id, newest.name or newest.id, ordered, None, max(starts), min(ends, default=None))


def last_day_of(engagement: Engagement, row: Retainer, period: Period) -> date:
    """The last day on which some hours of a period's grant can be used; `date.max` when they never expire."""
    own = period.end - timedelta(days=1)
    if row.rollover is Rollover.NONE:
        return own
    if row.rollover_until is not None:
        return max(own, row.rollover_until)
    if row.rollover_periods is None:
        return date.max
    for _ in range(row.rollover_periods):
        period = engagement.period_of(period.end)
    return period.end - timedelta(days=1)


def engaged_since(engagements: Sequence[Engagement], first: date) -> date:
    """The date from which balances must be computed, so that they are right from `first` on.

    Engagements share the work in work order, so the history of one needs that of all others that lived meanwhile.
    """
    while True:
        wanted = first
        for one in engagements:
            is_over = (one.end is not None and one.end <= first) or (
                one.block is not None and one.block.expires is not None and one.block.expires < first
            )
            if is_over:
                continue
            if one.remembers:
                wanted = min(wanted, one.start)
            elif one.start <= first:
                wanted = min(wanted, one.period_of(first).start)
        if wanted == first:
            return first
        first = wanted


def weight_units(weights: Sequence[BurnWeight], item: str, task: str, tags: Sequence[str], premiums: Set[str]) -> int:
    """Balance units that one second burns; of several weights that meet the work the highest counts (BD-39)."""
    factors = [
        weight.factor
        for weight in weights
        if item in weight.service_items
        or task in weight.tasks
        or weight.premium in premiums
        or any(tag in weight.tags for tag in tags)
    ]
    return int(max(factors, default=Decimal(1)) * BURN_UNITS)


def credit_rate(row: Retainer | PrepaidBlock) -> tuple[Decimal, Decimal] | None:
    """What so many hours are worth when they are left at the end, as amount and hours; None when they lapse."""
    if row.surplus_at_end is SurplusAtEnd.LAPSE:
        return None
    if isinstance(row, PrepaidBlock):
        assert row.price is not None, "validated with the contract"
        return row.price, row.hours
    assert row.credit_rate is not None, "validated with the contract"
    return row.credit_rate, Decimal(1)
