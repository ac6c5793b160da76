"""The broker of a simulated installation: topics as lists, and how far each group has come."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from aiokafka import ConsumerRecord

from schemas.codec import decode
from schemas.errors import Unreadable
from schemas.values import Record
from streams.engine.publisher import Outgoing

EPOCH = datetime(2026, 10, 1, 12, tzinfo=UTC)
RawRecord: TypeAlias = "ConsumerRecord[bytes | None, bytes | None]"


class Log:
    """Everything that was ever appended; nothing is lost or changed here, that is the broker's promise."""

    def __init__(self) -> None:
        self.topics: defaultdict[str, list[RawRecord]] = defaultdict(list)
        self.committed: dict[tuple[str, str], int] = {}
        self._read: defaultdict[str, list[Record | None]] = defaultdict(list)

    def append(self, outgoing: Outgoing, at_seconds: float) -> int:
        """Append a record with the broker's time; returns its offset."""
        topic = self.topics[outgoing.topic]
        offset, milliseconds = len(topic), int(EPOCH.timestamp() * 1000 + at_seconds * 1000)
        key, value = outgoing.key, outgoing.value
        sizes = (len(key or b""), len(value))
        topic.append(
            ConsumerRecord(outgoing.topic, 0, offset, milliseconds, 0, key, value, 0, *sizes, outgoing.headers)
        )
        return offset

    def end(self, topic: str) -> int:
        """The offset that the next record will get."""
        return len(self.topics[topic])

    def numbered(self, topic: str) -> Sequence[tuple[int, Record]]:
        """All records that can be read, with their offsets; each is decoded once."""
        known = self._read[topic]
        known.extend(_readable(record.value) for record in self.topics[topic][len(known) :])
        return [(offset, record) for offset, record in enumerate(known) if record is not None]


def _readable(value: bytes | None) -> Record | None:
    try:
        return decode(value or b"")
    except Unreadable:
        return None
