"""What a person can declare about a file, so that nothing has to be guessed; each option is also a flag of `import`."""

from datetime import date
from enum import StrEnum
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from connectors.tables.mapping import DateOrder, DecimalMark, DurationUnit, SerialDates, TableMapping
from schemas.values import Value

FILE_BYTES_MAX = 100 * 1024 * 1024


class Delimiter(StrEnum):
    """What stands between cells."""

    COMMA = ","
    SEMICOLON = ";"
    TAB = "\t"
    PIPE = "|"


class ImportOptions(Value):
    """Declarations about one file; what is left empty is found out, taken from the mapping, or asked.

    `zone` is the zone of the person who made the export, for local times without one. `people`, `date_from` and
    `date_to` (not included) declare the scope: what of it is not in the file may be deleted at the source.
    """

    format: str = Field(
        default="", description="toggl, harvest, clockify or json-lines; empty: recognised by the headers"
    )
    mapping: TableMapping | None = Field(default=None, description="the meaning of a table that is none of ours")
    account: str = Field(
        default="default", min_length=1, max_length=200, description="workspace or account of the source"
    )
    source: str = Field(
        default="", max_length=100, description="name of the source; empty: of the format or the mapping"
    )
    zone: str = Field(default="", description="time zone of local times, for example Europe/Berlin")
    date_order: DateOrder | None = Field(default=None, description="dmy, mdy or ymd for dates written in numbers")
    date_format: str = Field(default="", description="exact form of dates such as %d.%m.%y")
    decimal_mark: DecimalMark | None = Field(default=None, description="comma or point")
    duration_unit: DurationUnit | None = Field(default=None, description="what a plain number as duration counts")
    serial_dates: SerialDates | None = Field(default=None, description="1900 or 1904 for day numbers of spreadsheets")
    encoding: str = Field(default="", description="utf-8, utf-16, windows-1252, ...; empty: found out")
    delimiter: Delimiter | None = Field(default=None, description="what stands between cells; empty: found out")
    person: str = Field(default="", max_length=500, description="whose time it is, when the file does not say")
    people: tuple[str, ...] = Field(default=(), description="declared scope: everyone whose entries the file holds")
    date_from: date | None = Field(default=None, description="declared scope: first day")
    date_to: date | None = Field(default=None, description="declared scope: the day after the last one")
    file_bytes_max: int = Field(default=FILE_BYTES_MAX, gt=0, description="larger files are refused")

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone and not is_zone(zone):
            raise ValueError(f"there is no time zone {zone!r}")
        return zone

    @model_validator(mode="after")
    def _whole_scope(self) -> Self:
        if (self.date_from is None) != (self.date_to is None):
            raise ValueError("a declared scope needs both its first day and the day after its last one")
        if self.date_from is not None and self.date_to is not None and self.date_to <= self.date_from:
            raise ValueError("the scope must end after it starts")
        return self


def is_zone(name: str) -> bool:
    """Whether the time zone database knows the name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
