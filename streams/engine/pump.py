"""One partition of one batch agent: resume, then fetch, process, fetch, ... strictly one batch at a time.

It pulls: nothing is fetched for the handler while it works, beyond the one response the client reads ahead. Batches
whose outputs are on their way to the broker settle behind it, in order, a few at most.
"""

import asyncio
import time
from collections import deque

from streams.engine.batch import Batch, BatchAgent, PartitionProgress, PartitionState, Settling, settled
from streams.engine.errors import EngineFault, OwnershipLost
from streams.engine.thread import BatchConsumerThread, Bounds, Claim, Fetched

CANCEL_SECONDS = 3.0
"""A cancelled handler has to roll back and return within this time."""


class Pump:
    """The life of one partition in this worker, from one assignment to its end."""

    def __init__(self, thread: BatchConsumerThread, agent: BatchAgent, claim: Claim) -> None:
        self.claim = claim
        self.position: int | None = None
        """Below it everything is settled, so this may be committed."""
        self.committed: int | None = None
        self._read_position = 0
        self._settling: deque[tuple[int, Settling]] = deque()
        self._fetching: asyncio.Future[Fetched] | None = None
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
            await self._settle_all_but(0)
        except OwnershipLost:
            # The rebalance that took the partition is under way; its new owner reads again from the last commit.
            return
        finally:
            await self._drop_unsettled()
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
        self.position = self._read_position = start
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
        await self._settle_all_but(self._agent.settling_max - 1)
        fetched = await self._fetch()
        if fetched is None:
            return
        if not self._thread.owns(self.claim):
            raise OwnershipLost(f"{self.name} while it waited for records")
        self._raise_failed()  # Nothing may be written behind a batch that perhaps was not: the order would be another.
        self._highwater = fetched.highwater
        settling: Settling | None = None
        if fetched.records:
            partition = self.claim.partition
            self._state = PartitionState.PROCESSING
            settling = await self._agent.handler.process(
                Batch(partition.topic, partition.partition, fetched.records, fetched.position, fetched.highwater)
            )
        elif fetched.position >= fetched.highwater:
            self._progress_at = time.monotonic()
        # Markers and compacted records at the end of a fetch move the position without a record to process.
        self._read_position = fetched.position
        self._settle_later(fetched.position, settling)

    async def _fetch(self) -> Fetched | None:
        """The next records, perhaps none; None when the pump was told to stop while it waited."""
        self._state = PartitionState.WAITING
        self._fetching = asyncio.ensure_future(
            self._thread.run_here(self._thread.fetch_here(self.claim, self._read_position, self._agent.records_max))
        )
        try:
            return await self._fetching
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return None  # only the fetch was cancelled
        finally:
            self._fetching.cancel()

    # ------------------------------------------------------------------------------------------------------- settling

    def _settle_later(self, position: int, settling: Settling | None) -> None:
        settling = settling or settled()
        self._settling.append((position, settling))
        settling.add_done_callback(self._move_on)
        self._move_on(settling)

    def _move_on(self, _: Settling) -> None:
        """Move the position past the batches that are settled, in order; a failed one stops it for good.

        One that is settled before its turn waits with the one in front of it, and counts no more.
        """
        waiting: deque[tuple[int, Settling]] = deque()
        for position, settling in self._settling:
            if not self._is_settled(settling):
                waiting.append((position, settling))
            elif waiting:
                waiting[-1] = (position, waiting[-1][1])
            else:
                self.position = position
                self._progress_at = time.monotonic()
        self._settling = waiting

    @staticmethod
    def _is_settled(settling: Settling) -> bool:
        return settling.done() and not settling.cancelled() and settling.exception() is None

    async def _settle_all_but(self, kept: int) -> None:
        """Wait for the oldest batches until only so many are on their way. Raises what one of them failed with."""
        self._raise_failed()
        while len(self._settling) > kept:
            _, oldest = self._settling[0]
            await oldest
            self._move_on(oldest)

    def _raise_failed(self) -> None:
        for _, settling in self._settling:
            if settling.done():
                settling.result()

    async def _drop_unsettled(self) -> None:
        """Nobody waits for them any more: what is still queued must not be written later."""
        left = [settling for _, settling in self._settling]
        self._settling.clear()
        for settling in left:
            settling.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def stop(self, task: "asyncio.Future[None]", limit_seconds: float) -> None:
        """Let what is in flight finish within the limit, else cancel it; raises EngineFault if it will not go."""
        self._told_to_stop = True
        if limit_seconds <= 0 or self._state is PartitionState.STARTING:
            task.cancel()
        elif self._fetching is not None:
            self._fetching.cancel()
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
