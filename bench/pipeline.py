"""The product itself: entries from `time-entries` to rows in the store, Avro on both sides, with one worker.

`python -m bench.pipeline [entries [role ...]]` prints JSON.
It counts entries a second from the first row seen to the last.
"""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from aiokafka import AIOKafkaProducer

from bench.firm import BOOK, CLIENTS, TENANT, contracts, directory, entry
from runtime.broker import EmbeddedBroker
from runtime.kafka.connection import KafkaConnection
from runtime.kafka.topics import ensure_topics
from schemas.codec import encode
from streams.topics import COMMANDS, TIME_ENTRIES, book_partition, topic_specs

PARTITIONS = 2
ROOT = Path(__file__).resolve().parent.parent
LIMIT_SECONDS = 600.0


async def fill(servers: str, entries: int) -> None:
    """Write the firm and its entries."""
    home = book_partition(TENANT, BOOK, PARTITIONS)
    producer = AIOKafkaProducer(
        bootstrap_servers=servers, acks="all", enable_idempotence=True, max_batch_size=262_144, linger_ms=5
    )
    await producer.start()
    try:
        for revision in (directory(), *contracts()):
            await producer.send(COMMANDS, encode(revision), partition=home)
        for number in range(entries):
            await producer.send(TIME_ENTRIES, encode(entry(number)), partition=home)
        await producer.flush()
    finally:
        await producer.stop()


def start_worker(servers: str, folder: Path) -> "subprocess.Popen[bytes]":
    """A worker process of its own."""
    command = [sys.executable, "-m", "bench.worker", servers, str(folder), str(PARTITIONS), *sys.argv[2:]]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})


def read(path: Path, query: str) -> int:
    """A number from a store that another process writes; 0 while it is not there yet."""
    if not path.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
            return int((store.execute(query).fetchone() or (0,))[0])
    except sqlite3.OperationalError:
        return 0


async def watch(path: Path, entries: int, worker: "subprocess.Popen[bytes]") -> tuple[float, int, float]:
    """(when entries were first seen, how many, when all were there), by the journal offset that the store reflects."""
    first_at, first = 0.0, 0
    deadline = time.monotonic() + LIMIT_SECONDS
    wanted = CLIENTS + 1 + entries
    while True:
        found, now = read(path, "SELECT next_offset FROM position"), time.monotonic()
        if found > CLIENTS + 1 and not first:
            first_at, first = now, found - CLIENTS - 1
        if found >= wanted and read(path, "SELECT count(*) FROM row WHERE kind = 'entry'") >= entries:
            return first_at, first, now
        if worker.poll() is not None or now > deadline:
            raise SystemExit(f"offset {found} of {wanted}, exit code {worker.poll()}")
        await asyncio.sleep(0.05)


async def measure(entries: int) -> dict[str, object]:
    """One run on a broker of its own."""
    cache = Path(os.environ.get("BILLSTREAM_CACHE") or ROOT / ".billstream" / "cache")
    with tempfile.TemporaryDirectory() as folder:
        broker = EmbeddedBroker(Path(folder) / "broker", cache=cache)
        await broker.start()
        try:
            servers = broker.bootstrap_servers
            await ensure_topics(KafkaConnection(bootstrap_servers=servers), topic_specs(PARTITIONS, 1))
            await fill(servers, entries)
            worker = start_worker(servers, Path(folder) / "data")
            try:
                home = book_partition(TENANT, BOOK, PARTITIONS)
                path = Path(folder) / "data" / "workers" / "01" / "books" / f"{home:04d}.sqlite"
                first_at, first, last_at = await watch(path, entries, worker)
            finally:
                worker.send_signal(signal.SIGTERM)
                code = worker.wait(60)
            return {
                "entries": entries,
                "entries_per_second": round((entries - first) / (last_at - first_at)),
                "exit_code": code,
            }
        finally:
            await broker.stop()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))))
