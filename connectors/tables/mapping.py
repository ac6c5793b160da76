"""A declared mapping: what the columns of any table mean, written once by a person and kept as YAML."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError, field_validator, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from schemas.entry import EntryKind
from schemas.errors import ConfigurationError
from schemas.values import Value

MAPPING_BYTES_MAX = 256 * 1024
_DIRECTIVES = re.compile(r"%([A-Za-z%])")
_KNOWN_DIRECTIVES = frozenset("dmYybB")


class Column(StrEnum):
    """What a column can mean. `date` goes with `start_time` and `end_time`; `start` and `end` hold both in one cell."""

    ID = "id"
    REVISION = "revision"
    UPDATED_AT = "updated_at"
    KIND = "kind"
    PERSON = "person"
    EMAIL = "email"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    CLIENT = "client"
    PROJECT = "project"
    TASK = "task"
    SERVICE_ITEM = "service_item"
    TAGS = "tags"
    DESCRIPTION = "description"
    BILLABLE = "billable"
    INVOICED = "invoiced"
    DATE = "date"
    START_TIME = "start_time"
    END_DATE = "end_date"
    END_TIME = "end_time"
    START = "start"
    END = "end"
    DURATION = "duration"
    AMOUNT = "amount"
    CURRENCY = "currency"
    QUANTITY = "quantity"
    UNIT_PRICE = "unit_price"
    CATEGORY = "category"


class DateOrder(StrEnum):
    """The order of day, month and year in dates written in numbers."""

    DMY = "dmy"
    MDY = "mdy"
    YMD = "ymd"


class DecimalMark(StrEnum):
    """What stands before the fraction of a number."""

    COMMA = "comma"
    POINT = "point"


class DurationUnit(StrEnum):
    """What a plain number in a duration column counts."""

    HOURS = "hours"
    MINUTES = "minutes"
    SECONDS = "seconds"
    DAYS = "days"


class SerialDates(StrEnum):
    """The year from which a spreadsheet counts days."""

    FROM_1900 = "1900"
    FROM_1904 = "1904"


class TableMapping(Value):
    """What a table means: `columns` names the header of each meaning, the rest declares how values are written.

    `source` is the name under which entries of such tables are known; it is part of their identity. Headers that are
    not mapped are kept as attributes unless they are in `ignored`.
    """

    source: str = Field(min_length=1, max_length=100, pattern=r"^[a-z0-9][a-z0-9-]*$")
    columns: dict[Column, str]
    ignored: tuple[str, ...] = ()
    kind: EntryKind = EntryKind.TIME
    zone: str = ""
    date_order: DateOrder | None = None
    date_format: str = ""
    decimal_mark: DecimalMark | None = None
    duration_unit: DurationUnit | None = None
    serial_dates: SerialDates | None = None
    tags_separator: str = Field(default=",", min_length=1, max_length=3)
    currency: str = ""
    delimiter: str = Field(default="", max_length=1)
    encoding: str = ""
    mapping_version: int = Field(default=1, ge=1)

    @field_validator("date_format")
    @classmethod
    def _exact_format(cls, text: str) -> str:
        if text:
            check_date_format(text)
        return text

    @model_validator(mode="after")
    def _enough_columns(self) -> Self:
        has = self.columns
        if self.kind is EntryKind.UNKNOWN:
            raise ValueError("kind must be time, expense, milestone or usage")
        if Column.DATE not in has and Column.START not in has:
            raise ValueError("a table needs a column for `date` or for `start`")
        times = {Column.DURATION, Column.END, Column.END_TIME}
        money = {Column.AMOUNT, Column.UNIT_PRICE}
        if self.kind is EntryKind.TIME and not times & has.keys():
            raise ValueError("a table of times needs a column for `duration`, `end` or `end_time`")
        if self.kind is EntryKind.EXPENSE and not money & has.keys():
            raise ValueError("a table of expenses needs a column for `amount`, or for `quantity` and `unit_price`")
        return self


def check_date_format(text: str) -> None:
    """ValueError when a date format does not name day, month and year in known directives."""
    used = _DIRECTIVES.findall(text)
    kinds = {"Y" if letter in "Yy" else "m" if letter in "mbB" else letter for letter in used}
    if set(used) - _KNOWN_DIRECTIVES or kinds != {"d", "m", "Y"} or len(used) != 3:
        raise ValueError(f"a date format needs %d, %m (or %b, %B) and %Y (or %y), each once: {text!r}")


def load_mapping(path: Path) -> TableMapping:
    """Read a mapping from YAML; raises ConfigurationError that names the file and each mistake."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise _unusable(path, error.strerror or "it cannot be read") from error
    if len(text) > MAPPING_BYTES_MAX:
        raise _unusable(path, "it is larger than 256 KiB")
    try:
        return TableMapping.model_validate(YAML(typ="safe", pure=True).load(text))
    except (YAMLError, UnicodeDecodeError) as error:
        raise _unusable(path, f"it is no YAML: {error}") from error
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'mapping'}: {one['msg']}" for one in error.errors())
        raise _unusable(path, told) from error


def _unusable(path: Path, why: str) -> ConfigurationError:
    return ConfigurationError(
        "mapping_unusable",
        f"The mapping {path.name} cannot be used: {why}.",
        "See docs/guides/import.md for an example.",
    )
