"""Calendar spans of recurring amounts, and what of them is covered."""

import itertools
from datetime import date, timedelta

import pytest

from billing.contract import compile_contract
from billing.spans import share_of, span_of, span_text, spans_between
from billing.testing import contract_of
from schemas.charges import Every
from schemas.engagement import Prorate
from schemas.period import Period


@pytest.mark.parametrize(
    ("every", "day", "start", "end", "text"),
    [
        (Every.WEEK, "2027-01-01", "2026-12-28", "2027-01-04", "2026-W53"),
        (Every.MONTH, "2024-02-29", "2024-02-01", "2024-03-01", "2024-02"),
        (Every.QUARTER, "2025-01-01", "2025-01-01", "2025-04-01", "2025-Q1"),
        (Every.QUARTER, "2024-03-31", "2024-01-01", "2024-04-01", "2024-Q1"),
        (Every.QUARTER, "2025-04-01", "2025-04-01", "2025-07-01", "2025-Q2"),
        (Every.QUARTER, "2025-09-30", "2025-07-01", "2025-10-01", "2025-Q3"),
        (Every.QUARTER, "2025-11-11", "2025-10-01", "2026-01-01", "2025-Q4"),
        (Every.YEAR, "2025-12-31", "2025-01-01", "2026-01-01", "2025"),
    ],
)
def test_a_span_holds_its_days(every: Every, day: str, start: str, end: str, text: str) -> None:
    """First day included, last day not, and a name that people use."""
    span = span_of(every, date.fromisoformat(day))
    assert (span.start.isoformat(), span.end.isoformat(), span_text(every, span)) == (start, end, text)


@pytest.mark.parametrize("every", list(Every))
def test_spans_follow_each_other_without_a_gap(every: Every) -> None:
    """From the span that holds the first day up to the one that holds the last."""
    first, end = date(2024, 2, 29), date(2026, 1, 1)
    spans = list(spans_between(every, first, end))
    assert first in spans[0]
    assert end - timedelta(days=1) in spans[-1]
    assert end not in spans[-1] or every is Every.WEEK
    assert all(one.end == other.start for one, other in itertools.pairwise(spans))


@pytest.mark.parametrize(
    ("prorate", "first", "end", "share"),
    [
        (Prorate.NONE, "2025-04-11", "2025-05-01", (1, 1, "")),
        (Prorate.CALENDAR_DAYS, "2025-04-11", "2025-05-01", (20, 30, "days")),
        (Prorate.CALENDAR_DAYS, "2025-03-01", "2025-06-01", (30, 30, "days")),
        (Prorate.CALENDAR_DAYS, "2025-04-01", "2025-04-02", (1, 30, "days")),
        (Prorate.WORKDAYS, "2025-04-11", "2025-05-01", (12, 20, "workdays")),
        (Prorate.WORKDAYS, "2025-04-18", "2025-04-22", (0, 20, "workdays")),
    ],
)
def test_a_share_counts_days_or_workdays(prorate: Prorate, first: str, end: str, share: tuple[int, int, str]) -> None:
    """BD-41 and BD-76: April 2025 with the holidays 18 and 21 April."""
    contract = compile_contract(contract_of({"holidays": ["2025-04-18", "2025-04-21"]}))
    april = Period(start=date(2025, 4, 1), end=date(2025, 5, 1))
    assert share_of(contract, prorate, april, date.fromisoformat(first), date.fromisoformat(end)) == share


def test_a_span_without_a_workday_is_shared_by_its_days() -> None:
    """A week that is all holidays: two of its seven days."""
    week = span_of(Every.WEEK, date(2025, 12, 24))
    holidays = [(week.start + timedelta(days=index)).isoformat() for index in range(5)]
    contract = compile_contract(contract_of({"holidays": holidays}))
    found = share_of(contract, Prorate.WORKDAYS, week, week.start, week.start + timedelta(days=2))
    assert (found, found.is_whole) == ((2, 7, "days"), False)
