"""Backup and restore against a broker: the same records at the same offsets, whole or not at all, on and on."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from billstream.keeping.backup import Backup, Saved
from billstream.keeping.installation import slots_held, store_path
from billstream.keeping.manifest import MANIFEST, Manifest, problems, read_manifest
from billstream.keeping.parts import all_specs, groups
from billstream.keeping.restore import Restore, put_project_files, read_state
from billstream.keeping.restoring import whole
from billstream.settings import Installation, Settings
from books.stores.sqlite import SqliteStore
from books.stores.view import StoreView
from books.version import FOLD_VERSION
from runtime import failpoints
from runtime.broker import EmbeddedBroker
from runtime.errors import FileDiffers, InUse, MachineryError, Misconfigured
from runtime.failpoints import FailpointReached
from runtime.kafka import KafkaConnection, ensure_topics, spans
from runtime.kafka.admin import admin_client
from runtime.kafka.groups import commit_offsets, committed_offsets
from runtime.kafka.reading import partition_reader
from runtime.kafka.segments import KeptRecord, kept
from runtime.kafka.writing import PartitionWriter
from streams import sending
from streams.installation import APPLICATION_ID
from streams.topics import ALERTS, DOCUMENTS, JOURNAL, RESULTS, TIME_ENTRIES, WORK

pytestmark = pytest.mark.broker
PARTITIONS = 2
BEGAN = datetime(2026, 11, 3, 9, tzinfo=UTC)
Everything = Mapping[tuple[str, int], list[KeptRecord]]


@dataclass
class Place:
    """A project with a cluster of its own, without workers: topics, a store and offsets are made by hand."""

    installation: Installation
    connection: KafkaConnection

    def backup(self, folder: Path, minute: int = 0) -> Awaitable[Saved]:
        """A call of `backup`."""
        taken_at = BEGAN + timedelta(minutes=minute)
        return Backup(folder, self.installation, self.connection, APPLICATION_ID, taken_at).take()

    async def write(self, topic: str, first: int, count: int, partition: int = 1) -> None:
        """Records with keys, headers and times of their own."""
        records = [
            KeptRecord(n, 1_700_000_000_000 + n * 7, b"k%d" % n, b"v%d" % n * 40, (("origin", b"%d" % n),))
            for n in range(first, first + count)
        ]
        async with PartitionWriter(self.connection) as writer:
            await writer.write(topic, partition, records)

    async def everything(self) -> Everything:
        """All records of all topics but `work`."""
        names = [spec.name for spec in all_specs(APPLICATION_ID, PARTITIONS, 1) if spec.name != WORK]
        found: dict[tuple[str, int], list[KeptRecord]] = {}
        async with partition_reader(self.connection) as reader:
            for (topic, partition), span in (await spans(self.connection, names)).items():
                parts = [raw async for raw in reader.read(topic, partition, span.beginning, span.end)]
                found[topic, partition] = [kept(one) for raw in parts for one in raw]
        return found


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory, broker_cache: Path) -> Iterator[KafkaConnection]:
    """A broker whose topics these tests may delete."""
    running = EmbeddedBroker(tmp_path_factory.mktemp("backup") / "broker", cache=broker_cache)
    asyncio.run(running.start())
    yield KafkaConnection(bootstrap_servers=running.bootstrap_servers)
    asyncio.run(running.stop())


@pytest.fixture
async def place(tmp_path: Path, broker: KafkaConnection) -> AsyncIterator[Place]:
    """A project with 60 journal records, some outputs, a store and offsets; its topics are gone afterwards."""
    folder = tmp_path / "firm"
    (folder / "contracts").mkdir(parents=True)
    (folder / "billstream.yaml").write_text(f"tenant: acme\npartitions: {PARTITIONS}\n")
    (folder / "contracts" / "one.yaml").write_text("id: one\n")
    made = Place(Installation(folder=folder, settings=Settings(tenant="acme", partitions=PARTITIONS)), broker)
    await ensure_topics(broker, all_specs(APPLICATION_ID, PARTITIONS, 1))
    await made.write(JOURNAL, 0, 60)
    await made.write(TIME_ENTRIES, 0, 50)
    await made.write(RESULTS, 0, 20)
    await made.write(DOCUMENTS, 0, 5)
    await made.write(WORK, 0, 9)
    sequence, fold, slow, _ = groups(APPLICATION_ID)
    await commit_offsets(broker, sequence, {(TIME_ENTRIES, 1): 48, (RESULTS, 1): 20})
    await commit_offsets(broker, fold, {(JOURNAL, 1): 55})
    await commit_offsets(broker, slow, {(WORK, 1): 9})
    store = SqliteStore(store_path(made.installation.data_folder, "01", 1), FOLD_VERSION)
    with store.transaction(0, 58) as rows:
        rows.put("entry", "a", b"1")
    store.close()
    yield made
    await clear(broker)


async def clear(connection: KafkaConnection) -> None:
    """A cluster as it is on its first day."""
    names = [spec.name for spec in all_specs(APPLICATION_ID, PARTITIONS, 1)]
    async with admin_client(connection) as admin:
        await admin.delete_topics([*names, sending.SENDING_HELD])
        while set(await admin.list_topics()) & {*names, sending.SENDING_HELD}:  # noqa: ASYNC110  # a cluster can only be asked again
            await asyncio.sleep(0.05)


async def restored(place: Place, folder: Path, target: Path) -> tuple[Place, int]:
    """A restore into a new folder, after the cluster was lost."""
    manifest = whole(folder)
    put_project_files(folder, manifest, target)
    again = Place(place.installation.model_copy(update={"folder": target}), place.connection)
    return again, await Restore(folder, manifest, again.installation, place.connection).put_back()


async def test_everything_comes_back_at_its_place(place: Place, tmp_path: Path) -> None:
    """Records with offsets, times and headers, rows, files and offsets of groups; only `work` is new, and sending is
    held until somebody proves it."""
    before = await place.everything()
    await place.backup(tmp_path / "backup")
    shutil.rmtree(place.installation.folder)
    await clear(place.connection)
    again, count = await restored(place, tmp_path / "backup", tmp_path / "new")
    assert await again.everything() == before
    assert count == sum(map(len, before.values())) == 135
    with StoreView(store_path(again.installation.data_folder, "01", 1)) as view:
        assert (list(view.items()), view.position.next_offset) == ([("entry", "a", b"1")], 58)
    assert (tmp_path / "new" / "contracts" / "one.yaml").read_text() == "id: one\n"
    sequence, fold, slow, deliver = groups(APPLICATION_ID)
    assert await committed_offsets(place.connection, [sequence, fold, slow, deliver]) == {
        sequence: {(TIME_ENTRIES, 1): 48, (RESULTS, 1): 20},
        fold: {(JOURNAL, 1): 55},
        slow: {},
        deliver: {},
    }
    assert await sending.is_held(place.connection)


async def test_a_second_call_adds_what_is_new_and_keeps_what_is_there(place: Place, tmp_path: Path) -> None:
    """Files of the first call are not touched, so that a copy of the folder only grows."""
    folder = tmp_path / "backup"
    first = (await place.backup(folder)).manifest
    unchanged = {one.path: (folder / one.path).stat().st_mtime_ns for one in first.segments}
    await place.write(JOURNAL, 60, 10)
    await place.write(ALERTS, 0, 3, partition=0)
    second = await place.backup(folder, minute=5)
    assert second.new_records == 13
    assert set(first.segments) < set(second.manifest.segments)
    assert {path: (folder / path).stat().st_mtime_ns for path in unchanged} == unchanged
    assert [(one.begin, one.end) for one in second.manifest.of(JOURNAL, 1)] == [(0, 60), (60, 70)]
    before = await place.everything()
    await clear(place.connection)
    again, _ = await restored(place, folder, tmp_path / "new")
    assert await again.everything() == before


async def test_an_interrupted_backup_leaves_the_one_before_whole(place: Place, tmp_path: Path) -> None:
    """Whatever lies there without being on the list counts for nothing, and the next call takes it away."""
    folder = tmp_path / "backup"
    failpoints.arm("backup_before_list=raise")
    try:
        with pytest.raises(FailpointReached):
            await place.backup(folder)
        with pytest.raises(Misconfigured, match="no whole backup"):
            whole(folder)
        failpoints.arm("")
        first = (await place.backup(folder)).manifest
        await place.write(JOURNAL, 60, 10)
        (place.installation.folder / "contracts" / "one.yaml").write_text("id: changed\n")
        failpoints.arm("backup_before_list=raise")
        with pytest.raises(FailpointReached):
            await place.backup(folder, minute=5)
    finally:
        failpoints.arm("")
    assert whole(folder) == first
    last = (await place.backup(folder, minute=10)).manifest
    named = {one.path for one in last.all_files} | {MANIFEST, "lock"}
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == named


async def test_an_interrupted_restore_goes_on(place: Place, tmp_path: Path) -> None:
    """What is there is compared and not written twice; until the end the state says that it is not done."""
    before = await place.everything()
    await place.backup(tmp_path / "backup")
    await clear(place.connection)
    failpoints.arm("restore_after_partition=raise@11")
    try:
        with pytest.raises(FailpointReached):
            await restored(place, tmp_path / "backup", tmp_path / "new")
    finally:
        failpoints.arm("")
    state = read_state(tmp_path / "new" / ".billstream")
    assert state is not None
    assert not state.done
    again, _ = await restored(place, tmp_path / "backup", tmp_path / "new")
    assert await again.everything() == before
    assert await sending.is_held(place.connection)


async def test_an_interrupted_restore_does_not_go_on_over_foreign_records(place: Place, tmp_path: Path) -> None:
    """Somebody wrote into the topics meanwhile: that is not this backup's beginning."""
    await place.backup(tmp_path / "backup")
    await clear(place.connection)
    failpoints.arm("restore_after_partition=raise@1")
    try:
        with pytest.raises(FailpointReached):
            await restored(place, tmp_path / "backup", tmp_path / "new")
    finally:
        failpoints.arm("")
    await place.write(JOURNAL, 500, 3)
    with pytest.raises(InUse, match="not empty"):
        await restored(place, tmp_path / "backup", tmp_path / "new")


async def test_a_restore_needs_an_empty_place(place: Place, tmp_path: Path) -> None:
    """Topics that hold records, stores without their journal, other contracts: nothing is written over any of them."""
    before = await place.everything()
    await place.backup(tmp_path / "backup")
    with pytest.raises(InUse, match="hold records"):
        await restored(place, tmp_path / "backup", tmp_path / "new")
    assert await place.everything() == before
    assert not await sending.is_held(place.connection)
    await clear(place.connection)
    with pytest.raises(InUse, match="1 stores"):
        await restored(place, tmp_path / "backup", place.installation.folder)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "billstream.yaml").write_text("tenant: other\n")
    with pytest.raises(FileDiffers, match="other files"):
        await restored(place, tmp_path / "backup", tmp_path / "other")
    assert list((tmp_path / "other").iterdir()) == [tmp_path / "other" / "billstream.yaml"]


async def test_a_restore_does_not_begin_beside_a_worker(place: Place, tmp_path: Path) -> None:
    """A worker of this folder holds its place: its stores are not exchanged under it."""
    await place.backup(tmp_path / "backup")
    await clear(place.connection)
    with slots_held(tmp_path / "new" / ".billstream", ["01"]), pytest.raises(InUse, match="at work"):
        await restored(place, tmp_path / "backup", tmp_path / "new")


def without_store(folder: Path, manifest: Manifest) -> None:
    (folder / manifest.stores[0].path).unlink()


def without_journal(folder: Path, manifest: Manifest) -> None:
    shutil.rmtree(folder / "records" / JOURNAL)


def with_cut_file(folder: Path, manifest: Manifest) -> None:
    (folder / manifest.segments[0].path).write_bytes(b"")


def with_changed_file(folder: Path, manifest: Manifest) -> None:
    (folder / manifest.project[0].path).write_text("partitions: 9\n")


def with_broken_list(folder: Path, manifest: Manifest) -> None:
    (folder / MANIFEST).write_text("{}")


@pytest.mark.parametrize("damage", [without_store, without_journal, with_cut_file, with_changed_file, with_broken_list])
async def test_a_backup_that_is_not_whole_is_refused(
    place: Place, tmp_path: Path, damage: Callable[[Path, Manifest], None]
) -> None:
    """Only topics, only the database, or less than every byte of both: refused before anything is touched."""
    await place.backup(tmp_path / "backup")
    damage(tmp_path / "backup", read_manifest(tmp_path / "backup"))
    with pytest.raises(MachineryError) as failed:
        whole(tmp_path / "backup")
    assert (failed.value.code, failed.value.exit_code) == ("backup_damaged", 78)


async def test_a_folder_of_something_else_is_left_alone(place: Place, tmp_path: Path) -> None:
    """Neither a folder with other files nor the backup of another cluster is written into."""
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "letter.txt").write_text("dear")
    with pytest.raises(Misconfigured, match="something else"):
        await place.backup(tmp_path / "used")
    await place.backup(tmp_path / "backup")
    manifest = read_manifest(tmp_path / "backup")
    (tmp_path / "backup" / MANIFEST).write_text(manifest.model_copy(update={"cluster_id": "x"}).model_dump_json())
    with pytest.raises(Misconfigured, match="another installation"):
        await place.backup(tmp_path / "backup")
    assert problems(tmp_path / "backup", manifest) == []


async def test_a_journal_that_lost_records_is_no_backup(place: Place, tmp_path: Path) -> None:
    """A topic that was made anew is shorter than what the backup holds: the good copy is kept, and the loss is said."""
    await place.backup(tmp_path / "backup")
    first = read_manifest(tmp_path / "backup")
    await clear(place.connection)
    await ensure_topics(place.connection, all_specs(APPLICATION_ID, PARTITIONS, 1))
    await place.write(JOURNAL, 0, 10)
    with pytest.raises(Misconfigured, match="lost"):
        await place.backup(tmp_path / "backup", minute=5)
    assert whole(tmp_path / "backup") == first
