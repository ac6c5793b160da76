"""Our own format: one JSON object on each line. docs/guides/import.md lists its fields; unknown ones are refused."""

from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec

from connectors.base import EntryFields
from connectors.tables.cell_reader import Reading
from connectors.tables.dates import YEAR_MAX, YEAR_MIN
from connectors.tables.durations import parse_duration, whole_seconds
from connectors.tables.identity import Ordinals, derived_id, digest_of
from connectors.tables.local_clock import LocalClock, Span, span_of
from connectors.tables.mapping import DecimalMark, DurationUnit
from connectors.tables.options import is_zone
from connectors.tables.problems import RowRejected
from connectors.tables.rows import ParsedRow
from connectors.tables.words import CELL_CHARACTERS_MAX, check_limits, check_span_length, currency_of, kind_of, name_of
from schemas.canonical import instant_micros
from schemas.entry import EVENT_KINDS, Deletion, EntryKind

ATTRIBUTES_MAX = 50
NUMBER_EXPONENT_MAX = 15
Day = date  # inside EntryLine the name is taken by a field
_NAMES = ("person", "client", "project", "task", "service_item", "category")


class EntryLine(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The fields of a line; what is absent is empty."""

    id: str = ""
    revision: int = 0
    updated_at: datetime | None = None
    deleted: bool = False
    kind: str = "time"
    person: str = ""
    client: str = ""
    project: str = ""
    task: str = ""
    service_item: str = ""
    tags: tuple[str, ...] = ()
    description: str = ""
    billable: bool | None = None
    invoiced: bool = False
    date: Day | None = None
    start: datetime | None = None
    end: datetime | None = None
    zone: str = ""
    seconds: int | None = None
    hours: Decimal | None = None
    duration: str = ""
    running: bool = False
    amount: Decimal | None = None
    currency: str = ""
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    category: str = ""
    attributes: dict[str, str] = {}


class LineParser:
    """Reads the lines of one file in order."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._ordinals = Ordinals()
        self._clocks: dict[str, LocalClock] = {}
        self._decoder = msgspec.json.Decoder(EntryLine)

    def parse(self, text: str) -> ParsedRow:
        """The entry of a line. Raises RowRejected."""
        try:
            line = self._decoder.decode(text)
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
            raise RowRejected("bad_json", str(error)[:200], text) from error
        _check_lengths(line)
        kind = kind_of(line.kind, "kind")
        person = line.person.strip() or self._reading.person
        if not person and not line.deleted and kind not in EVENT_KINDS:
            raise RowRejected("missing_person", "person", "")
        zone = line.zone or self._reading.zone
        if line.zone and line.zone not in self._clocks and not is_zone(line.zone):
            raise RowRejected("unknown_zone", "zone", line.zone)
        day, start_key = self._day(line, zone)
        entry_id = self._entry_id(line, person, kind, day, start_key)
        fields = _common(line, entry_id, kind, person)
        if line.deleted:
            return ParsedRow(fields._replace(deletion=Deletion.REPORTED), day)
        if kind is EntryKind.TIME:
            return ParsedRow(check_limits(self._timed(line, fields, zone, day), "end"), day)
        return ParsedRow(check_limits(_priced(line, fields, kind, day), "amount"), day)

    def _day(self, line: EntryLine, zone: str) -> tuple[date, str]:
        """The local day, and the start as part of an id."""
        if line.start is None:
            if line.date is None:
                raise RowRejected("missing_date", "date", "")
            return _in_range(line.date, "date"), ""
        _in_range(line.start.date(), "start")
        if line.end is not None:
            _in_range(line.end.date(), "end")
        if line.start.tzinfo is None:
            first = self._clock(zone, line.start).first_reading(line.start.date(), _seconds_of(line.start))
            return line.start.date(), str(instant_micros(first))
        local = line.start.astimezone(self._clock(zone, line.start).info) if zone else line.start
        return local.date(), str(instant_micros(line.start))

    def _clock(self, zone: str, moment: datetime) -> LocalClock:
        if not zone:
            raise RowRejected("zone", "start", moment.isoformat())
        clock = self._clocks.get(zone)
        if clock is None:
            clock = self._clocks[zone] = LocalClock(zone)
        return clock

    def _entry_id(self, line: EntryLine, person: str, kind: EntryKind, day: date, start_key: str) -> str:
        declared = line.id.strip()
        if declared:
            said = line.updated_at.isoformat() if line.updated_at else ""
            if self._ordinals.next_of(digest_of("id", declared, str(line.revision), said)):
                raise RowRejected("duplicate_id", "id", declared)
            return declared
        if line.deleted:
            raise RowRejected("missing_id", "id", "")
        cells = (start_key,) if start_key else (kind.value, day.isoformat(), line.project, line.task, line.category)
        digest = digest_of(person.casefold(), *cells)
        return derived_id(digest, self._ordinals.next_of(digest))

    def _timed(self, line: EntryLine, fields: EntryFields, zone: str, day: date) -> EntryFields:
        seconds = _worked(line)
        if line.start is None:
            if seconds is None:
                raise RowRejected("missing_duration", "seconds", "")
            problem = check_span_length(seconds, "seconds")
            return fields._replace(work_date=day, worked_seconds=seconds, problem=problem)
        if seconds is None and line.end is None and not line.running:
            raise RowRejected("missing_duration", "seconds", "")
        if line.running:
            starts, first = self._readings(line.start, zone)
            return fields._replace(start=starts[0] if starts else first, zone=zone, running=True)
        span = self._span(line, zone, seconds)
        problem = check_span_length(span.worked_seconds, "seconds") or span.problem
        return fields._replace(
            start=span.start, end=span.end, zone=zone, worked_seconds=span.worked_seconds, problem=problem
        )

    def _span(self, line: EntryLine, zone: str, seconds: int | None) -> Span:
        assert line.start is not None, "only an entry with a start has a span"
        starts, first = self._readings(line.start, zone)
        ends, last = self._readings(line.end, zone) if line.end else (None, None)
        try:
            return span_of(starts, ends, seconds, first, last)
        except ValueError as error:
            raise RowRejected("end_before_start", "end", str(line.end)) from error

    def _readings(self, moment: datetime, zone: str) -> tuple[tuple[datetime, ...], datetime]:
        if moment.tzinfo is not None:
            instant = moment.astimezone(UTC)
            return (instant,), instant
        clock, seconds = self._clock(zone, moment), _seconds_of(moment)
        readings = clock.readings(moment.date(), seconds)
        return readings, readings[0] if readings else clock.first_reading(moment.date(), seconds)


def _common(line: EntryLine, entry_id: str, kind: EntryKind, person: str) -> EntryFields:
    updated = line.updated_at
    if line.revision < 0 or line.revision >= 10**18 or (updated is not None and updated.tzinfo is None):
        raise RowRejected("bad_revision", "updated_at" if updated else "revision", str(updated or line.revision))
    return EntryFields(
        source_entry_id=entry_id,
        kind=kind,
        person_ref=person,
        client_ref=line.client.strip(),
        project_ref=line.project.strip(),
        task_ref=line.task.strip(),
        service_item=line.service_item.strip(),
        tags=tuple(sorted({tag.strip() for tag in line.tags} - {""})),
        description=line.description.strip(),
        billable_hint=line.billable,
        invoiced_at_source=line.invoiced,
        category=line.category.strip(),
        attributes={name: value for name, value in line.attributes.items() if value},
        source_revision=line.revision or (instant_micros(_utc(updated)) if updated else 0),
    )


def _priced(line: EntryLine, fields: EntryFields, kind: EntryKind, day: date) -> EntryFields:
    if kind is EntryKind.EXPENSE and line.amount is None and (line.quantity is None or line.unit_price is None):
        raise RowRejected("missing_amount", "amount", "")
    return fields._replace(
        work_date=day,
        amount=_bounded(line.amount, "amount"),
        quantity=_bounded(line.quantity, "quantity"),
        unit_price=_bounded(line.unit_price, "unit_price"),
        currency=currency_of(line.currency, "currency") if line.currency else "",
    )


def _worked(line: EntryLine) -> int | None:
    """The worked seconds a line says, None when it says none; two different statements are refused."""
    said: set[int] = set()
    try:
        if line.seconds is not None:
            said.add(line.seconds)
        if line.hours is not None:
            said.add(whole_seconds((_bounded(line.hours, "hours") or Decimal(0)) * 3_600))
        if line.duration:
            said.add(parse_duration(line.duration.strip(), DurationUnit.HOURS, DecimalMark.POINT))
    except ValueError as error:
        raise RowRejected("bad_duration", "duration", line.duration) from error
    if len(said) > 1:
        raise RowRejected("bad_duration", "seconds", " and ".join(f"{one} s" for one in sorted(said)))
    if said and min(said) < 0:
        raise RowRejected("negative_duration", "seconds", str(min(said)))
    check_span_length(max(said, default=0), "seconds")
    return said.pop() if said else None


def _bounded(number: Decimal | None, field: str) -> Decimal | None:
    """A number that can be written out; 1E+999999 would take a megabyte."""
    if number is None:
        return None
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int) or len(digits) > 2 * NUMBER_EXPONENT_MAX or abs(exponent) > NUMBER_EXPONENT_MAX:
        raise RowRejected("bad_number", field, str(number)[:80])
    return number


def _check_lengths(line: EntryLine) -> None:
    for field in _NAMES:
        name_of(getattr(line, field), field)
    name_of(line.id, "id")
    if len(line.description) > CELL_CHARACTERS_MAX:
        raise RowRejected("cell_too_long", "description", line.description)
    if len(line.tags) > ATTRIBUTES_MAX or len(line.attributes) > ATTRIBUTES_MAX:
        raise RowRejected("cell_too_long", "tags" if len(line.tags) > ATTRIBUTES_MAX else "attributes", "")
    for name, value in line.attributes.items():
        if len(name) > 60 or len(value) > CELL_CHARACTERS_MAX:
            raise RowRejected("cell_too_long", "attributes", name)
    for tag in line.tags:
        name_of(tag, "tags")


def _in_range(day: date, field: str) -> date:
    if not YEAR_MIN <= day.year <= YEAR_MAX:
        raise RowRejected("date_out_of_range", field, day.isoformat())
    return day


def _seconds_of(moment: datetime) -> int:
    return moment.hour * 3_600 + moment.minute * 60 + moment.second


def _utc(moment: datetime) -> datetime:
    _in_range(moment.date(), "updated_at")
    return moment.astimezone(UTC)
