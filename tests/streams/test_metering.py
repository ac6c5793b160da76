"""What agents tell metrics: each number follows from what happened, and none is there that nobody keeps true."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from books.testing import BOOK, TENANT, Story, entry, envelope
from runtime.clock import SimulatedClock
from runtime.kafka.connection import KafkaConnection
from runtime.metrics import Build, Metrics
from schemas.errors import Rejected
from schemas.inputs import DeliveryState, SourceWatermark
from streams import metering
from streams.agents import deliver, hours
from streams.agents.fold import Applied
from streams.engine.app import EngineApp, EngineSettings, create_app
from streams.engine.batch import PartitionProgress, PartitionState
from streams.engine.guard import GuardedAgent, RawRecord
from streams.metering import Meter, label_values

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
Sample = Callable[..., float | None]


@pytest.fixture
def metrics() -> Metrics:
    """Metrics of a worker with one source and one sink."""
    return Metrics(label_values(["toggl"], ["json_file"]), Build("1", "", "3"))


@pytest.fixture
def sample(metrics: Metrics) -> Sample:
    """Reads a value as a scraper would."""

    def read(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(f"billstream_{name}", labels)

    return read


@pytest.fixture
def clock() -> SimulatedClock:
    """Noon."""
    return SimulatedClock(NOON)


@pytest.fixture
def meter(metrics: Metrics, clock: SimulatedClock) -> Meter:
    """The meter of a worker."""
    return Meter(metrics, clock)


def test_entries_are_counted_by_what_they_changed(meter: Meter, sample: Sample) -> None:
    """Of three versions one changed nothing: it is a duplicate of its source, and the batch's time is known."""
    versions = [entry("a"), entry("b"), entry("a")]
    meter.applied(Applied(records=[*versions], ignored=versions[2:], seconds=0.03))
    assert sample("entries_settled_total", outcome="applied") == 2
    assert sample("entries_settled_total", outcome="ignored") == 1
    assert sample("duplicates_ignored_total", source="toggl") == 1
    assert sample("entry_processing_seconds_sum", stage="fold") == pytest.approx(0.01)
    assert sample("entry_processing_seconds_count", stage="fold") == 1


def test_a_batch_without_entries_has_no_time_for_one(meter: Meter, sample: Sample) -> None:
    """A recovery, or a batch of ticks, says nothing about entries."""
    meter.applied(Applied(seconds=3.0))
    assert sample("entry_processing_seconds_count", stage="fold") == 0


def test_a_source_was_read_when_its_watermark_was_made(meter: Meter, sample: Sample) -> None:
    """A connector that stands still is seen by a time that stands still."""
    meter.accepted([SourceWatermark(envelope=envelope("w", NOON), source="toggl", account="a", seen_until=NOON)])
    assert sample("connector_last_success_timestamp_seconds", source="toggl") == NOON.timestamp()


def test_a_delivery_is_counted_and_timed(meter: Meter, sample: Sample) -> None:
    """By sink and by how it ended."""
    meter.delivered("json_file", DeliveryState.DELIVERED, 0.4)
    assert sample("sink_requests_total", sink="json_file", outcome="delivered") == 1
    assert sample("sink_request_seconds_sum", sink="json_file", outcome="delivered") == 0.4


def test_deliveries_in_hand_are_shown_by_sink(meter: Meter, sample: Sample) -> None:
    """So that a sink that hangs is seen before others wait for it."""
    meter.held({"json_file": 7}, 0.25)
    assert (sample("deliveries_held", sink="json_file"), sample("deliveries_held_ratio")) == (7, 0.25)
    meter.held({"json_file": 0}, 0.0)
    assert (sample("deliveries_held", sink="json_file"), sample("deliveries_held_ratio")) == (0, 0)


def test_recoveries_and_rebalances_are_counted(meter: Meter, sample: Sample) -> None:
    """A restart that takes too long is seen against its objective."""
    meter.recovered(2.0)
    meter.rebalanced(2)
    assert (sample("recovery_seconds_sum"), sample("rebalances_total")) == (2.0, 2)


async def test_the_oldest_draft_ages(meter: Meter, clock: SimulatedClock, sample: Sample) -> None:
    """From the record that made it; a state without documents has age 0, and totals are found to be whole."""
    story = Story().begin()
    story.say(entry("a"))
    story.close()
    made_at = story.journal.records[-1].envelope.recorded_at
    clock.advance((made_at + timedelta(hours=900) - clock.now()).total_seconds())
    await meter.rows(story.journal.rows, TENANT, BOOK)
    assert sample("draft_oldest_seconds", kind="draft") == 900 * 3600
    assert sample("draft_oldest_seconds", kind="approved") == 0
    assert sample("conservation_difference", kind="time") == 0
    story.approve(story.document())
    await meter.rows(story.journal.rows, TENANT, BOOK)
    assert (sample("drafts", kind="draft"), sample("draft_oldest_seconds", kind="draft")) == (0, 0)
    assert sample("draft_oldest_seconds", kind="approved") == 900 * 3600


def test_a_partition_that_was_taken_away_is_not_behind(meter: Meter, sample: Sample) -> None:
    """Its new owner tells; the old number would stand for ever."""
    mine = PartitionProgress("fold", "journal", 3, PartitionState.WAITING, 0, None, 7, 1.0)
    meter.lags([mine])
    assert sample("consumer_lag_records", topic="journal", partition="3") == 7
    meter.lags([])
    assert sample("consumer_lag_records", topic="journal", partition="3") is None


def test_a_delivery_that_waits_is_no_lag_of_work(meter: Meter, sample: Sample) -> None:
    """`work` has two readers and one gauge: it says how far decisions are behind."""
    meter.lags([PartitionProgress("deliver", "work", 0, PartitionState.WAITING, 0, None, 7, 90.0)])
    assert sample("consumer_lag_records", topic="work", partition="0") is None


@pytest.fixture
def app(tmp_path: Path) -> Callable[[], EngineApp]:
    """Makes an app that is never started."""
    return lambda: create_app(
        EngineSettings("metering", tmp_path, KafkaConnection(bootstrap_servers="localhost:1").client_arguments())
    )


@pytest.mark.parametrize("module", [hours, deliver])
async def test_letters_of_guarded_agents_are_counted(
    module: object, app: Callable[[], EngineApp], meter: Meter, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`hours` and `deliver` write dead letters too: each is counted under its topic and reason."""
    made: list[GuardedAgent] = []
    installs = "install_guarded_agent" if module is hours else "install_side_by_side"
    monkeypatch.setattr(module, installs, lambda app, agent, *how: made.append(agent))
    one = app()
    if module is hours:
        hours.install(one, one.new_publisher(), TENANT, BOOK, 1, meter.dead_letter)
    else:
        connection = KafkaConnection(bootstrap_servers="localhost:1")
        settings = deliver.DeliverSettings(TENANT, BOOK, 1)
        clock = SimulatedClock(NOON)
        deliver.install(one, connection, one.new_publisher(), {}, settings, clock, meter.delivered, meter.dead_letter)
    (agent,) = made
    record = RawRecord(agent.topic, 0, 5, 1_790_000_000_000, None, b"nonsense", ())
    agent.dead_letter(record, Rejected("frame_magic", "Not ours."))
    assert sample("dead_letters_total", topic=agent.topic, reason="frame_magic") == 1


def test_no_metric_is_there_that_nobody_sets(metrics: Metrics, repository_root: Path) -> None:
    """A gauge at 0 that no code moves is a lie on a dashboard."""
    homes = (Path(metering.__file__), repository_root / "billstream" / "watching.py")
    setters = "".join(home.read_text(encoding="utf-8") for home in homes)
    names = [note.name.removeprefix("billstream_") for note in metrics.notes()]
    assert [name for name in names if f"_metrics.{name}." not in setters] == ["build_info"]
