"""The outbox: attempts to deliver, acknowledged before a sink is touched, read by whoever delivers next (rule 9).

States only move forward: a settled attempt is the last word on its request, whoever writes afterwards.
"""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from runtime.clock import Clock
from runtime.kafka.connection import KafkaConnection
from schemas.codec import decode, encode
from schemas.errors import NewerSchema, Retryable, Unreadable
from schemas.inputs import DeliveryState
from schemas.outputs import OutboxAttempt
from schemas.work import DeliverDocument
from streams.engine.errors import EngineFault
from streams.engine.publisher import Outgoing, Publisher
from streams.topics import OUTBOX, book_name, book_partition

SETTLED = frozenset({DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.NEEDS_PERSON})
READ_LIMIT_SECONDS = 60
_POLL_MILLISECONDS = 1_000
_FETCH_WAIT_MILLISECONDS = 10
_ORDER = (
    DeliveryState.UNKNOWN,
    DeliveryState.PLANNED,
    DeliveryState.SENDING,
    DeliveryState.UNKNOWN_OUTCOME,
    DeliveryState.FAILED,
    DeliveryState.NEEDS_PERSON,
    DeliveryState.DELIVERED,
)


class Outbox(Protocol):
    """Where attempts are kept."""

    async def last(self, request: DeliverDocument) -> OutboxAttempt | None:
        """The furthest attempt at a request, also one that another worker just wrote; None before the first."""
        ...

    async def record(self, attempt: OutboxAttempt) -> None:
        """Keep an attempt; returns when it is acknowledged."""
        ...

    def quiet_seconds(self, request: DeliverDocument) -> float:
        """How long ago the last attempt at a request was heard of, by the clock of this process alone."""
        ...


def goes_forward(known: OutboxAttempt | None, attempt: OutboxAttempt) -> bool:
    """Whether an attempt says more than what is known: the first settled one stands, else a later one wins."""
    if known is None:
        return True
    if known.state in SETTLED:
        return False
    return attempt.state in SETTLED or _progress(attempt) > _progress(known)


def _progress(attempt: OutboxAttempt) -> tuple[int, int]:
    return attempt.attempt, _ORDER.index(attempt.state)


class MemoryOutbox:
    """An outbox in memory: for tests, and the index of the one in Kafka."""

    def __init__(self, clock: Clock) -> None:
        self.attempts: dict[str, OutboxAttempt] = {}
        self._clock = clock
        self._heard: dict[str, tuple[OutboxAttempt, float]] = {}

    async def last(self, request: DeliverDocument) -> OutboxAttempt | None:
        """The furthest attempt at a request."""
        return self.attempts.get(request.request_id)

    async def record(self, attempt: OutboxAttempt) -> None:
        """Keep an attempt."""
        self.keep([attempt])

    def keep(self, attempts: Iterable[OutboxAttempt]) -> None:
        """Take in attempts in any order; what goes backwards is ignored."""
        for attempt in attempts:
            self._hear(attempt)
            if goes_forward(self.attempts.get(attempt.request_id), attempt):
                self.attempts[attempt.request_id] = attempt

    def quiet_seconds(self, request: DeliverDocument) -> float:
        """See `Outbox`."""
        _, heard_seconds = self._heard[request.request_id]
        return self._clock.monotonic_seconds() - heard_seconds

    def _hear(self, attempt: OutboxAttempt) -> None:
        """Two workers may give an attempt the same number: from each of them on the sink has time to show it. One's own
        is met again when the topic is read.
        """
        last = self._heard.get(attempt.request_id)
        if last is None or last[0] != attempt:
            self._heard[attempt.request_id] = attempt, self._clock.monotonic_seconds()


class KafkaOutbox:
    """The compacted topic `outbox`.

    A look first reads the book's partition on to the end it has at that moment, so that it sees what any worker wrote.
    """

    def __init__(self, connection: KafkaConnection, publisher: Publisher, partitions: int, clock: Clock) -> None:
        self._connection = connection
        self._publisher = publisher
        self._partitions = partitions
        self._index = MemoryOutbox(clock)
        self._next_offsets: dict[int, int] = {}
        self._reading = asyncio.Lock()

    async def last(self, request: DeliverDocument) -> OutboxAttempt | None:
        """The furthest attempt at a request; raises Retryable when Kafka does not answer.

        Of what is settled nothing more can be said, so nobody is asked.
        """
        known = await self._index.last(request)
        if known is not None and known.state in SETTLED:
            return known
        partition = self._partition(request.envelope.tenant, request.envelope.book)
        try:
            async with asyncio.timeout(READ_LIMIT_SECONDS), self._reading:
                await self._catch_up(TopicPartition(OUTBOX, partition))
        except (KafkaError, OSError, TimeoutError) as error:
            raise Retryable(
                "outbox_unreadable", "The outbox cannot be read.", "Check that Kafka answers.", repr(error)
            ) from error
        return await self._index.last(request)

    async def record(self, attempt: OutboxAttempt) -> None:
        """Publish an attempt; returns when the broker has it."""
        partition = self._partition(attempt.envelope.tenant, attempt.envelope.book)
        await self._publisher.publish([Outgoing(OUTBOX, partition, outbox_key(attempt).encode(), encode(attempt))])
        await self._index.record(attempt)

    def quiet_seconds(self, request: DeliverDocument) -> float:
        """See `Outbox`."""
        return self._index.quiet_seconds(request)

    def _partition(self, tenant: str, book: str) -> int:
        return book_partition(tenant, book, self._partitions)

    async def _catch_up(self, place: TopicPartition) -> None:
        consumer: AIOKafkaConsumer[bytes, bytes] = AIOKafkaConsumer(
            **self._connection.client_arguments(),
            enable_auto_commit=False,
            # Nothing is waited for: what is asked for stands below the end. A longer wait would delay the stop.
            fetch_max_wait_ms=_FETCH_WAIT_MILLISECONDS,
        )
        try:
            await consumer.start()
            consumer.assign([place])
            beginning = (await consumer.beginning_offsets([place]))[place]
            end = (await consumer.end_offsets([place]))[place]
            consumer.seek(place, max(beginning, self._next_offsets.get(place.partition, 0)))
            while await consumer.position(place) < end:
                found = await consumer.getmany(place, timeout_ms=_POLL_MILLISECONDS)
                self._index.keep(attempts_of(record.value for record in found.get(place, [])))
                self._next_offsets[place.partition] = await consumer.position(place)
        finally:
            await consumer.stop()


def outbox_key(attempt: OutboxAttempt) -> str:
    """Book, document, sink and generation, and the request within: compaction keeps the last word on each request."""
    envelope = attempt.envelope
    place = f"{book_name(envelope.tenant, envelope.book)}/{attempt.document_id}/{attempt.sink}/{attempt.generation}"
    return f"{place}/{attempt.request_id}"


def attempts_of(values: "Iterable[bytes | None]") -> list[OutboxAttempt]:
    """The attempts among the records; what is none (a tombstone, rubbish) says nothing about any request."""
    attempts = []
    for value in values:
        try:
            record = decode(value or b"")
        except NewerSchema as error:
            # It may say that a document is on its way already: who cannot read it must not send.
            raise EngineFault("attempt_newer", "The outbox holds an attempt of a newer release.", error.fix) from error
        except Unreadable:
            continue
        if isinstance(record, OutboxAttempt):
            attempts.append(record)
    return attempts
