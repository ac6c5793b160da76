"""Guarded records that need not wait for each other: whole fetches come in, each record is done in its lane.

A batch is settled when all its records are done or their dead letters acknowledged, so the group's offset never passes
a record in hand, while the records behind it go on.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from aiokafka import ConsumerRecord

from streams.engine.app import EngineApp, install_batch_agent
from streams.engine.batch import Batch, Settling
from streams.engine.guard import GuardedAgent, RawRecord, settle
from streams.engine.lanes import Lanes, Turn
from streams.engine.slices import Slices

RECORDS_MAX = 500
SETTLING_MAX = 1_000
"""How many batches may hold a record in hand; the bytes of these records have their own bound."""

TurnOf = Callable[[RawRecord], Turn | None]
"""Where a record waits for its turn; None for one that is not ours. Whatever is wrong with a record is for its
handler to raise.
"""


class SideBySide:
    """The batch handler: it begins what it is given and returns; it waits only while too many bytes are held."""

    def __init__(self, agent: GuardedAgent, turn_of: TurnOf, lanes: Lanes) -> None:
        self._agent = agent
        self._turn_of = turn_of
        self._lanes = lanes
        self._failed: dict[int, BaseException] = {}

    async def assigned(self, partition: int, committed: int | None) -> int | None:
        """Go on where the group stands."""
        self._failed.pop(partition, None)
        return None

    async def process(self, batch: Batch) -> Settling | None:
        """Begin each record that is ours; raises what stops the worker as soon as a record of the partition met it."""
        begun: list[asyncio.Task[None]] = []
        slices = Slices()
        try:
            for one in batch.records:
                if slices.is_over():
                    await slices.rest()
                record = raw_record_of(batch, one)
                turn = self._turn_of(record)
                if turn is not None:
                    await self._room(batch.partition)
                    begun.append(self._begin(turn, record))
        except BaseException:
            _end(begun)
            raise
        return _all_of(begun)

    async def revoked(self, partition: int) -> None:
        """Nothing to give up: what was begun is done, or was cancelled with what `process` returned."""

    async def _room(self, partition: int) -> None:
        while self._lanes.are_full:
            await self._lanes.wait()
            if partition in self._failed:
                raise self._failed[partition]

    def _begin(self, turn: Turn, record: RawRecord) -> asyncio.Task[None]:
        task = self._lanes.begin(turn, len(record.value or b""), partial(settle, self._agent, record))
        task.add_done_callback(partial(self._note, record.partition))
        return task

    def _note(self, partition: int, ended: asyncio.Task[None]) -> None:
        error = None if ended.cancelled() else ended.exception()
        if error is not None:
            self._failed[partition] = error


def install_side_by_side(app: EngineApp, agent: GuardedAgent, turn_of: TurnOf, lanes: Lanes) -> None:
    """Install an agent whose records are done side by side, on a topic that exists."""
    handler = SideBySide(agent, turn_of, lanes)
    install_batch_agent(app, agent.name, agent.topic, handler, records_max=RECORDS_MAX, settling_max=SETTLING_MAX)


def raw_record_of(batch: Batch, record: "ConsumerRecord[bytes | None, bytes | None]") -> RawRecord:
    """The record as bytes, with its place."""
    return RawRecord(
        topic=batch.topic,
        partition=batch.partition,
        offset=record.offset,
        timestamp_milliseconds=record.timestamp,
        key=record.key,
        value=record.value,
        headers=tuple(record.headers),
    )


def _all_of(begun: list[asyncio.Task[None]]) -> Settling | None:
    """Done when all are; when one fails or this is cancelled, the others end as well."""
    if not begun:
        return None
    settling: Settling = asyncio.gather(*begun)  # type: ignore[assignment]  # a list of nothings is nothing
    settling.add_done_callback(lambda _: _end(begun))
    return settling


def _end(begun: list[asyncio.Task[None]]) -> None:
    for task in begun:
        task.cancel()
