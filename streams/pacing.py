"""The pace of a back-fill: old entries that are imported by the thousand wait while live work would wait for them.

It is seen from outside, by what the workers' groups have done of their topics, so an importer on any machine keeps to
it. Where nobody works, nobody is held up, and nothing is waited for.
"""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata

from runtime.clock import Clock
from runtime.kafka.admin import admin_client
from runtime.kafka.connection import KafkaConnection

LOOK_SECONDS = 0.2
"""Between two looks while a back-fill waits; also how exactly the lag is known."""
IDLE_SECONDS = 15.0
"""Nothing was done of what waits for so long: no worker is there to be held up."""
MARKS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a group has come in a partition, None before its first commit, and where the partition ends."""

    done: int | None
    end: int


Place = tuple[str, str, int]
"""Group, topic, partition."""
Look = Callable[[], Awaitable[Mapping[Place, Standing]]]


class LiveLag:
    """How long ago something was seen at a partition's end that is not done yet; 0.0 when all is."""

    def __init__(self) -> None:
        self._marks: dict[Place, deque[tuple[float, int]]] = {}

    def see(self, now_seconds: float, standings: Mapping[Place, Standing]) -> float:
        """Take in a look; returns the longest lag of all places, in seconds."""
        return max((self._lag(now_seconds, place, one) for place, one in standings.items()), default=0.0)

    def _lag(self, now_seconds: float, place: Place, standing: Standing) -> float:
        if standing.done is None:
            return 0.0
        marks = self._marks.setdefault(place, deque(maxlen=MARKS_MAX))
        if standing.end > (marks[-1][1] if marks else standing.done) and len(marks) < MARKS_MAX:
            marks.append((now_seconds, standing.end))
        while marks and marks[0][1] <= standing.done:
            marks.popleft()
        return now_seconds - marks[0][0] if marks else 0.0


@dataclass(frozen=True, slots=True)
class PaceLimits:
    """A back-fill waits while live work is `live_lag_seconds` behind, and goes on at half of that.

    It never has more than `ahead_records` records on their way that the workers have not done.
    """

    live_lag_seconds: float = 2.0
    ahead_records: int = 5_000


@dataclass(frozen=True, slots=True)
class Waited:
    """What a back-fill was held up for: how far live work is behind, and how long it has waited since it was last
    told.
    """

    live_lag_seconds: float
    waited_seconds: float


class Pace:
    """Asked before each part of a back-fill: `turn` returns when it may be published."""

    def __init__(
        self,
        look: Look,
        clock: Clock,
        limits: PaceLimits | None = None,
        on_look: Callable[[Waited], None] = lambda waited: None,
    ) -> None:
        self._look = look
        self._clock = clock
        self._limits = limits or PaceLimits()
        self._on_look = on_look
        self._lag = LiveLag()
        self._done = -1
        self._moved_seconds = clock.monotonic_seconds()

    async def turn(self) -> None:
        """Wait while live work is behind, as long as somebody works."""
        lag_limit_seconds, waited_seconds = self._limits.live_lag_seconds, 0.0
        while True:
            standings = await self._look()
            now_seconds = self._clock.monotonic_seconds()
            lag_seconds = self._lag.see(now_seconds, standings)
            self._on_look(Waited(lag_seconds, waited_seconds))
            is_behind = lag_seconds > lag_limit_seconds or self._ahead(standings) >= self._limits.ahead_records
            if not is_behind or not self._is_worked(now_seconds, standings):
                return
            lag_limit_seconds = self._limits.live_lag_seconds / 2
            await self._clock.sleep(LOOK_SECONDS)
            waited_seconds = self._clock.monotonic_seconds() - now_seconds

    @staticmethod
    def _ahead(standings: Mapping[Place, Standing]) -> int:
        return max((one.end - one.done for one in standings.values() if one.done is not None), default=0)

    def _is_worked(self, now_seconds: float, standings: Mapping[Place, Standing]) -> bool:
        done = sum(one.done for one in standings.values() if one.done is not None)
        if done != self._done:
            self._done, self._moved_seconds = done, now_seconds
        return now_seconds - self._moved_seconds < IDLE_SECONDS


@asynccontextmanager
async def standings_of(
    connection: KafkaConnection, reads: Mapping[str, Sequence[str]], partitions: int
) -> AsyncIterator[Look]:
    """A look at groups and the topics they read, over connections that stay open for the length of the block.

    Raises Unavailable when the cluster does not answer.
    """
    consumer = AIOKafkaConsumer(**connection.client_arguments(), enable_auto_commit=False)
    async with admin_client(connection) as admin:
        try:
            await consumer.start()

            async def look() -> Mapping[Place, Standing]:
                found: dict[Place, Standing] = {}
                for group, topics in reads.items():
                    committed = await _committed(admin, group)
                    places = [TopicPartition(topic, number) for topic in topics for number in range(partitions)]
                    ends = await consumer.end_offsets(places)
                    for place in places:
                        at = committed.get(place)
                        done = None if at is None or at.offset < 0 else int(at.offset)
                        found[group, place.topic, place.partition] = Standing(done, int(ends[place]))
                return found

            yield look
        finally:
            await consumer.stop()


async def _committed(admin: AIOKafkaAdminClient, group: str) -> Mapping[TopicPartition, OffsetAndMetadata]:
    """What a group has committed: nothing as long as its coordinator is not there, as in a new cluster."""
    try:
        found: Mapping[TopicPartition, OffsetAndMetadata] = await admin.list_consumer_group_offsets(group)
    except KafkaError as error:
        if not error.retriable:
            raise
        return {}
    return found
