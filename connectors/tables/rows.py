"""From the cells of one row to an understood entry, by a plan; every doubt is a reason code, nothing is guessed."""

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from connectors.base import EntryFields
from connectors.tables.cell_reader import CellReader, Reading, instant_of
from connectors.tables.dates import (
    parse_time,
    split_moment,
)
from connectors.tables.formats import Identity, Plan
from connectors.tables.identity import Ordinals, derived_id, digest_of
from connectors.tables.local_clock import MISMATCH, TOLERANCE_SECONDS, EndBeforeStart, LocalClock, Span, span_of
from connectors.tables.places import EMPTY, Places
from connectors.tables.problems import RowRejected
from connectors.tables.words import (
    CELL_CHARACTERS_MAX,
    NAME_CHARACTERS_MAX,
    check_limits,
    check_span_length,
    currency_of,
    is_total,
    kind_of,
)
from schemas.canonical import instant_micros
from schemas.entry import EVENT_KINDS, SECONDS_OF_A_DAY, EntryKind


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
        self._cells = CellReader(plan, reading)
        self._has_end = self._at.has_end

    def parse(self, cells: list[str]) -> ParsedRow:
        """The entry of a row. Raises RowRejected, or Proof when the file has to be read again with what it proves."""
        at = self._at
        row = [cell.strip() for cell in cells]
        if max(map(len, row)) > NAME_CHARACTERS_MAX:
            self._check_lengths(row)
        # A meaning without a column reads this empty cell.
        row.append("")
        kind = self._kind(row)
        person = self._person(row, kind)
        start = self._start(row)
        entry_id = self._entry_id(row, person, kind, start)
        if kind is EntryKind.TIME:
            column = self._cells.header(at.end_time if at.end == EMPTY else at.end)
            return ParsedRow(check_limits(self._timed(row, entry_id, person, start), column), start.day)
        column = self._cells.header(at.unit_price if at.amount == EMPTY else at.amount)
        return ParsedRow(check_limits(self._priced(row, entry_id, person, kind, start), column), start.day)

    def is_header(self, cells: list[str]) -> bool:
        """Whether the row repeats the header, as files that were put together do."""
        return tuple(cell.strip() for cell in cells) == self._plan.headers

    def has_date(self, cells: list[str]) -> bool:
        """Whether anything but the word for a total stands where the date is expected."""
        cell = cells[self._at.date if self._at.start == EMPTY else self._at.start]
        return bool(cell.strip()) and not is_total([cell])

    def _check_lengths(self, row: list[str]) -> None:
        for at, cell in enumerate(row):
            if len(cell) > CELL_CHARACTERS_MAX:
                raise RowRejected("cell_too_long", self._plan.headers[at], cell)
        for at in self._at.names:
            if len(row[at]) > NAME_CHARACTERS_MAX:
                raise RowRejected("name_too_long", self._plan.headers[at], row[at])

    # -- who and which

    def _person(self, row: list[str], kind: EntryKind) -> str:
        """Who did it; nobody has to be behind a milestone or counted units."""
        at = self._at
        named = row[at.email].casefold() or row[at.person] or f"{row[at.first_name]} {row[at.last_name]}".strip()
        named = named or self._reading.person
        if named or kind in EVENT_KINDS:
            return named
        raise RowRejected("missing_person" if at.has_person else "no_person_column", "person", "")

    def _kind(self, row: list[str]) -> EntryKind:
        cell = row[self._at.kind]
        return kind_of(cell, self._cells.header(self._at.kind)) if cell else self._format.kind

    def _entry_id(self, row: list[str], person: str, kind: EntryKind, start: Moment) -> str:
        at = self._at
        declared = row[at.id]
        if declared:
            if self._ordinals.next_of(digest_of("id", declared, row[at.revision], row[at.updated_at])):
                raise RowRejected("duplicate_id", self._cells.header(at.id), declared)
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
        day = self._cells.day(row, at.date)
        if not row[at.start_time]:
            return Moment(day)
        return self._wall(day, self._cells.time(row, at.start_time), at.start_time, row)

    def _end(self, row: list[str], start: Moment) -> Moment | None:
        at = self._at
        if row[at.end]:
            return self._moment(row, at.end)
        if not row[at.end_time]:
            return None
        seconds = self._cells.time(row, at.end_time)
        if row[at.end_date]:
            day = self._cells.day(row, at.end_date)
        else:
            day = start.day + timedelta(days=1) if seconds < start.seconds else start.day
        return self._wall(day, seconds, at.end_time, row)

    def _wall(self, day: date, seconds: int, at: int, row: list[str]) -> Moment:
        if self._clock is None:
            raise RowRejected("zone", self._cells.header(at), row[at])
        readings = self._clock.readings(day, seconds)
        return Moment(day, seconds, readings, readings[0] if readings else self._clock.first_reading(day, seconds))

    def _moment(self, row: list[str], at: int) -> Moment:
        text = row[at]
        if not text:
            raise RowRejected("missing_date", self._cells.header(at), "")
        if (instant := instant_of(text)) is not None:
            local = instant.astimezone(self._clock.info) if self._clock else instant
            utc = instant.astimezone(UTC)
            return Moment(local.date(), 0, (utc,), utc)
        how = self._reading
        if how.date_format:
            day_text, _, clock = text.rpartition(" ") if ":" in text else (text, "", "")
        else:
            day_text, clock = split_moment(text)
        day = self._cells.day_of(day_text, at)
        if how.serial_dates is not None and not clock and any(mark in text for mark in ".,"):
            clock = "0." + text.replace(",", ".").partition(".")[2]
        seconds = self._cells.attempt(
            lambda: parse_time(clock or "0:00", serial=how.serial_dates), at, text, "bad_time"
        )
        return self._wall(day, seconds, at, row)

    def _timed(self, row: list[str], entry_id: str, person: str, start: Moment) -> EntryFields:
        at = self._at
        seconds = self._cells.duration(row, at.duration)
        if seconds and seconds > SECONDS_OF_A_DAY:
            check_span_length(seconds, self._cells.header(at.duration))
        span: Span | None = None
        running = False
        if start.first is not None:
            end = self._end(row, start)
            running = seconds is None and end is None and self._has_end
            if not running:
                span = self._span(row, start.first, start, end, seconds)
                seconds = span.worked_seconds
        elif seconds is None:
            raise RowRejected("missing_duration", self._cells.header(at.duration), "")
        problem = span.problem if span else ""
        if seconds and seconds > SECONDS_OF_A_DAY:
            problem = check_span_length(seconds, self._cells.header(at.duration))
        begun = start.first if span is None else span.start
        return EntryFields(
            source_entry_id=entry_id,
            person_ref=person,
            client_ref=row[at.client],
            project_ref=row[at.project],
            task_ref=row[at.task],
            service_item=row[at.service_item],
            tags=self._cells.tags(row, self._at.tags),
            description=row[at.description],
            billable_hint=self._cells.flag(row, at.billable),
            work_date=start.day if begun is None else None,
            start=begun,
            end=span.end if span else None,
            zone="" if begun is None else self._reading.zone,
            worked_seconds=seconds or 0,
            running=running,
            invoiced_at_source=self._cells.flag(row, at.invoiced) or False,
            category=row[at.category],
            problem=problem,
            attributes=self._attributes(row),
            source_revision=self._cells.revision(row, self._at),
        )

    def _span(self, row: list[str], first: datetime, start: Moment, end: Moment | None, seconds: int | None) -> Span:
        if seconds is None and end is None:
            raise RowRejected("missing_duration", self._cells.header(self._at.duration), "")
        ends, last = (end.readings, end.first) if end else (None, None)
        try:
            span = span_of(start.readings, ends, seconds, first, last)
        except EndBeforeStart as error:
            at = self._at.end_time if self._at.end == EMPTY else self._at.end
            raise RowRejected("end_before_start", self._cells.header(at), row[at]) from error
        if span.problem != MISMATCH or self._format.checks_span or span.end is None:
            return span
        # Other tables may leave breaks out of the duration; only more work than time passed is impossible.
        passed = span.end - span.start
        return (
            span if timedelta(seconds=span.worked_seconds - TOLERANCE_SECONDS) > passed else span._replace(problem="")
        )

    # -- money

    def _priced(self, row: list[str], entry_id: str, person: str, kind: EntryKind, start: Moment) -> EntryFields:
        amount = self._cells.number(row, self._at.amount)
        quantity = self._cells.number(row, self._at.quantity)
        unit_price = self._cells.number(row, self._at.unit_price)
        if kind is EntryKind.EXPENSE and amount is None and (quantity is None or unit_price is None):
            raise RowRejected("missing_amount", self._cells.header(self._at.amount), "")
        return EntryFields(
            source_entry_id=entry_id,
            kind=kind,
            person_ref=person,
            client_ref=row[self._at.client],
            project_ref=row[self._at.project],
            task_ref=row[self._at.task],
            service_item=row[self._at.service_item],
            tags=self._cells.tags(row, self._at.tags),
            description=row[self._at.description],
            billable_hint=self._cells.flag(row, self._at.billable),
            work_date=start.day,
            invoiced_at_source=self._cells.flag(row, self._at.invoiced) or False,
            amount=amount,
            currency=self._currency(row),
            quantity=quantity,
            unit_price=unit_price,
            category=row[self._at.category],
            attributes=self._attributes(row),
            source_revision=self._cells.revision(row, self._at),
        )

    # -- cells

    def _currency(self, row: list[str]) -> str:
        text = row[self._at.currency]
        return currency_of(text, self._cells.header(self._at.currency)) if text else self._reading.currency

    def _attributes(self, row: list[str]) -> dict[str, str]:
        kept = {name: row[at] for at, name in self._plan.attributes if row[at]}
        currency = row[self._at.currency]
        if currency and self._format.kind is EntryKind.TIME:
            kept["currency"] = currency[-3:] if currency[-3:].isupper() else currency
        return kept
