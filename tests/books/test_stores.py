"""One contract for all stores: what the fold may rely on, whatever keeps the rows (design rule 1)."""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from books.stores.memory import MemoryStore
from books.stores.port import Store, StoreMoved
from books.stores.sqlite import SqliteStore

Open = Callable[[], Store]


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each kind."""
    made: Store = MemoryStore("1") if request.param == "memory" else SqliteStore(tmp_path / "0000.sqlite", "1")
    yield made
    made.close()


@pytest.fixture
def reopen(tmp_path: Path) -> Iterator[Callable[[str], SqliteStore]]:
    """Opens the same file again, as a fold of some version."""
    made: list[SqliteStore] = []

    def opened(fold_version: str) -> SqliteStore:
        made.append(SqliteStore(tmp_path / "0000.sqlite", fold_version))
        return made[-1]

    yield opened
    for one in made:
        one.close()


def filled(store: Store) -> Store:
    """Three tables with rows, at offset 10."""
    with store.transaction(0, 10) as rows:
        for key in ("b", "a", "ü", "a\x1f1", "a\x1f2", "\U0001f600", "￿"):
            rows.put("entry", key, key.encode())
        rows.put("hours", "a", b"h")
        rows.put("empty", "a", b"")
        rows.delete("empty", "a")
    return store


def test_a_store_begins_empty_at_offset_0(store: Store) -> None:
    """A missing store can only be made from the journal's beginning."""
    assert (store.position.next_offset, store.position.fold_version) == (0, "1")
    assert list(store.rows.scan("entry")) == []


def test_rows_are_read_as_they_were_written(store: Store) -> None:
    """The last value of a key counts, a deleted key is gone, a missing one is None and may be deleted again."""
    with store.transaction(0, 1) as rows:
        rows.put("entry", "a", b"one")
        rows.put("entry", "a", b"two")
        rows.delete("entry", "never there")
        assert rows.get("entry", "a") == b"two"
    assert (store.rows.get("entry", "a"), store.rows.get("hours", "a")) == (b"two", None)
    with store.transaction(1, 2) as rows:
        rows.delete("entry", "a")
        assert rows.get("entry", "a") is None
        assert list(rows.scan("entry")) == []
    assert store.rows.get("entry", "a") is None


def test_a_scan_goes_in_text_order(store: Store) -> None:
    """Keys come in the order of their characters, within the bounds; inside a transaction its own changes are seen."""
    rows = filled(store).rows
    assert [key for key, _ in rows.scan("entry")] == ["a", "a\x1f1", "a\x1f2", "b", "ü", "￿", "\U0001f600"]
    assert [key for key, _ in rows.scan("entry", "a\x1f", "a ")] == ["a\x1f1", "a\x1f2"]
    assert [key for key, _ in rows.scan("entry", "b")] == ["b", "ü", "￿", "\U0001f600"]
    with store.transaction(10, 11) as changed:
        changed.put("entry", "aa", b"new")
        changed.delete("entry", "b")
        assert [key for key, _ in changed.scan("entry", "a", "c")] == ["a", "a\x1f1", "a\x1f2", "aa"]


def test_rows_and_offset_are_one(store: Store) -> None:
    """What fails inside a transaction leaves neither its rows nor its offset behind."""
    before = filled(store).digest()

    def fail() -> None:
        with store.transaction(10, 20) as rows:
            rows.put("entry", "a", b"changed")
            rows.put("entry", "new", b"row")
            rows.delete("entry", "b")
            rows.delete("hours", "a")
            list(rows.scan("entry"))
            raise KeyError("in the middle")

    with pytest.raises(KeyError):
        fail()
    assert store.position.next_offset == 10
    assert store.digest() == before
    assert (store.rows.get("entry", "a"), store.rows.get("entry", "new")) == (b"a", None)
    assert store.rows.get("hours", "a") == b"h"


def test_an_interrupted_transaction_is_undone_too(store: Store) -> None:
    """A cancelled batch is no `Exception`, and is undone all the same."""
    before = filled(store).digest()

    def stop() -> None:
        with store.transaction(10, 20) as rows:
            rows.put("entry", "a", b"changed")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert (store.position.next_offset, store.digest()) == (10, before)


@pytest.mark.parametrize("begin", [0, 9, 11])
def test_a_batch_that_began_elsewhere_is_refused(store: Store, begin: int) -> None:
    """Somebody else moved the offset: nothing of this owner's batch is written, not even once."""
    before = filled(store).digest()

    def late() -> None:
        with store.transaction(begin, 30) as rows:
            rows.put("entry", "a", b"late")

    with pytest.raises(StoreMoved):
        late()
    assert (store.position.next_offset, store.digest()) == (10, before)


def test_two_owners_of_one_file_cannot_both_commit(reopen: Callable[[str], SqliteStore]) -> None:
    """The second to commit a batch from the same offset is refused, and what it had read before does not matter."""
    zombie, owner = reopen("1"), reopen("1")
    filled(zombie)
    assert owner.position.next_offset == 10
    assert zombie.rows.get("entry", "a") == b"a"
    with owner.transaction(10, 12) as rows:
        rows.put("entry", "a", b"owner")

    def late() -> None:
        with zombie.transaction(10, 11) as rows:
            rows.put("entry", "a", b"zombie")

    with pytest.raises(StoreMoved):
        late()
    assert (owner.rows.get("entry", "a"), owner.position.next_offset) == (b"owner", 12)


def test_a_store_is_opened_again_as_it_was(reopen: Callable[[str], SqliteStore]) -> None:
    """Rows and offset survive the process."""
    first = filled(reopen("1"))
    digest = first.digest()
    first.close()
    again = reopen("1")
    assert (again.position.next_offset, again.digest()) == (10, digest)


def test_another_version_of_the_fold_starts_over(reopen: Callable[[str], SqliteStore]) -> None:
    """Rows of other code may mean something else: nothing of them is left, and the old version cannot go on either."""
    old = filled(reopen("1"))
    new = reopen("2")
    assert (new.position.next_offset, new.position.fold_version) == (0, "2")
    assert list(new.rows.scan("entry")) == []

    def late() -> None:
        with old.transaction(10, 11) as rows:
            rows.put("entry", "a", b"old")

    with pytest.raises(StoreMoved):
        late()
    assert list(new.rows.scan("entry")) == []


def test_the_same_rows_give_the_same_digest_in_every_store(tmp_path: Path) -> None:
    """Whatever the store and the way the rows came into it; any difference in a key or a value shows."""
    memory, disk = MemoryStore("1"), SqliteStore(tmp_path / "0000.sqlite", "1")
    for store in (memory, disk):
        random = Random(store is disk)
        for offset in range(5):
            with store.transaction(offset, offset + 1) as rows:
                for number in random.sample(range(40), 40):
                    rows.put("entry", f"{number:02d}", b"%d" % number)
                    if number % 3 == 0:
                        rows.delete("entry", f"{number:02d}")
    assert memory.digest() == disk.digest()
    with disk.transaction(5, 6) as rows:
        rows.put("entry", "01", b"other")
    assert memory.digest() != disk.digest()
    disk.close()
