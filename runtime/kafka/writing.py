"""Writes records back into an empty partition as they were: same order, time stamps, keys, values and headers."""

import asyncio
from collections.abc import Awaitable, Iterable
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder

from runtime.kafka.admin import unreachable
from runtime.kafka.connection import KafkaConnection
from runtime.kafka.segments import KeptRecord

RECORD_BYTES_MAX = 16 * 1024 * 1024
_BATCH_BYTES = 512 * 1024
_ON_THEIR_WAY_MAX = 8
WRITE_LIMIT_SECONDS = 120


class PartitionWriter:
    """An idempotent producer that waits for every acknowledgement; for one partition at a time."""

    def __init__(self, connection: KafkaConnection) -> None:
        self._connection = connection
        self._producer = AIOKafkaProducer(
            **connection.client_arguments(),
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_batch_size=_BATCH_BYTES,
            max_request_size=RECORD_BYTES_MAX,
        )

    async def __aenter__(self) -> Self:
        try:
            await self._producer.start()
        except (KafkaError, OSError) as error:
            raise unreachable(self._connection, error) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._producer.stop()

    async def write(self, topic: str, partition: int, records: Iterable[KeptRecord]) -> int:
        """Append records; returns their number when all are acknowledged. Raises Unavailable when they are not."""
        written = 0
        waiting: list[Awaitable[object]] = []
        batch = self._producer.create_batch()
        try:
            async with asyncio.timeout(WRITE_LIMIT_SECONDS):
                for record in records:
                    while not _fits(batch, record):
                        waiting.append(await self._send(batch, topic, partition))
                        batch = self._producer.create_batch()
                        while len(waiting) > _ON_THEIR_WAY_MAX:
                            await waiting.pop(0)
                    written += 1
                if batch.record_count():
                    waiting.append(await self._send(batch, topic, partition))
                for one in waiting:
                    await one
        except (KafkaError, OSError, TimeoutError) as error:
            raise unreachable(self._connection, error) from error
        return written

    async def _send(self, batch: BatchBuilder, topic: str, partition: int) -> Awaitable[object]:
        batch.close()
        acknowledged: Awaitable[object] = await self._producer.send_batch(batch, topic, partition=partition)
        return acknowledged


def _fits(batch: BatchBuilder, record: KeptRecord) -> bool:
    """False when the batch is full; an empty batch takes a record of any size."""
    appended = batch.append(
        timestamp=record.timestamp_milliseconds,
        key=record.key,
        value=record.value,
        headers=list(record.headers),
    )
    return appended is not None
