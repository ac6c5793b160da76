"""`restore`: an empty cluster and an empty data folder become what a backup says, or nothing counts.

Topics, stores, offsets of groups and files go together; one without the others is refused. Sending is held from the
first step on. A call that is interrupted goes on where it stopped: what is there is compared, not written again.
"""

import os
import shutil
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from billstream.keeping.installation import FIRST_SLOT, slots_held, slots_of, store_path, stores_of
from billstream.keeping.manifest import KeptOffset, KeptStore, Manifest, released_schemas, schema_id_of
from billstream.keeping.parts import NOT_KEPT, all_specs, groups
from billstream.settings import Installation
from books.version import FOLD_VERSION
from runtime.errors import FileDiffers, InUse, MachineryError, Misconfigured
from runtime.failpoints import failpoint
from runtime.files import Written, join_under, make_folder, replace, sync_folder, write_new
from runtime.kafka import KafkaConnection, Span, describe_topics, ensure_topics, spans
from runtime.kafka.groups import commit_offsets, members
from runtime.kafka.reading import PartitionReader, partition_reader
from runtime.kafka.segments import KeptRecord, kept, read_segment
from runtime.kafka.writing import PartitionWriter
from streams import sending

STATE_FILE = "restore.json"
WRITTEN_TOGETHER = 5_000
COMPARED_LAST = 100
"""Of what an interrupted call wrote, so many records are compared with the backup before it goes on."""
OnRestored = Callable[[int, int], None]
Place = tuple[str, int]


class RestoreState(BaseModel):
    """What the data folder remembers of a restore; `done` once everything is in place."""

    model_config = ConfigDict(frozen=True)

    backup_id: str
    done: bool = False


def read_state(data_folder: Path) -> RestoreState | None:
    """What was restored here, if anything was."""
    path = data_folder / STATE_FILE
    return RestoreState.model_validate_json(path.read_bytes()) if path.exists() else None


def write_state(data_folder: Path, state: RestoreState) -> None:
    """Remember it."""
    replace(make_folder(data_folder) / STATE_FILE, state.model_dump_json().encode() + b"\n")


def put_project_files(folder: Path, manifest: Manifest, project: Path) -> list[str]:
    """Write settings, directory, contracts and rates; the files that were not there before.

    Raises FileDiffers before anything is written when one is there and says something else.
    """
    make_folder(project)
    pairs = [(folder / one.path, join_under(project, *manifest.in_project(one).parts)) for one in manifest.project]
    different = [place.name for source, place in pairs if place.exists() and place.read_bytes() != source.read_bytes()]
    if different:
        raise FileDiffers(
            "restore_files_differ",
            f"{project} has other files than the backup: {', '.join(different[:5])}.",
            "Restore into a new folder, or move these files away.",
        )
    return [
        str(place)
        for source, place in pairs
        if write_new(make_folder(place.parent) / place.name, source.read_bytes()) is Written.NEW
    ]


@dataclass(frozen=True)
class Restore:
    """One call of `restore` of a backup whose files were checked."""

    folder: Path
    manifest: Manifest
    installation: Installation
    connection: KafkaConnection
    on_restored: OnRestored = lambda done, total: None

    async def put_back(self) -> int:
        """Make everything as it was; the number of records. Raises before the first change what speaks against it."""
        data_folder = self.installation.data_folder
        with slots_held(data_folder, slots_of(data_folder) or [FIRST_SLOT]):
            goes_on = await self._check()
            if not goes_on:
                write_state(data_folder, RestoreState(backup_id=self.manifest.backup_id))
            copies = self.installation.settings.broker.replication_factor
            await sending.hold(self.connection, copies)
            specs = all_specs(self.manifest.application_id, self.manifest.partitions, copies)
            await ensure_topics(self.connection, specs)
            offsets = await self._records()
            for group in groups(self.manifest.application_id):
                await commit_offsets(self.connection, group, translated(self.manifest.offsets, group, offsets))
            for store in self.manifest.stores:
                self._store(store)
            write_state(data_folder, RestoreState(backup_id=self.manifest.backup_id, done=True))
        return sum(one.records for one in self.manifest.segments)

    async def _check(self) -> bool:
        """Whether an interrupted restore of the same backup goes on; raises when the place is not an empty one."""
        self._check_settings()
        specs = all_specs(self.manifest.application_id, self.manifest.partitions, 1)
        present = await describe_topics(self.connection, [spec.name for spec in specs])
        busy = await members(self.connection, groups(self.manifest.application_id)) if present else ()
        if busy:
            message = f"Workers are at work on this cluster ({', '.join(busy)})."
            raise InUse("worker_running", message, "Stop them; restore into a cluster that nobody uses.")
        state = read_state(self.installation.data_folder)
        if state is not None and state.backup_id == self.manifest.backup_id:
            return True
        used = [name for (name, _), span in (await spans(self.connection, sorted(present))).items() if span.end > 0]
        kept_stores = stores_of(self.installation.data_folder)
        if used or kept_stores:
            raise _not_empty(sorted(set(used)), len(kept_stores))
        return False

    def _check_settings(self) -> None:
        settings = self.installation.settings
        mine = (settings.tenant, settings.book, settings.partitions)
        theirs = (self.manifest.tenant, self.manifest.book, self.manifest.partitions)
        if mine != theirs:
            message = f"The settings say {mine}, the backup {theirs} (tenant, book, partitions)."
            raise Misconfigured("restore_settings_differ", message, "Use the settings of the backup.")
        unknown = set(self.manifest.schema_ids) - {schema_id_of(name) for name in released_schemas()}
        if unknown:
            message = f"The backup holds records that this version cannot read (schemas {sorted(unknown)})."
            raise Misconfigured("restore_version", message, f"Use Billstream {self.manifest.written_by} or newer.")

    async def _records(self) -> Mapping[Place, Sequence[int]]:
        """Write all records; (topic, partition) -> the offsets that they had, by the offsets that they have."""
        total, done = sum(one.records for one in self.manifest.segments), 0
        offsets: dict[Place, Sequence[int]] = {}
        wanted = [
            (topic.name, partition)
            for topic in self.manifest.topics
            if topic.name not in NOT_KEPT
            for partition in range(topic.partitions)
        ]
        there = await spans(self.connection, sorted({topic for topic, _ in wanted}))
        async with PartitionWriter(self.connection) as writer, partition_reader(self.connection) as reader:
            for place in wanted:
                had: list[int] = []
                await self._compare(reader, place, there[place])
                for records in self._chunks(place):
                    new = records[max(0, there[place].end - len(had)) :]
                    if new:
                        await writer.write(*place, new)
                    had += [one.offset for one in records]
                    done += len(records)
                    self.on_restored(done, total)
                failpoint("restore_after_partition")
                offsets[place] = had if not _is_gapless(had) else range(len(had))
        await self._check_ends(offsets)
        return offsets

    def _chunks(self, place: Place) -> Iterator[list[KeptRecord]]:
        waiting: list[KeptRecord] = []
        for segment in self.manifest.of(*place):
            for records in read_segment(self.folder / segment.path):
                waiting += records
                if len(waiting) >= WRITTEN_TOGETHER:
                    yield waiting
                    waiting = []
        if waiting:
            yield waiting

    async def _compare(self, reader: PartitionReader, place: Place, span: Span) -> None:
        """What an interrupted call left has to be the beginning of what the backup holds."""
        if span.end == 0:
            return
        first = max(span.beginning, span.end - COMPARED_LAST)
        there = [kept(raw) async for part in reader.read(*place, first, span.end) for raw in part]
        kept_records = (one for records in self._chunks(place) for one in records)
        meant = [one for number, one in enumerate(kept_records) if first <= number < span.end]
        if [_content(one) for one in there] != [_content(one) for one in meant]:
            raise _not_empty([place[0]], 0)

    async def _check_ends(self, offsets: Mapping[Place, Sequence[int]]) -> None:
        there = await spans(self.connection, sorted({topic for topic, _ in offsets}))
        for place, had in offsets.items():
            if there[place].end != len(had):
                message = f"{place[0]}/{place[1]} ends at {there[place].end}, not at {len(had)}."
                raise Misconfigured("restore_incomplete", message, "Restore into an empty cluster again.")

    def _store(self, store: KeptStore) -> None:
        """Put a store into the first worker's place; one of another version is left out, for it is built again."""
        if store.fold_version != FOLD_VERSION:
            return
        place = store_path(self.installation.data_folder, FIRST_SLOT, store.partition)
        make_folder(place.parent)
        part = place.with_name(f".{place.name}.part")
        shutil.copyfile(self.folder / store.path, part)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(place)
        sync_folder(place.parent)


def translated(
    kept_offsets: Sequence[KeptOffset], group: str, offsets: Mapping[Place, Sequence[int]]
) -> dict[Place, int]:
    """Where a group goes on in the restored topics: behind as many records as it had behind it before.

    Of `work`, which is not kept, everything is new.
    """
    return {
        (one.topic, one.partition): bisect_left(offsets[one.topic, one.partition], one.offset)
        for one in kept_offsets
        if one.group == group and (one.topic, one.partition) in offsets
    }


def _is_gapless(offsets: Sequence[int]) -> bool:
    return not offsets or (offsets[0] == 0 and offsets[-1] == len(offsets) - 1)


def _content(record: KeptRecord) -> tuple[object, ...]:
    return record.timestamp_milliseconds, record.key, record.value, record.headers


def _not_empty(used: Sequence[str], stores: int) -> MachineryError:
    what = [
        *([f"the topics {', '.join(used)} hold records"] if used else []),
        *([f"{stores} stores"] if stores else []),
    ]
    return InUse(
        "restore_not_empty",
        f"The place is not empty: {' and '.join(what)}. Topics and stores belong together and are restored together.",
        "Restore into a new folder, and with BILLSTREAM_BROKERS into a cluster without these topics.",
    )
