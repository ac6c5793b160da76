"""The highest origin already standing in an ordered output topic, where a fold that starts goes on (rule 2)."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from runtime.kafka.connection import KafkaConnection
from schemas.codec import decode
from schemas.draft import PublishedDocument
from schemas.errors import Retryable
from schemas.outputs import Alert, HoursTotal

NOTHING = -1
READ_LIMIT_SECONDS = 60
_POLL_MILLISECONDS = 1_000
_FETCH_WAIT_MILLISECONDS = 10


async def highest_origins(connection: KafkaConnection, topics: Sequence[str], partition: int) -> Mapping[str, int]:
    """Topic -> origin offset of its last record in this partition, NOTHING for an empty one."""
    places = [TopicPartition(topic, partition) for topic in topics]
    consumer = _reader(connection)
    await consumer.start()
    try:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        return {place.topic: await _last_origin(consumer, place, ends[place]) for place in places}
    finally:
        await consumer.stop()


async def bounds_of(connection: KafkaConnection, topic: str, partition: int) -> tuple[int, int]:
    """The first offset a partition holds, and the one that the next record will get."""
    place = TopicPartition(topic, partition)
    consumer = _reader(connection)
    await consumer.start()
    try:
        beginnings, ends = await consumer.beginning_offsets([place]), await consumer.end_offsets([place])
        return int(beginnings[place]), int(ends[place])
    finally:
        await consumer.stop()


async def fingerprint_at(connection: KafkaConnection, topic: str, partition: int, offset: int) -> str | None:
    """The fingerprint of the record at an offset below the end; None when no record stands there.

    Raises Retryable when the broker does not give it.
    """
    place = TopicPartition(topic, partition)
    consumer = _reader(connection)
    await consumer.start()
    try:
        consumer.assign([place])
        consumer.seek(place, offset)
        async with asyncio.timeout(READ_LIMIT_SECONDS):
            record = await consumer.getone(place)
        return fingerprint(record) if record.offset == offset else None
    except TimeoutError as error:
        raise Retryable("journal_unreadable", "The journal cannot be read.", "Check that Kafka answers.") from error
    finally:
        await consumer.stop()


def fingerprint(record: "ConsumerRecord[bytes | None, bytes | None]") -> str:
    """What tells a record from another one at the same offset: its bytes and the time at which it was appended."""
    hashed = hashlib.sha256(str(record.timestamp).encode())
    for part in (record.key or b"", record.value or b""):
        hashed.update(len(part).to_bytes(8, "big"))
        hashed.update(part)
    return hashed.hexdigest()


def _reader(connection: KafkaConnection) -> "AIOKafkaConsumer[bytes, bytes]":
    """A consumer that waits for nothing: what it is asked for stands there already, and a wait would delay its stop."""
    return AIOKafkaConsumer(
        **connection.client_arguments(), enable_auto_commit=False, fetch_max_wait_ms=_FETCH_WAIT_MILLISECONDS
    )


async def _last_origin(consumer: "AIOKafkaConsumer[bytes, bytes]", place: TopicPartition, end: int) -> int:
    """Read back from the end until a record is found; the last record of a partition survives compaction."""
    beginning = (await consumer.beginning_offsets([place]))[place]
    start = end - 1
    while start >= beginning:
        consumer.seek(place, start)
        records = (await consumer.getmany(place, timeout_ms=_POLL_MILLISECONDS)).get(place, [])
        origins = [origin_of(record.value) for record in records if record.value is not None]
        if origins:
            return max(origins)
        start -= 1 if not records else len(records)
    return NOTHING


def origin_of(value: bytes) -> int:
    """The origin offset of an ordered output."""
    record = decode(value)
    assert isinstance(record, PublishedDocument | Alert | HoursTotal), type(record).__name__
    return record.origin_offset
