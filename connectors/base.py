"""What all connectors share: what one is, the page and cursor contract, and how an understood entry becomes a record.

A connector never sleeps, retries, publishes or saves its cursor: the runner does. The order is always the same: the
records of a page are published and acknowledged, then its cursor is saved, so a crash repeats a page, never skips one.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from json.encoder import encode_basestring
from typing import NamedTuple, Protocol

from pydantic import BaseModel

from schemas.canonical import decimal_text, instant_micros
from schemas.entry import Deletion, EntryKind, EntryVersion
from schemas.envelope import Envelope
from schemas.inputs import ImportCompleted, SourceWatermark
from schemas.values import Instant, Value

InputRecord = EntryVersion | ImportCompleted | SourceWatermark
"""What a connector may publish on `time-entries`."""


class Detects(Value):
    """What a source tells by itself; what it does not tell, the runner finds by comparing."""

    edits: bool
    deletions: bool


class ConnectorSpec(Value):
    """A connector at a glance. `mapping_version` is raised when the same source row would be understood differently."""

    name: str
    settings: type[BaseModel]
    detects: Detects
    mapping_version: int = 1


class Cursor(Value):
    """Where to go on, in words only the connector understands; `version` lets it read its own older cursors."""

    version: int = 1
    text: str = ""


class Page(Value):
    """Records in the order of the source, and the cursor that is true once all of them are stored."""

    records: tuple[InputRecord, ...]
    cursor: Cursor


class Finding(Value):
    """Something `check` saw; `fix` says what a person can do about it."""

    code: str
    message: str
    fix: str = ""


class CheckReport(Value):
    """The answer to `check`: no findings means that reading would work now."""

    findings: tuple[Finding, ...] = ()


class Connector(Protocol):
    """A source that is asked again and again. Reading from an old cursor again must be harmless."""

    spec: ConnectorSpec

    async def check(self) -> CheckReport:
        """Prove sign-in, scope and clock with one cheap call. Raises SignInNeeded or Retryable."""

    def read(self, cursor: Cursor) -> AsyncIterator[Page]:
        """Yield pages in change order from a cursor on. Raises SignInNeeded, Retryable or Rejected."""


class Stamp(Value):
    """Who reads for whom, and the one instant at which it was observed; the caller owns the clock."""

    tenant: str
    book: str
    observed_at: Instant
    origin: str = ""
    producer: str = "billstream"


class EntryFields(NamedTuple):
    """An entry as a connector understood it, before hashes and envelope; the names are those of EntryVersion.

    The last two fields order versions and say nothing about the work; a time has no amount, quantity or unit price.
    """

    source_entry_id: str
    kind: EntryKind = EntryKind.TIME
    person_ref: str = ""
    client_ref: str = ""
    project_ref: str = ""
    task_ref: str = ""
    service_item: str = ""
    tags: tuple[str, ...] = ()
    description: str = ""
    billable_hint: bool | None = None
    work_date: date | None = None
    start: datetime | None = None
    end: datetime | None = None
    zone: str = ""
    worked_seconds: int = 0
    running: bool = False
    invoiced_at_source: bool = False
    amount: Decimal | None = None
    currency: str = ""
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    category: str = ""
    problem: str = ""
    attributes: Mapping[str, str] = {}
    source_revision: int = 0
    deletion: Deletion = Deletion.NONE


_CONTENT_NAMES = EntryFields._fields[:-2]
_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class EntryMaker:
    """Turns understood entries of one source account into records.

    Ids and content hashes are those of `schemas.entry.entry_id_of` and `content_of`, computed without building the
    intermediate mappings, because this is the hot path of an import; a test holds the two ways equal.
    """

    def __init__(self, stamp: Stamp, *, source: str, account: str, mapping_version: int, import_id: str) -> None:
        quoted = encode_basestring
        self._fixed: dict[str, object] = {
            "source": source,
            "account": account,
            "mapping_version": mapping_version,
            "import_id": import_id,
            "observed_at": stamp.observed_at,
        }
        self._content_base: dict[str, object] = {"source": source, "account": account}
        self._envelope = {
            "tenant": stamp.tenant,
            "book": stamp.book,
            "origin": stamp.origin or f"connector:{source}",
            "recorded_at": stamp.observed_at,
            "producer": stamp.producer,
        }
        self._id_head = (
            f'entry\x00{{"account":{quoted(account)},"book":{quoted(stamp.book)},"source":{quoted(source)},'
            '"source_entry_id":'
        )
        self._id_tail = f',"tenant":{quoted(stamp.tenant)}}}'
        self._event_tail = f'","import_id":{quoted(import_id)},"observed_at":{instant_micros(stamp.observed_at)}}}'

    def entry_id(self, source_entry_id: str) -> str:
        """As `schemas.entry.entry_id_of` for this source account."""
        text = self._id_head + encode_basestring(source_entry_id) + self._id_tail
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def make(self, fields: EntryFields) -> EntryVersion:
        """The record of an understood entry; the same fields, import and observation give the same bytes.

        Raises pydantic's ValidationError when a field is out of its domain, which is a mistake of the connector.
        """
        # Dropping what is empty is also what keeps defaults out of the content hash; "not billable" and a price of 0
        # are no defaults. The fields that are no content stand at the end, where zip stops.
        given: dict[str, object] = {name: value for name, value in zip(_CONTENT_NAMES, fields, strict=False) if value}
        if fields.billable_hint is False:
            given["billable_hint"] = False
        if fields.kind is not EntryKind.TIME:
            given.update({name: number for name, number in _numbers_of(fields) if number is not None})
        content = self._content(fields, given)
        if fields.source_revision:
            given["source_revision"] = fields.source_revision
        if fields.deletion is not Deletion.NONE:
            given["deletion"] = fields.deletion
        entry_id = self.entry_id(fields.source_entry_id)
        given.update(self._fixed)
        given["content"] = content
        given["entry_id"] = entry_id
        given["envelope"] = {**self._envelope, "event_id": self._event_id(entry_id, content)}
        return EntryVersion.model_validate(given)

    def envelope(self, event_id: str) -> Envelope:
        """The envelope of a record of this import."""
        return Envelope.model_validate({**self._envelope, "event_id": event_id})

    def _event_id(self, entry_id: str, content: str) -> str:
        text = f'entry_version\x00{{"content":"{content}","entry_id":"{entry_id}{self._event_tail}'
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def _content(self, fields: EntryFields, given: Mapping[str, object]) -> str:
        says = {**self._content_base, **given}
        if fields.start is not None:
            says["start"] = instant_micros(fields.start)
        if fields.end is not None:
            says["end"] = instant_micros(fields.end)
        if fields.work_date is not None:
            says["work_date"] = fields.work_date.isoformat()
        if fields.kind is not EntryKind.TIME:
            says.update({name: decimal_text(number) for name, number in _numbers_of(fields) if number is not None})
        return hashlib.sha256(_encoder.encode(says).encode()).hexdigest()


def _numbers_of(fields: EntryFields) -> tuple[tuple[str, Decimal | None], ...]:
    """Only entries that are no time have numbers with a price."""
    return (("amount", fields.amount), ("quantity", fields.quantity), ("unit_price", fields.unit_price))
