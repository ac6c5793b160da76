"""The fold job by all four, in turns on one broker: each run is measured, and its result compared with the expected."""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # ships no annotations
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from bench.fold.entries import PARTITIONS, Expected, expected, rows
from bench.fold.environment import ENTRY_SCHEMA, HOURS_SCHEMA, kafka_streams_command, quix_python
from bench.fold.judging import Verdict, judge, stored_differences
from bench.harness import LIMIT_SECONDS, Ground, Peer, start, stop
from runtime.broker import EmbeddedBroker

OURS = "billstream"
PLACES = ("{servers}", "{source}", "{out}", "{folder}")
LOOK_SECONDS = 0.05
WARM_UP_SHARE = 0.2
"""The first part of the outputs is not measured: programs are loaded, and Java's compiler has to see the code run."""
COMMIT_LIMIT_SECONDS = 30.0


@dataclass(frozen=True)
class Amounts:
    """Distinct entries, and how often everything is run. Stock Faust gets fewer: its rate does not depend on it."""

    distinct: int
    distinct_of_stock: int
    rounds: int


FULL = Amounts(200_000, 30_000, 3)
QUICK = Amounts(10_000, 3_000, 1)


def ours() -> Peer:
    """Our own job."""
    return Peer(OURS, ("{python}", "-m", "bench.fold.ours", *PLACES))


def stock_faust() -> Peer:
    """Faust as it comes."""
    changelogs = ("entries-changelog", "totals-changelog")
    return Peer("stock_faust", ("{python}", "-m", "bench.fold.stock_faust", *PLACES), beside=changelogs)


def quix_streams(cache: Path) -> Peer:
    """Quix Streams; its environment is made if it is not there yet."""
    return Peer("quix_streams", (str(quix_python(cache)), "-m", "bench.fold.quix", *PLACES))


def kafka_streams(cache: Path) -> Peer:
    """Kafka Streams; it is fetched and compiled if it is not there yet."""
    return Peer("kafka_streams", (*kafka_streams_command(cache), *PLACES, str(ENTRY_SCHEMA), str(HOURS_SCHEMA)))


@dataclass(frozen=True)
class Sample:
    """A look at a running job."""

    seconds: float
    outputs: int
    cpu_seconds: float


@dataclass(frozen=True)
class Source:
    """A filled input topic and what has to come out of it."""

    topic: str
    expected: Expected


async def fill(ground: Ground, distinct: int) -> Source:
    """A fresh input topic."""
    topic = await ground.topic("fold-entries")
    await ground.fill(topic, rows(distinct))
    return Source(topic, expected(distinct))


async def run_job(ground: Ground, job: Peer, source: Source) -> dict[str, float]:
    """One run from nothing: figures if the result is right, SystemExit with the differences if not."""
    out = await ground.topic(f"fold-{job.name}", job.beside)
    with tempfile.TemporaryDirectory() as folder:
        places = {"servers": ground.servers, "source": source.topic, "out": out, "folder": folder}
        began = time.monotonic()
        process = start(job.arguments(places))
        try:
            samples = await _follow(ground.servers, out, len(source.expected.causes), process)
            committed_seconds = await _committed(ground.servers, out, source) - samples[-1].seconds
            peak = peak_mib(process.pid)
        finally:
            stop(process)
        wrong = stored_differences(Path(folder), source.expected) if job.name == OURS else []
    verdict = await judge(ground.servers, out, source.expected)
    if wrong or not verdict.is_right:
        raise SystemExit(f"{job.name} is wrong: {verdict.differences[:5]} {wrong[:5]}")
    return _figures(samples, source.expected, verdict) | {
        "start_seconds": round(next(sample.seconds for sample in samples if sample.outputs) - began, 2),
        "committed_after_seconds": round(committed_seconds, 2),
        "peak_mib": peak,
        "load_average": round(os.getloadavg()[0], 1),
    }


async def _follow(servers: str, out: str, wanted: int, process: "subprocess.Popen[bytes]") -> list[Sample]:
    """Looks until all outputs are there, those before the first one too."""
    at = [TopicPartition(out, partition) for partition in range(PARTITIONS)]
    watched = psutil.Process(process.pid)
    deadline = time.monotonic() + LIMIT_SECONDS
    samples: list[Sample] = []
    async with AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False) as reader:
        while True:
            found = sum((await reader.end_offsets(at)).values())
            now = time.monotonic()
            if process.poll() is not None or now > deadline:
                raise SystemExit(f"{out}: {found} of {wanted}, exit code {process.poll()}")
            spent = watched.cpu_times()
            samples.append(Sample(now, found, spent.user + spent.system))
            if found >= wanted:
                return samples
            await asyncio.sleep(LOOK_SECONDS)


async def _committed(servers: str, group: str, source: Source) -> float:
    """When the group's offsets stand at the end of the input."""
    wanted = {TopicPartition(source.topic, at): count for at, count in enumerate(source.expected.per_partition)}
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        async with asyncio.timeout(COMMIT_LIMIT_SECONDS):
            while True:
                found = await admin.list_consumer_group_offsets(group)
                if {at: found[at].offset for at in wanted if at in found} == wanted:
                    return time.monotonic()
                await asyncio.sleep(LOOK_SECONDS)
    finally:
        await admin.close()


def peak_mib(process_id: int) -> int:
    """The most memory a living process held so far; what it holds now where the kernel keeps no such mark."""
    status = Path(f"/proc/{process_id}/status")
    if status.exists():
        mark = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM:"))
        return int(mark.split()[1]) >> 10
    return int(psutil.Process(process_id).memory_info().rss) >> 20


def _figures(samples: Sequence[Sample], wanted: Expected, verdict: Verdict) -> dict[str, float]:
    """From the last look within the warm-up to the last of all; a record that was read is an event."""
    outputs = len(wanted.causes)
    last = samples[-1]
    first = [sample for sample in samples if sample.outputs <= WARM_UP_SHARE * outputs][-1]
    events = (last.outputs - first.outputs) * wanted.inputs / outputs
    return {
        "events_per_second": round(events / (last.seconds - first.seconds)),
        "cpu_seconds_per_1000": round((last.cpu_seconds - first.cpu_seconds) / events * 1_000, 4),
        "repeated_outputs": verdict.repeated,
    }


async def compare(cache: Path, amounts: Amounts) -> dict[str, object]:
    """All four in turns, so that a busy quarter of an hour hits all of them."""
    jobs = (ours(), kafka_streams(cache), quix_streams(cache), stock_faust())
    runs: dict[str, list[dict[str, float]]] = {job.name: [] for job in jobs}
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedBroker(Path(folder) / "broker", cache=cache) as broker:
            ground = Ground(broker.bootstrap_servers)
            many, few = await fill(ground, amounts.distinct), await fill(ground, amounts.distinct_of_stock)
            for _ in range(amounts.rounds):
                for job in jobs:
                    run = await run_job(ground, job, few if job.name == "stock_faust" else many)
                    runs[job.name].append(run)
                    print(f"{job.name}: {run}", file=sys.stderr)
    return {
        "distinct_entries": amounts.distinct,
        "distinct_entries_of_stock_faust": amounts.distinct_of_stock,
    } | summary(runs)


def summary(runs: Mapping[str, Sequence[Mapping[str, float]]]) -> dict[str, object]:
    """Medians, and ours as a multiple of each peer's; `cpu_times` is their processor time as a multiple of ours."""

    def medians(figure: str) -> dict[str, float]:
        return {name: statistics.median(run[figure] for run in found) for name, found in runs.items()}

    rates, costs = medians("events_per_second"), medians("cpu_seconds_per_1000")
    peers = [name for name in runs if name != OURS]
    return {
        "events_per_second": rates,
        "cpu_seconds_per_1000": costs,
        "peak_mib": {name: max(run["peak_mib"] for run in found) for name, found in runs.items()},
        "times": {name: round(rates[OURS] / rates[name], 2) for name in peers},
        "cpu_times": {name: round(costs[name] / costs[OURS], 2) if costs[OURS] else 0 for name in peers},
        "runs": runs,
    }
