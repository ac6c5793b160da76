"""Numbers, money, dates and durations as a locale writes them; nothing is rounded but what is only for reading."""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import lru_cache
from typing import assert_never

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import NumberPattern, get_currency_precision, parse_pattern

from sinks.pdf.words import LANGUAGES

HOUR_SECONDS = 3_600
SHOWN_PLACES = 2
QUANTITY_PLACES_MAX = 4
PRICE_PLACES_MAX = 4
PERCENT_PLACES_MAX = 6


def locale_problem(tag: str) -> str:
    """What is wrong with a locale such as `de-DE`; empty when it can be written."""
    languages = ", ".join(LANGUAGES)
    try:
        locale = Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        return f"'{tag}' is not a locale such as en-GB or de-DE; languages: {languages}"
    if locale.language not in LANGUAGES:
        return f"the words of an invoice are not known in '{locale.language}', only in: {languages}"
    return ""


class Numbers:
    """Writes the figures of one document."""

    def __init__(self, tag: str, currency: str) -> None:
        self.locale = Locale.parse(tag, sep="-")
        self.currency = currency
        self._places = get_currency_precision(currency)
        self._tag = tag

    def amount(self, value: Decimal) -> str:
        """An amount in the document's currency without its sign, with every digit that says something."""
        return self._write(value, max(self._places, _places(value.normalize())))

    def money(self, value: Decimal) -> str:
        """An amount with the currency."""
        places = max(self._places, _places(value.normalize()))
        pattern = _pattern(self._tag, _Form.MONEY, places)
        return str(pattern.apply(_exactly(value, places), self.locale, currency=self.currency, currency_digits=False))

    def price(self, value: Decimal) -> str:
        """A rate or unit price: with its own digits when they end soon, else as for reading."""
        places = _places(value.normalize())
        return self._write(value, min(max(places, self._places), PRICE_PLACES_MAX))

    def quantity(self, value: Decimal) -> str:
        """A number of pieces, with the digits it has up to four."""
        return self._write(value, min(_places(value.normalize()), QUANTITY_PLACES_MAX))

    def hours(self, value: Decimal) -> str:
        """Decimal hours: two decimals, up to four where the amount needs them to be checked."""
        places = min(max(_places(value.normalize()), SHOWN_PLACES), QUANTITY_PLACES_MAX)
        return self._write(value, places)

    def hours_of(self, seconds: int) -> str:
        """A duration in decimal hours, for reading."""
        return self._write(Decimal(seconds) / HOUR_SECONDS, SHOWN_PLACES)

    def percent(self, value: Decimal) -> str:
        """A rate of tax such as `19 %`; the value is in percent."""
        places = min(_places(value.normalize()), PERCENT_PLACES_MAX)
        return str(_pattern(self._tag, _Form.PERCENT, places).apply(value / 100, self.locale))

    def day(self, value: date) -> str:
        """A date in a table."""
        return format_date(value, "medium", locale=self.locale)

    def last_day(self, end: date) -> str:
        """The last day before the end of a period, which is not part of it."""
        return self.day(end - timedelta(days=1))

    def long_day(self, value: date) -> str:
        """A date in a text."""
        return format_date(value, "long", locale=self.locale)

    def _write(self, value: Decimal, places: int) -> str:
        return str(_pattern(self._tag, _Form.PLAIN, places).apply(_exactly(value, places), self.locale))


def clock(seconds: int) -> str:
    """A duration as `1:30`, in whole minutes for reading."""
    minutes = int((Decimal(abs(seconds)) / 60).to_integral_value(ROUND_HALF_UP))
    return f"{'-' if seconds < 0 else ''}{minutes // 60}:{minutes % 60:02d}"


def _places(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int), value
    return max(0, -exponent)


def _exactly(value: Decimal, places: int) -> Decimal:
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return rounded or abs(rounded)  # no minus before nothing


class _Form(StrEnum):
    """Which of a locale's patterns a number is written by."""

    PLAIN = "plain"
    MONEY = "money"
    PERCENT = "percent"


@lru_cache(maxsize=512)
def _pattern(tag: str, form: _Form, places: int) -> NumberPattern:
    """A locale's pattern with a fixed number of decimals."""
    locale = Locale.parse(tag, sep="-")
    match form:
        case _Form.PLAIN:
            written = locale.decimal_formats[None]
        case _Form.MONEY:
            written = locale.currency_formats["standard"]
        case _Form.PERCENT:
            written = locale.percent_formats[None]
        case _:
            assert_never(form)
    pattern = parse_pattern(written.pattern)
    pattern.frac_prec = (places, places)
    return pattern
