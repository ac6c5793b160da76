"""From the cells of one row to an understood entry, by a plan; every doubt is a reason code, nothing is guessed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
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
from connectors.tables.mapping import DateOrder, DecimalMark, DurationUnit, SerialDates
from connectors.tables.places import EMPTY, Places
from connectors.tables.problems import RowRejected
from connectors.tables.words import (
    CELL_CHARACTERS_MAX,
    NAME_CHARACTERS_MAX,
    check_limits,
    check_span_length,
    currency_of,
    flag_of,
    kind_of,
)
from schemas.canonical import instant_micros
from schemas.entry import SECONDS_OF_A_DAY, EntryKind

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
    """A point in time as a row says it, with all its instants: one, two in a repeated hour, none in a skipped one.

    `first` always stands for it; it is None for a day without a time.
    """

    day: date
    seconds: int = 0
    readings: tuple[datetime, ...] = ()
    first: datetime | None = None


class RowParser:
    """Reads the rows of one file in order; it remembers ids and cells it has seen, nothing else."""

    def __init__(self, plan: Plan, reading: Reading) -> None:
        self._plan = plan
        self._format = plan.format
        self._reading = reading
        self._clock = LocalClock(reading.zone) if reading.zone else None
        self._ordinals = Ordinals()
        self._at = Places.of(plan)
        self._has_end = self._at.has_end
        self._days: dict[str, date] = {}
        self._times: dict[str, int] = {}
        self._durations: dict[str, int] = {}
        self._tag_lists: dict[str, tuple[str, ...]] = {"": ()}

    def parse(self, cells: list[str]) -> ParsedRow:
        """The entry of a row. Raises RowRejected, or Proof when the file has to be read again with what it proves."""
        at = self._at
        row = [cell.strip() for cell in cells]
        if max(map(len, row)) > NAME_CHARACTERS_MAX:
            self._check_lengths(row)
        # A meaning without a column reads this empty cell.
        row.append("")
        person = self._person(row)
        kind = self._kind(row)
        start = self._start(row)
        entry_id = self._entry_id(row, person, kind, start)
        if kind is EntryKind.TIME:
            column = self._header(at.end_time if at.end == EMPTY else at.end)
            return ParsedRow(check_limits(self._timed(row, entry_id, person, start), column), start.day)
        column = self._header(at.unit_price if at.amount == EMPTY else at.amount)
        return ParsedRow(check_limits(self._priced(row, entry_id, person, kind, start), column), start.day)

    def is_header(self, cells: list[str]) -> bool:
        """Whether the row repeats the header, as files that were put together do."""
        return tuple(cell.strip() for cell in cells) == self._plan.headers

    def has_date(self, cells: list[str]) -> bool:
        """Whether anything stands where the date is expected."""
        at = self._at.date if self._at.start == EMPTY else self._at.start
        return bool(cells[at].strip())

    def _check_lengths(self, row: list[str]) -> None:
        for at, cell in enumerate(row):
            if len(cell) > CELL_CHARACTERS_MAX:
                raise RowRejected("cell_too_long", self._plan.headers[at], cell)
        for at in self._at.names:
            if len(row[at]) > NAME_CHARACTERS_MAX:
                raise RowRejected("name_too_long", self._plan.headers[at], row[at])

    # -- who and which

    def _person(self, row: list[str]) -> str:
        at = self._at
        named = row[at.email].casefold() or row[at.person] or f"{row[at.first_name]} {row[at.last_name]}".strip()
        named = named or self._reading.person
        if named:
            return named
        raise RowRejected("missing_person" if at.has_person else "no_person_column", "person", "")

    def _kind(self, row: list[str]) -> EntryKind:
        cell = row[self._at.kind]
        return kind_of(cell, self._header(self._at.kind)) if cell else self._format.kind

    def _entry_id(self, row: list[str], person: str, kind: EntryKind, start: Moment) -> str:
        at = self._at
        declared = row[at.id]
        if declared:
            if self._ordinals.next_of(digest_of("id", declared, row[at.revision], row[at.updated_at])):
                raise RowRejected("duplicate_id", self._header(at.id), declared)
            return declared
        # The first reading depends on the wall time and the zone alone, so a changed duration keeps the id.
        if start.first is not None and self._format.identity is Identity.START and kind is EntryKind.TIME:
            digest = digest_of(person.casefold(), str(instant_micros(start.first)))
        else:
            cells = (row[at.project], row[at.task], row[at.category])
            digest = digest_of(person.casefold(), kind.value, start.day.isoformat(), *cells)
        return derived_id(digest, self._ordinals.next_of(digest))

    # -- when and how long

    def _start(self, row: list[str]) -> Moment:
        at = self._at
        if at.start != EMPTY:
            return self._moment(row, at.start)
        day = self._day(row, at.date)
        if not row[at.start_time]:
            return Moment(day)
        return self._wall(day, self._time(row, at.start_time), at.start_time, row)

    def _end(self, row: list[str], start: Moment) -> Moment | None:
        at = self._at
        if row[at.end]:
            return self._moment(row, at.end)
        if not row[at.end_time]:
            return None
        seconds = self._time(row, at.end_time)
        if row[at.end_date]:
            day = self._day(row, at.end_date)
        else:
            day = start.day + timedelta(days=1) if seconds < start.seconds else start.day
        return self._wall(day, seconds, at.end_time, row)

    def _wall(self, day: date, seconds: int, at: int, row: list[str]) -> Moment:
        if self._clock is None:
            raise RowRejected("zone", self._header(at), row[at])
        readings = self._clock.readings(day, seconds)
        return Moment(day, seconds, readings, readings[0] if readings else self._clock.first_reading(day, seconds))

    def _moment(self, row: list[str], at: int) -> Moment:
        text = row[at]
        if not text:
            raise RowRejected("missing_date", self._header(at), "")
        if (instant := _instant(text)) is not None:
            local = instant.astimezone(self._clock.info) if self._clock else instant
            utc = instant.astimezone(UTC)
            return Moment(local.date(), 0, (utc,), utc)
        how = self._reading
        if how.date_format:
            day_text, _, clock = text.rpartition(" ") if ":" in text else (text, "", "")
        else:
            day_text, clock = split_moment(text)
        day = self._day_of(day_text, at)
        if how.serial_dates is not None and not clock and any(mark in text for mark in ".,"):
            clock = "0." + text.replace(",", ".").partition(".")[2]
        seconds = self._attempt(lambda: parse_time(clock or "0:00", serial=how.serial_dates), at, text, "bad_time")
        return self._wall(day, seconds, at, row)

    def _timed(self, row: list[str], entry_id: str, person: str, start: Moment) -> EntryFields:
        at = self._at
        seconds = self._duration(row)
        span: Span | None = None
        running = False
        if start.first is not None:
            end = self._end(row, start)
            running = seconds is None and end is None and self._has_end
            if not running:
                span = self._span(row, start.first, start, end, seconds)
                seconds = span.worked_seconds
        elif seconds is None:
            raise RowRejected("missing_duration", self._header(at.duration), "")
        problem = span.problem if span else ""
        if seconds and seconds > SECONDS_OF_A_DAY:
            problem = check_span_length(seconds, self._header(at.duration))
        begun = start.first if span is None else span.start
        return EntryFields(
            source_entry_id=entry_id,
            person_ref=person,
            client_ref=row[at.client],
            project_ref=row[at.project],
            task_ref=row[at.task],
            service_item=row[at.service_item],
            tags=self._tags(row),
            description=row[at.description],
            billable_hint=self._flag(row, at.billable),
            work_date=start.day if begun is None else None,
            start=begun,
            end=span.end if span else None,
            zone="" if begun is None else self._reading.zone,
            worked_seconds=seconds or 0,
            running=running,
            invoiced_at_source=self._flag(row, at.invoiced) or False,
            category=row[at.category],
            problem=problem,
            attributes=self._attributes(row),
            source_revision=self._revision(row),
        )

    def _span(self, row: list[str], first: datetime, start: Moment, end: Moment | None, seconds: int | None) -> Span:
        if seconds is None and end is None:
            raise RowRejected("missing_duration", self._header(self._at.duration), "")
        ends, last = (end.readings, end.first) if end else (None, None)
        try:
            span = span_of(start.readings, ends, seconds, first, last)
        except EndBeforeStart as error:
            at = self._at.end_time if self._at.end == EMPTY else self._at.end
            raise RowRejected("end_before_start", self._header(at), row[at]) from error
        if span.problem != MISMATCH or self._format.checks_span or span.end is None:
            return span
        # Other tables may leave breaks out of the duration; only more work than time passed is impossible.
        passed = span.end - span.start
        return (
            span if timedelta(seconds=span.worked_seconds - TOLERANCE_SECONDS) > passed else span._replace(problem="")
        )

    # -- money

    def _priced(self, row: list[str], entry_id: str, person: str, kind: EntryKind, start: Moment) -> EntryFields:
        amount = self._number(row, self._at.amount)
        quantity = self._number(row, self._at.quantity)
        unit_price = self._number(row, self._at.unit_price)
        if kind is EntryKind.EXPENSE and amount is None and (quantity is None or unit_price is None):
            raise RowRejected("missing_amount", self._header(self._at.amount), "")
        currency = row[self._at.currency]
        return EntryFields(
            source_entry_id=entry_id,
            kind=kind,
            person_ref=person,
            client_ref=row[self._at.client],
            project_ref=row[self._at.project],
            task_ref=row[self._at.task],
            service_item=row[self._at.service_item],
            tags=self._tags(row),
            description=row[self._at.description],
            billable_hint=self._flag(row, self._at.billable),
            work_date=start.day,
            invoiced_at_source=self._flag(row, self._at.invoiced) or False,
            amount=amount,
            currency=currency_of(currency, self._header(self._at.currency)) if currency else self._reading.currency,
            quantity=quantity,
            unit_price=unit_price,
            category=row[self._at.category],
            attributes=self._attributes(row),
            source_revision=self._revision(row),
        )

    # -- cells

    def _header(self, at: int) -> str:
        return self._plan.headers[at] if at != EMPTY else ""

    def _flag(self, row: list[str], at: int) -> bool | None:
        text = row[at]
        return flag_of(text, self._header(at)) if text else None

    def _tags(self, row: list[str]) -> tuple[str, ...]:
        text = row[self._at.tags]
        known = self._tag_lists.get(text)
        if known is None:
            known = tuple(sorted({tag.strip() for tag in text.split(self._format.tags_separator)} - {""}))
            _keep(self._tag_lists, text, known)
        return known

    def _attributes(self, row: list[str]) -> dict[str, str]:
        kept = {name: row[at] for at, name in self._plan.attributes if row[at]}
        currency = row[self._at.currency]
        if currency and self._format.kind is EntryKind.TIME:
            kept["currency"] = currency[-3:] if currency[-3:].isupper() else currency
        return kept

    def _revision(self, row: list[str]) -> int:
        at = self._at
        revision, updated = row[at.revision], row[at.updated_at]
        if revision:
            if not (revision.isascii() and revision.isdigit() and len(revision) <= 18):
                raise RowRejected("bad_revision", self._header(at.revision), revision)
            return int(revision)
        if not updated:
            return 0
        instant = _instant(updated)
        if instant is None:
            raise RowRejected("bad_revision", self._header(at.updated_at), updated)
        return instant_micros(instant)

    def _day(self, row: list[str], at: int) -> date:
        known = self._days.get(row[at])
        return known if known is not None else self._day_of(row[at], at)

    def _day_of(self, text: str, at: int) -> date:
        if not text:
            raise RowRejected("missing_date", self._header(at), "")
        how = self._reading
        if how.date_order is None and not how.date_format and (proved := order_of(text)) is not None:
            raise Proof(proved, self._header(at), text)
        order, exact, serial = how.date_order, how.date_format, how.serial_dates
        day = self._attempt(lambda: parse_date(text, order, exact=exact, serial=serial), at, text, "bad_date")
        _keep(self._days, text, day)
        return day

    def _time(self, row: list[str], at: int) -> int:
        text = row[at]
        known = self._times.get(text)
        if known is None:
            serial = self._reading.serial_dates
            known = self._attempt(lambda: parse_time(text, serial=serial), at, text, "bad_time")
            _keep(self._times, text, known)
        return known

    def _duration(self, row: list[str]) -> int | None:
        at = self._at.duration
        text = row[at]
        if not text:
            return None
        known = self._durations.get(text)
        if known is None:
            self._prove_mark(text, at)
            unit = self._reading.duration_unit or self._format.duration_unit
            mark = self._reading.decimal_mark
            known = self._attempt(lambda: parse_duration(text, unit, mark), at, text, "bad_duration")
            _keep(self._durations, text, known)
        return known

    def _number(self, row: list[str], at: int) -> Decimal | None:
        text = row[at]
        if not text:
            return None
        self._prove_mark(text, at)
        return self._attempt(lambda: parse_decimal(text, self._reading.decimal_mark), at, text, "bad_number")

    def _prove_mark(self, text: str, at: int) -> None:
        if self._reading.decimal_mark is None and (proved := mark_of(text)) is not None:
            raise Proof(proved, self._header(at), text)

    def _attempt(self, read: Callable[[], Read], at: int, text: str, code: str) -> Read:
        """What a cell says, or the reason code of why it says nothing."""
        try:
            return read()
        except (ValueError, OverflowError) as error:
            raise RowRejected(self._code_of(error, text, code), self._header(at), text) from error

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
