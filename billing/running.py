"""Running hours of caps, entry by entry, for alerts while the work happens; the hot path of the fold (BD-29)."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from billing.allocate import key_of
from billing.attribute import days_of, work_date_of
from billing.contract import Contract
from billing.cover import cover_of
from billing.directory import Directory
from billing.entries import BillingEntry
from billing.gather import billable_terms, on_one_day, portions_of
from billing.portions import Portion
from billing.terms import Rulebook, rulebook
from billing.windows import prorated_limit
from schemas.clauses import CapBasis, DayAttribution, WeekAtMonthEnd
from schemas.entry import EntryKind
from schemas.period import parse_period

__all__ = ["AlertChange", "CapShare", "alert_thresholds", "cap_limit", "contributions", "work_date_of"]


class CapShare(NamedTuple):
    """What one entry alone adds to a window of a cap."""

    cap_id: str
    pool_key: str
    window_key: str
    seconds: int


@dataclass(frozen=True, slots=True)
class AlertChange:
    """What a change of a window's hours means: thresholds that fire in one message, a recovery, the new state."""

    fired_now: tuple[int, ...]
    recovered: bool
    rearmed: tuple[int, ...]
    fired: frozenset[int]


_NOTHING: tuple[CapShare, ...] = ()


def contributions(contract: Contract, directory: Directory, entry: BillingEntry) -> tuple[CapShare, ...]:
    """The seconds an entry adds to each cap window; nothing when it is held, not billable, covered or meets no cap.

    With scope `entry` its own increment counts; of wider scopes only worked seconds, because the group is not known.
    What one window cannot pay for is not subtracted: alerts speak about the work that was done.
    """
    if not contract.caps or entry.kind is not EntryKind.TIME or not entry.worked_seconds:
        return _NOTHING
    portions = _portions(rulebook(contract, directory), entry)
    if not portions or (portions[0].terms.covers and cover_of(portions[0].terms, entry) is not None):
        return _NOTHING
    shares = [
        CapShare(
            applied.cap.id,
            applied.pool_key,
            key_of(applied.cap, portion),
            portion.worked_seconds if applied.cap.basis is CapBasis.WORKED else portion.billable_seconds,
        )
        for portion in portions
        for applied in portion.terms.caps.values()
    ]
    return tuple(shares) if len(portions) == 1 else _summed(shares)


def _portions(book: Rulebook, entry: BillingEntry) -> list[Portion]:
    """What of an entry would be billed, part by part; nothing when something stands against it."""
    contract = book.contract
    day = work_date_of(contract.zone, entry)
    if contract.document.day_attribution is DayAttribution.START:
        found = on_one_day(book, entry, day)
        return [found] if isinstance(found, Portion) else []
    days = days_of(entry, day, contract.zone, DayAttribution.SPLIT)
    refused, terms = billable_terms(book, entry, days)
    return [] if refused is not None else portions_of(book, entry, days, terms)


def _summed(shares: list[CapShare]) -> tuple[CapShare, ...]:
    totals: dict[tuple[str, str, str], int] = {}
    for share in shares:
        totals[share[:3]] = totals.get(share[:3], 0) + share.seconds
    return tuple(CapShare(*key, seconds) for key, seconds in totals.items())


def cap_limit(contract: Contract, cap_id: str, window_key: str) -> int:
    """The limit of a window in seconds: of the row valid on its last day, or the last row before."""
    cap = contract.cap(cap_id)
    day = _last_day(window_key)
    row = (cap.row_on(day) if day is not None else None) or cap.rows[-1]
    limit_seconds = int(row.hours * 3600)
    if day is not None and cap.at_month_end is WeekAtMonthEnd.PRORATE_BY_WORKDAY:
        return prorated_limit(contract, limit_seconds, day)
    return limit_seconds


@lru_cache(maxsize=4096)
def _last_day(window_key: str) -> date | None:
    """The last date of a calendar window by its key; None for a window without dates."""
    first, _, month = window_key.partition("/")
    try:
        if month:
            return min(parse_period(first).end, parse_period(month).end) - timedelta(days=1)
        return date.fromisoformat(first) if len(first) == 10 else parse_period(first).end - timedelta(days=1)
    except ValueError:
        return None


def alert_thresholds(
    before_seconds: int,
    after_seconds: int,
    limit_seconds: int,
    thresholds: tuple[int, ...],
    fired: frozenset[int],
    rearm: bool,  # noqa: FBT001 - the contract's own setting
) -> AlertChange:
    """Which thresholds fire when a window's hours change (BD-29): each once, until a recovery re-arms it.

    A recovery is a fall from the limit to below it. With `rearm` thresholds above the new share may fire again.
    """
    recovered = before_seconds >= limit_seconds > after_seconds and before_seconds > 0
    rearmed = tuple(
        one for one in thresholds if rearm and recovered and one in fired and after_seconds * 100 < one * limit_seconds
    )
    armed = fired - set(rearmed)
    fired_now = tuple(
        one
        for one in thresholds
        if one not in armed and after_seconds > before_seconds and after_seconds * 100 >= one * limit_seconds
    )
    return AlertChange(fired_now, recovered, rearmed, armed | set(fired_now))
