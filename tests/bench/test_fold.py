"""The fold job: what must come out is known without any engine, and our job and stock Faust's do it."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.fold import comparing, plot
from bench.fold.entries import LATER, Expected, expected, rows
from bench.fold.judging import judge, total_differences
from bench.fold.wire import hours_key, read_entry, read_hours, week_of, write_hours
from bench.harness import Ground, Peer
from runtime.broker.jars import pinned_jars
from schemas.codec import decode
from schemas.entry import EntryVersion

DISTINCT = 700
DAY = 86_400_000_000


def highest_versions(distinct: int) -> Mapping[str, EntryVersion]:
    """The version of each entry that counts, read with the product's own codec, whatever came first."""
    found: dict[str, EntryVersion] = {}
    for _, _, value in rows(distinct):
        version = decode(value)
        assert isinstance(version, EntryVersion)
        if version.entry_id not in found or found[version.entry_id].source_revision < version.source_revision:
            found[version.entry_id] = version
    return found


def test_the_expected_totals_are_those_of_the_highest_versions() -> None:
    """Read by the product's codec and summed without regard to order, the totals are the same, moved weeks included."""
    totals: dict[str, int] = {}
    for version in highest_versions(DISTINCT).values():
        assert version.start is not None
        year, week, _ = version.start.isocalendar()
        key = hours_key(version.client_ref, f"{year}-W{week:02d}")
        totals[key] = totals.get(key, 0) + version.worked_seconds
    found = expected(DISTINCT)
    assert totals == {key: seconds for key, seconds in found.seconds.items() if seconds}


def test_the_input_has_what_the_job_is_about() -> None:
    """Repeats, corrections, moves to another week and corrections before the first version all occur."""
    revisions: dict[str, list[int]] = {}
    for _, _, value in rows(DISTINCT):
        entry_id, revision, *_ = read_entry(value)
        revisions.setdefault(entry_id, []).append(revision)
    assert {tuple(found) for found in revisions.values()} == {(1,), (1, 1), (1, 2), (2, 1)}
    counted: dict[tuple[str, int], int] = {}
    for _, entry_id, revision in expected(DISTINCT).causes:
        counted[entry_id, revision] = counted.get((entry_id, revision), 0) + 1
    assert set(counted.values()) == {1, 2}, "a move puts out two totals"
    assert DISTINCT > LATER


def test_all_records_of_a_client_are_in_one_partition() -> None:
    """Otherwise a job with several owners could not keep a client's hours."""
    places = {(key, partition) for partition, key, _ in rows(DISTINCT)}
    assert len({key for key, _ in places}) == len(places)


@pytest.mark.parametrize(
    ("start", "week"), [(0, "1970-W01"), (4 * DAY, "1970-W02"), (4 * DAY - 1, "1970-W01"), (-4 * DAY, "1969-W52")]
)
def test_a_week_begins_on_monday(start: int, week: str) -> None:
    """ISO weeks of moments in UTC, to the micro-second."""
    assert week_of(start) == week


def test_hours_can_be_read_back() -> None:
    """Bytes and fields say the same."""
    fields = {"client": "Acme", "week": "2026-W40", "worked_seconds": -5, "entry_id": "e", "source_revision": 2}
    assert read_hours(write_hours("Acme", "2026-W40", -5, "e", 2)) == fields


def test_a_wrong_total_is_a_difference() -> None:
    """Too much, missing and made up are all told."""
    wanted = Expected(seconds={"a": 1, "b": 2})
    assert total_differences({"a": 1, "b": 2}, wanted) == []
    assert len(total_differences({"a": 2, "c": 1}, wanted)) == 3


def figures(rate: float, cost: float) -> dict[str, float]:
    """A run of a job."""
    return {"events_per_second": rate, "cpu_seconds_per_1000": cost, "peak_mib": 100, "load_average": 1}


def test_ratios_are_of_medians() -> None:
    """One lucky or unlucky round changes nothing."""
    runs = {
        comparing.OURS: [figures(10, 0.1), figures(20, 0.2), figures(90, 0.9)],
        "quix_streams": [figures(10, 0.4), figures(1, 0.4), figures(11, 0.4)],
    }
    found = comparing.summary(runs)
    assert found["times"] == {"quix_streams": 2}
    assert found["cpu_times"] == {"quix_streams": 2}


def test_the_plot_names_every_job() -> None:
    """Three panels, a bar for each job in each of them, and it is XML."""
    runs = {name: [figures(10, 0.1), figures(30, 0.3)] for name in plot.NAMES}
    machine = {"cores": 2, "kafka": "4.3.1", "at": "2026-11-22"}
    tree = ElementTree.fromstring(plot.drawn(comparing.summary(runs), machine))  # our own text
    texts = [text.text for text in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert all(texts.count(name) == 3 for name in plot.NAMES.values())


def test_the_jars_of_kafka_streams_fit_the_broker() -> None:
    """The peer is as new as the broker we ship."""
    from bench.fold.environment import JARS_FILE

    versions = {jar.coordinate.split(":")[1]: jar.coordinate.split(":")[2] for jar in pinned_jars(JARS_FILE)}
    shipped = {jar.coordinate for jar in pinned_jars()}
    assert versions["kafka-streams"] == versions["kafka-clients"]
    assert f"org.apache.kafka:kafka-clients:{versions['kafka-clients']}" in shipped


@pytest.mark.broker
@pytest.mark.parametrize("job", [comparing.ours(), comparing.stock_faust()], ids=lambda job: str(job.name))
def test_a_job_does_what_is_defined(job: Peer, kafka: str) -> None:
    """Its records and totals are those of the plain computation, and its progress is committed; figures come out."""

    async def run() -> dict[str, float]:
        ground = Ground(kafka)
        return await comparing.run_job(ground, job, await comparing.fill(ground, DISTINCT))

    found = asyncio.run(run())
    assert found["events_per_second"] > 0
    assert found["repeated_outputs"] == 0


@pytest.mark.broker
def test_a_wrong_output_is_found(kafka: str) -> None:
    """The judge sees what is missing, what is made up, and a total that differs."""

    async def run() -> list[str]:
        ground = Ground(kafka)
        topic = await ground.topic("judged")
        record = write_hours("Client 1", "2026-W40", 7, "never", 1)
        await ground.fill(topic, [(0, hours_key("Client 1", "2026-W40").encode(), record)])
        return (await judge(kafka, topic, expected(3))).differences

    differences = asyncio.run(run())
    assert sum(one.startswith("missing") for one in differences) == 3
    assert sum(one.startswith("made up") for one in differences) == 1
    assert any("computed" in one for one in differences)


def test_sources_of_the_jobs_are_there(repository_root: Path) -> None:
    """What the page of the job names exists."""
    page = (repository_root / "bench" / "fold" / "README.md").read_text(encoding="utf-8")
    for name in ("ours.py", "stock_faust.py", "quix.py", "kafka_streams/Fold.java", "quix.txt", "jars.toml"):
        assert f"`{name}`" in page
        assert (repository_root / "bench" / "fold" / name).exists()
