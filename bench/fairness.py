"""Fairness: how long one book's entries take to its running hours, alone and while another book is flooded.

`python -m bench.fairness [entries of the flood [seconds [who...]]]` prints JSON. The books live in two partitions:
of one worker in one process or in two, or of two workers, one each.
Each measured entry is in a week of its own, so the hours that follow from it are known by their week. What the worker
needed of the processor while an entry was on its way is said beside the time: on a busy machine it is the truer number.
"""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # ships no annotations
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.firm import TENANT, contracts, directory, entry
from bench.pipeline import Processes
from bench.product import HOME, PARTITIONS, Product, product
from schemas.codec import decode, encode
from schemas.entry import EntryVersion
from schemas.outputs import HoursTotal
from schemas.period import week_key
from schemas.values import Record
from streams.topics import COMMANDS, HOURS, JOURNAL, TIME_ENTRIES, book_partition

CACHE = Path(__file__).resolve().parent.parent / ".billstream" / "cache"
OTHER = next(name for number in count() if book_partition(TENANT, name := f"book-{number}", PARTITIONS) != HOME)
"""A book that lives in the other partition."""
AWAY = 1 - HOME
PER_SECOND = 10
WARM_UP = 20
WEEKS_MAX = 2_500
PATIENCE_SECONDS = 300.0
LOOK_MILLISECONDS = 1_000
WORKERS: Mapping[str, Processes] = {
    "one_process": ((),),
    "two_processes": (("sequence", "slow", "deliver"), ("fold",)),
    "two_workers": ((), ()),
}


@dataclass(frozen=True)
class Taken:
    """What one entry needed: seconds until its hours were read, and the workers' processor seconds meanwhile."""

    seconds: float
    processor_seconds: float


def away(record: Record) -> Record:
    """A record as one of the other book."""
    return record.model_copy(update={"envelope": record.envelope.model_copy(update={"book": OTHER})})


def drip(number: int) -> EntryVersion:
    """An hour in a week that no other has."""
    one = entry(0)
    assert one.start is not None, "the benchmark's entries have clock times"
    assert one.end is not None, "and ends"
    back = timedelta(weeks=number % WEEKS_MAX)
    name = f"drip-{number}"
    said = {
        "source_entry_id": name,
        "entry_id": name,
        "content": name,
        "start": one.start - back,
        "end": one.end - back,
    }
    changed = one.model_copy(update=said)
    return changed.model_copy(update={"envelope": away(changed).envelope.model_copy(update={"event_id": name})})


async def measure(flood: int, seconds: int, processes: Processes) -> dict[str, object]:
    """Calm, then the same while the flood is worked off."""
    flooding = [(one.entry_id.encode(), encode(one)) for one in map(entry, range(flood))]
    numbers = count()
    async with product(CACHE) as installation:
        await installation.set_up()
        with ExitStack() as stack:
            workers = [psutil.Process(stack.enter_context(installation.worker(one)).pid) for one in processes]
            async with AIOKafkaConsumer(bootstrap_servers=installation.servers, enable_auto_commit=False) as reader:
                reader.assign([TopicPartition(HOURS, AWAY)])
                await reader.seek_to_beginning()
                async with installation.producer() as producer:
                    for revision in (directory(), *contracts()):
                        await producer.send(COMMANDS, encode(away(revision)), partition=AWAY)
                    await producer.flush()
                    course = Course(reader, producer, workers)
                    await course.run([next(numbers) for _ in range(WARM_UP)])
                    calm = await course.run([next(numbers) for _ in range(PER_SECOND * seconds)])
                    resident = sum(one.memory_info().rss for one in workers)
                    began = time.monotonic()
                    await installation.fill(flooding)
                    flooded: list[Taken] = []
                    while not flooded or await _waits(installation, reader, flood):
                        flooded += await course.run([next(numbers) for _ in range(PER_SECOND)])
                    took = time.monotonic() - began
    calm_figures, flood_figures = figures(calm), figures(flooded)
    return {
        "calm": calm_figures,
        "flooded": flood_figures,
        "p95_ratio": round(flood_figures["p95_milliseconds"] / calm_figures["p95_milliseconds"], 2),
        "flood_entries": flood,
        "flood_seconds": round(took, 1),
        "resident_megabytes_before": round(resident / 1e6),
        "resident_megabytes_most": round(course.resident_most / 1e6),
    }


async def _waits(installation: Product, reader: "AIOKafkaConsumer[bytes, bytes]", flood: int) -> bool:
    """Whether the worker has something of the flood left."""
    place = TopicPartition(JOURNAL, HOME)
    end = (await reader.end_offsets([place]))[place]
    return bool(end < flood or installation.next_offset < end)


class Course:
    """Sends entries at a pace and waits for the hours of each."""

    def __init__(
        self,
        reader: "AIOKafkaConsumer[bytes, bytes]",
        producer: "AIOKafkaProducer[bytes, bytes]",
        workers: Sequence[psutil.Process],
    ) -> None:
        self._reader = reader
        self._producer = producer
        self._workers = workers
        self.resident_most = 0

    async def run(self, numbers: Sequence[int]) -> list[Taken]:
        """What each of the entries needed."""
        sent: dict[str, tuple[float, float]] = {}
        taken: list[Taken] = []

        async def pace() -> None:
            began = time.monotonic()
            for turn, number in enumerate(numbers):
                await asyncio.sleep(max(0.0, began + turn / PER_SECOND - time.monotonic()))
                one = drip(number)
                assert one.start is not None, "a drip has a start"
                sent[week_key(one.start.date())] = (time.monotonic(), self._processor_seconds())
                await self._producer.send(TIME_ENTRIES, encode(one), key=one.entry_id.encode(), partition=AWAY)

        pacing = asyncio.create_task(pace())
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(taken) < len(numbers):
                found = await self._reader.getmany(timeout_ms=LOOK_MILLISECONDS)
                now, processor_seconds = time.monotonic(), self._processor_seconds()
                self.resident_most = max(self.resident_most, sum(one.memory_info().rss for one in self._workers))
                for record in (one for records in found.values() for one in records):
                    total = decode(record.value or b"")
                    assert isinstance(total, HoursTotal), type(total).__name__
                    if (begun := sent.pop(total.week, None)) is not None:
                        taken.append(Taken(now - begun[0], processor_seconds - begun[1]))
        await pacing
        return taken

    def _processor_seconds(self) -> float:
        """Of all workers until now; RuntimeError when one has ended, for then nothing more would come."""
        if any(one.status() == psutil.STATUS_ZOMBIE for one in self._workers):
            raise RuntimeError("a worker has ended")
        return sum(sum(one.cpu_times()[:2]) for one in self._workers)


def figures(taken: Sequence[Taken]) -> dict[str, float]:
    """Percentiles of some entries."""
    times, processor = sorted(one.seconds for one in taken), sorted(one.processor_seconds for one in taken)
    at = int(len(taken) * 0.95)
    return {
        "entries": len(taken),
        "p50_milliseconds": round(1000 * statistics.median(times), 1),
        "p95_milliseconds": round(1000 * times[at], 1),
        "p50_processor_milliseconds": round(1000 * statistics.median(processor), 1),
        "p95_processor_milliseconds": round(1000 * processor[at], 1),
    }


def main(arguments: Sequence[str]) -> None:
    """Print the figures of a worker in one process and in two, and of two workers."""
    flood = int(arguments[0]) if arguments else 100_000
    seconds = int(arguments[1]) if len(arguments) > 1 else 20
    wanted = arguments[2:] or list(WORKERS)
    print(json.dumps({name: asyncio.run(measure(flood, seconds, WORKERS[name])) for name in wanted}, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
