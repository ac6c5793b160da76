"""Run peers in turns on one broker and compare them: a peer is a command and a way to know that it is done."""

import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bench.entries import PARTITIONS, rows

LOOK_SECONDS = 0.02
LIMIT_SECONDS = 600.0
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Peer:
    """`command` may contain {python}, {servers}, {source}, {out} and {folder}.

    It is done when `{out}` holds `records` records; 0 means one for each distinct entry. One that `measures_itself` is
    done when it prints a line of JSON with `events` and `seconds`, because its output is not a topic to be counted.
    """

    name: str
    command: tuple[str, ...]
    records: int = 0
    measures_itself: bool = False

    def arguments(self, places: Mapping[str, str]) -> list[str]:
        """The command with its places filled in."""
        return [part.format(python=sys.executable, **places) for part in self.command]


STOCK = Peer("stock_faust", ("{python}", "-m", "bench.plain_faust", "{servers}", "{source}", "{out}", "{folder}"))
ENGINE = Peer("batch_engine", ("{python}", "-m", "bench.batch_engine", "{servers}", "{source}", "{out}", "{folder}"))


class Ground:
    """One broker, topics made on demand, plain clients."""

    def __init__(self, servers: str) -> None:
        self.servers = servers
        self._made = 0

    async def topic(self, what: str) -> str:
        """A fresh topic."""
        self._made += 1
        name = f"bench-{what}-{self._made}-{int(time.time())}"
        admin = AIOKafkaAdminClient(bootstrap_servers=self.servers)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(name, PARTITIONS, 1)])
        finally:
            await admin.close()
        return name

    async def fill(self, topic: str, rows_: Iterable[tuple[int, bytes, bytes]]) -> int:
        """Write the rows; returns how many."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.servers, acks="all", enable_idempotence=True, max_batch_size=256 * 1024, linger_ms=5
        )
        await producer.start()
        written = 0
        try:
            for partition, key, value in rows_:
                await producer.send(topic, value, key=key, partition=partition)
                written += 1
            await producer.flush()
        finally:
            await producer.stop()
        return written


async def throughput(ground: Ground, peer: Peer, source: str, distinct: int) -> dict[str, float]:
    """One run. `events_per_second` counts from the first output seen to the last, so that starting is not measured."""
    out = await ground.topic(peer.name)
    with tempfile.TemporaryDirectory() as folder:
        places = {"servers": ground.servers, "source": source, "out": out, "folder": folder}
        began = time.monotonic()
        process = start(peer.arguments(places), heard=peer.measures_itself)
        try:
            if peer.measures_itself:
                return await own_figures(process)
            first_at, first, last_at = await watch(ground.servers, out, peer.records or distinct, process)
        finally:
            stop(process)
    wanted = peer.records or distinct
    return {
        "events_per_second": round((wanted - first) / (last_at - first_at)) if last_at > first_at else 0,
        "start_seconds": round(first_at - began, 2),
    }


async def own_figures(process: "subprocess.Popen[bytes]") -> dict[str, float]:
    """What a peer says about itself, in the first line of JSON with `events` and `seconds`."""
    assert process.stdout is not None
    async with asyncio.timeout(LIMIT_SECONDS):
        while line := await asyncio.to_thread(process.stdout.readline):
            said = json.loads(line) if line.startswith(b"{") else {}
            if {"events", "seconds"} <= said.keys():
                return {"events_per_second": round(said["events"] / said["seconds"]), **said}
    raise SystemExit(f"the peer ended without figures, exit code {process.wait()}")


async def watch(servers: str, out: str, wanted: int, process: "subprocess.Popen[bytes]") -> tuple[float, int, float]:
    """(when output was first seen, how much of it, when all was there)."""
    at = [TopicPartition(out, partition) for partition in range(PARTITIONS)]
    deadline = time.monotonic() + LIMIT_SECONDS
    first_at, first = 0.0, 0
    async with AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False) as reader:
        while True:
            found, now = sum((await reader.end_offsets(at)).values()), time.monotonic()
            if found and not first:
                first_at, first = now, found
            if found >= wanted:
                return first_at, first, now
            if process.poll() is not None or now > deadline:
                raise SystemExit(f"{out}: {found} of {wanted}, exit code {process.poll()}")
            await asyncio.sleep(LOOK_SECONDS)


async def latency(ground: Ground, peer: Peer, per_second: int, seconds: int) -> dict[str, float]:
    """Milliseconds from just before an entry is sent until its output is read, at a steady pace."""
    source, out = await ground.topic("pace"), await ground.topic(peer.name)
    await ground.fill(source, list(rows(10)))
    with tempfile.TemporaryDirectory() as folder:
        places = {"servers": ground.servers, "source": source, "out": out, "folder": folder}
        process = start(peer.arguments(places))
        try:
            await watch(ground.servers, out, 10, process)
            taken = await pace(ground, source, out, per_second * seconds, per_second)
        finally:
            stop(process)
    ordered = sorted(taken)
    return {
        "p50_milliseconds": round(1000 * statistics.median(ordered), 1),
        "p99_milliseconds": round(1000 * ordered[int(len(ordered) * 0.99)], 1),
        "most_milliseconds": round(1000 * ordered[-1], 1),
    }


async def pace(ground: Ground, source: str, out: str, number: int, per_second: int) -> list[float]:
    """Seconds from just before the send to the output in our hands, for each entry."""
    sent_at: dict[bytes, float] = {}
    taken: list[float] = []
    distinct = list({key: (at, key, value) for at, key, value in rows(number + 10)}.values())[10:]
    reader = AIOKafkaConsumer(
        bootstrap_servers=ground.servers, enable_auto_commit=False, auto_offset_reset="latest", fetch_max_wait_ms=50
    )
    producer = AIOKafkaProducer(bootstrap_servers=ground.servers, acks="all", enable_idempotence=True)
    async with reader, producer:
        reader.assign([TopicPartition(out, partition) for partition in range(PARTITIONS)])
        await reader.seek_to_end()

        async def send() -> None:
            began = time.monotonic()
            for number_sent, (partition, key, value) in enumerate(distinct):
                await asyncio.sleep(max(0.0, began + number_sent / per_second - time.monotonic()))
                sent_at[key] = time.monotonic()
                await producer.send(source, value, key=key, partition=partition)

        sending = asyncio.create_task(send())
        while len(taken) < len(distinct):
            async with asyncio.timeout(30):
                record = await reader.getone()
            taken.append(time.monotonic() - sent_at[record.key])
        await sending
    return taken


def start(command: Sequence[str], *, heard: bool = False) -> "subprocess.Popen[bytes]":
    """Start a peer from the top of the checkout."""
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE if heard else subprocess.DEVNULL,
    )


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Tell it to go, and make it go after half a minute."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


async def compare(ground: Ground, peers: Sequence[Peer], distinct: int, rounds: int) -> dict[str, object]:
    """All peers, in turns, on the same entries; ratios are medians over the first peer's median."""
    source = await ground.topic("entries")
    written = await ground.fill(source, rows(distinct))
    runs: dict[str, list[dict[str, float]]] = {peer.name: [] for peer in peers}
    for _ in range(rounds):
        for peer in peers:
            runs[peer.name].append(await throughput(ground, peer, source, distinct))
            print(f"{peer.name}: {runs[peer.name][-1]['events_per_second']:.0f}/s", file=sys.stderr)
    medians = {name: statistics.median(run["events_per_second"] for run in found) for name, found in runs.items()}
    baseline = medians[peers[0].name]
    return {
        "entries": distinct,
        "records": written,
        "runs": runs,
        "events_per_second": medians,
        f"times_{peers[0].name}": {name: round(median / baseline, 2) for name, median in medians.items()},
    }
