"""Faust's consumer with a second way out: batch topics go whole to handlers, all others to streams as before.

One group, one assignment, one life cycle. Batch partitions start when Faust has finished a rebalance and the recovery
of its tables, and are given up before Faust gives up its own (design sections 2 and 3).
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from faust.transport.drivers.aiokafka import Consumer
from faust.types import TP
from mode import Service

from schemas.errors import ConfigurationError
from streams.engine.batch import PartitionProgress
from streams.engine.errors import EngineFault
from streams.engine.pump import Pump
from streams.engine.thread import BatchConsumerThread

if TYPE_CHECKING:
    from streams.engine.app import EngineApp

COMMIT_LIMIT_SECONDS = 5.0
EMPTY_LIMIT_SECONDS = 10.0
"""How long the events of ordinary agents may take when a partition is given up; well below the limit of a stop."""


class BatchConsumer(Consumer):  # type: ignore[misc]  # Faust carries no types
    """See the module; `app.batch_agents` says which topics are batch topics."""

    app: "EngineApp"

    def _new_consumer_thread(self) -> BatchConsumerThread:
        self._pumps: dict[Pump, asyncio.Future[None]] = {}
        self._commit_lock = asyncio.Lock()
        self._begin_lock = asyncio.Lock()
        thread = BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)
        thread.batch_topics = frozenset(self.app.batch_agents)
        thread.membership = self.app.membership
        return thread

    @property
    def batch_thread(self) -> BatchConsumerThread:
        """The consumer's thread, by its real type."""
        return cast("BatchConsumerThread", self._thread)

    # --------------------------------------------------------------------------------------------- the life of a pump

    def begin_batches(self) -> None:
        """Called by the app when a rebalance and the recovery after it are done."""
        self.add_future(self._begin())

    async def _begin(self) -> None:
        async with self._begin_lock:
            missing = await self.batch_thread.missing_topics(self.app.batch_agents)
            if missing:
                raise ConfigurationError(
                    "topic_missing", f"The broker has no topic {', '.join(missing)}.", "Create the topics, then start."
                )
            await self._give_up(0)
            for claim in self.batch_thread.claims():
                pump = Pump(self.batch_thread, self.app.batch_agents[claim.partition.topic], claim)
                self._pumps[pump] = self.add_future(pump.run())
            self.app.assignments += 1

    async def _give_up(self, limit_seconds: float) -> None:
        """End every pump: finish what is in flight within the limit, commit what was done, tell the handlers."""
        pumps = dict(self._pumps)
        self._pumps.clear()
        if not pumps:
            return
        patience_seconds = limit_seconds if self.app.membership.member else 0
        await asyncio.gather(*(pump.stop(task, patience_seconds) for pump, task in pumps.items()))
        await self._commit_positions(list(pumps))
        for pump in pumps:
            await pump.tell_revoked()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Give up batch partitions first, then Faust's; errors are ours to report, aiokafka would only log them."""
        try:
            await self._give_up(self.app.engine_settings.revoke_limit_seconds)
        except EngineFault as fault:
            await self.crash(fault)
        await super().on_partitions_revoked(revoked)

    async def wait_empty(self) -> None:
        """Faust asks for this when it stops: finish the batches in flight, then the events of ordinary agents."""
        try:
            await self._give_up(self.app.engine_settings.revoke_limit_seconds)
        except EngineFault as fault:
            await self.crash(fault)
        emptying = asyncio.ensure_future(super().wait_empty())
        done, _ = await asyncio.wait({emptying}, timeout=EMPTY_LIMIT_SECONDS)
        if not done:
            # A stop empties the agents' queues, and Faust may wait for ever for a record that was on its way into one.
            # It was not acknowledged, so it is read again by whoever comes next. Cancelling would be swallowed.
            self.log.warning("%s records of ordinary agents are left to the next owner.", len(self._unacked_messages))
            self._unacked_messages.clear()
        await emptying

    # --------------------------------------------------------------------------------------------------------- offsets

    @Service.task  # type: ignore[untyped-decorator]
    async def _commit_batches(self) -> None:
        interval_seconds = self.app.engine_settings.commit_interval_milliseconds / 1000
        while not self.should_stop:
            await self.sleep(interval_seconds)
            await self._commit_positions(list(self._pumps))

    async def _commit_positions(self, pumps: Sequence[Pump]) -> None:
        async with self._commit_lock:
            due = [(pump, pump.position) for pump in pumps if pump.position not in (None, pump.committed)]
            if not due:
                return
            generation = due[0][0].claim.generation
            offsets = {pump.claim.partition: position for pump, position in due}
            try:
                async with asyncio.timeout(COMMIT_LIMIT_SECONDS):
                    done = await self.batch_thread.run_here(self.batch_thread.commit_here(offsets, generation))
            except TimeoutError:
                # The store, not the group, says where a fold goes on; others read a little again.
                self.log.warning("The group coordinator did not answer; offsets are committed later.")
                return
            if done:
                for pump, position in due:
                    pump.committed = position

    def batch_progress(self) -> tuple[PartitionProgress, ...]:
        """Position, lag and age of the last progress of each batch partition this worker owns."""
        return tuple(pump.progress() for pump in self._pumps)

    # ---------------------------------------------------------------------------------------- leaving the rest to Faust

    async def _getmany(
        self,
        active_partitions: set[TP] | None,
        timeout: float,  # noqa: ASYNC109  # Faust's signature
    ) -> Mapping[TP, list[object]]:
        batch_topics = self.batch_thread.batch_topics
        ordinary = {partition for partition in active_partitions or () if partition.topic not in batch_topics}
        if not ordinary:
            # An empty set means "everything" to the client, and would take the records away from the pumps.
            await self.sleep(timeout)
            return {}
        found: Mapping[TP, list[object]] = await super()._getmany(ordinary, timeout)
        return found

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust's complaint about slow streams makes no sense for a partition that has none."""
        if tp.topic not in self.batch_thread.batch_topics:
            super().verify_event_path(now, tp)
