"""One partition of one batch agent: resume, then fetch, process, fetch, ... strictly one batch at a time.

It pulls: nothing is fetched for the handler while it works, beyond the one response the client reads ahead.
"""

import asyncio
import time

from streams.engine.batch import Batch, BatchAgent, PartitionProgress, PartitionState
from streams.engine.errors import EngineFault, OwnershipLost
from streams.engine.thread import BatchConsumerThread, Bounds, Claim, Fetched

CANCEL_SECONDS = 3.0
"""A cancelled handler has to roll back and return within this time."""


class Pump:
    """The life of one partition in this worker, from one assignment to its end."""

    def __init__(self, thread: BatchConsumerThread, agent: BatchAgent, claim: Claim) -> None:
        self.claim = claim
        self.position: int | None = None
        self.committed: int | None = None
        self._thread = thread
        self._agent = agent
        self._state = PartitionState.STARTING
        self._highwater = 0
        self._handler_told = False
        self._told_to_stop = False
        self._progress_at = time.monotonic()

    @property
    def name(self) -> str:
        """Agent and partition, for logs."""
        return f"{self._agent.name}[{self.claim.partition.topic}-{self.claim.partition.partition}]"

    def progress(self) -> PartitionProgress:
        """Plain numbers as of now."""
        position = self.position or 0
        return PartitionProgress(
            agent=self._agent.name,
            topic=self.claim.partition.topic,
            partition=self.claim.partition.partition,
            state=self._state,
            position=position,
            committed=self.committed,
            highwater=max(position, self._highwater, self._thread.highwater_of(self.claim) or 0),
            progress_age_seconds=time.monotonic() - self._progress_at,
        )

    async def run(self) -> None:
        """Work until the partition is lost or the task is cancelled; any other error is the worker's end."""
        try:
            await self._resume()
            while self._thread.owns(self.claim) and not self._told_to_stop:
                await self._step()
        except OwnershipLost:
            # The rebalance that took the partition is under way; its new owner reads again from the last commit.
            return
        finally:
            self._state = PartitionState.STOPPED

    async def _resume(self) -> None:
        bounds = await self._thread.run_here(self._thread.bounds_here(self.claim))
        if not self._thread.owns(self.claim):
            raise OwnershipLost(f"{self.name} before it began")
        self._handler_told = True
        named = await self._agent.handler.assigned(self.claim.partition.partition, bounds.committed)
        start = self._start_offset(bounds, named)
        await self._thread.run_here(self._thread.seek_here(self.claim, start))
        self.committed = bounds.committed
        self.position = start
        self._highwater = bounds.end

    def _start_offset(self, bounds: Bounds, named: int | None) -> int:
        wanted = bounds.committed if named is None else named
        start = bounds.beginning if wanted is None else wanted
        if not bounds.beginning <= start <= bounds.end:
            raise EngineFault(
                "records_gone",
                f"{self.name} has to go on at offset {start}, but the broker holds {bounds.beginning} to {bounds.end}.",
                "Restore the topic or, if the loss is accepted, remove the store or set the group's offset by hand.",
            )
        return start

    async def _step(self) -> None:
        assert self.position is not None, "resume comes first"
        self._state = PartitionState.WAITING
        fetched: Fetched = await self._thread.run_here(
            self._thread.fetch_here(self.claim, self.position, self._agent.records_max)
        )
        if not self._thread.owns(self.claim):
            raise OwnershipLost(f"{self.name} while it waited for records")
        self._highwater = fetched.highwater
        if fetched.records:
            partition = self.claim.partition
            self._state = PartitionState.PROCESSING
            await self._agent.handler.process(
                Batch(partition.topic, partition.partition, fetched.records, fetched.position, fetched.highwater)
            )
        if fetched.records or fetched.position >= fetched.highwater:
            self._progress_at = time.monotonic()
        # Markers and compacted records at the end of a fetch move the position without a record to process.
        self.position = fetched.position

    async def stop(self, task: "asyncio.Future[None]", limit_seconds: float) -> None:
        """Let the batch in flight finish within the limit, else cancel it; raises EngineFault if it will not go."""
        self._told_to_stop = True
        if self._state is not PartitionState.PROCESSING or limit_seconds <= 0:
            task.cancel()
        _, pending = await asyncio.wait({task}, timeout=max(limit_seconds, CANCEL_SECONDS))
        if pending:
            task.cancel()
            _, pending = await asyncio.wait({task}, timeout=CANCEL_SECONDS)
        if pending:
            raise EngineFault("handler_stuck", f"The handler of {self.name} does not stop when it is cancelled.")

    async def tell_revoked(self) -> None:
        """Tell the handler, if it ever heard of the partition."""
        if self._handler_told:
            self._handler_told = False
            await self._agent.handler.revoked(self.claim.partition.partition)
