"""Durations as tools and people write them, read into whole seconds, half a second up."""

import re
from decimal import ROUND_HALF_UP, Decimal

from connectors.tables.decimals import parse_decimal
from connectors.tables.mapping import DecimalMark, DurationUnit

_CLOCK = re.compile(r"([0-9]{1,5}):([0-5]?[0-9])(?::([0-5]?[0-9])(?:[.,]([0-9]{1,9}))?)?", re.ASCII)
_ISO = re.compile(
    r"P(?:(?P<days>[0-9]{1,4})D)?"
    r"(?:T(?:(?P<hours>[0-9]{1,6}(?:[.,][0-9]{1,9})?)H)?(?:(?P<minutes>[0-9]{1,7}(?:[.,][0-9]{1,9})?)M)?"
    r"(?:(?P<seconds>[0-9]{1,9}(?:[.,][0-9]{1,9})?)S)?)?",
    re.ASCII,
)
_WORDS = re.compile(
    r"(?:(?P<hours>[0-9]{1,6}(?:[.,][0-9]{1,9})?) ?(?:h|hr|hrs|hour|hours|std\.?))?"
    r" ?(?:(?P<minutes>[0-9]{1,7}) ?(?:m|min|mins|minute|minutes|min\.))?"
    r" ?(?:(?P<seconds>[0-9]{1,9}) ?(?:s|sec|secs|second|seconds))?",
    re.ASCII,
)
_HOURS_AND_BARE_MINUTES = re.compile(r"([0-9]{1,6}) ?h ?([0-5]?[0-9])", re.ASCII)
_UNIT_SECONDS = {
    DurationUnit.DAYS: 86_400,
    DurationUnit.HOURS: 3_600,
    DurationUnit.MINUTES: 60,
    DurationUnit.SECONDS: 1,
}


class NegativeDuration(ValueError):
    """A duration below zero."""


class UnitMissing(ValueError):
    """A plain number, and nothing says what it counts."""


def parse_duration(text: str, unit: DurationUnit | None, mark: DecimalMark | None) -> int:
    """Seconds of `1:30`, `01:30:00`, `1.5`, `1,5`, `1h 30m` or `PT1H30M`; two parts with a colon are hours and minutes.

    Raises NegativeDuration, UnitMissing, AmbiguousNumber, OtherMark, or ValueError for what is no duration.
    """
    if match := _CLOCK.fullmatch(text):
        return _clock_seconds(match)
    if text.startswith(("-", "−", "(")):
        raise NegativeDuration(text)
    if any(letter.isalpha() for letter in text):
        return _word_seconds(text)
    number = parse_decimal(text, mark)
    if unit is None:
        if number == 0:
            return 0
        raise UnitMissing(text)
    return whole_seconds(number * _UNIT_SECONDS[unit])


def whole_seconds(seconds: Decimal) -> int:
    """Seconds, rounded half up: 2.11 hours are 7596 s."""
    return int(seconds.to_integral_value(rounding=ROUND_HALF_UP))


def _clock_seconds(match: re.Match[str]) -> int:
    hours, minutes, seconds, fraction = match.groups()
    whole = int(hours) * 3_600 + int(minutes) * 60 + int(seconds or 0)
    return whole + whole_seconds(Decimal(f"0.{fraction}")) if fraction else whole


def _word_seconds(text: str) -> int:
    if match := _HOURS_AND_BARE_MINUTES.fullmatch(text.lower()):
        return int(match[1]) * 3_600 + int(match[2]) * 60
    found = _ISO.fullmatch(text.upper()) or _WORDS.fullmatch(" ".join(text.lower().split()))
    if found is None or not any(found.groups()):
        raise ValueError(text)
    parts = {name: Decimal(value.replace(",", ".")) for name, value in found.groupdict().items() if value}
    return whole_seconds(sum((value * _UNIT_SECONDS[DurationUnit(name)] for name, value in parts.items()), Decimal(0)))
