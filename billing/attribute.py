"""Day attribution: the local dates an entry's seconds belong to (billing-domain section 3, step 4; BD-57..60)."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from billing.entries import BillingEntry, day_start
from schemas.clauses import DayAttribution


class DayPart(NamedTuple):
    """The seconds `[offset_seconds, offset_seconds + worked_seconds)` of an entry, worked on one local date."""

    day: date
    offset_seconds: int
    worked_seconds: int


def work_date_of(contract_zone: ZoneInfo, entry: BillingEntry) -> date:
    """The local work date: of the start in the contract's zone, or as the source gave it without a time (BD-59)."""
    start = entry.start
    if start is not None:
        turn = _turn_of(start.date(), contract_zone) if start.tzinfo is UTC else None
        if turn is None:
            return start.astimezone(contract_zone).date()
        return turn.before if start < turn.midnight else turn.after
    assert entry.work_date is not None, f"entry {entry.entry_id} has neither start nor work date"
    return entry.work_date


class _Turn(NamedTuple):
    """The local midnight that follows the beginning of a UTC day, and the local dates before and after it."""

    midnight: datetime
    before: date
    after: date


@lru_cache(maxsize=8192)
def _turn_of(utc_day: date, zone: ZoneInfo) -> _Turn | None:
    """How the local date changes in a UTC day; None when clocks change in it, so that each instant must be asked."""
    begin = datetime.combine(utc_day, time(), UTC)
    offsets = {(begin + timedelta(hours=hour)).astimezone(zone).utcoffset() for hour in range(25)}
    offset = offsets.pop()
    if offsets or offset is None:
        return None
    before = (begin + offset).date()
    after = before + timedelta(days=1)
    return _Turn(datetime.combine(after, time(), UTC) - offset, before, after)


def days_of(entry: BillingEntry, first: date, zone: ZoneInfo, attribution: DayAttribution) -> tuple[DayPart, ...]:
    """The parts of an entry by local date; one part unless the contract splits at midnight and the entry crosses it.

    `first` is its work date. Work is taken as running without a break from the start for `worked_seconds`.
    """
    if entry.start is None or attribution is DayAttribution.START:
        return (DayPart(first, 0, entry.worked_seconds),)
    start = entry.start.astimezone(UTC)
    parts: list[DayPart] = []
    day, offset = first, 0
    while True:
        until_midnight = int((day_start(day + timedelta(days=1), zone) - start).total_seconds())
        if until_midnight >= entry.worked_seconds:
            parts.append(DayPart(day, offset, entry.worked_seconds - offset))
            return tuple(parts)
        parts.append(DayPart(day, offset, until_midnight - offset))
        day, offset = day + timedelta(days=1), until_midnight
