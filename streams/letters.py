"""Dead letters: whatever could not be read or applied, whole, with its place and the reason (rule 10)."""

from dataclasses import dataclass
from datetime import UTC, datetime

from schemas.canonical import deterministic_id
from schemas.codec import encode, schema_id_of
from schemas.envelope import Envelope
from schemas.errors import BillstreamError, Unreadable
from schemas.outputs import DeadLetter
from streams.engine.publisher import Outgoing
from streams.topics import DEAD_LETTERS, DOCUMENT_BYTES_MAX

NO_SCHEMA = -1
PRODUCER = "billstream-streams/1"
LETTER_ROOM_BYTES = 64 * 1024
"""For what a letter says beside the record that it holds."""
KEPT_BYTES_MAX = DOCUMENT_BYTES_MAX - LETTER_ROOM_BYTES
"""Of a record's key and value. More comes only from a batch that a foreign program compressed: it is kept in part, for
a letter that does not fit into its topic would stop the worker, and with it the partition.
"""
KEY_BYTES_MAX = 16 * 1024
DETAIL_CHARACTERS_MAX = 4_000


@dataclass(frozen=True, slots=True)
class Place:
    """A record where it stood, as bytes."""

    topic: str
    partition: int
    offset: int
    timestamp_milliseconds: int
    key: bytes | None
    value: bytes | None


def dead_letter(place: Place, tenant: str, book: str, stage: str, reason: str, detail: str) -> Outgoing:
    """The dead letter of a record; the same place gives the same letter again."""
    key, value = place.key or b"", place.value or b""
    whole_bytes = len(key) + len(value)
    if whole_bytes > KEPT_BYTES_MAX:
        key = key[:KEY_BYTES_MAX]
        value = value[: KEPT_BYTES_MAX - len(key)]
    identity = {"topic": place.topic, "partition": place.partition, "offset": place.offset, "stage": stage}
    letter_id = deterministic_id("dead_letter", identity)
    seen_at = datetime.fromtimestamp(place.timestamp_milliseconds / 1000, UTC)
    letter = DeadLetter(
        envelope=Envelope(
            event_id=letter_id,
            tenant=tenant,
            book=book,
            origin=f"{place.topic}/{place.partition}/{place.offset}",
            recorded_at=seen_at,
            producer=PRODUCER,
        ),
        dead_letter_id=letter_id,
        topic=place.topic,
        partition=place.partition,
        offset=place.offset,
        key=key,
        value=value,
        wire_schema_id=_schema_id(value),
        stage=stage,
        reason=reason,
        detail=detail[:DETAIL_CHARACTERS_MAX],
        seen_at=seen_at,
        whole_bytes=whole_bytes if whole_bytes > len(key) + len(value) else 0,
    )
    return Outgoing(DEAD_LETTERS, place.partition, letter_id.encode(), encode(letter))


def reason_of(error: Exception) -> tuple[str, str]:
    """Code and sentence for an error that made a dead letter."""
    if isinstance(error, BillstreamError):
        return error.code, error.message
    return "unexpected", type(error).__name__


def _schema_id(value: bytes) -> int:
    try:
        return schema_id_of(value)
    except Unreadable:
        return NO_SCHEMA
