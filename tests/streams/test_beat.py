"""The beat of a worker: when it says that it is ready, and what a failed tick does to it (operations section 13)."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest
from aiokafka.errors import KafkaConnectionError

from books.stores.memory import MemoryStore
from books.version import FOLD_VERSION
from runtime.clock import SimulatedClock
from runtime.health import Health
from runtime.metrics import Build, Metrics
from schemas.codec import decode
from schemas.inputs import ClockTick
from streams.agents.fold import FoldHandler, FoldSettings
from streams.beat import Beat, BookBeat, StartUp, has_partitions, has_recovered
from streams.engine.batch import PartitionProgress, PartitionState
from streams.engine.errors import OwnershipLost, PublishUnknown
from streams.engine.publisher import Outgoing
from streams.metering import Meter, deliveries_check, label_values, partitions_check
from streams.topics import ALERTS, DOCUMENTS, HOURS, JOURNAL, TIME_ENTRIES

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
TENANT, BOOK = "firm", "main"


class Line:
    """A publisher whose next calls fail as told."""

    def __init__(self) -> None:
        self.published: list[Outgoing] = []
        self.faults: list[Exception] = []

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        """See `Publisher`."""
        if self.faults:
            raise self.faults.pop(0)
        self.published += outgoing


class Tails:
    """A journal that ends where the test says."""

    def __init__(self, end: int = 0) -> None:
        self.end = end

    async def journal_bounds(self, partition: int) -> tuple[int, int]:
        """See `Tails`."""
        return 0, self.end

    async def journal_fingerprint(self, partition: int, offset: int) -> str | None:
        """See `Tails`."""
        return None

    async def highest_origins(self, partition: int) -> dict[str, int]:
        """See `Tails`."""
        return dict.fromkeys((DOCUMENTS, ALERTS, HOURS), -1)


class App:
    """An app with the partitions that the test gives it."""

    def __init__(self) -> None:
        self.assignments = 0
        self.partitions: list[PartitionProgress] = []
        self.should_stop = False

    def batch_progress(self) -> Sequence[PartitionProgress]:
        """See `EngineApp`."""
        return self.partitions

    async def sleep(self, seconds: float) -> None:
        """See `EngineApp`: one beat is enough."""
        self.should_stop = True

    def give(self, topic: str, partition: int, state: PartitionState = PartitionState.WAITING) -> None:
        """Assign a partition."""
        self.assignments += 1
        self.partitions.append(PartitionProgress("agent", topic, partition, state, 0, None, 0, 0.0))


class Delivering:
    """A delivery that takes as long as told."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def busy_seconds(self) -> float:
        """See `DeliverAgent`."""
        return self.seconds


@pytest.fixture
def clock() -> SimulatedClock:
    """Noon."""
    return SimulatedClock(NOON)


@pytest.fixture
def metrics() -> Metrics:
    """Metrics of a worker."""
    return Metrics(label_values(["toggl"], []), Build("1", "", "3"))


@pytest.fixture
def meter(metrics: Metrics, clock: SimulatedClock) -> Meter:
    """A meter of a worker."""
    return Meter(metrics, clock)


@pytest.fixture
def line() -> Line:
    """A publisher without faults."""
    return Line()


@pytest.fixture
def make_fold(line: Line) -> Callable[[int], FoldHandler]:
    """Makes a fold whose journals end at an offset."""

    def make(end: int) -> FoldHandler:
        return FoldHandler(
            FoldSettings(TENANT, BOOK, 4),
            lambda partition: MemoryStore(FOLD_VERSION),
            line,  # type: ignore[arg-type]  # publishes to memory
            Tails(end),
        )

    return make


def home_of(line: Line, clock: SimulatedClock, meter: Meter, fold: FoldHandler) -> BookBeat:
    """The beat of a book in an installation of one partition."""
    return BookBeat(TENANT, BOOK, 1, 60, clock, line, fold, meter, lambda done, total: None)  # type: ignore[arg-type]


async def test_every_role_has_to_start(meter: Meter) -> None:
    """Health hears of a start once the last role of the process has its partitions, not before."""
    health = Health()
    start_up = StartUp(health, ("conveyor", "deliver"))
    app = App()
    beats = [Beat(app, role, start_up, lambda: has_partitions(app), meter) for role in ("conveyor", "deliver")]
    await beats[0].once()
    assert not health.start_up().finished
    app.assignments = 1
    await beats[0].once()
    assert not health.start_up().finished
    await beats[1].once()
    assert health.start_up().finished


async def test_a_worker_without_the_home_partition_is_ready(
    meter: Meter, make_fold: Callable[[int], FoldHandler]
) -> None:
    """A second worker, with other partitions or with none, serves as well as the owner of the book."""
    app, fold = App(), make_fold(0)
    assert not has_recovered(app, fold)
    app.assignments = 1
    assert has_recovered(app, fold)
    app.give(JOURNAL, 3)
    assert not has_recovered(app, fold)
    await fold.assigned(3, None)
    assert has_recovered(app, fold)


async def test_nobody_is_ready_before_the_recovery_ended(make_fold: Callable[[int], FoldHandler]) -> None:
    """A journal that has to be applied again, or a partition that is still looked up, is not readiness."""
    app, fold = App(), make_fold(7)
    app.give(JOURNAL, 0)
    await fold.assigned(0, None)
    assert not has_recovered(app, fold)
    finding = await partitions_check(app, lambda: fold.recovery().behind)
    assert (finding.ok, finding.reason) == (False, "journal 0 is being applied again")
    other = App()
    other.give(TIME_ENTRIES, 0, PartitionState.STARTING)
    assert not has_partitions(other)


async def test_a_worker_that_no_partition_fell_to_is_ready() -> None:
    """It stands by; before the group has dealt anything it is not."""
    app = App()
    assert not (await partitions_check(app)).ok
    app.assignments = 1
    assert (await partitions_check(app)).ok


@pytest.mark.parametrize(
    "fault", [OwnershipLost("put out"), PublishUnknown("no answer"), KafkaConnectionError("no broker")]
)
async def test_the_beat_outlives_its_tick(
    fault: Exception, line: Line, clock: SimulatedClock, meter: Meter, make_fold: Callable[[int], FoldHandler]
) -> None:
    """A lost membership or a silent broker is the engine's to judge; the tick comes again with the next beat."""
    fold = make_fold(0)
    await fold.assigned(0, None)
    beat = home_of(line, clock, meter, fold)
    line.faults.append(fault)
    await beat.once()
    assert line.published == []
    await beat.once()
    assert [type(decode(one.value)) for one in line.published] == [ClockTick]
    await beat.once()
    assert len(line.published) == 1, "a minute has not passed yet"


async def test_a_bug_in_the_beat_stops_the_worker(
    line: Line, clock: SimulatedClock, meter: Meter, make_fold: Callable[[int], FoldHandler]
) -> None:
    """What nobody foresaw is not hidden."""
    fold = make_fold(0)
    await fold.assigned(0, None)
    line.faults.append(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        await home_of(line, clock, meter, fold).once()


async def test_no_tick_before_the_book_has_caught_up(
    line: Line, clock: SimulatedClock, meter: Meter, make_fold: Callable[[int], FoldHandler]
) -> None:
    """Time passes for a book only where its journal is applied to the end."""
    fold = make_fold(7)
    await fold.assigned(0, None)
    await home_of(line, clock, meter, fold).once()
    assert line.published == []


async def test_rebalances_are_counted(meter: Meter, metrics: Metrics) -> None:
    """Each new assignment is one."""
    app = App()
    beat = Beat(app, "conveyor", StartUp(Health(), ("conveyor",)), lambda: False, meter)
    for _ in range(3):
        app.assignments += 1
        await beat.once()
    await beat.run()
    assert metrics.registry.get_sample_value("billstream_rebalances_total") == 3


async def test_a_delivery_that_hangs_is_seen() -> None:
    """Deliveries have a check of their own: assigned, and none under way for longer than any patience."""
    app = App()
    assert not (await deliveries_check(app, Delivering(0))).ok
    app.assignments = 1
    assert (await deliveries_check(app, Delivering(120))).ok
    assert not (await deliveries_check(app, Delivering(1_000))).ok
