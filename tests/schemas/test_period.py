"""Periods: half-open spans of local dates, ISO weeks and the texts people write for them."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.period import Period, month_of, parse_period, week_key, week_of

DAYS = st.dates(min_value=date(1900, 1, 1), max_value=date(2999, 12, 1))


@pytest.mark.parametrize(
    ("day", "key"),
    [
        (date(2024, 12, 30), "2025-W01"),
        (date(2025, 1, 5), "2025-W01"),
        (date(2026, 12, 31), "2026-W53"),
        (date(2027, 1, 3), "2026-W53"),
        (date(2027, 1, 4), "2027-W01"),
    ],
)
def test_the_week_year_is_not_the_calendar_year(day: date, key: str) -> None:
    """BD-32: days around New Year belong to the ISO week they lie in, 2026 has 53 of them."""
    assert week_key(day) == key
    assert day in parse_period(key)


@given(DAYS)
def test_weeks_and_months_hold_their_day_and_share_no_other(day: date) -> None:
    """BD-32: the week is Monday to Sunday; a span ends where the next begins."""
    week, month = week_of(day), month_of(day)
    assert day in week
    assert day in month
    assert (week.start.weekday(), (week.end - week.start).days) == (0, 7)
    assert week_of(week.end) == Period(start=week.end, end=week.end + timedelta(days=7))
    assert week.end not in week
    assert month_of(month.end).start == month.end


@given(DAYS)
def test_the_text_of_a_period_is_read_as_the_period(day: date) -> None:
    """Months, weeks and any span survive being written and read."""
    for period in (month_of(day), week_of(day), Period(start=day, end=day + timedelta(days=45))):
        assert parse_period(period.text) == period


@pytest.mark.parametrize(
    "text",
    [
        *("", "2026", "2026-13", "2026-W54", "2026-W00", "9999-12", "0000-01", "october", "2026-10 "),
        *("2026-10-32..2026-11-01", "2026-11-01..2026-11-01", "2026-11-02..2026-11-01"),
    ],
)
def test_what_is_no_period_is_refused_with_the_accepted_forms(text: str) -> None:
    """One sentence tells what may be written, whatever is wrong with the text."""
    with pytest.raises(ValueError, match=r"write 2026-10, 2026-W47 or 2026-10-01\.\.2026-11-01"):
        parse_period(text)


def test_a_period_ends_after_it_starts() -> None:
    """An empty or reversed span is refused where it is made."""
    with pytest.raises(ValueError, match="end after"):
        Period(start=date(2026, 10, 1), end=date(2026, 10, 1))
