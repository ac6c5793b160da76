"""When a worker's store comes from a snapshot, and when a snapshot is taken."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from threading import Event

import pytest

from books.stores.port import StoreUnusable
from books.stores.snapshots import GivenUp, IsGivenUp, Snapshot, Snapshots, never
from streams.partition_stores import AHEAD_RECORDS_MIN, PartitionStores

FAR = 5 * AHEAD_RECORDS_MIN
JOURNAL = (0, 10 * AHEAD_RECORDS_MIN)


def stands_at(stores: PartitionStores, offset: int) -> None:
    """Its store of partition 0 is folded up to here."""
    store = stores.open(0)
    with store.transaction(store.position.next_offset, offset) as rows:
        rows.put("entry", "a", b"%d" % offset)
    store.close()


def position(stores: PartitionStores) -> int:
    """Where its store of partition 0 stands."""
    store = stores.open(0)
    try:
        return store.position.next_offset
    finally:
        store.close()


async def test_a_worker_without_a_store_begins_at_the_newest_snapshot(tmp_path: Path) -> None:
    """One that is not far behind keeps its own store, and so does one that is further."""
    snapshots = Snapshots(tmp_path / "shared", "1")
    first = PartitionStores(tmp_path / "first", "1", snapshots, 1_000)
    stands_at(first, FAR)
    assert await first.take_due(0, FAR) is not None
    for folder, stood, then in (("new", 0, FAR), ("near", FAR - 10, FAR - 10), ("ahead", FAR + 10, FAR + 10)):
        stores = PartitionStores(tmp_path / folder, "1", snapshots)
        if stood:
            stands_at(stores, stood)
        await stores.bring(0, JOURNAL)
        assert position(stores) == then, folder


async def test_a_snapshot_is_due_after_so_many_records(tmp_path: Path) -> None:
    """Counted from the newest one, whoever took it."""
    snapshots = Snapshots(tmp_path / "shared", "1")
    stores = PartitionStores(tmp_path / "first", "1", snapshots, 1_000)
    stands_at(stores, 999)
    assert await stores.take_due(0, 999) is None
    stands_at(stores, 1_500)
    assert await stores.take_due(0, 1_500) is not None
    stands_at(stores, 2_400)
    assert await stores.take_due(0, 2_400) is None


async def test_a_snapshot_that_cannot_be_taken_is_no_reason_to_stop(tmp_path: Path) -> None:
    """The fold goes on without it, and the log says why."""
    (tmp_path / "shared").write_text("a file where a folder should be")
    stores = PartitionStores(tmp_path / "first", "1", Snapshots(tmp_path / "shared", "1"), 10)
    stands_at(stores, 100)
    assert await stores.take_due(0, 100) is None


async def test_a_snapshot_that_finds_the_store_broken_stops_its_owner(tmp_path: Path) -> None:
    """The owner has not read the torn place yet, and would go on with half of its rows until it does."""
    stores = PartitionStores(tmp_path / "first", "1", Snapshots(tmp_path / "shared", "1"), 10)
    store = stores.open(0)
    with store.transaction(0, 100) as rows:
        for number in range(2_000):
            rows.put("entry", f"{number:06d}", b"x" * 200)
    store.close()
    file = tmp_path / "first" / "0000.sqlite"
    torn = bytearray(file.read_bytes())
    torn[len(torn) // 2 : len(torn) // 2 + 8_192] = bytes(8_192)
    file.write_bytes(torn)
    with pytest.raises(StoreUnusable, match="built again"):
        await stores.take_due(0, 100)
    assert position(stores) == 0, "the next start throws it away"


async def test_without_a_folder_nothing_is_taken_or_brought(tmp_path: Path) -> None:
    """One worker on one machine needs no copies."""
    stores = PartitionStores(tmp_path, "1")
    stands_at(stores, FAR)
    assert await stores.take_due(0, FAR) is None
    await stores.bring(0, JOURNAL)
    assert position(stores) == FAR


class Slow(Snapshots):
    """Copies that never end by themselves."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "1")
        self.began = Event()

    def save(self, partition: int, store: Path, is_given_up: IsGivenUp = never) -> Snapshot:
        """See `Snapshots`."""
        raise self._until(is_given_up)

    def bring(
        self, partition: int, store: Path, beginning: int, end: int, is_given_up: IsGivenUp = never
    ) -> Snapshot | None:
        """See `Snapshots`."""
        raise self._until(is_given_up)

    def _until(self, is_given_up: IsGivenUp) -> GivenUp:
        self.began.set()
        while not is_given_up():
            Event().wait(0.001)
        return GivenUp()


@pytest.mark.parametrize(
    "ask", [lambda stores: stores.bring(0, JOURNAL), lambda stores: stores.take_due(0, FAR)], ids=["bring", "take"]
)
async def test_a_long_copy_ends_when_the_partition_is_taken_away(
    ask: Callable[[PartitionStores], Awaitable[object]], tmp_path: Path
) -> None:
    """A group waits ten seconds for a partition that it takes away: a worker that copied on would have to end."""
    usual, slow = Snapshots(tmp_path / "shared", "1"), Slow(tmp_path / "shared")
    first = PartitionStores(tmp_path / "first", "1", usual, 1_000)
    stands_at(first, FAR - 5_000)
    assert await first.take_due(0, FAR - 5_000) is not None
    task = asyncio.ensure_future(ask(PartitionStores(tmp_path / "new", "1", slow, 1_000)))
    await asyncio.to_thread(slow.began.wait, 10)
    task.cancel()
    _, waiting = await asyncio.wait({task}, timeout=10)
    assert not waiting
    assert task.cancelled()
