"""Half-open spans of local dates: a billing period `[start, end)` and the calendar windows of caps (BD-30..32,
BD-60).
"""

import calendar
import re
from datetime import date, timedelta
from typing import Self

from pydantic import model_validator

from schemas.values import Value

_MONTH = re.compile(r"(\d{4})-(\d{2})")
_WEEK = re.compile(r"(\d{4})-W(\d{2})")
_SPAN = re.compile(r"(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})")


class Period(Value):
    """Local dates from `start` up to, not including, `end`."""

    start: date
    end: date

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.end <= self.start:
            raise ValueError(f"a period must end after it starts: {self.start}..{self.end}")
        return self

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    @property
    def text(self) -> str:
        """`2026-10` for a calendar month, else `2026-10-01..2026-11-15` (the end is not included)."""
        if self == month_of(self.start):
            return f"{self.start:%Y-%m}"
        return f"{self.start}..{self.end}"


def month_of(day: date) -> Period:
    """The calendar month that holds a day."""
    first = day.replace(day=1)
    return Period(start=first, end=first + timedelta(days=calendar.monthrange(day.year, day.month)[1]))


def week_of(day: date) -> Period:
    """The ISO week (Monday to Sunday) that holds a day."""
    monday = day - timedelta(days=day.weekday())
    return Period(start=monday, end=monday + timedelta(days=7))


def week_key(day: date) -> str:
    """`2026-W53`: the ISO week-year, which is not always the calendar year (BD-32)."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def parse_period(text: str) -> Period:
    """Read `2026-10`, `2026-W47` or `2026-10-01..2026-11-01` (end not included); ValueError with the accepted forms."""
    try:
        found = _parsed(text)
    except (ValueError, OverflowError):
        found = None
    if found is None:
        raise ValueError(f"not a period: {text!r} (write 2026-10, 2026-W47 or 2026-10-01..2026-11-01)")
    return found


def _parsed(text: str) -> Period | None:
    """The period of a text in one of the three forms; ValueError and OverflowError for dates that do not exist."""
    if match := _MONTH.fullmatch(text):
        return month_of(date(int(match[1]), int(match[2]), 1))
    if match := _WEEK.fullmatch(text):
        return week_of(date.fromisocalendar(int(match[1]), int(match[2]), 1))
    if match := _SPAN.fullmatch(text):
        return Period(start=date.fromisoformat(match[1]), end=date.fromisoformat(match[2]))
    return None
