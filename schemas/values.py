"""Kinds of values that records are made of, with their form on the wire; the base classes of all models, and the
envelope that each record carries.
"""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise ValueError("a number must be finite")
    return value


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("an instant needs a zone")
    return value.astimezone(UTC)


DecimalText = Annotated[
    Decimal, AfterValidator(_finite), PlainSerializer(lambda value: format(value, "f"), return_type=str)
]
"""An exact decimal; on the wire its plain text, because amounts, rates and quantities have different scales."""

Instant = Annotated[datetime, AfterValidator(_in_utc)]
"""A point in time; on the wire UTC microseconds."""


class WireEnum(StrEnum):
    """An enum that reads words of a newer version as `unknown` instead of failing; each subclass has that member."""

    @classmethod
    def _missing_(cls, value: object) -> Self:
        return cls("unknown")


class Value(BaseModel):
    """A frozen part of a record; unknown members are a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


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
