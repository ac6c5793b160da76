"""From the cells of one row to an understood entry, by a plan; every doubt is a reason code, nothing is guessed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple, TypeVar

from connectors.base import EntryFields
from connectors.tables.dates import (
    AmbiguousDate,
    OtherOrder,
    SerialDate,
    TwoDigitYear,
    YearOutOfRange,
    order_of,
    parse_date,
    parse_time,
    split_moment,
)
from connectors.tables.decimals import AmbiguousNumber, OtherMark, mark_of, parse_decimal
from connectors.tables.durations import NegativeDuration, UnitMissing, parse_duration
from connectors.tables.formats import Identity, Plan
from connectors.tables.identity import Ordinals, derived_id, digest_of
from connectors.tables.local_clock import MISMATCH, TOLERANCE_SECONDS, EndBeforeStart, LocalClock, Span, span_of
from connectors.tables.mapping import Column, DateOrder, DecimalMark, DurationUnit, SerialDates
from connectors.tables.problems import RowRejected
from connectors.tables.words import CELL_CHARACTERS_MAX, check_span_length, currency_of, flag_of, kind_of, name_of
from schemas.canonical import instant_micros
from schemas.entry import EntryKind

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


class ParsedRow(NamedTuple):
    """An understood entry and its local day, which is the day of the import's scope."""

    fields: EntryFields
    day: date


class Moment(NamedTuple):
    """A point in time as a row says it: an instant, or a wall time of the file's zone."""

    day: date
    seconds: int = 0
    instant: datetime | None = None


class RowParser:
    """Reads the rows of one file in order; it remembers ids and cells it has seen, nothing else."""

    def __init__(self, plan: Plan, reading: Reading) -> None:
        self._plan = plan
        self._format = plan.format
        self._reading = reading
        self._clock = LocalClock(reading.zone) if reading.zone else None
        self._ordinals = Ordinals()
        self._days: dict[str, date] = {}
        self._times: dict[str, int] = {}
        self._durations: dict[str, int] = {}
        # A meaning without a column reads the empty cell that `parse` appends to every row.
        self._at = {meaning: plan.places.get(meaning, -1) for meaning in Column}
        self._clocked = Column.START in plan.places or Column.START_TIME in plan.places
        self._has_end = Column.END in plan.places or Column.END_TIME in plan.places

    def parse(self, cells: list[str]) -> ParsedRow:
        """The entry of a row. Raises RowRejected, or Proof when the file has to be read again with what it proves."""
        if max(map(len, cells)) > CELL_CHARACTERS_MAX:
            at = next(at for at, cell in enumerate(cells) if len(cell) > CELL_CHARACTERS_MAX)
            raise RowRejected("cell_too_long", self._plan.headers[at], cells[at])
        row = [cell.strip() for cell in cells]
        row.append("")
        person = self._person(row)
        kind = self._kind(row)
        start = self._start(row)
        entry_id = self._entry_id(row, person, kind, start)
        timed = kind is EntryKind.TIME
        fields = (
            self._timed(row, entry_id, person, start) if timed else self._priced(row, entry_id, person, kind, start)
        )
        return ParsedRow(fields, start.day)

    def is_header(self, cells: list[str]) -> bool:
        """Whether the row repeats the header, as files that were put together do."""
        return tuple(cell.strip() for cell in cells) == self._plan.headers

    def has_date(self, cells: list[str]) -> bool:
        """Whether anything stands where the date is expected."""
        at = self._at[Column.START] if Column.START in self._plan.places else self._at[Column.DATE]
        return at >= 0 and bool(cells[at].strip())

    # -- who and which

    def _person(self, row: list[str]) -> str:
        at = self._at
        email = row[at[Column.EMAIL]]
        if email:
            return self._name(row, Column.EMAIL).casefold()
        named = self._name(row, Column.PERSON)
        if not named:
            named = f"{self._name(row, Column.FIRST_NAME)} {self._name(row, Column.LAST_NAME)}".strip()
        named = named or self._reading.person
        if named:
            return named
        has_column = not {Column.PERSON, Column.EMAIL, Column.LAST_NAME, Column.FIRST_NAME}.isdisjoint(
            self._plan.places
        )
        raise RowRejected("missing_person" if has_column else "no_person_column", "person", "")

    def _kind(self, row: list[str]) -> EntryKind:
        cell = row[self._at[Column.KIND]]
        return kind_of(cell, self._header(Column.KIND)) if cell else self._format.kind

    def _entry_id(self, row: list[str], person: str, kind: EntryKind, start: Moment) -> str:
        declared = self._name(row, Column.ID)
        if declared:
            revision = row[self._at[Column.REVISION]] + row[self._at[Column.UPDATED_AT]]
            if self._ordinals.next_of(digest_of("id", declared, revision)):
                raise RowRejected("duplicate_id", self._header(Column.ID), declared)
            return declared
        if self._format.identity is Identity.START and kind is EntryKind.TIME:
            digest = digest_of(person.casefold(), self._start_key(start))
        else:
            cells = (row[self._at[Column.PROJECT]], row[self._at[Column.TASK]], row[self._at[Column.CATEGORY]])
            digest = digest_of(person.casefold(), kind.value, start.day.isoformat(), *cells)
        return derived_id(digest, self._ordinals.next_of(digest))

    def _start_key(self, start: Moment) -> str:
        """The instant of the first reading, which depends on the wall time and the zone alone, not on the duration."""
        if start.instant is not None:
            return str(instant_micros(start.instant))
        assert self._clock is not None, "a wall time without a zone was not asked about"
        return str(instant_micros(self._clock.first_reading(start.day, start.seconds)))

    # -- when and how long

    def _start(self, row: list[str]) -> Moment:
        if Column.START in self._plan.places:
            return self._moment(row, Column.START)
        day = self._day(row, Column.DATE)
        clock = row[self._at[Column.START_TIME]]
        if not clock:
            return Moment(day, -1)
        return self._wall(day, self._time(row, Column.START_TIME), Column.START_TIME, clock)

    def _end(self, row: list[str], start: Moment) -> Moment | None:
        if row[self._at[Column.END]]:
            return self._moment(row, Column.END)
        clock = row[self._at[Column.END_TIME]]
        if not clock:
            return None
        seconds = self._time(row, Column.END_TIME)
        if row[self._at[Column.END_DATE]]:
            day = self._day(row, Column.END_DATE)
        else:
            day = date.fromordinal(start.day.toordinal() + 1) if seconds < start.seconds else start.day
        return self._wall(day, seconds, Column.END_TIME, clock)

    def _wall(self, day: date, seconds: int, column: Column, value: str) -> Moment:
        if self._clock is None:
            raise RowRejected("zone", self._header(column), value)
        return Moment(day, seconds)

    def _moment(self, row: list[str], column: Column) -> Moment:
        text = row[self._at[column]]
        if not text:
            raise RowRejected("missing_date", self._header(column), "")
        if (instant := _instant(text)) is not None:
            local = instant.astimezone(self._clock.info) if self._clock else instant
            return Moment(local.date(), 0, instant.astimezone(UTC))
        if self._reading.date_format:
            day_text, _, clock = text.rpartition(" ") if ":" in text else (text, "", "")
        else:
            day_text, clock = split_moment(text)
        day = self._day_of(day_text, column)
        if self._reading.serial_dates is not None and not clock and any(mark in text for mark in ".,"):
            clock = "0." + text.replace(",", ".").partition(".")[2]
        seconds = self._attempt(
            lambda: parse_time(clock or "0:00", serial=self._reading.serial_dates), column, text, "bad_time"
        )
        return self._wall(day, seconds, column, text)

    def _timed(self, row: list[str], entry_id: str, person: str, start: Moment) -> EntryFields:
        seconds = self._duration(row)
        on_date = start.seconds < 0
        end = None if on_date else self._end(row, start)
        running = False
        span: Span | None = None
        if seconds is None and end is None:
            if on_date or not self._has_end:
                raise RowRejected("missing_duration", self._header(Column.DURATION), "")
            running = True
        if not on_date:
            span = self._span(row, start, end, seconds)
            seconds = span.worked_seconds
        worked = seconds or 0
        problem = check_span_length(worked, self._header(Column.DURATION)) or (span.problem if span else "")
        return EntryFields(
            source_entry_id=entry_id,
            person_ref=person,
            client_ref=self._name(row, Column.CLIENT),
            project_ref=self._name(row, Column.PROJECT),
            task_ref=self._name(row, Column.TASK),
            service_item=self._name(row, Column.SERVICE_ITEM),
            tags=self._tags(row),
            description=row[self._at[Column.DESCRIPTION]],
            billable_hint=self._flag(row, Column.BILLABLE),
            work_date=start.day if on_date else None,
            start=span.start if span else None,
            end=None if running or span is None else span.end,
            zone=self._reading.zone if span else "",
            worked_seconds=0 if running else worked,
            running=running,
            invoiced_at_source=self._flag(row, Column.INVOICED) or False,
            category=self._name(row, Column.CATEGORY),
            problem="" if running else problem,
            attributes=self._attributes(row),
            source_revision=self._revision(row),
        )

    def _span(self, row: list[str], start: Moment, end: Moment | None, seconds: int | None) -> Span:
        starts, first = self._readings(start)
        ends, last = self._readings(end) if end else (None, None)
        try:
            span = span_of(starts, ends, seconds, first, last)
        except EndBeforeStart as error:
            column = Column.END if Column.END in self._plan.places else Column.END_TIME
            raise RowRejected("end_before_start", self._header(column), row[self._at[column]]) from error
        if span.problem != MISMATCH or self._format.checks_span or span.end is None:
            return span
        # Other tables may leave breaks out of the duration; only more work than time passed is impossible.
        passed = span.end - span.start
        return span if span.worked_seconds > passed.total_seconds() + TOLERANCE_SECONDS else span._replace(problem="")

    def _readings(self, moment: Moment) -> tuple[tuple[datetime, ...], datetime]:
        if moment.instant is not None:
            return (moment.instant,), moment.instant
        assert self._clock is not None, "a wall time without a zone was not asked about"
        readings = self._clock.readings(moment.day, moment.seconds)
        return readings, readings[0] if readings else self._clock.first_reading(moment.day, moment.seconds)

    # -- money

    def _priced(self, row: list[str], entry_id: str, person: str, kind: EntryKind, start: Moment) -> EntryFields:
        amount = self._number(row, Column.AMOUNT)
        quantity = self._number(row, Column.QUANTITY)
        unit_price = self._number(row, Column.UNIT_PRICE)
        if kind is EntryKind.EXPENSE and amount is None and (quantity is None or unit_price is None):
            raise RowRejected("missing_amount", self._header(Column.AMOUNT), "")
        currency = row[self._at[Column.CURRENCY]]
        return EntryFields(
            source_entry_id=entry_id,
            kind=kind,
            person_ref=person,
            client_ref=self._name(row, Column.CLIENT),
            project_ref=self._name(row, Column.PROJECT),
            task_ref=self._name(row, Column.TASK),
            service_item=self._name(row, Column.SERVICE_ITEM),
            tags=self._tags(row),
            description=row[self._at[Column.DESCRIPTION]],
            billable_hint=self._flag(row, Column.BILLABLE),
            work_date=start.day,
            invoiced_at_source=self._flag(row, Column.INVOICED) or False,
            amount=amount,
            currency=currency_of(currency, self._header(Column.CURRENCY)) if currency else self._reading.currency,
            quantity=quantity,
            unit_price=unit_price,
            category=self._name(row, Column.CATEGORY),
            attributes=self._attributes(row),
            source_revision=self._revision(row),
        )

    # -- cells

    def _header(self, column: Column) -> str:
        at = self._at[column]
        return self._plan.headers[at] if at >= 0 else column.value

    def _name(self, row: list[str], column: Column) -> str:
        text = row[self._at[column]]
        return name_of(text, self._header(column)) if len(text) > 100 else text

    def _flag(self, row: list[str], column: Column) -> bool | None:
        text = row[self._at[column]]
        return flag_of(text, self._header(column)) if text else None

    def _tags(self, row: list[str]) -> tuple[str, ...]:
        text = row[self._at[Column.TAGS]]
        if not text:
            return ()
        return tuple(sorted({tag.strip() for tag in text.split(self._format.tags_separator)} - {""}))

    def _attributes(self, row: list[str]) -> dict[str, str]:
        kept = {name: row[at] for at, name in self._plan.attributes if row[at]}
        currency = row[self._at[Column.CURRENCY]]
        if currency and self._format.kind is EntryKind.TIME:
            kept["currency"] = currency[-3:] if currency[-3:].isupper() else currency
        return kept

    def _revision(self, row: list[str]) -> int:
        revision, updated = row[self._at[Column.REVISION]], row[self._at[Column.UPDATED_AT]]
        if revision:
            if not (revision.isascii() and revision.isdigit() and len(revision) <= 18):
                raise RowRejected("bad_revision", self._header(Column.REVISION), revision)
            return int(revision)
        if not updated:
            return 0
        instant = _instant(updated)
        if instant is None or instant.year < 1990:
            raise RowRejected("bad_revision", self._header(Column.UPDATED_AT), updated)
        return instant_micros(instant)

    def _day(self, row: list[str], column: Column) -> date:
        text = row[self._at[column]]
        known = self._days.get(text)
        return known if known is not None else self._day_of(text, column)

    def _day_of(self, text: str, column: Column) -> date:
        if not text:
            raise RowRejected("missing_date", self._header(column), "")
        how = self._reading
        if how.date_order is None and not how.date_format and (proved := order_of(text)) is not None:
            raise Proof(proved, self._header(column), text)
        day = self._attempt(
            lambda: parse_date(text, how.date_order, exact=how.date_format, serial=how.serial_dates),
            column,
            text,
            "bad_date",
        )
        _keep(self._days, text, day)
        return day

    def _time(self, row: list[str], column: Column) -> int:
        text = row[self._at[column]]
        known = self._times.get(text)
        if known is None:
            known = self._attempt(lambda: parse_time(text, serial=self._reading.serial_dates), column, text, "bad_time")
            _keep(self._times, text, known)
        return known

    def _duration(self, row: list[str]) -> int | None:
        text = row[self._at[Column.DURATION]]
        if not text:
            return None
        known = self._durations.get(text)
        if known is None:
            self._prove_mark(text, Column.DURATION)
            unit = self._reading.duration_unit or self._format.duration_unit
            mark = self._reading.decimal_mark
            known = self._attempt(lambda: parse_duration(text, unit, mark), Column.DURATION, text, "bad_duration")
            _keep(self._durations, text, known)
        return known

    def _number(self, row: list[str], column: Column) -> Decimal | None:
        text = row[self._at[column]]
        if not text:
            return None
        self._prove_mark(text, column)
        return self._attempt(lambda: parse_decimal(text, self._reading.decimal_mark), column, text, "bad_number")

    def _prove_mark(self, text: str, column: Column) -> None:
        if self._reading.decimal_mark is None and (proved := mark_of(text)) is not None:
            raise Proof(proved, self._header(column), text)

    def _attempt(self, read: Callable[[], Read], column: Column, text: str, code: str) -> Read:
        """What a cell says, or the reason code of why it says nothing."""
        try:
            return read()
        except (ValueError, OverflowError) as error:
            raise RowRejected(self._code_of(error, text, code), self._header(column), text) from error

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


def _instant(text: str) -> datetime | None:
    """An ISO instant with an offset or Z; None for anything else."""
    if len(text) < 16 or not text[:4].isdigit():
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None and 1990 <= moment.year <= 2099 else None
