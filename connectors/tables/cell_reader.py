"""What the cells of a row say one by one: days, times, durations, numbers, flags; each doubt is a reason code.

A cell that settles how the whole file is to be read is a `Proof`, not an error.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from connectors.tables.dates import (
    AmbiguousDate,
    OtherOrder,
    SerialDate,
    TwoDigitYear,
    YearOutOfRange,
    order_of,
    parse_date,
    parse_time,
)
from connectors.tables.decimals import AmbiguousNumber, OtherMark, mark_of, parse_decimal
from connectors.tables.durations import NegativeDuration, UnitMissing, parse_duration
from connectors.tables.formats import Plan
from connectors.tables.local_clock import EndBeforeStart
from connectors.tables.mapping import DateOrder, DecimalMark, DurationUnit, SerialDates
from connectors.tables.places import EMPTY, Places
from connectors.tables.problems import RowRejected
from connectors.tables.words import flag_of
from schemas.canonical import instant_micros

CELLS_KEPT = 50_000
Read = TypeVar("Read")
_CODES: dict[type[ValueError], str] = {
    AmbiguousDate: "date_order",
    SerialDate: "serial_date",
    TwoDigitYear: "two_digit_year",
    YearOutOfRange: "date_out_of_range",
    AmbiguousNumber: "decimal_mark",
    NegativeDuration: "negative_duration",
    UnitMissing: "duration_unit",
    EndBeforeStart: "end_before_start",
}


@dataclass(frozen=True)
class Reading:
    """How values are written in this file: declared, or proved by a cell (`proved_*`), or not known (None, empty)."""

    zone: str = ""
    date_order: DateOrder | None = None
    date_format: str = ""
    decimal_mark: DecimalMark | None = None
    duration_unit: DurationUnit | None = None
    serial_dates: SerialDates | None = None
    person: str = ""
    currency: str = ""
    proved_order: bool = False
    proved_mark: bool = False


class Proof(Exception):
    """This cell proves the order of dates or the decimal mark; the file is then read again from its start."""

    def __init__(self, settles: DateOrder | DecimalMark, column: str, value: str) -> None:
        super().__init__(settles)
        self.settles = settles
        self.column = column
        self.value = value


class CellReader:
    """Reads single cells of one file; most cells of a column repeat, so what they said is remembered, within limits."""

    def __init__(self, plan: Plan, reading: Reading) -> None:
        self._plan = plan
        self._reading = reading
        self._days: dict[str, date] = {}
        self._times: dict[str, int] = {}
        self._durations: dict[str, int] = {}
        self._tag_lists: dict[str, tuple[str, ...]] = {"": ()}

    def header(self, at: int) -> str:
        """The header as the file writes it; empty for a meaning without a column."""
        return self._plan.headers[at] if at != EMPTY else ""

    def flag(self, row: list[str], at: int) -> bool | None:
        """Yes, no, or nothing."""
        text = row[at]
        return flag_of(text, self.header(at)) if text else None

    def tags(self, row: list[str], at: int) -> tuple[str, ...]:
        """The tags of a cell in stable order."""
        text = row[at]
        known = self._tag_lists.get(text)
        if known is None:
            known = tuple(sorted({tag.strip() for tag in text.split(self._plan.format.tags_separator)} - {""}))
            _keep(self._tag_lists, text, known)
        return known

    def revision(self, row: list[str], at: Places) -> int:
        """The source's own revision number, or its time of change in microseconds, or 0."""
        revision, updated = row[at.revision], row[at.updated_at]
        if revision:
            if not (revision.isascii() and revision.isdigit() and len(revision) <= 18):
                raise RowRejected("bad_revision", self.header(at.revision), revision)
            return int(revision)
        if not updated:
            return 0
        instant = instant_of(updated)
        if instant is None:
            raise RowRejected("bad_revision", self.header(at.updated_at), updated)
        return instant_micros(instant)

    def day(self, row: list[str], at: int) -> date:
        """The day a cell names."""
        known = self._days.get(row[at])
        return known if known is not None else self.day_of(row[at], at)

    def day_of(self, text: str, at: int) -> date:
        """The day a text names, when it is only a part of its cell."""
        if not text:
            raise RowRejected("missing_date", self.header(at), "")
        how = self._reading
        if how.date_order is None and not how.date_format and (proved := order_of(text)) is not None:
            raise Proof(proved, self.header(at), text)
        order, exact, serial = how.date_order, how.date_format, how.serial_dates
        day = self.attempt(lambda: parse_date(text, order, exact=exact, serial=serial), at, text, "bad_date")
        _keep(self._days, text, day)
        return day

    def time(self, row: list[str], at: int) -> int:
        """Seconds since midnight."""
        text = row[at]
        known = self._times.get(text)
        if known is None:
            serial = self._reading.serial_dates
            known = self.attempt(lambda: parse_time(text, serial=serial), at, text, "bad_time")
            _keep(self._times, text, known)
        return known

    def duration(self, row: list[str], at: int) -> int | None:
        """Whole seconds, or nothing."""
        text = row[at]
        if not text:
            return None
        known = self._durations.get(text)
        if known is None:
            self._prove_mark(text, at)
            unit = self._reading.duration_unit or self._plan.format.duration_unit
            mark = self._reading.decimal_mark
            known = self.attempt(lambda: parse_duration(text, unit, mark), at, text, "bad_duration")
            _keep(self._durations, text, known)
        return known

    def number(self, row: list[str], at: int) -> Decimal | None:
        """An exact number, or nothing."""
        text = row[at]
        if not text:
            return None
        self._prove_mark(text, at)
        return self.attempt(lambda: parse_decimal(text, self._reading.decimal_mark), at, text, "bad_number")

    def _prove_mark(self, text: str, at: int) -> None:
        if self._reading.decimal_mark is None and (proved := mark_of(text)) is not None:
            raise Proof(proved, self.header(at), text)

    def attempt(self, read: Callable[[], Read], at: int, text: str, code: str) -> Read:
        """What a cell says, or the reason code of why it says nothing."""
        try:
            return read()
        except (ValueError, OverflowError) as error:
            raise RowRejected(self._code_of(error, text, code), self.header(at), text) from error

    def _code_of(self, error: Exception, text: str, code: str) -> str:
        if text.startswith(("=", "@")) or (text.startswith("+") and text[1:2].isalpha()):
            return "formula_cell"
        if text.startswith("#"):
            return "spreadsheet_error"
        if isinstance(error, OtherOrder):
            return "date_order_mixed" if self._reading.proved_order else "bad_date"
        if isinstance(error, OtherMark):
            return "decimal_mark_mixed" if self._reading.proved_mark else code
        return _CODES.get(type(error), code) if isinstance(error, ValueError) else code


def _keep(cells: dict[str, Read], text: str, value: Read) -> None:
    """Most cells of a column repeat; the memory for them is bounded."""
    if len(cells) >= CELLS_KEPT:
        cells.clear()
    cells[text] = value


def instant_of(text: str) -> datetime | None:
    """An ISO instant with an offset or Z; None for anything else."""
    if len(text) < 16 or not text[:4].isdigit():
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None and 1990 <= moment.year <= 2099 else None
