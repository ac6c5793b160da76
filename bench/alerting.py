"""Alert latency: from just before an entry is sent until the alert that it causes is read, with a worker in one process
and in two.

Every tenth client has caps so small that the first decided entry of a person in a week reaches all thresholds at once.
On its way an entry passes the journal, a decision, the journal, an alert's fact and the journal once more.
"""

import asyncio
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.firm import CLIENTS, PEOPLE, entry
from bench.pipeline import Processes
from bench.product import HOME, REVISIONS, Product, product
from schemas.codec import decode, encode
from schemas.entry import EntryVersion
from schemas.outputs import Alert
from streams.topics import ALERTS, TIME_ENTRIES

TIGHT_EVERY = 10
TIGHT = frozenset(f"Client {number}" for number in range(0, CLIENTS, TIGHT_EVERY))
WARM_UP = 2 * PEOPLE
WORKERS: Mapping[str, Processes] = {"one_process": ((),), "two_processes": (("sequence", "slow", "deliver"), ("fold",))}
PATIENCE_SECONDS = 120.0
LOOK_SECONDS = 0.1
REST_SECONDS = 1.5
"""Twice as long as rows wait for their commit; whoever changes nothing for so long is at rest."""


def causes(entries: Sequence[EntryVersion], known: set[tuple[str, str, str]]) -> set[str]:
    """The ids of the entries that are the first of a tight window; `known` are windows that were used before."""
    found = set()
    for one in entries:
        assert one.start is not None, "the benchmark's entries have clock times"
        year, week, _ = one.start.isocalendar()
        window = (one.client_ref, one.person_ref, f"{year}-W{week}")
        if one.client_ref in TIGHT and window not in known:
            known.add(window)
            found.add(one.entry_id)
    return found


async def alert_latency(cache: Path, per_second: int, seconds: int, processes: Processes) -> dict[str, float]:
    """Milliseconds, at a steady pace, of the entries that cause an alert."""
    entries = [entry(number) for number in range(WARM_UP + per_second * seconds)]
    known: set[tuple[str, str, str]] = set()
    warm, paced = causes(entries[:WARM_UP], known), causes(entries[WARM_UP:], known)
    async with product(cache) as installation:
        await installation.set_up(TIGHT_EVERY)
        with ExitStack() as stack:
            for process in processes:
                stack.enter_context(installation.worker(process))
            await _until_set_up(installation)
            reader = AIOKafkaConsumer(bootstrap_servers=installation.servers, enable_auto_commit=False)
            async with reader:
                reader.assign([TopicPartition(ALERTS, HOME)])
                await reader.seek_to_beginning()
                await installation.fill((one.entry_id.encode(), encode(one)) for one in entries[:WARM_UP])
                await _alerts(reader, warm)
                await _until_idle(installation)
                sent_at, read_at = await _pace(installation, reader, entries[WARM_UP:], paced, per_second)
    taken = sorted(1000 * (read_at[entry_id] - sent_at[entry_id]) for entry_id in paced)
    return {
        "entries_per_second": per_second,
        "seconds": seconds,
        "alerts": len(taken),
        "p50_milliseconds": round(statistics.median(taken), 1),
        "p99_milliseconds": round(taken[int(len(taken) * 0.99)], 1),
        "most_milliseconds": round(taken[-1], 1),
    }


async def _until_set_up(installation: Product) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := installation.next_offset) < REVISIONS:
        if time.monotonic() > deadline:
            raise SystemExit(f"the worker stands at offset {found} of {REVISIONS}")
        await asyncio.sleep(LOOK_SECONDS)


async def _until_idle(installation: Product) -> None:
    """The pace begins at rest: what the warm-up left undone would be measured with it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    before, offset = -1, installation.next_offset
    while before != offset or installation.count("open_work"):
        if time.monotonic() > deadline:
            raise SystemExit("the worker does not come to rest after the warm-up")
        await asyncio.sleep(REST_SECONDS)
        before, offset = offset, installation.next_offset


async def _pace(
    installation: Product,
    reader: "AIOKafkaConsumer[bytes, bytes]",
    entries: Sequence[EntryVersion],
    wanted: set[str],
    per_second: int,
) -> tuple[dict[str, float], dict[str, float]]:
    """When each entry was sent, and when each of the wanted alerts was read."""
    framed = [(one.entry_id, encode(one)) for one in entries]
    sent_at: dict[str, float] = {}
    producer = installation.producer()
    async with producer:

        async def send() -> None:
            began = time.monotonic()
            for number, (entry_id, value) in enumerate(framed):
                await asyncio.sleep(max(0.0, began + number / per_second - time.monotonic()))
                sent_at[entry_id] = time.monotonic()
                await producer.send(TIME_ENTRIES, value, key=entry_id.encode(), partition=HOME)

        sending = asyncio.create_task(send())
        read_at = await _alerts(reader, wanted, patience_seconds=len(entries) / per_second + PATIENCE_SECONDS)
        await sending
    return sent_at, read_at


async def _alerts(
    reader: "AIOKafkaConsumer[bytes, bytes]", wanted: set[str], patience_seconds: float = PATIENCE_SECONDS
) -> dict[str, float]:
    """When the alert of each wanted entry was read; of several the first counts."""
    read_at: dict[str, float] = {}
    async with asyncio.timeout(patience_seconds):
        while not wanted <= read_at.keys():
            record = await reader.getone()
            now = time.monotonic()
            alert = decode(record.value or b"")
            assert isinstance(alert, Alert), type(alert).__name__
            read_at.setdefault(alert.cause_entry_id, now)
    return read_at
