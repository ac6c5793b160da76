"""A whole installation of the product for a benchmark: a broker with its topics, the firm, one worker process."""

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiokafka import AIOKafkaProducer

from bench.firm import BOOK, CLIENTS, TENANT, contracts, directory
from runtime.broker import EmbeddedBroker
from runtime.kafka.connection import KafkaConnection
from runtime.kafka.topics import ensure_topics
from schemas.codec import encode
from streams.topics import COMMANDS, TIME_ENTRIES, book_partition, topic_specs

ROOT = Path(__file__).resolve().parent.parent
PARTITIONS = 2
HOME = book_partition(TENANT, BOOK, PARTITIONS)
REVISIONS = CLIENTS + 1
"""Records of the journal that come before the first entry: the directory and a contract for each client."""
STOP_SECONDS = 60
SNAPSHOT_RECORDS = 10_000
SNAPSHOTS = "BENCH_SNAPSHOTS"
"""The variable that tells a worker its folder for snapshots."""


@dataclass(frozen=True)
class Product:
    """An installation that stands: where its broker answers, and where its workers keep their stores."""

    servers: str
    folder: Path

    async def fill(self, entries: Iterable[tuple[bytes, bytes]]) -> None:
        """Write entries as (key, value)."""
        async with self.producer() as producer:
            for key, value in entries:
                await producer.send(TIME_ENTRIES, value, key=key, partition=HOME)
            await producer.flush()

    async def set_up(self, tight_every: int = 0) -> None:
        """Write the directory and the contracts; `tight_every` as in `bench.firm.contracts`."""
        async with self.producer() as producer:
            for revision in (directory(), *contracts(tight_every)):
                await producer.send(COMMANDS, encode(revision), partition=HOME)
            await producer.flush()

    def producer(self) -> AIOKafkaProducer:
        """A plain client with the durability that connectors use."""
        return AIOKafkaProducer(
            bootstrap_servers=self.servers, acks="all", enable_idempotence=True, max_batch_size=262_144, linger_ms=5
        )

    @contextmanager
    def worker(self, roles: Iterable[str] = (), snapshots: Path | None = None) -> "Iterator[subprocess.Popen[bytes]]":
        """A worker process of its own; all roles if none is named, no snapshots without a folder."""
        command = [sys.executable, "-m", "bench.worker", self.servers, str(self.folder), str(PARTITIONS), *roles]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), SNAPSHOTS: "" if snapshots is None else str(snapshots)}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def read(self, query: str) -> int:
        """A number from the store that the worker writes, of several workers the highest; 0 while it is not there."""
        stores = self.folder.glob(f"workers/*/books/{HOME:04d}.sqlite")
        return max((_number(store, query) for store in stores), default=0)

    @property
    def next_offset(self) -> int:
        """How much of the journal the rows reflect."""
        return self.read("SELECT next_offset FROM position")

    def count(self, kind: str) -> int:
        """How many rows of a table there are."""
        return self.read(f"SELECT count(*) FROM row WHERE kind = '{kind}'")


def _number(path: Path, query: str) -> int:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
            return int((store.execute(query).fetchone() or (0,))[0])
    except sqlite3.OperationalError:
        return 0


@asynccontextmanager
async def product(cache: Path) -> AsyncIterator[Product]:
    """A fresh installation on a broker of its own; the names of its topics are fixed, so no two share a broker."""
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedBroker(Path(folder) / "broker", cache=cache) as broker:
            servers = broker.bootstrap_servers
            await ensure_topics(KafkaConnection(bootstrap_servers=servers), topic_specs(PARTITIONS, 1))
            yield Product(servers, Path(folder) / "data")
