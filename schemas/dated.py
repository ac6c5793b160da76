"""Effective-dated rows `[from, to)` of contracts and directories, and how a document refuses what is not billed yet."""

import itertools
import re
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import Annotated, Self, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic.fields import FieldInfo

from schemas.values import DecimalText, LocalDate, Value

NOT_YET = "not yet: "
"""What the message of a refused clause begins with; the loader turns it into the error `NotYet` at that line."""


CLAUSE_CHARACTERS_MAX = 4_000


def not_yet(what: str) -> ValueError:
    """The error for a clause that this version does not bill. It is raised where the clause stands, never ignored."""
    return ValueError(f"{NOT_YET}{what} is part of the contract language, but this version does not bill it")


def _identifier(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,63}", value):
        raise ValueError(f"not an id: {value!r} (letters, digits, '_', '-' and '.', at most 64)")
    return value


def _currency(value: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}", value):
        raise ValueError(f"not a currency: {value!r} (three capital letters, for example EUR)")
    return value


def _currency_or_none(value: str) -> str:
    return _currency(value) if value else value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
        raise ValueError(f"not a time zone: {value!r} (an IANA name, for example Europe/Berlin)") from problem
    return value


def _not_negative(value: Decimal) -> Decimal:
    if value < 0:
        raise ValueError(f"must not be negative: {value}")
    return value


def _form(pattern: str) -> FieldInfo:
    """What editors are told about a text; the validator beside it is what counts."""
    return Field(json_schema_extra={"pattern": pattern})  # type: ignore[no-any-return]  # pydantic types it so


Identifier = Annotated[str, AfterValidator(_identifier), _form(r"^[A-Za-z0-9_][A-Za-z0-9_.\-]{0,63}$")]
Currency = Annotated[str, AfterValidator(_currency), _form("^[A-Z]{3}$")]
CurrencyOrDefault = Annotated[str, AfterValidator(_currency_or_none), _form("^([A-Z]{3})?$")]
"""A currency; empty means the currency of the document that holds the row."""
ZoneName = Annotated[str, AfterValidator(_zone)]
AmountNotNegative = Annotated[
    DecimalText,
    AfterValidator(_not_negative),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string"}]}),
]


class Agreed(Value):
    """A part of a contract: `clause` keeps the agreement's own words, or their place in it, beside what was read."""

    clause: str = Field(default="", max_length=CLAUSE_CHARACTERS_MAX)


class DatedRow(Agreed):
    """A row valid on the local dates `[from, to)`; a missing end is open."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    date_from: LocalDate | None = Field(default=None, alias="from")
    date_to: LocalDate | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.date_from is not None and self.date_to is not None and self.date_to <= self.date_from:
            raise ValueError(f"'to' must be after 'from': {self.span_text}")
        return self

    def covers(self, day: date) -> bool:
        """Whether the row is valid on a local date."""
        return (self.date_from is None or self.date_from <= day) and (self.date_to is None or day < self.date_to)

    @property
    def span_text(self) -> str:
        """The validity in the notation of an interval."""
        return f"[{self.date_from or 'open'}, {self.date_to or 'open'})"


RowT = TypeVar("RowT", bound=DatedRow)


def refuse_overlaps(rows: Iterable[RowT], level_of: Callable[[RowT], tuple[str, ...]], what: str) -> None:
    """Raise ValueError when two rows of one level are valid on one date; a bill must never depend on their order."""
    levels: dict[tuple[str, ...], list[RowT]] = {}
    for row in rows:
        levels.setdefault(level_of(row), []).append(row)
    for level, members in levels.items():
        ordered = sorted(members, key=lambda row: row.date_from or date.min)
        for earlier, later in itertools.pairwise(ordered):
            if earlier.date_to is None or (later.date_from or date.min) < earlier.date_to:
                name = " ".join(part for part in level if part) or "default"
                raise ValueError(
                    f"two {what} rows for {name} are valid on one date: {earlier.span_text} and {later.span_text}"
                )


class DatedRate(DatedRow):
    """A price of an hour. Zero is a rate: it gives a line without charge."""

    rate: AmountNotNegative
    currency: CurrencyOrDefault = ""


class RoleRate(DatedRate):
    """A price of an hour for a role, or for a role on one service item."""

    role: str = Field(min_length=1)
    service_item: str = ""
