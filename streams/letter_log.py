"""Reads the topic of dead letters within bounds: notes without the records they hold, or one letter whole."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from runtime.errors import Unavailable
from runtime.kafka.connection import KafkaConnection
from schemas.canonical import instant_micros
from schemas.codec import decode
from schemas.errors import Unreadable
from schemas.outputs import DeadLetter
from streams.topics import DEAD_LETTERS

LETTERS_MAX = 100_000
"""Notes are held in memory, about 1 kB each; of more letters the newest are read."""
READ_LIMIT_SECONDS = 60
FETCH_BYTES_MAX = 4 * 1024 * 1024
"""Asked for at once; a broker sends a larger letter alone. So at most about 20 MB of letters are in memory."""
DETAIL_CHARACTERS_MAX = 500
KEY_BYTES_MAX = 200
_POLL_MILLISECONDS = 500
_FETCH_WAIT_MILLISECONDS = 50


@dataclass(frozen=True, slots=True)
class LetterNote:
    """What a list needs of a letter. `value_hash` is the SHA-256 of the record; `place` is where the letter lies."""

    letter_id: str
    tenant: str
    book: str
    topic: str
    partition: int
    offset: int
    stage: str
    reason: str
    detail: str
    seen_at: datetime
    key: bytes
    size_bytes: int
    whole_bytes: int
    wire_schema_id: int
    value_hash: str
    place: tuple[int, int]


@dataclass(frozen=True, slots=True)
class LetterPage:
    """Letters in the order in which they were written, each once. `left_out` were not read: too many, or no time."""

    notes: tuple[LetterNote, ...] = ()
    left_out: int = 0
    positions: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """How many letters are read at most, and for how long."""

    letters_max: int = LETTERS_MAX
    seconds_max: int = READ_LIMIT_SECONDS


def note_of(letter: DeadLetter, partition: int, offset: int) -> LetterNote:
    """The note of a letter that lies at this offset."""
    return LetterNote(
        letter_id=letter.dead_letter_id,
        tenant=letter.envelope.tenant,
        book=letter.envelope.book,
        topic=letter.topic,
        partition=letter.partition,
        offset=letter.offset,
        stage=letter.stage,
        reason=letter.reason,
        detail=letter.detail[:DETAIL_CHARACTERS_MAX],
        seen_at=letter.seen_at,
        key=letter.key[:KEY_BYTES_MAX],
        size_bytes=len(letter.value),
        whole_bytes=letter.whole_bytes,
        wire_schema_id=letter.wire_schema_id,
        value_hash=hash_of(letter.value),
        place=(partition, offset),
    )


def hash_of(value: bytes) -> str:
    """SHA-256 of a record's bytes; by it a letter is known again when its replay failed."""
    return hashlib.sha256(value).hexdigest()


def starts_within(spans: Mapping[int, tuple[int, int]], letters_max: int) -> Mapping[int, int]:
    """Partition -> where reading begins so that at most so many letters are read, the newest of each partition."""
    starts: dict[int, int] = {}
    left = letters_max
    for number, (partition, (beginning, end)) in enumerate(
        sorted(spans.items(), key=lambda one: one[1][1] - one[1][0])
    ):
        taken = min(end - beginning, left // (len(spans) - number))
        starts[partition] = end - taken
        left -= taken
    return starts


@dataclass(frozen=True)
class LetterLog:
    """The topic of dead letters of a cluster. Every question has a consumer of its own, so nothing is left open."""

    connection: KafkaConnection
    partitions: int

    async def page(
        self,
        since: datetime | None = None,
        after: Mapping[int, int] | None = None,
        limits: ReadLimits | None = None,
    ) -> LetterPage:
        """Notes of the letters since a moment, or behind the positions of an earlier page.

        Raises Unavailable when the broker does not answer. When the time is over the rest is left out and counted.
        """
        bounds = limits or ReadLimits()
        consumer = self._consumer()
        try:
            await consumer.start()
            return await self._page(consumer, since, after or {}, bounds)
        except (KafkaError, OSError) as error:
            raise self._silent(error) from error
        finally:
            await consumer.stop()

    async def letter(self, place: tuple[int, int]) -> DeadLetter:
        """The letter at a (partition, offset) of a note, whole. Raises Unavailable when it cannot be had."""
        async with aclosing(self.several([place])) as found:
            return await anext(found)

    async def several(self, places: Sequence[tuple[int, int]]) -> AsyncGenerator[DeadLetter, None]:
        """The letters at these places, whole, one after the other. Raises Unavailable when one cannot be had."""
        consumer = self._consumer()
        try:
            await consumer.start()
            for place in places:
                yield await _whole(consumer, place)
        except (KafkaError, OSError, TimeoutError) as error:
            raise self._silent(error) from error
        finally:
            await consumer.stop()

    async def _page(
        self,
        consumer: "AIOKafkaConsumer[bytes | None, bytes | None]",
        since: datetime | None,
        after: Mapping[int, int],
        limits: ReadLimits,
    ) -> LetterPage:
        places = [TopicPartition(DEAD_LETTERS, number) for number in range(self.partitions)]
        firsts, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        begins = {one.partition: max(firsts[one], after.get(one.partition, 0)) for one in places}
        if since is not None:
            begins |= await _begins_since(consumer, places, since, {one: ends[one] for one in places})
        spans = {one.partition: (min(begins[one.partition], ends[one]), ends[one]) for one in places}
        starts = starts_within(spans, limits.letters_max)
        positions = dict(starts)
        found: dict[str, LetterNote] = {}
        try:
            async with asyncio.timeout(limits.seconds_max):
                for one in places:
                    await _read(consumer, one, ends[one], positions, found)
        except TimeoutError:
            pass  # What was not reached is counted below, and the caller says so.
        cut = sum(
            starts - spans[partition][0] for partition, starts in starts_within(spans, limits.letters_max).items()
        )
        unread = sum(ends[one] - positions[one.partition] for one in places)
        notes = tuple(note for note in found.values() if since is None or note.seen_at >= since)
        return LetterPage(tuple(sorted(notes, key=_when)), cut + unread, positions)

    def _consumer(self) -> "AIOKafkaConsumer[bytes | None, bytes | None]":
        return AIOKafkaConsumer(
            **self.connection.client_arguments(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=_FETCH_WAIT_MILLISECONDS,
            fetch_max_bytes=FETCH_BYTES_MAX,
            max_partition_fetch_bytes=FETCH_BYTES_MAX,
        )

    def _silent(self, error: Exception) -> Unavailable:
        return Unavailable(
            "letters_unreadable",
            f"The dead letters at {self.connection.bootstrap_servers} cannot be read ({type(error).__name__}).",
            "Check that Kafka answers, then try again.",
        )


async def _begins_since(
    consumer: "AIOKafkaConsumer[bytes | None, bytes | None]",
    places: Sequence[TopicPartition],
    since: datetime,
    ends: Mapping[TopicPartition, int],
) -> dict[int, int]:
    """Letters are written after the records they hold, so none before this moment is about a later record."""
    found = await consumer.offsets_for_times(dict.fromkeys(places, instant_micros(since) // 1_000))
    return {
        one.partition: ends[one] if (seen := found.get(one)) is None or seen.offset < 0 else seen.offset
        for one in places
    }


async def _read(
    consumer: "AIOKafkaConsumer[bytes | None, bytes | None]",
    place: TopicPartition,
    end: int,
    positions: dict[int, int],
    found: dict[str, LetterNote],
) -> None:
    """Read one partition to its end; partitions are read one after the other, so that memory is bounded."""
    if positions[place.partition] >= end:
        return
    consumer.assign([place])
    consumer.seek(place, positions[place.partition])
    while positions[place.partition] < end:
        fetched = await consumer.getmany(place, timeout_ms=_POLL_MILLISECONDS)
        for record in fetched.get(place, []):
            letter = _letter(record)
            if letter is not None and letter.dead_letter_id not in found:
                found[letter.dead_letter_id] = note_of(letter, place.partition, record.offset)
        positions[place.partition] = await consumer.position(place)


async def _whole(consumer: "AIOKafkaConsumer[bytes | None, bytes | None]", place: tuple[int, int]) -> DeadLetter:
    """The letter at a place; without a seek when it is the next one, for what was fetched ahead is dropped by it."""
    where = TopicPartition(DEAD_LETTERS, place[0])
    if where not in consumer.assignment():
        consumer.assign([where])
        consumer.seek(where, place[1])
    elif await consumer.position(where) != place[1]:
        consumer.seek(where, place[1])
    async with asyncio.timeout(READ_LIMIT_SECONDS):
        record = await consumer.getone(where)
    letter = _letter(record)
    if letter is None or record.offset != place[1]:
        raise Unavailable("letter_gone", "The dead letter is no longer in its topic.", "List the letters again.")
    return letter


def _letter(record: "ConsumerRecord[bytes | None, bytes | None]") -> DeadLetter | None:
    """The letter of a record; None for what somebody else put into the topic."""
    try:
        letter = decode(record.value or b"")
    except Unreadable:
        return None
    return letter if isinstance(letter, DeadLetter) else None


def _when(note: LetterNote) -> tuple[datetime, str, int, int]:
    return (note.seen_at, note.topic, note.partition, note.offset)
