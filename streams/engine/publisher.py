"""The way out of batch agents: many records at once, returned from when the broker has acknowledged every one.

Records are grouped by partition and sent as whole record batches, in the given order, by an idempotent producer.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError
from aiokafka.producer.message_accumulator import BatchBuilder

from streams.engine.batch import Settling, settled
from streams.engine.errors import OwnershipLost, PublishUnknown, RecordTooLarge
from streams.engine.membership import Membership, fence
from streams.engine.outlet import Outlet

RECORD_OVERHEAD_BYTES = 512
"""Room for offsets, lengths and the batch header beside key, value and headers."""

CANCELLED = "publishing was cancelled"

Header = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to be written; the partition is always chosen by us, never by a hash of the key."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes
    headers: tuple[Header, ...] = ()

    @property
    def size_bytes(self) -> int:
        """Bytes on the wire without the batch's own."""
        bare_bytes = len(self.key or b"") + len(self.value)
        if not self.headers:
            return bare_bytes  # Nearly all records, and summing up nothing costs more than the rest.
        return bare_bytes + sum(len(name) + len(value) for name, value in self.headers)


@dataclass(frozen=True, slots=True)
class PublisherLimits:
    """Sizes and times. `record_bytes` must not exceed `max.message.bytes` of the topics that take large records."""

    batch_bytes: int = 512 * 1024
    record_bytes: int = 16 * 1024 * 1024
    delivery_limit_seconds: float = 600.0
    request_limit_milliseconds: int = 10_000
    compression: str | None = None


class Publisher:
    """Own idempotent producer (acks=all). With a `membership`, nothing is sent by a worker that may be a zombie.

    Memory is bounded: per partition one batch is on its way and one waits; the rest are the caller's records.
    """

    def __init__(
        self,
        client_arguments: Mapping[str, object],
        *,
        membership: Membership | None = None,
        limits: PublisherLimits | None = None,
    ) -> None:
        self._client_arguments = dict(client_arguments)
        self._membership = membership
        self._limits = limits or PublisherLimits()
        self._outlet: Outlet | None = None
        self._opening = asyncio.Lock()
        self._closed = False
        self._abandoned = 0

    async def start(self) -> None:
        """Connect; raises the client's KafkaError when no broker answers."""
        await self._ready()

    async def stop(self) -> None:
        """Close for good. Publishes still under way fail: their callers did not get an acknowledgement."""
        self._closed = True
        if self._outlet is not None:
            await self._abandon(self._outlet, "the publisher was stopped")

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Write the records; returns when all are acknowledged, in order per topic and partition.

        Raises RecordTooLarge before anything is sent, OwnershipLost when this worker was put out of its group, and
        PublishUnknown when acknowledgements are missing: then the producer is closed, so that nothing arrives late.
        """
        await (await self.post(records))

    async def post(self, records: Sequence[Outgoing]) -> Settling:
        """Queue the records, behind those that were posted before; what it returns is done when all are acknowledged.

        Waits while a partition's queue is full. Raises, now or by what it returns, as `publish`. Cancelling what it
        returns closes the producer: whoever gives a partition up must not have anything written later.
        """
        if not records:
            return settled()
        by_partition: dict[tuple[str, int], list[Outgoing]] = {}
        for record in records:
            self._check_size(record)
            by_partition.setdefault((record.topic, record.partition), []).append(record)
        abandoned = self._abandoned
        if self._membership is not None:
            await self._membership.wait_held()
        outlet = await self._ready()
        if abandoned != self._abandoned:
            # What was posted before us perhaps never arrives: ours must not stand in its place.
            raise PublishUnknown("another publish failed while this one waited")
        deadline_seconds = asyncio.get_running_loop().time() + self._limits.delivery_limit_seconds
        async with self._or_abandon(outlet, deadline_seconds):
            acknowledgements = [
                one
                for partition, group in by_partition.items()
                for one in await self._enqueue_all(outlet.producer, TopicPartition(*partition), group)
            ]
        settling = asyncio.ensure_future(self._acknowledged(outlet, acknowledgements, deadline_seconds))
        # One that is cancelled before it began has no moment of its own to give the producer up.
        settling.add_done_callback(lambda ended: self._let_go(outlet, CANCELLED) if ended.cancelled() else None)
        return settling

    async def _acknowledged(
        self, outlet: Outlet, acknowledgements: Sequence[Awaitable[object]], deadline_seconds: float
    ) -> None:
        async with self._or_abandon(outlet, deadline_seconds):
            for acknowledgement in acknowledgements:
                # Shielded: the client's own future must be seen to its end, also when nobody waits for it any more.
                await asyncio.shield(acknowledgement)

    @asynccontextmanager
    async def _or_abandon(self, outlet: Outlet, deadline_seconds: float) -> AsyncIterator[None]:
        """Whatever goes wrong inside, nothing of this producer is written any more."""
        try:
            async with outlet.waiting(deadline_seconds):
                yield
        except asyncio.CancelledError:
            # Whoever cancels us gives the partition up: what is still queued must not be written later.
            await self._abandon(outlet, CANCELLED)
            raise
        except (KafkaError, TimeoutError) as error:
            await self._abandon(outlet, repr(error))
            raise self._reason(outlet.given_up or repr(error)) from error

    def _check_size(self, record: Outgoing) -> None:
        size_bytes = record.size_bytes + RECORD_OVERHEAD_BYTES
        if size_bytes > self._limits.record_bytes:
            raise RecordTooLarge(record.topic, size_bytes, self._limits.record_bytes)

    def _reason(self, reason: str) -> Exception:
        if self._membership is not None and not self._membership.member:
            return OwnershipLost(reason)
        return PublishUnknown(reason)

    async def _enqueue_all(
        self, producer: AIOKafkaProducer, partition: TopicPartition, records: Sequence[Outgoing]
    ) -> list[Awaitable[object]]:
        """Queue a partition's records in order, as batches."""
        acknowledgements: list[Awaitable[object]] = []
        batch = producer.create_batch()
        for record in records:
            while not _append(batch, record):
                acknowledgements.append(await self._enqueue(producer, partition, batch))
                batch = producer.create_batch()
        acknowledgements.append(await self._enqueue(producer, partition, batch))
        return acknowledgements

    async def _enqueue(
        self, producer: AIOKafkaProducer, partition: TopicPartition, batch: BatchBuilder
    ) -> Awaitable[object]:
        batch.close()
        while True:
            try:
                acknowledged: asyncio.Future[object] = await producer.send_batch(
                    batch, partition.topic, partition=partition.partition
                )
            except KafkaTimeoutError:
                # The batch found no free place, so it was not queued: wait on, the delivery limit ends it.
                continue
            acknowledged.add_done_callback(_seen)
            return acknowledged

    async def _ready(self) -> Outlet:
        async with self._opening:
            if self._closed:
                raise PublishUnknown("the publisher is closed")
            if self._outlet is None:
                outlet = Outlet(self._new_producer())
                await outlet.start()
                self._outlet = outlet
            return self._outlet

    def _new_producer(self) -> AIOKafkaProducer:
        limits = self._limits
        producer = AIOKafkaProducer(
            **self._client_arguments,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_batch_size=limits.batch_bytes,
            max_request_size=limits.record_bytes,
            request_timeout_ms=limits.request_limit_milliseconds,
            compression_type=limits.compression,
        )
        if self._membership is not None:
            fence(producer, self._membership)
        return producer

    def _let_go(self, outlet: Outlet, reason: str) -> None:
        if self._outlet is outlet:
            self._outlet = None
            self._abandoned += 1
        outlet.give_up(reason)

    async def _abandon(self, outlet: Outlet, reason: str) -> None:
        """Close without sending what is queued; everybody who waits for it gets the reason."""
        self._let_go(outlet, reason)
        await outlet.closed()


def _seen(acknowledged: "asyncio.Future[object]") -> None:
    """One failure says it all: that of the other batches of a producer is not told as forgotten."""
    if not acknowledged.cancelled():
        acknowledged.exception()


def _append(batch: BatchBuilder, record: Outgoing) -> bool:
    """False when the batch is full; an empty batch takes a record of any size."""
    appended = batch.append(timestamp=None, key=record.key, value=record.value, headers=list(record.headers))
    return appended is not None
