"""Real worker processes on a real broker: start them, feed them, hurt them, read what they left."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete

PATIENCE_SECONDS = 60.0
PARTITIONS = 2


@dataclass
class Worker:
    """A worker process and what it said so far, one JSON object a line."""

    process: "subprocess.Popen[str]"
    errors: Path
    said: list[Mapping[str, object]] = field(default_factory=list)
    _news: threading.Condition = field(default_factory=threading.Condition)
    _reader: threading.Thread | None = None

    def listen(self) -> None:
        """Collect its lines until it ends."""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.said.append(json.loads(line))
                self._news.notify_all()

    def events(self, name: str) -> list[Mapping[str, object]]:
        """What it said under that name."""
        with self._news:
            return [line for line in self.said if line["event"] == name]

    async def heard(self, name: str, times: int = 1, within_seconds: float = PATIENCE_SECONDS) -> None:
        """Return when it said so that many times; fails with its errors when it does not."""
        assert await asyncio.to_thread(self._heard, name, times, within_seconds), (
            name,
            self.errors.read_text()[-3000:],
        )

    def _heard(self, name: str, times: int, within_seconds: float) -> bool:
        with self._news:
            return self._news.wait_for(
                lambda: sum(line["event"] == name for line in self.said) >= times, within_seconds
            )

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    async def ended(self, within_seconds: float = PATIENCE_SECONDS) -> int:
        """Its exit code."""
        code = await asyncio.to_thread(self.process.wait, within_seconds)
        if self._reader is not None:
            await asyncio.to_thread(self._reader.join, 5)
        return code

    async def kill(self) -> None:
        """SIGKILL, as a machine does that loses power."""
        self.signal(signal.SIGKILL)
        await self.ended()

    def close(self) -> None:
        """End it whatever its state and free its pipes."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self._reader is not None:
            self._reader.join(5)
        assert self.process.stdout is not None
        self.process.stdout.close()


class Row(NamedTuple):
    """A record as the tests look at it."""

    offset: int
    key: bytes | None
    value: bytes
    headers: Mapping[str, bytes]


class Rig:
    """Topics of one test, the processes on them, and plain clients to write and read."""

    def __init__(self, servers: str, folder: Path, root: Path, tag: str) -> None:
        self.servers = servers
        self.folder = folder
        self.group = f"group-{tag}"
        self.source, self.first, self.second = f"source-{tag}", f"first-{tag}", f"second-{tag}"
        self.sums_in, self.sums_out, self.dead = f"sums-in-{tag}", f"sums-out-{tag}", f"dead-{tag}"
        self.table_log = f"{self.group}-sums-changelog"
        self._root = root
        self._workers: list[Worker] = []
        self._numbers = count(1)

    async def make_topics(self) -> None:
        """All topics, also those Faust would make itself."""
        large = {"max.message.bytes": str(16 * 1024 * 1024)}
        await self.make([self.source, self.first, self.second, self.sums_in, self.sums_out, self.dead], large)
        await self.make([self.table_log], {"cleanup.policy": "compact", "max.message.bytes": "1000000"})

    async def make(self, names: Sequence[str], settings: Mapping[str, str]) -> None:
        """Topics with settings."""
        topics = [NewTopic(name, PARTITIONS, 1, topic_configs=dict(settings)) for name in names]
        admin = AIOKafkaAdminClient(bootstrap_servers=self.servers)
        await admin.start()
        try:
            await admin.create_topics(topics)
        finally:
            await admin.close()

    def worker(self, *, folder: str = "store", **options: object) -> Worker:
        """Start a process; workers that name the same folder share a store and must not live at the same time."""
        return self.start(Path(__file__).with_name("programs") / "worker.py", folder, options)

    def stock(self, program: str, *, folder: str = "stock", **options: object) -> Worker:
        """Start one of the programs that show a fault; they take the names of topics and the options."""
        return self.start(Path(__file__).with_name("faults") / "programs" / f"{program}.py", folder, options)

    def start(self, program: Path, folder: str, options: Mapping[str, object]) -> Worker:
        """Start a program that takes one JSON object and prints others."""
        number = next(self._numbers)
        place = self.folder / folder
        place.mkdir(exist_ok=True)
        arguments: dict[str, object] = {
            "servers": self.servers, "folder": str(place), "name": f"w{number}", "group": self.group,
            "source": self.source, "first": self.first, "second": self.second,
        }  # fmt: skip
        errors = self.folder / f"w{number}.err"
        with errors.open("w") as sink:
            process = subprocess.Popen(
                [sys.executable, str(program), json.dumps({**arguments, **options})],
                stdout=subprocess.PIPE, stderr=sink, text=True, env={**os.environ, "PYTHONPATH": str(self._root)},
            )  # fmt: skip
        worker = Worker(process, errors)
        worker.listen()
        self._workers.append(worker)
        return worker

    def table_worker(self, *, folder: str = "store", **options: object) -> Worker:
        """A process with the ordinary agent and its table beside the batch agent."""
        topics = {"table_source": self.sums_in, "table_out": self.sums_out, "dead_letters": self.dead}
        return self.worker(folder=folder, **(topics | options))

    async def write(self, topic: str, rows: Sequence[tuple[int, bytes, bytes]]) -> None:
        """Rows are (partition, key, value); all are acknowledged."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.servers, acks="all", enable_idempotence=True, max_request_size=16 * 1024 * 1024
        )
        await producer.start()
        try:
            sent = [await producer.send(topic, value, key=key, partition=at) for at, key, value in rows]
            await asyncio.gather(*sent)
        finally:
            await producer.stop()

    async def read(self, topic: str, isolation: str = "read_uncommitted") -> dict[int, list[Row]]:
        """Everything in the topic now, by partition; or what open and aborted transactions leave of it."""
        async with self._reader(auto_offset_reset="earliest", isolation_level=isolation) as reader:
            at = [TopicPartition(topic, number) for number in range(PARTITIONS)]
            reader.assign(at)
            ends = await reader.end_offsets(at)
            rows: dict[int, list[Row]] = {number: [] for number in range(PARTITIONS)}
            while any([await reader.position(place) < ends[place] for place in at]):
                for place, found in (await reader.getmany(timeout_ms=500)).items():
                    rows[place.partition] += [Row(r.offset, r.key, r.value, dict(r.headers)) for r in found]
        return rows

    async def count(self, topic: str, isolation: str = "read_uncommitted") -> int:
        """Records and markers in the topic now, all or those before the first open transaction."""
        async with self._reader(isolation_level=isolation) as reader:
            return sum((await reader.end_offsets([TopicPartition(topic, at) for at in range(PARTITIONS)])).values())

    async def committed(self, topic: str) -> dict[int, int | None]:
        """The group's offsets."""
        async with self._reader(group_id=self.group) as reader:
            return {at: await reader.committed(TopicPartition(topic, at)) for at in range(PARTITIONS)}

    async def until_committed(self, topic: str, total: int) -> None:
        """Until the group's offsets in the topic add up to the total."""

        async def reached() -> bool:
            return sum(offset or 0 for offset in (await self.committed(topic)).values()) == total

        await self.until(reached, f"the group did not commit {total} of {topic}")

    async def cut(self, at: TopicPartition, offset: int) -> None:
        """Delete what stands before the offset, as retention does."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.servers)
        await admin.start()
        try:
            await admin.delete_records({at: RecordsToDelete(before_offset=offset)})
        finally:
            await admin.close()

    def _reader(self, **options: object) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(bootstrap_servers=self.servers, enable_auto_commit=False, **options)

    async def until(self, holds: Callable[[], Awaitable[bool]], what: str) -> None:
        """Ask again until the awaited answer is true; fails with `what` when patience ends."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not await holds():
            assert time.monotonic() < deadline, what
            await asyncio.sleep(0.1)

    def close(self) -> None:
        """No process outlives its test."""
        for worker in self._workers:
            worker.close()


@pytest.fixture(scope="session")
def rig_numbers() -> Iterator[int]:
    """Numbers that keep the topics of two tests apart."""
    return count(int(time.time()))


@pytest.fixture(scope="module")
def shared_rig(
    kafka: str, tmp_path_factory: pytest.TempPathFactory, repository_root: Path, rig_numbers: Iterator[int]
) -> Iterator[Rig]:
    """Topics and processes that the tests of a module look at together."""
    rig = Rig(kafka, tmp_path_factory.mktemp("shared"), repository_root, str(next(rig_numbers)))
    asyncio.run(rig.make_topics())
    yield rig
    rig.close()


MakeRig = Callable[[str], Awaitable[Rig]]


@pytest.fixture
async def make_rig(tmp_path: Path, repository_root: Path, rig_numbers: Iterator[int]) -> AsyncIterator[MakeRig]:
    """Make topics on the broker at an address."""
    made: list[Rig] = []

    async def make(servers: str) -> Rig:
        rig = Rig(servers, tmp_path, repository_root, str(next(rig_numbers)))
        made.append(rig)
        await rig.make_topics()
        return rig

    yield make
    for rig in made:
        rig.close()


@pytest.fixture
async def rig(kafka: str, make_rig: MakeRig) -> Rig:
    """Fresh topics on the broker of the whole run, and no worker yet."""
    return await make_rig(kafka)
