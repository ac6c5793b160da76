"""The optional file of exchange rates: dated, with a named source, brought into the book with the contracts."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

from pydantic import Field

from billstream.configuration.source import read_file
from billstream.configuration.validate import validate
from billstream.project import envelope
from billstream.settings import Installation
from schemas.canonical import deterministic_id
from schemas.dated import Currency
from schemas.inputs import ExchangeRate
from schemas.values import DecimalText, Value


class DatedExchangeRate(Value):
    """On this date one unit of `base` costs `rate` units of `quote`."""

    on: date
    base: Currency
    quote: Currency
    rate: Annotated[DecimalText, Field(gt=0)]
    source: str = Field(min_length=1, max_length=80)


class ExchangeRateFile(Value):
    """The whole file."""

    rates: tuple[DatedExchangeRate, ...] = ()


def read_exchange_rates(path: Path, base: Path) -> tuple[DatedExchangeRate, ...]:
    """The rates of the file, none when there is no file; InvalidFiles names what is wrong in it."""
    return validate(read_file(path, base), ExchangeRateFile).rates if path.exists() else ()


def exchange_rate_record(installation: Installation, rate: DatedExchangeRate, at: datetime) -> ExchangeRate:
    """The record of a rate. An old rate may come back later, so the time is part of the event's id."""
    settings = installation.settings
    named = {"tenant": settings.tenant, "book": settings.book, "at": at, **rate.model_dump()}
    return ExchangeRate(
        envelope=envelope(installation, deterministic_id("exchange_rate", named), at),
        base=rate.base,
        quote=rate.quote,
        on=rate.on,
        rate=rate.rate,
        rate_source=rate.source,
    )
