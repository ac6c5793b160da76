"""Worked examples inside a contract: entries in, the expected invoice out; checked wherever the contract is loaded.

A contract that brings its own proof cannot be misread in silence: the sentence, the setting and a figure that both
sides agreed on stand in one file.
"""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from schemas.dated import Agreed, Currency, CurrencyOrDefault, Identifier
from schemas.entry import WORKED_SECONDS_MAX
from schemas.period import parse_period
from schemas.values import DecimalText, LocalDate, Value

ENTRIES_MAX = 200
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_HOURS = re.compile(r"(\d{1,5}):([0-5]\d)(?::([0-5]\d))?")
_DECIMAL_HOURS = re.compile(r"\d{1,5}(\.\d{1,8})?")


def hours_seconds(text: str) -> int:
    """`7:30`, `7:30:15` or `7.50` as whole seconds; ValueError when it is neither, or no whole number of them."""
    if match := _HOURS.fullmatch(text):
        return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3] or 0)
    exact = Decimal(text) * 3600 if _DECIMAL_HOURS.fullmatch(text) else Decimal("0.5")
    if exact != int(exact):
        raise ValueError(f"not a duration: {text!r} (write 7:30, or 7.50 for hours)")
    return int(exact)


def _is_duration(text: str) -> str:
    if hours_seconds(text) > WORKED_SECONDS_MAX:
        raise ValueError(f"longer than an entry can be: {text!r}")
    return text


def _is_total(text: str) -> str:
    hours_seconds(text)
    return text


def _is_period(text: str) -> str:
    parse_period(text)
    return text


def _is_clock(text: str) -> str:
    if text and not _CLOCK.fullmatch(text):
        raise ValueError(f"not a time of day: {text!r} (write 09:00)")
    return text


BucketName = Literal[
    "billed", "retainer", "fixed_fee", "non_billable", "written_down", "carried", "held", "written_off"
]
Duration = Annotated[str, AfterValidator(_is_duration)]
HoursTotal = Annotated[str, AfterValidator(_is_total)]


class ExampleEntry(Value):
    """Work or cost as a source would bring it, decided already. Time has `hours`; an expense has `amount`, or
    `quantity` and `unit_price`. `at` is the local time of the start, for premiums and for the order of work.
    """

    id: str = Field(default="", max_length=64)
    kind: Literal["time", "expense", "milestone", "usage"] = "time"
    person: str = ""
    date: LocalDate
    at: Annotated[str, AfterValidator(_is_clock)] = ""
    hours: Duration = "0"
    category: Literal["billable", "non_billable", "retainer", "project"] = "billable"
    project: str = ""
    service_item: str = ""
    task: str = ""
    tags: tuple[str, ...] = ()
    text: str = ""
    released: tuple[str, ...] = ()
    amount: DecimalText | None = None
    currency: CurrencyOrDefault = ""
    quantity: DecimalText | None = None
    unit_price: DecimalText | None = None
    expense: str = ""


class ExampleRate(Value):
    """An exchange rate of the example's world: one unit of `base` costs `rate` units of the contract's currency."""

    base: Currency
    on: LocalDate
    rate: Annotated[DecimalText, Field(gt=0)]


class ExpectedLine(Value):
    """A line by the words it contains; what is not stated is not compared."""

    text: str = Field(min_length=1)
    amount: DecimalText | None = None
    hours: HoursTotal | None = None
    price: DecimalText | None = None


class ExpectedBucket(Value):
    """All seconds of a bucket, or of one reason in it."""

    bucket: BucketName
    reason: str = ""
    hours: HoursTotal


class Expected(Value):
    """The invoice that follows. Stated `lines` are all lines in their order, stated `buckets` all that hold time."""

    net: DecimalText | None = None
    tax: DecimalText | None = None
    gross: DecimalText | None = None
    due: DecimalText | None = None
    lines: tuple[ExpectedLine, ...] | None = None
    buckets: tuple[ExpectedBucket, ...] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if all(one is None for one in (self.net, self.tax, self.gross, self.due, self.lines, self.buckets)):
            raise ValueError("an example needs an expectation: net, tax, gross, due, lines or buckets")
        return self


class WorkedExample(Agreed):
    """One example: a period, the entries the invoice is made of (earlier ones for caps and balances too), the result.

    Without `invoice_date` the invoice is written on the day after the period.
    """

    id: Identifier
    period: Annotated[str, AfterValidator(_is_period)]
    invoice_date: LocalDate | None = None
    entries: tuple[ExampleEntry, ...] = Field(default=(), max_length=ENTRIES_MAX)
    exchange_rates: tuple[ExampleRate, ...] = ()
    expect: Expected

    @model_validator(mode="after")
    def _ids_once(self) -> Self:
        named = [one.id for one in self.entries if one.id]
        if len(set(named)) != len(named):
            raise ValueError("two entries of the example have one id")
        return self


def invoice_day(example: WorkedExample) -> date:
    """The day on which the example's invoice is written."""
    return example.invoice_date or parse_period(example.period).end
