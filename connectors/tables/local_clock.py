"""From wall-clock times of one zone to instants, with clock changes: BD-57 and BD-58 of the billing rules.

A wall time inside a repeated hour has two instants, one inside a skipped hour has none. A duration decides; without one
the entry carries a problem and is held.
"""

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

AMBIGUOUS = "ambiguous_local_time"
NONEXISTENT = "nonexistent_local_time"
MISMATCH = "duration_mismatch"
TOLERANCE_SECONDS = 60
DAY_SECONDS = 86_400
_DAYS_KEPT = 20_000


class EndBeforeStart(ValueError):
    """The end lies before the start in every reading."""


class Span(NamedTuple):
    """When and how long; `end` is None when nothing names it. `problem` is empty or a reason to hold the entry."""

    start: datetime
    end: datetime | None
    worked_seconds: int
    problem: str = ""


class LocalClock:
    """The wall clock of one zone. Days without a clock change, nearly all, take a short way."""

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self.info = ZoneInfo(zone)
        self._midnights: dict[date, datetime | None] = {}

    def first_reading(self, day: date, seconds: int) -> datetime:
        """One instant for any wall time, always the same: the earlier of two; in a gap, what the old offset says."""
        midnight = self._midnight(day)
        if midnight is not None and seconds < DAY_SECONDS:
            return midnight + timedelta(seconds=seconds)
        return _wall(day, seconds).replace(tzinfo=self.info, fold=0).astimezone(UTC)

    def readings(self, day: date, seconds: int) -> tuple[datetime, ...]:
        """All instants of a wall time in order: one, two in a repeated hour, none in a skipped one."""
        midnight = self._midnight(day)
        if midnight is not None and seconds < DAY_SECONDS:
            return (midnight + timedelta(seconds=seconds),)
        wall = _wall(day, seconds)
        early, late = wall.replace(tzinfo=self.info, fold=0), wall.replace(tzinfo=self.info, fold=1)
        before, after = early.utcoffset(), late.utcoffset()
        if before is None or after is None or before == after:
            return (early.astimezone(UTC),)
        return (early.astimezone(UTC), late.astimezone(UTC)) if before > after else ()

    def _midnight(self, day: date) -> datetime | None:
        """The instant at which the day begins; None on a day with a clock change, which needs a closer look."""
        try:
            return self._midnights[day]
        except KeyError:
            pass
        start = _wall(day, 0).replace(tzinfo=self.info)
        offsets = {start.utcoffset(), start.replace(fold=1).utcoffset(), (start + timedelta(days=1)).utcoffset()}
        if len(self._midnights) >= _DAYS_KEPT:
            self._midnights.clear()
        self._midnights[day] = midnight = start.astimezone(UTC) if len(offsets) == 1 else None
        return midnight


def _wall(day: date, seconds: int) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=seconds)


def span_of(
    start: tuple[datetime, ...],
    end: tuple[datetime, ...] | None,
    seconds: int | None,
    first: datetime,
    last: datetime | None,
) -> Span:
    """Choose among the readings of start and end. `first` and `last` stand for what stays undecided.

    Raises EndBeforeStart.
    """
    if end is None or last is None:
        return _without_end(start, seconds or 0, first)
    if seconds is None:
        return _without_duration(start, end, first, last)
    pairs = [(abs(_between(s, e) - seconds), s, e) for s in start for e in end]
    if pairs:
        apart, begun, ended = min(pairs)
        if ended < begun:
            raise EndBeforeStart
        return Span(begun, ended, seconds, MISMATCH if apart > TOLERANCE_SECONDS else "")
    if end:
        return Span(end[0] - timedelta(seconds=seconds), end[0], seconds)
    if start:
        return Span(start[0], start[0] + timedelta(seconds=seconds), seconds)
    return Span(first, last, seconds, NONEXISTENT)


def _without_end(start: tuple[datetime, ...], seconds: int, first: datetime) -> Span:
    if not start:
        return Span(first, None, seconds, NONEXISTENT)
    return Span(start[0], start[0] + timedelta(seconds=seconds), seconds)


def _without_duration(start: tuple[datetime, ...], end: tuple[datetime, ...], first: datetime, last: datetime) -> Span:
    if start and end and end[-1] < start[0]:
        raise EndBeforeStart
    last = last if last >= first or not end else max(end[-1], first)
    seconds = max(_between(first, last), 0)
    if not start or not end:
        return Span(first, last, seconds, NONEXISTENT)
    if len(start) > 1 or len(end) > 1:
        return Span(first, last, seconds, AMBIGUOUS)
    return Span(start[0], end[0], seconds)


def _between(start: datetime, end: datetime) -> int:
    gap = end - start
    return gap.days * 86_400 + gap.seconds
