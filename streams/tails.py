"""The highest origin already standing in an ordered output topic, where a fold that starts goes on (rule 2)."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from runtime.kafka.connection import KafkaConnection
from runtime.kafka.patience import Answer, patiently
from schemas.codec import decode
from schemas.draft import PublishedDocument
from schemas.errors import Retryable, Unreadable
from schemas.outputs import Alert, HoursTotal

NOTHING = -1
READ_LIMIT_SECONDS = 60
BROKER_LIMIT_SECONDS = 30
_POLL_MILLISECONDS = 1_000
_FETCH_WAIT_MILLISECONDS = 10
_STEP_MAX = 1_000


async def highest_origins(connection: KafkaConnection, topics: Sequence[str], partition: int) -> Mapping[str, int]:
    """Topic -> origin offset of its last record in this partition, NOTHING for an empty one."""
    places = [TopicPartition(topic, partition) for topic in topics]

    async def look(consumer: "AIOKafkaConsumer[bytes, bytes]") -> Mapping[str, int]:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        return {place.topic: await _last_origin(consumer, place, ends[place]) for place in places}

    return await _asked(connection, look)


async def bounds_of(connection: KafkaConnection, topic: str, partition: int) -> tuple[int, int]:
    """The first offset a partition holds, and the one that the next record will get."""
    place = TopicPartition(topic, partition)

    async def look(consumer: "AIOKafkaConsumer[bytes, bytes]") -> tuple[int, int]:
        beginnings, ends = await consumer.beginning_offsets([place]), await consumer.end_offsets([place])
        return int(beginnings[place]), int(ends[place])

    return await _asked(connection, look)


async def fingerprint_at(connection: KafkaConnection, topic: str, partition: int, offset: int) -> str | None:
    """The fingerprint of the record at an offset below the end; None when no record stands there.

    Raises Retryable when the broker does not give it.
    """
    place = TopicPartition(topic, partition)

    async def look(consumer: "AIOKafkaConsumer[bytes, bytes]") -> str | None:
        consumer.assign([place])
        consumer.seek(place, offset)
        async with asyncio.timeout(READ_LIMIT_SECONDS):
            record = await consumer.getone(place)
        return fingerprint(record) if record.offset == offset else None

    try:
        return await _asked(connection, look)
    except TimeoutError as error:
        raise Retryable("journal_unreadable", "The journal cannot be read.", "Check that Kafka answers.") from error


def fingerprint(record: "ConsumerRecord[bytes | None, bytes | None]") -> str:
    """What tells a record from another one at the same offset: its bytes and the time at which it was appended."""
    hashed = hashlib.sha256(str(record.timestamp).encode())
    for part in (record.key or b"", record.value or b""):
        hashed.update(len(part).to_bytes(8, "big"))
        hashed.update(part)
    return hashed.hexdigest()


async def _asked(
    connection: KafkaConnection, look: Callable[["AIOKafkaConsumer[bytes, bytes]"], Awaitable[Answer]]
) -> Answer:
    """What a look by a consumer of its own finds; one that a broker's loss breaks off is begun again.

    A partition often begins at just that moment, and a worker that ended for it would find nothing better.
    """

    async def once() -> Answer:
        consumer = _reader(connection)
        try:
            await consumer.start()
            return await look(consumer)
        finally:
            await consumer.stop()

    return await patiently(once, BROKER_LIMIT_SECONDS)


def _reader(connection: KafkaConnection) -> "AIOKafkaConsumer[bytes, bytes]":
    """A consumer that waits for nothing: what it is asked for stands there already, and a wait would delay its stop."""
    return AIOKafkaConsumer(
        **connection.client_arguments(), enable_auto_commit=False, fetch_max_wait_ms=_FETCH_WAIT_MILLISECONDS
    )


async def _last_origin(consumer: "AIOKafkaConsumer[bytes, bytes]", place: TopicPartition, end: int) -> int:
    """Read back from the end, in growing steps, until a record is found; the last one survives compaction."""
    beginning = (await consumer.beginning_offsets([place]))[place]
    until, step = end, 1
    while until > beginning:
        start = max(beginning, until - step)
        records = await _between(consumer, place, start, until)
        origins = [origin for record in records if (origin := _readable_origin(record.value)) is not None]
        if origins:
            return max(origins)
        until, step = start, min(2 * step, _STEP_MAX)
    return NOTHING


async def _between(
    consumer: "AIOKafkaConsumer[bytes, bytes]", place: TopicPartition, start: int, until: int
) -> "list[ConsumerRecord[bytes, bytes]]":
    """The records from one offset to another, perhaps some behind it."""
    found: list[ConsumerRecord[bytes, bytes]] = []
    consumer.seek(place, start)
    try:
        async with asyncio.timeout(READ_LIMIT_SECONDS):
            while await consumer.position(place) < until:
                found += (await consumer.getmany(place, timeout_ms=_POLL_MILLISECONDS)).get(place, [])
    except TimeoutError as error:
        what = f"The end of {place.topic} cannot be read."
        raise Retryable("output_unreadable", what, "Check that Kafka answers.") from error
    return found


def _readable_origin(value: bytes | None) -> int | None:
    """None for a tombstone, and for what somebody else put into the topic: it must not keep a fold from starting."""
    try:
        record = None if value is None else decode(value)
    except Unreadable:
        return None
    return record.origin_offset if isinstance(record, PublishedDocument | Alert | HoursTotal) else None


def origin_of(value: bytes) -> int:
    """The origin offset of an ordered output."""
    record = decode(value)
    assert isinstance(record, PublishedDocument | Alert | HoursTotal), type(record).__name__
    return record.origin_offset
