"""What follows from a batch of journal records: facts, documents and alerts in origin order, work, and changed hours
(rule 2).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from books.book import SEPARATOR, Book, key_of
from books.rows import HoursRow
from books.stores.port import Rows
from schemas.canonical import deterministic_id
from schemas.codec import encode_fields
from schemas.draft import PublishedDocument
from schemas.envelope import Envelope
from schemas.outputs import Alert, HoursTotal

ORIGIN = "fold"


@dataclass(frozen=True, slots=True)
class Cause:
    """The journal record that is being applied: its offset and what outputs inherit from it."""

    offset: int
    event_id: str
    correlation: str
    tenant: str
    book: str
    recorded_at: datetime
    producer: str

    def envelope(self, kind: str, identity: str) -> Envelope:
        """The envelope of an output: the same cause and identity give the same bytes again."""
        return Envelope.model_validate(self.envelope_fields(kind, identity))

    def envelope_fields(self, kind: str, identity: str) -> dict[str, object]:
        """The fields of `envelope`, for records that are framed without being made."""
        return {
            "event_id": deterministic_id(kind, {"tenant": self.tenant, "book": self.book, "id": identity}),
            "tenant": self.tenant,
            "book": self.book,
            "causation": self.event_id,
            "correlation": self.correlation,
            "origin": ORIGIN,
            "recorded_at": self.recorded_at,
            "producer": self.producer,
        }


@dataclass(frozen=True, slots=True)
class Framed:
    """A framed record to publish: `identity` is its fact id or request id, unique within the book."""

    origin_offset: int
    tenant: str
    book: str
    identity: str
    value: bytes


@dataclass(slots=True)
class CapTouch:
    """A cap window that the record under way touched: what it held before, by which entry, if its limit may differ."""

    before_seconds: int
    entry_id: str = ""
    limit_changed: bool = False


ChangedHours = dict[tuple[str, str, str], Cause]
"""(tenant, book, key) of a row of running hours -> the last record that changed it."""


@dataclass(slots=True)
class Effects:
    """Collects what a batch causes, each with its origin offset. Facts and work are framed already, as their open
    rows are.

    `hours` holds only the last cause of each row, for its values are absolute. `unapplied` are records that say
    something
    the fold cannot use: (offset, reason code, detail); they end as dead letters. `caps` are the windows that the record
    under way has touched; empty between records.
    """

    facts: list[Framed] = field(default_factory=list)
    work: list[Framed] = field(default_factory=list)
    documents: list[tuple[int, PublishedDocument]] = field(default_factory=list)
    alerts: list[tuple[int, Alert]] = field(default_factory=list)
    hours: ChangedHours = field(default_factory=dict)
    unapplied: list[tuple[int, str, str]] = field(default_factory=list)
    caps: dict[str, CapTouch] = field(default_factory=dict)


_NO_HOURS = HoursRow(worked_seconds=0, billable_seconds=0, held_seconds=0, entries=0)


def hours_records(hours: ChangedHours, rows: Rows) -> Iterator[tuple[int, str, bytes]]:
    """The changed hours as (origin, key, framed `HoursTotal`), in origin order; a total says how the row is now."""
    for (tenant, book, key), cause in sorted(hours.items(), key=lambda item: item[1].offset):
        row = Book(rows, tenant, book).get(HoursRow, key) or _NO_HOURS
        client_id, week, role, person_id = key.split(SEPARATOR)
        total = {
            "envelope": cause.envelope_fields("hours", f"{key}@{cause.offset}"),
            "client_id": client_id,
            "week": week,
            "role": role,
            "person_id": person_id,
            "worked_seconds": row.worked_seconds,
            "billable_seconds": row.billable_seconds,
            "held_seconds": row.held_seconds,
            "entries": row.entries,
            "origin_offset": cause.offset,
        }
        yield cause.offset, key_of(tenant, book, key), encode_fields(HoursTotal, total)
