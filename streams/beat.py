"""The slow beat of a worker's apps: gauges, how far the start has come, and the clock tick of a book it owns."""

import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from aiokafka.errors import KafkaError

from runtime.clock import Clock
from runtime.health import Health
from schemas.canonical import deterministic_id
from schemas.codec import encode
from schemas.envelope import Envelope
from schemas.inputs import ClockTick
from streams.agents.fold import FoldHandler
from streams.engine.batch import PartitionProgress, PartitionState
from streams.engine.errors import OwnershipLost, PublishUnknown
from streams.engine.publisher import Outgoing, Publisher
from streams.metering import Meter
from streams.topics import COMMANDS, JOURNAL, book_name, book_partition

BEAT_SECONDS = 5.0
STARTING_BEAT_SECONDS = 0.25

log = logging.getLogger(__name__)


class BeatingApp(Protocol):
    """What the beat needs of an app."""

    assignments: int

    @property
    def should_stop(self) -> bool:
        """True once the app is told to stop."""

    def batch_progress(self) -> Iterable[PartitionProgress]:
        """Numbers of each batch partition that is ours."""

    async def sleep(self, seconds: float) -> None:
        """Sleep, but not beyond the app's end."""


class StartUp:
    """Tells health that the process has started once each of its roles has said so."""

    def __init__(self, health: Health, roles: Iterable[str]) -> None:
        self._health = health
        self._waiting = set(roles)

    def finished(self, role: str) -> None:
        """A role has its partitions and is done with what it had to recover."""
        if role in self._waiting:
            self._waiting.remove(role)
            if not self._waiting:
                self._health.started()

    def applied(self, done: int, total: int) -> None:
        """How many journal records are applied again."""
        if self._waiting:
            self._health.starting(done=done, total=total)


def has_partitions(app: BeatingApp) -> bool:
    """Whether the group gave this app its partitions, perhaps none, and each goes on where it has to."""
    return app.assignments > 0 and all(one.state is not PartitionState.STARTING for one in app.batch_progress())


def has_recovered(app: BeatingApp, fold: FoldHandler) -> bool:
    """Whether all journals that are ours were applied to the ends that they had when they were given to us."""
    journals = {one.partition for one in app.batch_progress() if one.topic == JOURNAL}
    recovery = fold.recovery()
    return has_partitions(app) and journals <= recovery.partitions and not recovery.behind


@dataclass(slots=True)
class Beat:
    """The beat of one app. `more` is what only this app does on each beat."""

    app: BeatingApp
    role: str
    start_up: StartUp
    is_ready: Callable[[], bool]
    meter: Meter
    more: Callable[[], Awaitable[None]] | None = None
    _started: bool = False
    _assignments: int = 0

    async def run(self) -> None:
        """Beat until the app stops; quickly at first, so that a probe hears soon that we have started."""
        while not self.app.should_stop:
            await self.once()
            await self.app.sleep(BEAT_SECONDS if self._started else STARTING_BEAT_SECONDS)

    async def once(self) -> None:
        """One beat."""
        self.meter.lags(self.app.batch_progress())
        self.meter.rebalanced(self.app.assignments - self._assignments)
        self._assignments = self.app.assignments
        if not self._started and self.is_ready():
            self._started = True
            self.start_up.finished(self.role)
        if self.more is not None:
            await self.more()


@dataclass(slots=True)
class BookBeat:
    """What a worker does for the book whose journal it folds: gauges of its rows, and the passing of time."""

    tenant: str
    book: str
    partitions: int
    tick_seconds: int
    clock: Clock
    publisher: Publisher
    fold: FoldHandler
    meter: Meter
    on_progress: Callable[[int, int], None]
    _ticked_seconds: float = float("-inf")

    async def once(self) -> None:
        """Tick when it is time, if the book is ours and has caught up."""
        recovery = self.fold.recovery()
        self.on_progress(recovery.done, recovery.total)
        home = book_partition(self.tenant, self.book, self.partitions)
        now_seconds = self.clock.monotonic_seconds()
        if not self.fold.owns(home) or now_seconds - self._ticked_seconds < self.tick_seconds:
            return
        rows = self.fold.rows(home)
        if rows is not None:
            await self.meter.rows(rows, self.tenant, self.book)
        try:
            await self.publisher.publish([self._tick(home)])
        except (OwnershipLost, PublishUnknown, KafkaError) as error:
            # Whether the worker can go on is for the engine to say; the next owner, or the next beat, ticks.
            log.warning("No tick this time: %s", error)
            return
        self._ticked_seconds = now_seconds

    def _tick(self, home: int) -> Outgoing:
        """The passing of time as a record: what is due is decided by the fold that reads it."""
        now = self.clock.now()
        identity = {"tenant": self.tenant, "book": self.book, "at": now}
        record = ClockTick(
            envelope=Envelope(
                event_id=deterministic_id("tick", identity),
                tenant=self.tenant,
                book=self.book,
                origin="clock",
                recorded_at=now,
                producer="billstream-streams/1",
            ),
            at=now,
        )
        return Outgoing(COMMANDS, home, book_name(self.tenant, self.book).encode(), encode(record))
