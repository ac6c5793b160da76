"""A broker with the topics of an installation, two books on it, and a worker that the tests hurt."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # ships no annotations
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from books.testing import TENANT, contract, directory, firm, terms
from runtime.broker import EmbeddedBroker
from runtime.kafka.connection import KafkaConnection
from runtime.kafka.groups import committed_offsets
from runtime.kafka.topics import ensure_topics
from schemas.codec import encode
from schemas.values import Record
from streams.engine.publisher import Outgoing, Publisher
from streams.installation import APPLICATION_ID, group_of
from streams.slots import Role
from streams.topics import COMMANDS, book_partition, topic_specs
from tests.flood.programs.worker import SINK

PARTITIONS = 2
FLOODED, OTHER = "main", "second"
"""Two books in two partitions."""
PATIENCE_SECONDS = 120.0


@dataclass
class Ground:
    """An installation: where its broker answers, and its worker's process. `resident_most` is what was seen of it."""

    servers: str
    folder: Path
    worker: "subprocess.Popen[bytes]"
    resident_most: int = 0

    @property
    def connection(self) -> KafkaConnection:
        """How clients come to the broker."""
        return KafkaConnection(bootstrap_servers=self.servers)

    def resident(self) -> int:
        """What the worker holds in memory now, in bytes."""
        found = int(psutil.Process(self.worker.pid).memory_info().rss)
        self.resident_most = max(self.resident_most, found)
        return found

    async def write(self, topic: str, book: str, records: Sequence[Record]) -> None:
        """Write records of a book, acknowledged."""
        partition = book_partition(TENANT, book, PARTITIONS)
        async with writing(self.connection) as publisher:
            await publisher.publish([Outgoing(topic, partition, None, encode(in_book(one, book))) for one in records])

    async def ends(self, topic: str) -> Mapping[str, int]:
        """The end of a topic for each book."""
        places = {book: TopicPartition(topic, book_partition(TENANT, book, PARTITIONS)) for book in (FLOODED, OTHER)}
        async with AIOKafkaConsumer(bootstrap_servers=self.servers, enable_auto_commit=False) as reader:
            found = await reader.end_offsets(list(places.values()))
        return {book: int(found[place]) for book, place in places.items()}

    async def done(self, role: Role, topic: str, book: str) -> int:
        """How far a role's group has come in a book's partition."""
        place = (topic, book_partition(TENANT, book, PARTITIONS))
        group = group_of(APPLICATION_ID, role)
        return (await committed_offsets(self.connection, [group]))[group].get(place, 0)

    async def until(self, what: str, reached: Callable[[], Awaitable[bool]]) -> None:
        """Return when something is so; fails when that is never. The worker's memory is looked at meanwhile."""
        began = time.monotonic()
        while not await reached():
            assert time.monotonic() - began < PATIENCE_SECONDS, what
            assert self.worker.poll() is None, (self.folder / "worker.log").read_text()[-3000:]
            self.resident()
            await asyncio.sleep(0.02)

    async def until_end(self, topic: str, book: str, end: int) -> None:
        """As `until`, for so many records of a book in a topic."""

        async def reached() -> bool:
            return (await self.ends(topic))[book] >= end

        await self.until(f"{end} records in {topic}", reached)


def in_book(record: Record, book: str) -> Record:
    """A record as one of this book."""
    return record.model_copy(update={"envelope": record.envelope.model_copy(update={"book": book})})


@asynccontextmanager
async def writing(connection: KafkaConnection) -> AsyncIterator[Publisher]:
    """A publisher for the length of a block."""
    publisher = Publisher(connection.client_arguments())
    await publisher.start()
    try:
        yield publisher
    finally:
        await publisher.stop()


async def set_up(broker: EmbeddedBroker) -> None:
    """A broker with topics, directories and contracts of both books; drafts go to the sink by themselves."""
    await broker.start()
    connection = KafkaConnection(bootstrap_servers=broker.bootstrap_servers)
    await ensure_topics(connection, topic_specs(PARTITIONS, 1))
    revisions = [directory(firm()), contract(terms("acme", delivery=[{"sink": SINK, "leave": "draft"}]))]
    async with writing(connection) as publisher:
        for book in (FLOODED, OTHER):
            home = book_partition(TENANT, book, PARTITIONS)
            await publisher.publish([Outgoing(COMMANDS, home, None, encode(in_book(one, book))) for one in revisions])


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory, broker_cache: Path, repository_root: Path) -> Iterator[Ground]:
    """The installation, with a worker that has just been started; the tests share it."""
    folder = tmp_path_factory.mktemp("flood")
    broker = EmbeddedBroker(folder / "broker", cache=broker_cache)
    try:
        asyncio.run(set_up(broker))
        with worker(broker.bootstrap_servers, folder, repository_root) as process:
            yield Ground(broker.bootstrap_servers, folder, process)
    finally:
        asyncio.run(broker.stop())


@contextmanager
def worker(servers: str, folder: Path, root: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """The worker's process for the length of a block."""
    command = [sys.executable, "-m", "tests.flood.programs.worker", servers, str(folder), str(PARTITIONS)]
    with (folder / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=root, stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": str(root)}
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()
