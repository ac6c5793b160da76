"""A broker with the topics of an installation, the firm's two books on it, and a worker that the tests hurt."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # ships no annotations
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from books.testing import TENANT, contract, directory, firm, terms
from runtime.broker import EmbeddedBroker
from runtime.kafka import KafkaConnection, ensure_topics
from schemas.codec import encode
from schemas.values import Record
from streams.engine.publisher import Outgoing, Publisher
from streams.topics import COMMANDS, book_partition, topic_specs

PARTITIONS = 2
FLOODED, OTHER = "main", "second"
"""Two books in two partitions."""
PATIENCE_SECONDS = 240.0
SINK = "hanging"


@dataclass
class Ground:
    """An installation: where its broker answers, a way to write to it, and its worker's process."""

    servers: str
    publisher: Publisher
    worker: "subprocess.Popen[bytes]"
    resident_most: int = 0

    async def write(self, topic: str, book: str, records: list[Record]) -> None:
        """Write records of a book, acknowledged."""
        partition = book_partition(TENANT, book, PARTITIONS)
        await self.publisher.publish([Outgoing(topic, partition, None, encode(in_book(one, book))) for one in records])

    async def ends(self, topic: str) -> dict[str, int]:
        """The end of a topic for each book."""
        places = {book: TopicPartition(topic, book_partition(TENANT, book, PARTITIONS)) for book in (FLOODED, OTHER)}
        async with AIOKafkaConsumer(bootstrap_servers=self.servers, enable_auto_commit=False) as reader:
            found = await reader.end_offsets(list(places.values()))
        return {book: int(found[place]) for book, place in places.items()}

    async def until(self, what: str, reached: Callable[[], Awaitable[bool]]) -> float:
        """Processor seconds that the worker needed until something is so; fails when that is never."""
        began, spent = time.monotonic(), self.processor_seconds()
        while not await reached():
            assert time.monotonic() - began < PATIENCE_SECONDS, what
            assert self.worker.poll() is None, "the worker ended"
            await asyncio.sleep(0.02)
        return self.processor_seconds() - spent

    async def until_end(self, topic: str, book: str, end: int) -> float:
        """As `until`, for so many records of a book in a topic."""

        async def reached() -> bool:
            self.resident_most = max(self.resident_most, self.resident_bytes())
            return (await self.ends(topic))[book] >= end

        return await self.until(f"{end} records in {topic}", reached)

    def processor_seconds(self) -> float:
        """What the worker has needed of the processor: the same on a busy machine."""
        return float(sum(psutil.Process(self.worker.pid).cpu_times()[:2]))

    def resident_bytes(self) -> int:
        """What the worker holds in memory now."""
        return int(psutil.Process(self.worker.pid).memory_info().rss)


def in_book(record: Record, book: str) -> Record:
    """A record as one of this book."""
    return record.model_copy(update={"envelope": record.envelope.model_copy(update={"book": book})})


@pytest.fixture
async def ground(tmp_path: Path, broker_cache: Path, repository_root: Path) -> AsyncIterator[Ground]:
    """The installation, with a worker that has seen directory and contracts of both books."""
    broker = EmbeddedBroker(tmp_path / "broker", cache=broker_cache)
    await broker.start()
    connection = KafkaConnection(bootstrap_servers=broker.bootstrap_servers)
    await ensure_topics(connection, topic_specs(PARTITIONS, 1))
    publisher = Publisher(connection.client_arguments())
    with worker(broker.bootstrap_servers, tmp_path, repository_root) as process:
        made = Ground(broker.bootstrap_servers, publisher, process)
        for book in (FLOODED, OTHER):
            agreed = {"delivery": [{"sink": SINK, "leave": "draft"}]}
            await made.write(COMMANDS, book, [directory(firm()), contract(terms("acme", **agreed))])
        yield made
        await publisher.stop()
    await broker.stop()


@contextmanager
def worker(servers: str, folder: Path, root: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """The worker's process for the length of a block."""
    command = [sys.executable, "-m", "tests.flood.worker", servers, str(folder / "data"), str(PARTITIONS)]
    with (folder / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=root, stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": str(root)}
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
