"""A contract made ready for billing: caps in the order in which they count, and the dates at which terms change."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from billing.engagements import Engagement, engaged_since, engagements_of
from schemas.charges import Counts
from schemas.clauses import (
    AmountCap,
    Cap,
    CapBasis,
    CapPool,
    CapScope,
    CapWindow,
    DayAttribution,
    IncrementScope,
    Overflow,
    WeekAtMonthEnd,
)
from schemas.contract import ContractDocument
from schemas.dated import DatedRow
from schemas.engagement import TierReset
from schemas.entry import SECONDS_OF_A_DAY, WORKED_SECONDS_MAX
from schemas.money import exponent
from schemas.period import Period, month_of, week_of

_WINDOW_RANK = {window: rank for rank, window in enumerate(CapWindow)}
_OF_A_DATE = (CapWindow.DAY, CapWindow.WEEK, CapWindow.MONTH, CapWindow.DATES, CapWindow.CONTRACT)
_POOL_RANK = {CapPool.PERSON: 0, CapPool.ROLE: 1, CapPool.ALL: 2, None: 3}


@dataclass(frozen=True, slots=True, eq=False)
class HourCap:
    """A cap with its dated rows; what its windows and pools are is the same in all of them.

    `is_of_a_date` says that the date alone decides the window, not project, task or entry.
    """

    id: str
    name: str
    window: CapWindow
    pool: CapPool | None
    basis: CapBasis
    at_month_end: WeekAtMonthEnd
    thresholds: tuple[int, ...]
    rearm: bool
    rows: tuple[Cap, ...]
    is_of_a_date: bool

    def row_on(self, day: date) -> Cap | None:
        """The row valid on a local date."""
        return next((row for row in self.rows if row.covers(day)), None)

    @property
    def carries(self) -> bool:
        """Whether any row carries its overflow forward."""
        return any(row.overflow is Overflow.CARRY_FORWARD for row in self.rows)


@dataclass(frozen=True, slots=True, eq=False)
class MoneyCap:
    """An amount cap with its dated rows."""

    id: str
    name: str
    window: CapWindow
    counts: Counts
    rows: tuple[AmountCap, ...]

    def row_on(self, day: date) -> AmountCap | None:
        """The row valid on a local date."""
        return next((row for row in self.rows if row.covers(day)), None)


@dataclass(frozen=True, slots=True, eq=False)
class Contract:
    """A compiled contract. Two are the same only if they are one object, so it can be a key of what is derived."""

    document: ContractDocument
    id: str
    client_id: str
    currency: str
    places: int
    zone: ZoneInfo
    caps: tuple[HourCap, ...]
    money_caps: tuple[MoneyCap, ...]
    incomplete_caps: tuple[str, ...]
    engagements: tuple[Engagement, ...]
    holidays: frozenset[date]
    boundaries: tuple[date, ...]

    def cap(self, cap_id: str) -> HourCap:
        """The hour cap of an id; KeyError when the contract has none."""
        for cap in self.caps:
            if cap.id == cap_id:
                return cap
        raise KeyError(cap_id)

    def period_of(self, day: date) -> Period:
        """The billing period that the contract's schedule gives a local date."""
        return week_of(day) if self.document.close.every == "week" else month_of(day)


def compile_contract(document: ContractDocument) -> Contract:
    """Prepare a validated contract; the caller keeps the result for as long as the revision counts."""
    dated: list[DatedRow] = [*document.rates, *document.blended, *document.increments, *document.premiums]
    dated += [*document.caps, *document.amount_caps, *document.retainers, *document.tiers, *document.fixed_cover]
    # A discount for roles asks for the role of the work while it is valid.
    dated += document.discounts
    return Contract(
        document=document,
        id=document.id,
        client_id=document.client,
        currency=document.currency,
        places=exponent(document.currency),
        zone=ZoneInfo(document.zone),
        caps=_hour_caps(document.caps),
        money_caps=_money_caps(document.amount_caps),
        incomplete_caps=tuple(sorted({cap.id for cap in document.caps if cap.pool is None})),
        engagements=engagements_of(document),
        holidays=frozenset(document.holidays),
        boundaries=boundaries_of(dated, document.date_from, document.date_to),
    )


def boundaries_of(rows: Iterable[DatedRow], *more: date | None) -> tuple[date, ...]:
    """The dates at which something changes, sorted: between two of them every look-up gives the same row."""
    dates = {bound for row in rows for bound in (row.date_from, row.date_to) if bound is not None}
    return tuple(sorted(dates | {bound for bound in more if bound is not None}))


def _hour_caps(rows: Iterable[Cap]) -> tuple[HourCap, ...]:
    return tuple(sorted((_hour_cap(members) for members in _by_id(rows)), key=_narrow_first))


def _narrow_first(cap: HourCap) -> tuple[int, int, int, str]:
    return _WINDOW_RANK[cap.window], _POOL_RANK[cap.pool], _breadth(cap.rows[0]), cap.id


def _hour_cap(rows: tuple[Cap, ...]) -> HourCap:
    newest = rows[-1]
    return HourCap(
        id=newest.id,
        name=newest.name or newest.id,
        window=newest.window,
        pool=newest.pool,
        basis=newest.basis,
        at_month_end=newest.week_cap_at_month_end,
        thresholds=newest.thresholds,
        rearm=newest.rearm,
        rows=rows,
        is_of_a_date=newest.window in _OF_A_DATE,
    )


def _money_caps(rows: Iterable[AmountCap]) -> tuple[MoneyCap, ...]:
    caps = [
        MoneyCap(id=one[-1].id, name=one[-1].name or one[-1].id, window=one[-1].window, counts=one[-1].counts, rows=one)
        for one in _by_id(rows)
    ]
    return tuple(sorted(caps, key=lambda cap: (_WINDOW_RANK[cap.window], _breadth(cap.rows[0]), cap.id)))


def _breadth(row: CapScope) -> int:
    """How many kinds of conditions a cap leaves open; a cap with more conditions is narrower."""
    return sum(not named for named in (row.roles, row.people, row.service_items, row.projects, row.tasks))


RowT = TypeVar("RowT", bound=CapScope)


def _by_id(rows: Iterable[RowT]) -> list[tuple[RowT, ...]]:
    found: dict[str, list[RowT]] = {}
    for row in rows:
        found.setdefault(row.id, []).append(row)
    return [tuple(sorted(members, key=lambda row: row.date_from or date.min)) for members in found.values()]


def needed_dates(contract: Contract, period: Period) -> tuple[date, date]:
    """The local work dates `[first, end)` whose entries `compute_invoice` must be given for a period.

    Where money depends on the invoices before, or on events since the contract's start, these are all since then.
    """
    first, end = own_dates(contract, period)
    if contract.document.counts_from_start:
        first, _ = own_dates(contract, contract.period_of(contract_start(contract, first)))
    return first, end


def own_dates(contract: Contract, period: Period) -> tuple[date, date]:
    """The local work dates `[first, end)` whose work a period is computed from, apart from the invoices before it."""
    first = counted_from(contract, period)
    if contract.document.day_attribution is DayAttribution.SPLIT:
        # An entry that started before midnight has seconds on later dates.
        first -= timedelta(days=WORKED_SECONDS_MAX // SECONDS_OF_A_DAY)
    return first, period.end


def counted_from(contract: Contract, period: Period) -> date:
    """The first local date on which something counts for a period.

    The rules are gone through from the last step to the first, because what one of them needs must be right in all
    steps before it: amount caps from wide to narrow, tiers, balances, hour caps in the same way. What counts over the
    contract, a project or a task, or is carried forward, is computed from the contract's start on (BD-22, BD-25, BD-30,
    BD-35).
    """
    document = contract.document
    first = period.start
    for money_cap in reversed(contract.money_caps):
        first = min([first, *(_window_start(contract, first, row) for row in money_cap.rows)])
    is_by_period = bool(document.usage_fees) or any(row.amount is not None for row in document.discounts)
    if first < period.start and is_by_period:
        first = contract.period_of(first).start
    if any(tier.reset is TierReset.CONTRACT for tier in document.tiers):
        first = contract_start(contract, first)
    elif document.tiers and first < period.start:
        first = contract.period_of(first).start
    first = engaged_since(contract.engagements, first)
    for cap in reversed(contract.caps):
        if cap.carries:
            first = contract_start(contract, first)
        first = min([first, *(_window_start(contract, first, row) for row in cap.rows)])
    scopes = {rule.scope for rule in document.increments}
    if scopes & {IncrementScope.LINE, IncrementScope.PERIOD} and first < period.start:
        # A group of a whole earlier period is rounded as a whole, so its last entry is only known with all others.
        first = contract.period_of(first).start
    if document.date_from is not None:
        first = min(period.start, max(first, document.date_from))
    return first


def contract_start(contract: Contract, first: date) -> date:
    """The first local date of the contract, or the given one when the contract does not name one."""
    return min(contract.document.date_from or first, first)


def _window_start(contract: Contract, first: date, row: CapScope) -> date:
    """The first date of the window that holds a date."""
    match row.window:
        case CapWindow.ENTRY | CapWindow.DAY:
            return first
        case CapWindow.WEEK:
            return week_of(first).start
        case CapWindow.MONTH:
            return month_of(first).start
        case CapWindow.DATES:
            return row.window_from or first
        case CapWindow.PROJECT | CapWindow.TASK | CapWindow.CONTRACT:
            return contract_start(contract, first)
