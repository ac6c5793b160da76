"""How fast `billstream rebuild` folds a journal from its beginning: entries of the bench firm and their decisions.

`python -m bench.rebuilding [entries [books]]` prints JSON; several books lie in partitions of their own and are folded
side by side.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.firm import USUAL, Size, contracts, directory, entry
from bench.product import ROOT
from billstream.file_preview import offline_decision
from books.local import Follower
from runtime.broker import EmbeddedBroker
from runtime.kafka import KafkaConnection, ensure_topics
from runtime.kafka.segments import KeptRecord
from runtime.kafka.writing import PartitionWriter
from schemas.codec import decode, encode
from schemas.values import Record
from schemas.work import DecideEntry
from streams.topics import JOURNAL, topic_specs

DECIDED_TOGETHER = 2_000
_TIME = 1_793_000_000_000


def journal(entries: int, size: Size = USUAL) -> Iterator[Record]:
    """The firm, then entries, each part of them followed by the decisions that the fold asked for."""
    follower = Follower()
    offset = 0

    def fold(records: list[Record]) -> list[Record]:
        nonlocal offset
        effects = follower.apply(list(enumerate(records, offset)))
        offset += len(records)
        asked = [decode(framed.value) for framed in effects.work]
        return [offline_decision(one) for one in asked if isinstance(one, DecideEntry)]

    waiting: list[Record] = [directory(size), *contracts(size=size)]
    for first in range(0, entries, DECIDED_TOGETHER):
        waiting += [entry(number, size=size) for number in range(first, min(first + DECIDED_TOGETHER, entries))]
        yield from waiting
        decisions = fold(waiting)
        yield from decisions
        waiting = []
        fold(decisions)


async def measured(cache: Path, entries: int, books: int) -> dict[str, object]:
    """Fill the journals, then time the command."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        partitions = books if books > 1 else 2
        async with EmbeddedBroker(folder / "broker", cache=cache) as broker:
            connection = KafkaConnection(bootstrap_servers=broker.bootstrap_servers)
            await ensure_topics(connection, topic_specs(partitions, 1))
            records = 0
            async with PartitionWriter(connection) as writer:
                values = [encode(record) for record in journal(entries)]
                kept = [KeptRecord(number, _TIME + number, None, value) for number, value in enumerate(values)]
                for partition in range(books):
                    for first in range(0, len(kept), DECIDED_TOGETHER):
                        records += await writer.write(JOURNAL, partition, kept[first : first + DECIDED_TOGETHER])
            (folder / "billstream.yaml").write_text(f"tenant: bench\npartitions: {partitions}\n")
            environment = {**os.environ, "BILLSTREAM_BROKERS": broker.bootstrap_servers, "PYTHONPATH": str(ROOT)}
            command = [sys.executable, "-m", "billstream", "rebuild", "--json", "--project", name]
            done = await asyncio.to_thread(
                subprocess.run, command, env=environment, stdout=subprocess.PIPE, check=False
            )
        told = json.loads(done.stdout)
    return {
        "records": records,
        "seconds": told["seconds"],
        "records_per_second": round(records / float(told["seconds"])),
        "each": [one["records_per_second"] for one in told["stores"]],
    }


if __name__ == "__main__":
    cache_folder = Path(os.environ.get("BILLSTREAM_CACHE") or ROOT / ".billstream" / "cache")
    arguments = [int(word) for word in sys.argv[1:]]
    count, wanted_books = (*arguments, 50_000, 1)[:2] if len(arguments) != 1 else (arguments[0], 1)
    print(json.dumps(asyncio.run(measured(cache_folder, count, wanted_books))))
