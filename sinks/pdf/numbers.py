"""Numbers, money, dates and durations as a locale writes them; nothing is rounded but what is only for reading."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

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
        self._plain = _decimal_pattern(tag)
        self._priced = _currency_pattern(tag)
        self._percent = _percent_pattern(tag)

    def amount(self, value: Decimal) -> str:
        """An amount in the document's currency without its sign, with every digit it has."""
        return self._write(self._plain, value, max(self._places, _places(value)))

    def money(self, value: Decimal) -> str:
        """An amount with the currency."""
        places = max(self._places, _places(value))
        return str(
            self._priced.apply(
                _exactly(value, places),
                self.locale,
                currency=self.currency,
                currency_digits=False,
                force_frac=(places, places),
            )
        )

    def price(self, value: Decimal) -> str:
        """A rate or unit price: with its own digits when they end soon, else as for reading."""
        places = _places(value.normalize())
        return self._write(self._plain, value, min(max(places, self._places), PRICE_PLACES_MAX))

    def quantity(self, value: Decimal) -> str:
        """A number of pieces, with the digits it has up to four."""
        return self._write(self._plain, value, min(_places(value.normalize()), QUANTITY_PLACES_MAX))

    def hours(self, value: Decimal) -> str:
        """Decimal hours: two decimals, up to four where the amount needs them to be checked."""
        places = min(max(_places(value.normalize()), SHOWN_PLACES), QUANTITY_PLACES_MAX)
        return self._write(self._plain, value, places)

    def hours_of(self, seconds: int) -> str:
        """A duration in decimal hours, for reading."""
        return self._write(self._plain, Decimal(seconds) / HOUR_SECONDS, SHOWN_PLACES)

    def percent(self, value: Decimal) -> str:
        """A rate of tax such as `19 %`; the value is in percent."""
        places = min(_places(value.normalize()), PERCENT_PLACES_MAX)
        return str(self._percent.apply(value / 100, self.locale, force_frac=(places, places)))

    def day(self, value: date) -> str:
        """A date in a table."""
        return format_date(value, "medium", locale=self.locale)

    def long_day(self, value: date) -> str:
        """A date in a text."""
        return format_date(value, "long", locale=self.locale)

    def _write(self, pattern: NumberPattern, value: Decimal, places: int) -> str:
        return str(pattern.apply(_exactly(value, places), self.locale, force_frac=(places, places)))


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


@lru_cache(maxsize=64)
def _decimal_pattern(tag: str) -> NumberPattern:
    return parse_pattern(Locale.parse(tag, sep="-").decimal_formats[None])


@lru_cache(maxsize=64)
def _currency_pattern(tag: str) -> NumberPattern:
    return parse_pattern(Locale.parse(tag, sep="-").currency_formats["standard"])


@lru_cache(maxsize=64)
def _percent_pattern(tag: str) -> NumberPattern:
    return parse_pattern(Locale.parse(tag, sep="-").percent_formats[None])
