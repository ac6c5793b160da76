"""Ordered outputs and side records: alerts, running hours, dead letters, the outbox, connector progress."""

from typing import ClassVar

from schemas.envelope import Envelope
from schemas.inputs import DeliveryState
from schemas.values import DecimalText, Instant, Record


class Alert(Record):
    """An alert whose fact was read back, as consumers of `alerts` see it; `origin_offset` is the fact's offset."""

    schema_id: ClassVar[int] = 1501
    schema_name: ClassVar[str] = "alert"

    envelope: Envelope
    alert_id: str
    kind: str
    client_id: str
    contract_id: str
    cap: str
    pool: str
    window: str
    thresholds: tuple[int, ...]
    used_seconds: int
    limit_seconds: int
    used_percent: DecimalText
    text: str
    cause_entry_id: str
    origin_offset: int


class HoursTotal(Record):
    """Running hours of a client, ISO week, role and person: absolute values as of `origin_offset`, never increments.

    `worked_seconds` counts all current time, `billable_seconds` what is decided billable and not held.
    """

    schema_id: ClassVar[int] = 1502
    schema_name: ClassVar[str] = "hours_total"

    envelope: Envelope
    client_id: str
    week: str
    role: str
    person_id: str
    worked_seconds: int
    billable_seconds: int
    held_seconds: int
    entries: int
    origin_offset: int


class DeadLetter(Record):
    """A record that could not be read or applied, whole, with place and reason.

    `whole_bytes` is the size of key and value where they stood, when that is more than a letter holds; then both are
    their beginnings. It is 0 otherwise.
    """

    schema_id: ClassVar[int] = 2503
    schema_name: ClassVar[str] = "dead_letter"

    envelope: Envelope
    dead_letter_id: str
    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    wire_schema_id: int
    stage: str
    reason: str
    detail: str
    seen_at: Instant
    whole_bytes: int = 0


class OutboxAttempt(Record):
    """An attempt to deliver, acknowledged before the wire is touched; states only move forward."""

    schema_id: ClassVar[int] = 1504
    schema_name: ClassVar[str] = "outbox_attempt"

    envelope: Envelope
    request_id: str
    document_id: str
    sink: str
    generation: int
    attempt: int
    state: DeliveryState
    location: str = ""
    sink_hash: str = ""
    message: str = ""


class SourceProgress(Record):
    """A connector's cursor and watermark for one source account."""

    schema_id: ClassVar[int] = 1505
    schema_name: ClassVar[str] = "source_progress"

    envelope: Envelope
    source: str
    account: str
    cursor: str
    watermark: Instant | None = None
