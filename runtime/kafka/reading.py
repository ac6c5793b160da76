"""Reads ranges of partitions and nothing else: no group is joined, no offset committed, no record written."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from runtime.kafka.admin import unreachable
from runtime.kafka.connection import KafkaConnection

SILENCE_SECONDS_MAX = 60
"""How long a broker may give nothing of what it says it has."""
_POLL_MILLISECONDS = 500
_FETCH_WAIT_MILLISECONDS = 50
_FETCH_BYTES_MAX = 32 * 1024 * 1024
_READY_LIMIT_SECONDS = 30
_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")

RawRecord: TypeAlias = "ConsumerRecord[bytes | None, bytes | None]"
"""A record as it stands in the log."""


class PartitionReader:
    """Reads partitions one after the other."""

    def __init__(self, connection: KafkaConnection) -> None:
        self._connection = connection
        self._consumer: AIOKafkaConsumer[bytes | None, bytes | None] = AIOKafkaConsumer(
            **connection.client_arguments(),
            enable_auto_commit=False,
            fetch_max_wait_ms=_FETCH_WAIT_MILLISECONDS,
            fetch_max_bytes=_FETCH_BYTES_MAX,
            max_partition_fetch_bytes=_FETCH_BYTES_MAX,
        )

    async def start(self) -> None:
        """Connect; raises Unavailable when no broker answers."""
        try:
            async with asyncio.timeout(_READY_LIMIT_SECONDS):
                await self._consumer.start()
                # The client's tasks must have begun before they are stopped, or the stop is taken for a cancellation.
                await asyncio.sleep(0)
        except (KafkaError, OSError, TimeoutError) as error:
            raise unreachable(self._connection, error) from error

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def read(self, topic: str, partition: int, begin: int, end: int) -> AsyncIterator[Sequence[RawRecord]]:
        """The records with `begin <= offset < end`, in order, a fetch at a time.

        `end` must not lie beyond the partition's end. Raises Unavailable when the broker stops to answer.
        """
        if begin >= end:
            return
        place = TopicPartition(topic, partition)
        self._consumer.assign([place])
        self._consumer.seek(place, begin)
        silent_polls = 0
        while begin < end:
            fetched = (await self._consumer.getmany(place, timeout_ms=_POLL_MILLISECONDS)).get(place, [])
            # A log may hold gaps, also at its end, that give no record; the position passes them.
            begin = max(begin, await self._consumer.position(place))
            silent_polls = 0 if fetched else silent_polls + 1
            if silent_polls * _POLL_MILLISECONDS > SILENCE_SECONDS_MAX * 1000:
                raise unreachable(self._connection, TimeoutError())
            found = [record for record in fetched if record.offset < end]
            if found:
                yield found

    async def first_after(self, topic: str, partition: int, instant: datetime) -> int | None:
        """The offset of the first record whose time stamp is later than an instant; None when there is none."""
        place = TopicPartition(topic, partition)
        after_milliseconds = (instant - _EPOCH) // _MILLISECOND + 1
        try:
            found = (await self._consumer.offsets_for_times({place: after_milliseconds}))[place]
        except KafkaError as error:
            raise unreachable(self._connection, error) from error
        return None if found is None else int(found.offset)


@asynccontextmanager
async def partition_reader(connection: KafkaConnection) -> AsyncIterator[PartitionReader]:
    """A connected reader for the length of a block."""
    reader = PartitionReader(connection)
    try:
        await reader.start()
        yield reader
    finally:
        await reader.stop()
