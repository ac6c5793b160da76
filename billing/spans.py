"""Calendar spans of recurring amounts, and the share of a span that an agreement covers (BD-41, BD-76)."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import NamedTuple, assert_never

from billing.contract import Contract
from schemas.charges import Every
from schemas.engagement import Prorate
from schemas.period import Period, month_of, week_key, week_of


class Share(NamedTuple):
    """Covered days of all days of a span; `whole` when proration does not apply."""

    covered: int
    days: int
    what: str

    @property
    def is_whole(self) -> bool:
        """Whether the span is charged in full."""
        return self.covered == self.days


def span_of(every: Every, day: date) -> Period:
    """The calendar span that holds a date."""
    match every:
        case Every.WEEK:
            return week_of(day)
        case Every.MONTH:
            return month_of(day)
        case Every.QUARTER:
            first = date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
            return Period(start=first, end=month_of(first + timedelta(days=62)).end)
        case Every.YEAR:
            return Period(start=date(day.year, 1, 1), end=date(day.year + 1, 1, 1))
        case _:
            assert_never(every)


def span_text(every: Every, span: Period) -> str:
    """A span for people: `2025-W10`, `2025-03`, `2025-Q1`, `2025`."""
    start = span.start
    match every:
        case Every.WEEK:
            return week_key(start)
        case Every.MONTH:
            return f"{start:%Y-%m}"
        case Every.QUARTER:
            return f"{start.year}-Q{(start.month + 2) // 3}"
        case Every.YEAR:
            return str(start.year)
        case _:
            assert_never(every)


def spans_between(every: Every, first: date, end: date) -> Iterator[Period]:
    """All spans that meet the dates `[first, end)`, in order."""
    span = span_of(every, first)
    while span.start < end:
        yield span
        span = span_of(every, span.end)


def share_of(contract: Contract, prorate: Prorate, span: Period, first: date, end: date) -> Share:
    """How much of a span the dates `[first, end)` are; all of it without proration."""
    first, end = max(first, span.start), min(end, span.end)
    days = _days(span.start, span.end)
    covered = _days(first, end)
    match prorate:
        case Prorate.NONE:
            return Share(1, 1, "")
        case Prorate.CALENDAR_DAYS:
            return Share(len(covered), len(days), "days")
        case Prorate.WORKDAYS:
            all_days = _workdays(contract, days)
            if not all_days:
                # A span without any workday is shared by its days.
                return Share(len(covered), len(days), "days")
            return Share(len(_workdays(contract, covered)), len(all_days), "workdays")
        case _:
            assert_never(prorate)


def _days(first: date, end: date) -> list[date]:
    return [first + timedelta(days=index) for index in range((end - first).days)]


def _workdays(contract: Contract, days: Iterable[date]) -> list[date]:
    return [day for day in days if day.weekday() < 5 and day not in contract.holidays]
