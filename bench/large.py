"""A large installation: a journal of entries and decisions, folded cold, started warm, and closed for all clients.

`python -m bench.large [entries [clients]]` prints JSON: seconds until a worker without a store has folded the journal,
until it is ready again after a restart, until all clients are drafted; and the most that it held in memory.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.firm import PEOPLE, Size, envelope
from bench.product import HOME, ROOT, Product, product
from bench.rebuilding import journal
from bench.takeover import until
from runtime.kafka import KafkaConnection
from runtime.kafka.segments import KeptRecord
from runtime.kafka.writing import PartitionWriter
from schemas.codec import encode
from schemas.commands import CloseDocument
from schemas.draft import DocumentScope
from streams.topics import COMMANDS, DOCUMENTS, JOURNAL

ENTRIES, CLIENTS = 500_000, 1_000
ENTRIES_OF_A_PERSON = 250
PERIOD = ("2026-10-01", "2026-11-01")
WRITTEN_TOGETHER = 2_000
LIMIT_SECONDS = 3_600.0
LOOK_SECONDS = 0.1
_TIME = 1_793_000_000_000


async def large(cache: Path, entries: int, clients: int) -> dict[str, object]:
    """Everything, on one broker with one worker of all roles."""
    size = Size(max(PEOPLE, entries // ENTRIES_OF_A_PERSON), clients)
    async with product(cache) as installation:
        records = await _write(installation, entries, size)
        began = time.monotonic()
        with installation.worker() as worker:
            await until(worker, lambda: installation.next_offset >= records)
            cold = time.monotonic() - began
            cold_memory = _most_mib(worker)
        began = time.monotonic()
        with installation.worker() as worker:
            took = await _closed(installation, worker, clients, began)
            warm_memory = _most_mib(worker)
    return {
        "entries": entries,
        "clients": clients,
        "journal_records": records,
        "cold_seconds": round(cold, 1),
        "cold_records_per_second": round(records / cold),
        "cold_resident_mib": cold_memory,
        **took,
        "resident_after_closes_mib": warm_memory,
    }


async def _write(installation: Product, entries: int, size: Size) -> int:
    """Write the journal as it would stand after months; its records were sequenced and decided long ago."""
    written = 0
    framed = (encode(record) for record in journal(entries, size))
    async with PartitionWriter(KafkaConnection(bootstrap_servers=installation.servers)) as writer:
        while values := list(islice(framed, WRITTEN_TOGETHER)):
            kept = [KeptRecord(number, _TIME + number, None, value) for number, value in enumerate(values, written)]
            written += await writer.write(JOURNAL, HOME, kept)
    return written


async def _closed(
    installation: Product, worker: "subprocess.Popen[bytes]", clients: int, began: float
) -> dict[str, object]:
    """Seconds until the worker answers again, and from the first command to the last draft."""
    place = TopicPartition(DOCUMENTS, HOME)
    async with AIOKafkaConsumer(bootstrap_servers=installation.servers, enable_auto_commit=False) as reader:
        reader.assign([place])

        async def drafted(wanted: int) -> float:
            while (await reader.end_offsets([place]))[place] < wanted:
                if worker.poll() is not None or time.monotonic() - began > LIMIT_SECONDS:
                    raise SystemExit(f"not all documents came; the worker's exit code is {worker.poll()}")
                await asyncio.sleep(LOOK_SECONDS)
            return time.monotonic()

        closes = _closes(clients)
        async with installation.producer() as producer:
            await producer.send_and_wait(COMMANDS, next(closes), partition=HOME)
            warm = await drafted(1) - began
            sent = time.monotonic()
            for value in closes:
                await producer.send(COMMANDS, value, partition=HOME)
            await producer.flush()
            seconds = await drafted(clients) - sent
    return {"warm_until_first_draft_seconds": round(warm, 1), "close_seconds": round(seconds, 1)}


def _closes(clients: int) -> Iterator[bytes]:
    for number in range(clients):
        scope = {
            "client_id": f"client-{number}",
            "contract_id": f"contract-{number}",
            "date_from": PERIOD[0],
            "date_to": PERIOD[1],
        }
        yield encode(
            CloseDocument(
                envelope=envelope(f"close-{number}"),
                command_id=f"close-{number}",
                person="bench",
                reason="end of the month",
                scope=DocumentScope.model_validate(scope),
            )
        )


def _most_mib(worker: "subprocess.Popen[bytes]") -> int:
    """The most that a process held in memory (Linux)."""
    status = Path(f"/proc/{worker.pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) >> 10 for line in status.splitlines() if line.startswith("VmHWM:"))


if __name__ == "__main__":
    cache_folder = Path(os.environ.get("BILLSTREAM_CACHE") or ROOT / ".billstream" / "cache")
    chosen = [int(word) for word in sys.argv[1:]]
    print(json.dumps(asyncio.run(large(cache_folder, *(*chosen, *(ENTRIES, CLIENTS)[len(chosen) :])))))
