"""Worker processes that are started, killed, frozen and revived, and the topics in which they leave their work."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import RecordMetadata

from books.testing import BOOK, TENANT
from runtime.kafka.connection import KafkaConnection
from runtime.kafka.topics import ensure_topics
from schemas.codec import decode, encode
from schemas.entry import EntryVersion
from schemas.values import Record
from streams.topics import COMMANDS, TIME_ENTRIES, book_partition, topic_specs
from tests.chaos.check import Numbered

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 40


@dataclass
class Fleet:
    """The workers of one installation by number, the servers they talk to, and what they are told."""

    servers: str
    folder: Path
    options: Mapping[str, object] = field(default_factory=dict)
    versions: Sequence[str] = ("",)
    partitions: int = 2
    replication: int = 1
    kills: int = 0
    starts: int = 0
    workers: dict[int, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def home(self) -> int:
        """The partition of the book."""
        return book_partition(TENANT, BOOK, self.partitions)

    @property
    def connection(self) -> KafkaConnection:
        """How clients come to the servers."""
        return KafkaConnection(bootstrap_servers=self.servers)

    async def begin(self, numbers: Sequence[int]) -> None:
        """Make the topics and start workers."""
        await ensure_topics(self.connection, topic_specs(self.partitions, self.replication))
        for number in numbers:
            self.start(number)

    def options_of(self, number: int) -> Mapping[str, object]:
        """What only this worker is told; here all are told the same and share a data folder."""
        assert number > 0, number
        return {"folder": str(self.folder / "data"), **self.options}

    def start(self, number: int) -> None:
        """Start a worker; with several fold versions each start takes the next, as an upgrade does."""
        version = self.versions[self.starts % len(self.versions)]
        self.starts += 1
        arguments = {
            "servers": self.servers,
            "partitions": self.partitions,
            "replication_factor": self.replication,
            "fold_version": version,
            **self.options_of(number),
        }
        program = Path(__file__).with_name("programs") / "worker.py"
        with (self.folder / f"worker-{number}.err").open("ab") as errors:
            self.workers[number] = subprocess.Popen(
                [sys.executable, str(program), json.dumps(arguments)],
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )

    async def kill(self, number: int) -> None:
        """SIGKILL, as a machine does that loses power."""
        self.workers[number].kill()
        await asyncio.to_thread(self.workers[number].wait)
        self.kills += 1

    async def freeze(self, number: int, seconds: float) -> None:
        """Stop a process for so long, and let it go on where it was."""
        self.workers[number].send_signal(signal.SIGSTOP)
        thaws_at = time.monotonic() + seconds  # longer than its session: the other one takes over
        while time.monotonic() < thaws_at:  # noqa: ASYNC110  # the time itself is what is tested
            await asyncio.sleep(0.3)
        self.workers[number].send_signal(signal.SIGCONT)

    def revive(self) -> None:
        """Start again what died by itself, as a supervisor does."""
        for number, worker in list(self.workers.items()):
            if worker.poll() is not None:
                self.kills += worker.returncode == -signal.SIGKILL
                self.start(number)

    async def send(self, records: Sequence[Record | bytes]) -> list[RecordMetadata]:
        """Publish records to the topic of their writers; returns when the broker has all of them, with their places.

        Raises the client's KafkaError when it is not known whether it has them.
        """
        producer = AIOKafkaProducer(
            bootstrap_servers=self.servers, acks="all", enable_idempotence=True, max_request_size=4 * 1024 * 1024
        )
        await producer.start()
        try:
            sent: list[Awaitable[RecordMetadata]] = []
            for record in records:
                raw = record if isinstance(record, bytes) else encode(record)
                entry = isinstance(record, bytes | EntryVersion)
                sent.append(await producer.send(TIME_ENTRIES if entry else COMMANDS, raw, partition=self.home))
            return list(await asyncio.gather(*sent))
        finally:
            await producer.stop()

    async def read(self, topic: str, start: int = 0, partition: int | None = None) -> Numbered:
        """Everything of a partition, the book's unless another is named, from an offset on."""
        place = TopicPartition(topic, self.home if partition is None else partition)
        found: list[tuple[int, Record]] = []
        async with AIOKafkaConsumer(bootstrap_servers=self.servers, enable_auto_commit=False) as reader:
            reader.assign([place])
            end = (await reader.end_offsets([place]))[place]
            reader.seek(place, start)
            while await reader.position(place) < end:
                for rows in (await reader.getmany(timeout_ms=500)).values():
                    found += [(row.offset, decode(row.value)) for row in rows]
        return found

    async def end_of(self, topic: str) -> int:
        """The next offset of a topic."""
        place = TopicPartition(topic, self.home)
        async with AIOKafkaConsumer(bootstrap_servers=self.servers, enable_auto_commit=False) as reader:
            return int((await reader.end_offsets([place]))[place])

    async def stop(self) -> None:
        """Tell the workers to stop; all must leave with 0."""
        for worker in self.workers.values():
            if worker.poll() is None:
                worker.send_signal(signal.SIGTERM)
        for worker in self.workers.values():
            await asyncio.to_thread(worker.wait, STOP_SECONDS)

    def end(self) -> None:
        """No process outlives its storm."""
        for worker in self.workers.values():
            if worker.poll() is None:
                worker.send_signal(signal.SIGCONT)
                worker.kill()
                worker.wait()


async def until(holds: Callable[[], Awaitable[bool]], within_seconds: float, what: str | Callable[[], str]) -> None:
    """Ask again until the answer is true; TimeoutError says what did not happen."""
    deadline = time.monotonic() + within_seconds
    while time.monotonic() < deadline:
        with suppress(ConnectionError, OSError):
            if await holds():
                return
        await asyncio.sleep(0.3)
    raise TimeoutError(what if isinstance(what, str) else what())
