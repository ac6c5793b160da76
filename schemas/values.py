"""Kinds of values that records are made of, with their form on the wire; the base classes of all models, and the
envelope that each record carries.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from functools import cache
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from schemas.canonical import decimal_text, instant_micros, json_text, quoted

_DIGITS_MAX = 15
_PLACES_MAX = 40
FIRST_DATE, END_DATE = date(1900, 1, 1), date(3000, 1, 1)
FIRST_INSTANT, END_INSTANT = (datetime(day.year, 1, 1, tzinfo=UTC) for day in (FIRST_DATE, END_DATE))
"""`FIRST <= value < END` holds for every date and instant from outside: far enough from the ends of the calendar."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def _written_out(value: Decimal) -> Decimal:
    """Plain notation of a number has a bounded length, and sums and products of numbers keep all their digits."""
    if not value.is_finite():
        raise ValueError("a number must be finite")
    text = str(value)
    if len(text) <= _DIGITS_MAX and "E" not in text:
        return value  # in plain notation and no longer than that: most numbers are
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int), value
    if (value and value.adjusted() >= _DIGITS_MAX) or not -_PLACES_MAX <= exponent < _DIGITS_MAX:
        raise ValueError(f"a number has at most {_DIGITS_MAX} digits before the point and {_PLACES_MAX} after it")
    return value


DecimalText = Annotated[
    Decimal, AfterValidator(_written_out), PlainSerializer(lambda value: format(value, "f"), return_type=str)
]
"""An exact decimal; on the wire its plain text, because amounts, rates and quantities have different scales."""


def _written_as_a_date(value: object) -> object:
    """A number is never taken for the seconds of a date, as the library would: `from: 20260101` is a mistake."""
    if isinstance(value, str) and not _DATE.fullmatch(value):
        raise ValueError(f"not a date: {value[:40]!r} (expected a date such as 2026-10-31)")
    return value


LocalDate = Annotated[date, BeforeValidator(_written_as_a_date), Field(ge=FIRST_DATE, lt=END_DATE)]
"""A local date from outside, far enough from the ends of the calendar to compute weeks, months and zones with it."""

Instant = Annotated[AwareDatetime, Field(ge=FIRST_INSTANT, lt=END_INSTANT)]
"""A point in time, in any zone; on the wire UTC microseconds."""


class WireEnum(StrEnum):
    """An enum that reads words of a newer version as `unknown` instead of failing; each subclass has that member.

    A member is equal to its word, so it has the word's hash: the same in a set or mapping, and without a call.
    """

    __hash__ = str.__hash__

    @classmethod
    def _missing_(cls, value: object) -> Self:
        return cls("unknown")


class Value(BaseModel):
    """A frozen part of a record; unknown members are a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


def canonical_text(value: BaseModel) -> str:
    """The canonical encoding of `named_fields` of a value, made without them: a document has thousands of values."""
    members = value.__dict__
    found = []
    for prefix, name, default in _plan(type(value)):
        member = members[name]
        if member is not None and member != default:
            form = _FORMS.get(type(member))
            found.append(prefix + (_other_text(member) if form is None else form(member)))
    return f"{{{','.join(found)}}}"


@cache
def _plan(kind: type[BaseModel]) -> tuple[tuple[str, str, object], ...]:
    """The fields of a model in the order of their names: the beginning of its text, its name, and the value that is
    left out, which for a required field is one that no field has.
    """
    fields = sorted(kind.model_fields.items())
    return tuple((f"{quoted(name)}:", name, _NEVER if info.is_required() else info.default) for name, info in fields)


_NEVER = object()


def _other_text(member: object) -> str:
    """A member whose type alone does not say how it is written."""
    if isinstance(member, BaseModel):
        return canonical_text(member)
    if isinstance(member, tuple):
        return f"[{','.join(['null' if one is None else _any_text(one) for one in member])}]"
    if isinstance(member, Enum):
        return _any_text(member.value)
    return json_text(member)


def _any_text(member: object) -> str:
    form = _FORMS.get(type(member))
    return _other_text(member) if form is None else form(member)


_FORMS: dict[type, Callable[[Any], str]] = {
    str: quoted,
    int: int.__repr__,
    Decimal: lambda value: f'"{decimal_text(value)}"',
    date: lambda value: f'"{value.isoformat()}"',
    datetime: lambda value: str(instant_micros(value)),
}


def named_fields(value: BaseModel) -> dict[str, object]:
    """The fields of a value by name, for the canonical encoding. What is at its default is left out, inside too, so a
    new optional field changes no hash; decimals stay decimals, so that their notation changes none either.
    """
    return {
        name: _named(member)
        for name, info in type(value).model_fields.items()
        if (member := getattr(value, name)) != info.default or info.is_required()
    }


def _named(member: object) -> object:
    if isinstance(member, BaseModel):
        return named_fields(member)
    return [_named(one) for one in member] if isinstance(member, tuple) else member


class Envelope(Value):
    """`event_id` is deterministic; `causation` is the event that led to this one, `correlation` the story both belong
    to.

    `origin` says who wrote it (`connector:toggl-csv`, `cli`, `fold@4711`), `producer` names the program and version.
    """

    event_id: str
    tenant: str
    book: str
    causation: str = ""
    correlation: str = ""
    origin: str
    recorded_at: Instant
    producer: str


class Record(Value):
    """A record of a topic: `schema_id` is its fixed number in the Confluent frame, never reused."""

    schema_id: ClassVar[int]
    schema_name: ClassVar[str]

    envelope: Envelope
