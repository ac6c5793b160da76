"""Run peers in turns on one broker and compare them: a peer is a command and a way to know that it is done."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bench.entries import PARTITIONS

LOOK_SECONDS = 0.02
LIMIT_SECONDS = 300.0
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
    beside: tuple[str, ...] = ()
    """More topics, named after `{out}`: stock Faust never consumes one that is missing when it starts, and an agent of
    it crashes when the changelog of its table, which Faust makes itself, is not in the metadata yet."""

    def arguments(self, places: Mapping[str, str]) -> list[str]:
        """The command with its places filled in."""
        return [part.format(python=sys.executable, **places) for part in self.command]


STOCK = Peer(
    "stock_faust",
    ("{python}", "-m", "bench.plain_faust", "{servers}", "{source}", "{out}", "{folder}"),
    beside=("seen-changelog", "minutes-changelog"),
)
CONVEYOR = Peer(
    "stock_faust_same_topology",
    ("{python}", "-m", "bench.plain_conveyor", "{servers}", "{source}", "{out}", "{folder}"),
    beside=("journal", "hours", "entries-changelog", "minutes-changelog"),
)
ENGINE = Peer("batch_engine", ("{python}", "-m", "bench.batch_engine", "{servers}", "{source}", "{out}", "{folder}"))


class Ground:
    """One broker, topics made on demand, plain clients."""

    def __init__(self, servers: str) -> None:
        self.servers = servers
        self._made = 0

    async def topic(self, what: str, beside: Sequence[str] = ()) -> str:
        """A fresh topic, and those beside it."""
        self._made += 1
        name = f"bench-{what}-{self._made}-{int(time.time())}"
        await self._create([name, *(f"{name}-{more}" for more in beside)])
        return name

    async def _create(self, names: Sequence[str]) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.servers)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names])
        finally:
            await admin.close()

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
    out = await ground.topic(peer.name, peer.beside)
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
        "events_per_second": round((wanted - first) / (last_at - first_at)),
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
    """(when output was first seen, how much of it, when all was there).

    When the first look finds all of it, it counts from the look before, at which there was none.
    """
    at = [TopicPartition(out, partition) for partition in range(PARTITIONS)]
    deadline = time.monotonic() + LIMIT_SECONDS
    first_at, first, looked_at = 0.0, 0, time.monotonic()
    async with AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False) as reader:
        while True:
            found, now = sum((await reader.end_offsets(at)).values()), time.monotonic()
            if found and not first:
                first_at, first = now, found
            if found >= wanted:
                return (first_at, first, now) if first < wanted else (looked_at, 0, now)
            if process.poll() is not None or now > deadline:
                raise SystemExit(f"{out}: {found} of {wanted}, exit code {process.poll()}")
            looked_at = now
            await asyncio.sleep(LOOK_SECONDS)


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
