"""The product's own pump over a simulated topic: fetch, process, settle, commit, give up."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import TypeVar

from aiokafka import TopicPartition
from aiokafka.consumer.subscription_state import Assignment

from billstream.simulating.process import Process
from schemas.errors import BillstreamError
from streams.engine.batch import SETTLING_MAX, BatchAgent, BatchHandler
from streams.engine.pump import Pump
from streams.engine.thread import BatchConsumerThread, Bounds, Claim, Fetched

Answer = TypeVar("Answer")
COMMIT_SECONDS = 1.0
PATIENCE_SECONDS = 10.0


class Reader(BatchConsumerThread):
    """The consumer's thread without thread and broker: it reads the log of a process's world."""

    def __init__(self, process: Process, group: str, batch_max: Callable[[], int]) -> None:
        self._process, self._group, self._batch_max = process, group, batch_max
        self.is_told = False
        """The process knows that the partition is no longer its own."""

    def tell_lost(self) -> None:
        """The group gave the partitions to somebody else."""
        self.is_told = True

    async def run_here(self, coroutine: Coroutine[object, object, Answer]) -> Answer:
        """See the product's."""
        return await coroutine

    def owns(self, claim: Claim) -> bool:
        """See the product's; a process learns late that it lost its place."""
        return not self.is_told

    async def bounds_here(self, claim: Claim) -> Bounds:
        """See the product's."""
        topic = claim.partition.topic
        await self._process.gate(f"begins with {topic}")
        log = self._process.log
        return Bounds(0, log.end(topic), log.committed.get((self._group, topic)))

    async def seek_here(self, claim: Claim, position: int) -> None:
        """See the product's."""

    def highwater_of(self, claim: Claim) -> int | None:
        """See the product's."""
        return self._process.log.end(claim.partition.topic)

    async def fetch_here(self, claim: Claim, position: int, records_max: int) -> Fetched:
        """See the product's: some of what is there; waits for it."""
        log, topic = self._process.log, claim.partition.topic
        await self._process.gate("", lambda: log.end(topic) > position or self.is_told)
        stop = min(log.end(topic), position + min(records_max, self._batch_max()))
        self._process.tell(f"reads {topic}[{position}:{stop}]")
        return Fetched(log.topics[topic][position:stop], max(stop, position), log.end(topic))

    async def wait_for_progress(self, pumps: Sequence[Pump]) -> None:
        """Return when there is something to commit."""
        await self._process.gate("", lambda: any(one.position not in (None, one.committed) for one in pumps))

    async def commit(self, pump: Pump) -> None:
        """Commit how far a pump has come, unless the group does not count this process any more."""
        topic, position = pump.claim.partition.topic, pump.position
        if position is None or position == pump.committed:
            return
        await self._process.gate(f"commits {topic}[{position}]")
        if self._process.is_owner:
            self._process.log.committed[self._group, topic] = position
            pump.committed = position


async def run_agents(
    process: Process,
    reader: Reader,
    agents: Sequence[tuple[str, BatchHandler]],
    stop: asyncio.Event,
    settling_max: int = SETTLING_MAX,
) -> None:
    """Run handlers until told to stop, or until one fails; then finish what is in flight, and tell them."""
    pumps = {}
    for topic, handler in agents:
        place = TopicPartition(topic, 0)
        pump = Pump(
            reader, BatchAgent(process.name, topic, handler, 1_000, settling_max), Claim(place, Assignment([place]), 1)
        )
        pumps[pump] = asyncio.ensure_future(pump.run())
    committing = asyncio.ensure_future(_commit_now_and_then(reader, list(pumps)))
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait([*pumps.values(), stopping], return_when=asyncio.FIRST_COMPLETED)
    committing.cancel()
    stopping.cancel()
    for pump, task in pumps.items():
        await pump.stop(task, PATIENCE_SECONDS if process.is_owner else 0)
    for pump in pumps:
        await reader.commit(pump)
        await pump.tell_revoked()
    errors = [task.exception() for task in pumps.values() if task.done() and not task.cancelled()]
    process.is_over = True
    process.tell("ends" + "".join(f": {one}" for one in errors if isinstance(one, BillstreamError)))
    for one in errors:
        if one is not None and not isinstance(one, BillstreamError):
            raise one


async def _commit_now_and_then(reader: Reader, pumps: Sequence[Pump]) -> None:
    while True:
        await asyncio.sleep(COMMIT_SECONDS)
        await reader.wait_for_progress(pumps)
        for pump in pumps:
            await reader.commit(pump)
