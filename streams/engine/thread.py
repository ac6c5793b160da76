"""The consumer's own thread: Faust's, plus fetches of one partition, fenced commits, the watch on heartbeats.

It reaches below the public surface of aiokafka 0.14.0 and Faust 0.15.3 (both pinned): each such place says why.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, NotCoordinatorForGroupError, for_code
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Transport
from faust.types import TP

from runtime.kafka.closing import close_in_time
from streams.engine.errors import EngineFault, OwnershipLost
from streams.engine.membership import Membership

if TYPE_CHECKING:
    from aiokafka.consumer.fetcher import Fetcher
    from aiokafka.consumer.group_coordinator import GroupCoordinator
    from aiokafka.consumer.subscription_state import Assignment, TopicPartitionState

Answer = TypeVar("Answer")

TOPIC_WAIT_SECONDS = 10.0
TOPIC_POLL_SECONDS = 0.2

FETCH_WAIT_SECONDS = 1.0
"""How long one ask for records waits before it looks again whether the partition is still ours."""

FETCH_MAX_WAIT_MILLISECONDS = 100
"""The broker's wait for data. Faust's 1,500 would hold back a partition that became free during another one's wait."""

FETCH_MAX_BYTES = 32 * 1024 * 1024

GATHER_MILLISECONDS = 10
GATHER_BYTES = 64 * 1024
FLOW_SECONDS = 1.0
"""While records flow, the broker gathers so much or so long before it answers; the first one after a calm is answered
at once. Without it each batch holds a record or two, and what a batch costs fills the processor at 200 entries a second
(`bench`, alert latency: p99 a quarter shorter with it).
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A partition of one assignment; it dies with the assignment, whatever is assigned next."""

    partition: TopicPartition
    assignment: "Assignment"
    generation: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the broker and the group know about a partition: first and end offset, and the group's offset."""

    beginning: int
    end: int
    committed: int | None


@dataclass(frozen=True, slots=True)
class Fetched:
    """Records (perhaps none) and the position after them."""

    records: list["ConsumerRecord[bytes | None, bytes | None]"]
    position: int
    highwater: int


def _readable_end(state: "TopicPartitionState") -> int | None:
    """Behind an open transaction nothing can be read: what lies there is not lag of ours."""
    end: int | None = state.highwater if state.lso is None or state.lso < 0 else state.lso
    return end


def demand_loaded_offsets(coordinator: "GroupCoordinator") -> None:
    """Let the client ask again when the group's coordinator answers the question for offsets with an error.

    A coordinator that still loads says so for the whole answer and names no partition. The client looks at the
    errors of partitions alone, so it would take that for a group that never committed anything.
    """
    send: Callable[[object], Awaitable[object]] = coordinator._send_req

    async def send_and_look(request: object) -> object:
        answer = await send(request)
        if isinstance(request, OffsetFetchRequest) and (code := getattr(answer, "error_code", 0)):
            error = for_code(code)
            if error is NotCoordinatorForGroupError:
                coordinator.coordinator_dead()
            raise error()
        return answer

    coordinator._send_req = send_and_look


class BatchConsumerThread(AIOKafkaConsumerThread):  # type: ignore[misc]  # Faust carries no types
    """Runs the aiokafka consumer; the methods called `*_here` run inside the thread."""

    batch_topics: frozenset[str] = frozenset()
    membership: Membership
    _found_at_seconds: float = 0.0
    _out_of_range: dict[TopicPartition, int]

    async def on_start(self) -> None:
        """Start the consumer, watch its membership and what it is told of offsets."""
        self._out_of_range = {}
        await super().on_start()
        self._watch_membership(self._ensure_consumer())
        demand_loaded_offsets(self._ensure_consumer()._coordinator)

    def _create_worker_consumer(self, transport: Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Faust fixes these three; aiokafka reads them when the consumer starts.
        consumer._fetch_max_wait_ms = FETCH_MAX_WAIT_MILLISECONDS
        consumer._fetch_max_bytes = FETCH_MAX_BYTES
        consumer._isolation_level = "read_committed"  # a customer's producer may use transactions and abort them
        close_in_time(consumer._client)
        return consumer

    def _watch_membership(self, consumer: AIOKafkaConsumer) -> None:
        # aiokafka tells nobody when a heartbeat was answered, so its coordinator's methods are wrapped.
        coordinator = consumer._coordinator
        heartbeat, reset, joined = (
            coordinator._do_heartbeat, coordinator.reset_generation, coordinator._on_join_complete,
        )  # fmt: skip

        async def watched_heartbeat() -> bool:
            asked_at_seconds = time.monotonic()
            success = bool(await heartbeat())
            if success:
                self.membership.renew(asked_at_seconds)
            return success

        def watched_reset() -> None:
            self.membership.lose()
            reset()

        async def watched_join(*arguments: object) -> None:
            self.membership.renew(time.monotonic())
            await joined(*arguments)

        coordinator._do_heartbeat = watched_heartbeat
        coordinator.reset_generation = watched_reset
        coordinator._on_join_complete = watched_join

    async def run_here(self, coroutine: Coroutine[object, object, Answer]) -> Answer:
        """Run in the consumer's thread, past Faust's queue of two workers: many partitions wait there at once."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self.thread_loop))

    async def seek_to_committed(self) -> Mapping[TP, int | None]:
        """Seek ordinary partitions only: a batch agent's store, not the group, says where its partition goes on."""
        found: Mapping[TP, int | None] = await self.call_thread(self._seek_ordinary_here)
        return found

    async def _seek_ordinary_here(self) -> Mapping[TP, int | None]:
        consumer = self._ensure_consumer()
        ordinary = [partition for partition in consumer.assignment() if partition.topic not in self.batch_topics]
        return dict(await consumer.seek_to_committed(*ordinary)) if ordinary else {}

    # ------------------------------------------------------------------------------------------------ batch partitions

    def claims(self) -> list[Claim]:
        """The batch partitions of the present assignment; none while a new one is being made."""
        subscriptions = self._ensure_consumer()._subscription
        subscription = subscriptions.subscription
        assignment = None if subscription is None else subscription.assignment
        if assignment is None or not assignment.active or subscriptions.reassignment_in_progress:
            return []
        generation = self._ensure_consumer()._coordinator.generation
        mine = sorted(partition for partition in assignment.tps if partition.topic in self.batch_topics)
        return [Claim(partition, assignment, generation) for partition in mine]

    def owns(self, claim: Claim) -> bool:
        """True while no rebalance has begun since the claim was made."""
        consumer = self._ensure_consumer()
        return (
            bool(claim.assignment.active)
            and not consumer._subscription.reassignment_in_progress
            and consumer._coordinator.generation == claim.generation
        )

    def highwater_of(self, claim: Claim) -> int | None:
        """The readable end of the partition as the last fetch told it."""
        return _readable_end(claim.assignment.state_value(claim.partition))

    async def bounds_here(self, claim: Claim) -> Bounds:
        """Ask broker and group. Raises OwnershipLost."""
        self._demand(claim)
        consumer, partition = self._ensure_consumer(), claim.partition
        try:
            committed = await consumer.committed(partition)
            beginning = await consumer.beginning_offsets([partition])
            end = await consumer.end_offsets([partition])
        except IllegalStateError as error:
            raise OwnershipLost(str(error)) from error
        return Bounds(beginning[partition], end[partition], committed)

    async def seek_here(self, claim: Claim, offset: int) -> None:
        """Go on reading at `offset`, and never be moved from it by the client's reset policy. Raises OwnershipLost."""
        self._demand(claim)
        state = claim.assignment.state_value(claim.partition)
        self._out_of_range.pop(claim.partition, None)

        def refuse(strategy: int) -> None:
            # The client would silently go to the earliest record; records that are gone have to be noticed instead.
            self._out_of_range[claim.partition] = state.position

        self._ensure_consumer()._fetcher.seek_to(claim.partition, offset)
        state.await_reset = refuse

    async def fetch_here(self, claim: Claim, position: int, records_max: int) -> Fetched:
        """Wait at most a second for records from `position` on. Raises OwnershipLost and EngineFault."""
        self._demand(claim)
        self._demand_position(claim, position)
        fetcher: Fetcher = self._ensure_consumer()._fetcher
        subscriptions = fetcher._subscriptions
        # Same as aiokafka's `fetch_context`, which miscounts when the waiting task is cancelled.
        subscriptions._fetch_count += 1
        try:
            found = await fetcher.fetched_records(
                {claim.partition}, timeout=FETCH_WAIT_SECONDS, max_records=records_max
            )
        finally:
            subscriptions._fetch_count -= 1
            subscriptions._last_fetch_ended = time.monotonic()
        self._gather_while_they_flow(fetcher, is_found=bool(found))
        self._demand(claim)
        state = claim.assignment.state_value(claim.partition)
        return Fetched(found.get(claim.partition, []), state.position, _readable_end(state) or state.position)

    def _gather_while_they_flow(self, fetcher: "Fetcher", *, is_found: bool) -> None:
        """Tell the fetcher how long the broker may gather; it looks at both before each request."""
        now_seconds = time.monotonic()
        if is_found:
            self._found_at_seconds = now_seconds
        is_flowing = now_seconds - self._found_at_seconds < FLOW_SECONDS
        fetcher._fetch_min_bytes = GATHER_BYTES if is_flowing else 1
        fetcher._fetch_max_wait_ms = GATHER_MILLISECONDS if is_flowing else FETCH_MAX_WAIT_MILLISECONDS

    async def commit_here(self, offsets: Mapping[TopicPartition, int], generation: int) -> bool:
        """Commit for partitions held in `generation`; False when the group moved on, which loses nothing."""
        consumer = self._ensure_consumer()
        if consumer._coordinator.generation != generation or not self.membership.member:
            return False
        try:
            await consumer.commit({at: OffsetAndMetadata(offset, "") for at, offset in offsets.items()})
        except (CommitFailedError, IllegalStateError):
            return False
        return True

    async def missing_topics(self, topics: Iterable[str]) -> list[str]:
        """Topics the broker does not have; Faust only logs them and would never consume them.

        One that is missing is asked for again: a broker that has just come back does not know all of its cluster yet.
        """
        missing = self._unknown(topics)
        until_seconds = time.monotonic() + TOPIC_WAIT_SECONDS
        while missing and time.monotonic() < until_seconds:
            await self.run_here(self._refresh_cluster())
            await asyncio.sleep(TOPIC_POLL_SECONDS)
            missing = self._unknown(missing)
        return missing

    async def _refresh_cluster(self) -> None:
        # Faust refreshes what it knows of the cluster every few minutes, and there is no public way to ask for it.
        await self._ensure_consumer()._client.force_metadata_update()

    def _unknown(self, topics: Iterable[str]) -> list[str]:
        cluster = self._ensure_consumer()._client.cluster
        return sorted(topic for topic in topics if not cluster.partitions_for_topic(topic))

    def _demand(self, claim: Claim) -> None:
        if not self.owns(claim):
            raise OwnershipLost(f"{claim.partition.topic}-{claim.partition.partition} of generation {claim.generation}")

    def _demand_position(self, claim: Claim, position: int) -> None:
        where = f"{claim.partition.topic}-{claim.partition.partition}"
        if claim.partition in self._out_of_range:
            raise EngineFault(
                "records_gone",
                f"The broker no longer has {where} at offset {position}.",
                "Restore the topic, or remove the store so that it is rebuilt from what is left.",
            )
        found = claim.assignment.state_value(claim.partition).position
        if found != position:
            raise EngineFault("position_moved", f"The read position of {where} moved from {position} to {found}.")
