"""Dates, numbers, durations and wall times: what a cell says, what it cannot say, and what is never guessed."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.tables.dates import AmbiguousDate, TwoDigitYear, order_of, parse_date, parse_time, split_moment
from connectors.tables.decimals import AmbiguousNumber, OtherMark, mark_of, parse_decimal
from connectors.tables.durations import NegativeDuration, UnitMissing, parse_duration
from connectors.tables.local_clock import LocalClock, Span, span_of
from connectors.tables.mapping import DateOrder, DecimalMark, DurationUnit, SerialDates

POINT, COMMA = DecimalMark.POINT, DecimalMark.COMMA


def _refused(read: Callable[[], object]) -> bool:
    """Whether a cell is no value of its kind; any error but ValueError is a failure."""
    try:
        read()
    except ValueError:
        return True
    return False


@pytest.mark.parametrize(
    ("text", "mark", "number"),
    [
        ("1.5", None, "1.5"),
        ("7,5", None, "7.5"),
        ("2.000,0", None, "2000.0"),
        ("1,234.5", None, "1234.5"),
        ("1,234,567", None, "1234567"),
        ("0,500", None, "0.500"),
        ("1234", None, "1234"),
        ("1,234", COMMA, "1.234"),
        ("1,234", POINT, "1234"),
        ("1.234", COMMA, "1234"),
        ("1 234,50", None, "1234.50"),
        ("€ 12.00", None, "12.00"),
        ("-3.25", None, "-3.25"),
        (".5", None, "0.5"),
    ],
)
def test_a_number_is_read_exactly(text: str, mark: DecimalMark | None, number: str) -> None:
    """Marks and grouping decide; nothing passes through binary fractions."""
    assert parse_decimal(text, mark) == Decimal(number)


@pytest.mark.parametrize("text", ["1,234", "1.234", "-12,345", "999.999"])
def test_a_number_that_could_be_two_is_never_guessed(text: str) -> None:
    """One mark with three digits after it is a fraction here and thousands there."""
    assert mark_of(text) is None
    with pytest.raises(AmbiguousNumber):
        parse_decimal(text, None)


@pytest.mark.parametrize("text", ["1,23,4", "12e3", "NaN", "Infinity", "--1", "", "１２", "0x10", "1_000"])
def test_what_is_no_number_is_refused(text: str) -> None:
    """Other scripts, exponents and words are not read as numbers."""
    assert _refused(lambda: parse_decimal(text, POINT))


def test_a_number_with_the_other_mark_is_told_apart_from_nonsense() -> None:
    """7,5 under a decimal point is a contradiction of the file, not a typing error."""
    with pytest.raises(OtherMark):
        parse_decimal("7,5", POINT)


@given(st.decimals(min_value=-99_999, max_value=99_999, places=2, allow_nan=False))
def test_a_written_number_is_read_back(number: Decimal) -> None:
    """Two decimal places in either notation prove their mark and give the number."""
    pointed, commaed = f"{number:,.2f}", f"{number:,.2f}".translate(str.maketrans(",.", ".,"))
    assert parse_decimal(pointed, None) == parse_decimal(commaed, None) == number
    assert (mark_of(pointed), mark_of(commaed)) == (POINT, COMMA)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("01:30:00", 5400),
        ("1:30", 5400),
        ("100:00:01", 360_001),
        ("0:00:59.5", 60),
        ("2.11", 7596),
        ("0.01", 36),
        ("1h 30m", 5400),
        ("1h30", 5400),
        ("90 min", 5400),
        ("1.5 hours", 5400),
        ("45s", 45),
        ("PT1H30M", 5400),
        ("pt0.5h", 1800),
        ("P1DT1H", 90_000),
    ],
)
def test_a_duration_is_read_in_every_usual_form(text: str, seconds: int) -> None:
    """Plain numbers are hours here; two parts with a colon are hours and minutes."""
    assert parse_duration(text, DurationUnit.HOURS, None) == seconds


@pytest.mark.parametrize("text", ["1:60", "1:5:99", "P", "PT", "h", "1h 1h", "an hour", "1:2:3:4", "PT1M1H"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """Sixty minutes, empty periods and words are not guessed at."""
    assert _refused(lambda: parse_duration(text, DurationUnit.HOURS, None))


def test_a_negative_duration_and_a_missing_unit_have_reasons_of_their_own() -> None:
    """They are answered differently: one is a mistake, the other a question."""
    with pytest.raises(NegativeDuration):
        parse_duration("-1:30", None, None)
    with pytest.raises(UnitMissing):
        parse_duration("90", None, None)
    assert parse_duration("0.0625", DurationUnit.DAYS, POINT) == 5400


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("2026-10-04", None, date(2026, 10, 4)),
        ("2026/10/04", None, date(2026, 10, 4)),
        ("25/10/2026", None, date(2026, 10, 25)),
        ("10/25/2026", None, date(2026, 10, 25)),
        ("04.10.2026", DateOrder.DMY, date(2026, 10, 4)),
        ("04-10-2026", DateOrder.MDY, date(2026, 4, 10)),
        ("5/5/2026", None, date(2026, 5, 5)),
        ("4 Oct 2026", None, date(2026, 10, 4)),
        ("4-Oct-2026", None, date(2026, 10, 4)),
        ("Oct 4, 2026", None, date(2026, 10, 4)),
        ("29/02/2024", None, date(2024, 2, 29)),
    ],
)
def test_a_date_that_can_be_only_one_day_is_read(text: str, order: DateOrder | None, day: date) -> None:
    """ISO, names of months, a number over 12 or a declared order leave no doubt."""
    assert parse_date(text, order) == day


@pytest.mark.parametrize("text", ["03/04/2026", "12.11.2026", "1-2-2026"])
def test_a_date_that_could_be_two_days_is_never_guessed(text: str) -> None:
    """Both numbers are at most 12, and they differ."""
    assert order_of(text) is None
    with pytest.raises(AmbiguousDate):
        parse_date(text, None)


def test_serial_dates_count_from_the_declared_year_only() -> None:
    """Day 46296 is 1 October 2026 in one system and four years later in the other."""
    assert parse_date("46296", None, serial=SerialDates.FROM_1900) == date(2026, 10, 1)
    assert parse_date("44834", None, serial=SerialDates.FROM_1904) == date(2026, 10, 1)
    assert parse_time("0.375", serial=SerialDates.FROM_1900) == 9 * 3600
    assert _refused(lambda: parse_date("46296", None))
    with pytest.raises(TwoDigitYear):
        parse_date("01/02/26", None)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:00", 0),
        ("14:05:09", 50_709),
        ("2:05 PM", 50_700),
        ("12:00 AM", 0),
        ("12:30pm", 45_000),
        ("2 p.m.", 50_400),
        ("24:00", 86_400),
    ],
)
def test_a_time_of_day_is_read(text: str, seconds: int) -> None:
    """Twelve at night is 12 AM, and 24:00 ends the day."""
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["24:01", "13:00 PM", "0:30 am", "9", "9:5", "9:60", "noon", "9:00 a"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    """A lone number could be anything."""
    assert _refused(lambda: parse_time(text))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("2026-10-04T09:00", ("2026-10-04", "09:00")),
        ("04.10.2026 9:00 PM", ("04.10.2026", "9:00 PM")),
        ("4 Oct 2026 9:00", ("4 Oct 2026", "9:00")),
        ("2026-10-04", ("2026-10-04", "")),
    ],
)
def test_a_moment_in_one_cell_is_split(text: str, parts: tuple[str, str]) -> None:
    """The date ends with its year or at the T."""
    assert split_moment(text) == parts


def _span(zone: str, day: date, start: str, end: str, seconds: int | None) -> Span:
    clock, begun, ended = LocalClock(zone), parse_time(start), parse_time(end)
    return span_of(
        clock.readings(day, begun),
        clock.readings(day, ended),
        seconds,
        clock.first_reading(day, begun),
        clock.first_reading(day, ended),
    )


@pytest.mark.parametrize(
    ("zone", "day", "start", "end", "duration", "worked", "problem"),
    [
        ("Europe/Berlin", date(2025, 3, 30), "01:30", "03:30", None, 3600, ""),
        ("America/New_York", date(2025, 3, 9), "01:00", "04:00", None, 7200, ""),
        ("Europe/Berlin", date(2025, 10, 26), "01:30", "03:30", None, 10_800, ""),
        ("Europe/Berlin", date(2025, 10, 26), "02:30", "02:30", 3600, 3600, ""),
        ("Europe/Berlin", date(2025, 10, 26), "02:10", "02:40", None, 1800, "ambiguous_local_time"),
        ("Europe/Berlin", date(2025, 10, 26), "02:10", "02:40", 5400, 5400, ""),
        ("Europe/Berlin", date(2025, 3, 30), "02:30", "03:30", None, 3600, "nonexistent_local_time"),
        ("Europe/Berlin", date(2025, 3, 30), "02:30", "03:30", 1800, 1800, ""),
        ("Europe/Berlin", date(2025, 3, 30), "02:10", "02:40", 1800, 1800, "nonexistent_local_time"),
        ("UTC", date(2025, 10, 26), "09:00", "10:00", 7200, 7200, "duration_mismatch"),
    ],
)
def test_clock_changes_are_resolved_or_held(
    zone: str, day: date, start: str, end: str, duration: int | None, worked: int, problem: str
) -> None:
    """BD-57, BD-58: elapsed time counts; a duration decides a repeated hour, without one the entry is held."""
    span = _span(zone, day, start, end, duration)
    if problem != "nonexistent_local_time":
        assert span.worked_seconds == worked
    assert span.problem == problem


def test_a_duration_chooses_among_the_readings_of_the_repeated_hour() -> None:
    """BD-58: 02:30 to 02:30 with one hour is from the first to the second reading."""
    span = _span("Europe/Berlin", date(2025, 10, 26), "02:30", "02:30", 3600)
    assert span.start == datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
    assert span.end == datetime(2025, 10, 26, 1, 30, tzinfo=UTC)


@given(
    st.sampled_from(
        ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Asia/Beirut", "UTC"]
    ),
    st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1)),  # noqa: DTZ001 - wall times
)
def test_every_reading_of_a_wall_time_shows_that_time(zone: str, wall: datetime) -> None:
    """The short way for steady days and the long way agree: each instant, seen in the zone, is the wall time."""
    clock = LocalClock(zone)
    seconds = wall.hour * 3600 + wall.minute * 60 + wall.second
    readings = clock.readings(wall.date(), seconds)
    assert len(readings) <= 2
    for instant in readings:
        assert instant.astimezone(clock.info).replace(tzinfo=None, fold=0) == wall.replace(microsecond=0)
    if readings:
        assert clock.first_reading(wall.date(), seconds) == readings[0]
