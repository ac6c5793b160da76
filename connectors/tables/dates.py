"""Dates and times of day as exports write them; a date that could be two days is never guessed."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from connectors.tables.durations import whole_seconds
from connectors.tables.mapping import DateOrder, SerialDates

YEAR_MIN = 1990
YEAR_MAX = 2099
DAY_SECONDS = 86_400
_YEAR_FIRST = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})", re.ASCII)
_NUMBERS = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4})", re.ASCII)
_SHORT_YEAR = re.compile(r"[0-9]{1,2}([-/.])[0-9]{1,2}\1[0-9]{2}", re.ASCII)
_DAY_NAMED = re.compile(r"([0-9]{1,2})[ .-]{1,2}([a-z]{3,9})\.?[ ,-]{1,2}([0-9]{4})", re.ASCII)
_NAMED_DAY = re.compile(r"([a-z]{3,9})\.? ([0-9]{1,2}),? ([0-9]{4})", re.ASCII)
_SERIAL = re.compile(r"([0-9]{5})(?:[.,]([0-9]{1,15}))?", re.ASCII)
_FRACTION = re.compile(r"0?[.,]([0-9]{1,15})", re.ASCII)
_TIME = re.compile(r"([0-9]{1,2})[:.]([0-9]{2})(?:[:.]([0-9]{2})(?:\.[0-9]{1,9})?)? ?([ap])?\.?(m)?\.?", re.ASCII)
_HOUR_ONLY = re.compile(r"([0-9]{1,2}) ?([ap])\.?m\.?", re.ASCII)
_EPOCHS = {SerialDates.FROM_1900: date(1899, 12, 30), SerialDates.FROM_1904: date(1904, 1, 1)}
_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)


class AmbiguousDate(ValueError):
    """Day and month could change places, and nothing says which is which."""


class OtherOrder(ValueError):
    """A date only in another order than the one that holds."""


class SerialDate(ValueError):
    """A day number of a spreadsheet, and nothing says from when it counts."""


class TwoDigitYear(ValueError):
    """The century is missing, and with it the order."""


class YearOutOfRange(ValueError):
    """A year that no time sheet has."""


def order_of(text: str) -> DateOrder | None:
    """The order that this cell proves: a number over 12 can only be a day. None when it proves none."""
    match = _NUMBERS.fullmatch(text)
    if match is None:
        return None
    first, second = int(match[1]), int(match[3])
    if 12 < first <= 31 and 1 <= second <= 12:
        return DateOrder.DMY
    if 12 < second <= 31 and 1 <= first <= 12:
        return DateOrder.MDY
    return None


def parse_date(text: str, order: DateOrder | None, *, exact: str = "", serial: SerialDates | None = None) -> date:
    """The day a cell names. `exact` is a declared form; then nothing else is read.

    Raises AmbiguousDate, OtherOrder, SerialDate, TwoDigitYear, YearOutOfRange, or ValueError for what is no date.
    """
    if exact:
        return in_range(datetime.strptime(text, exact).replace(tzinfo=UTC).date())
    if match := _YEAR_FIRST.fullmatch(text):
        return in_range(date(int(match[1]), int(match[3]), int(match[4])))
    if match := _NUMBERS.fullmatch(text):
        return in_range(_by_order(int(match[1]), int(match[3]), int(match[4]), order))
    if match := _SERIAL.fullmatch(text):
        if serial is None:
            raise SerialDate(text)
        return in_range(_EPOCHS[serial] + timedelta(days=int(match[1])))
    if _SHORT_YEAR.fullmatch(text):
        raise TwoDigitYear(text)
    return in_range(_named(text.lower()))


def parse_time(text: str, *, serial: SerialDates | None = None) -> int:
    """Seconds since midnight of `14:00`, `2:00 PM`, `10:23:52 am` or `2pm`; 24:00 ends the day. Else ValueError."""
    folded = text.lower()
    if match := _TIME.fullmatch(folded):
        hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
        if bool(match[4]) != bool(match[5]):
            raise ValueError(text)
        return _seconds_of_day(text, hour, minute, second, match[4] or "")
    if match := _HOUR_ONLY.fullmatch(folded):
        return _seconds_of_day(text, int(match[1]), 0, 0, match[2])
    fraction = _FRACTION.fullmatch(text) or _SERIAL.fullmatch(text)
    if serial is not None and fraction:
        return whole_seconds(Decimal(f"0.{fraction.groups()[-1] or 0}") * DAY_SECONDS)
    raise ValueError(text)


def split_moment(text: str) -> tuple[str, str]:
    """Date and time of one cell such as `04.03.2025 14:00` or `2025-03-04T14:00`; the time may be empty."""
    if "T" in text[8:11]:
        day, _, clock = text.partition("T")
        return day, clock
    match = re.fullmatch(r"(.*?[0-9]{4}|[0-9]{4}\S+|\S+)(?:,? +(.*))?", text)
    return (match[1], match[2] or "") if match else (text, "")


def in_range(day: date) -> date:
    """The same day; YearOutOfRange when no time sheet can mean it."""
    if not YEAR_MIN <= day.year <= YEAR_MAX:
        raise YearOutOfRange(day.isoformat())
    return day


def _by_order(first: int, second: int, year: int, order: DateOrder | None) -> date:
    if order is None and first == second:
        return date(year, second, first)
    if order is None:
        if 1 <= first <= 12 and 1 <= second <= 12:
            raise AmbiguousDate
        order = DateOrder.DMY if first > 12 else DateOrder.MDY
    day, month = (second, first) if order is DateOrder.MDY else (first, second)
    if order is DateOrder.YMD or (month > 12 and 1 <= day <= 12):
        raise OtherOrder
    return date(year, month, day)


def _named(text: str) -> date:
    if match := _DAY_NAMED.fullmatch(text):
        return date(int(match[3]), _month(match[2]), int(match[1]))
    if match := _NAMED_DAY.fullmatch(text):
        return date(int(match[3]), _month(match[1]), int(match[2]))
    raise ValueError(text)


def _month(name: str) -> int:
    for number, month in enumerate(_MONTHS, start=1):
        if month == name or (len(name) == 3 and month.startswith(name)) or name == "sept" == month[:4]:
            return number
    raise ValueError(name)


def _seconds_of_day(text: str, hour: int, minute: int, second: int, half: str) -> int:
    if half and not 1 <= hour <= 12:
        raise ValueError(text)
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    seconds = hour * 3_600 + minute * 60 + second
    if minute > 59 or second > 59 or seconds > DAY_SECONDS:
        raise ValueError(text)
    return seconds
