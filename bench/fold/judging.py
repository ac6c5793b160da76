"""Whether a job did what README.md says: its records against the plain computation, ours' rows too."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.fold.entries import PARTITIONS, Expected
from bench.fold.ours import HOURS, VERSION, read_total, store_path
from bench.fold.wire import hours_key, read_hours
from books.stores.sqlite import SqliteStore


@dataclass(frozen=True)
class Verdict:
    """What is wrong, in words; how many records came more than once, which at-least-once allows."""

    differences: list[str]
    repeated: int

    @property
    def is_right(self) -> bool:
        """Nothing lost, nothing made up, every last total as computed."""
        return not self.differences


async def judge(servers: str, out: str, wanted: Expected) -> Verdict:
    """Read everything that a job put out and compare it."""
    causes: Counter[tuple[str, str, int]] = Counter()
    last: dict[str, int] = {}
    places: dict[str, int] = {}
    differences: list[str] = []
    async with AIOKafkaConsumer(
        bootstrap_servers=servers, enable_auto_commit=False, auto_offset_reset="earliest"
    ) as reader:
        at = [TopicPartition(out, partition) for partition in range(PARTITIONS)]
        reader.assign(at)
        ends = await reader.end_offsets(at)
        while any([await reader.position(partition) < ends[partition] for partition in at]):
            for partition, records in (await reader.getmany(timeout_ms=1_000, max_records=20_000)).items():
                for record in records:
                    fields = read_hours(record.value)
                    key = record.key.decode()
                    if key != hours_key(str(fields["client"]), str(fields["week"])):
                        differences.append(f"{key} is the key of {fields}")
                    if places.setdefault(key, partition.partition) != partition.partition:
                        differences.append(f"{key} is in two partitions")
                    causes[key, str(fields["entry_id"]), cast(int, fields["source_revision"])] += 1
                    last[key] = cast(int, fields["worked_seconds"])
    differences += [f"missing: {cause}" for cause in wanted.causes - causes.keys()]
    differences += [f"made up: {cause}" for cause in causes.keys() - wanted.causes]
    return Verdict(differences + total_differences(last, wanted), sum(causes.values()) - len(causes))


def total_differences(found: dict[str, int], wanted: Expected) -> list[str]:
    """Keys whose seconds differ."""
    return [
        f"{key}: {found.get(key)} s, computed {wanted.seconds.get(key)} s"
        for key in sorted(found.keys() | wanted.seconds.keys())
        if found.get(key) != wanted.seconds.get(key)
    ]


def stored_differences(folder: Path, wanted: Expected) -> list[str]:
    """Our rows and offsets, as they stand on disk after the end, against the computation."""
    found: dict[str, int] = {}
    wrong: list[str] = []
    for partition, inputs in enumerate(wanted.per_partition):
        store = SqliteStore(store_path(folder, partition), VERSION)
        found |= {key: read_total(value) for key, value in store.rows.scan(HOURS)}
        if store.position.next_offset != inputs:
            wrong.append(f"partition {partition} stands at {store.position.next_offset} of {inputs}")
        store.close()
    return wrong + total_differences(found, wanted)
