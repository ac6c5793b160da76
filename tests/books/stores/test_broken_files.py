"""A store that cannot be used: only a broken file is thrown away, everything else stops with a sentence (rule 1)."""

import sqlite3
from pathlib import Path

import pytest

from books.stores import sqlite
from books.stores.memory import MemoryStore
from books.stores.port import Mark, Position, Store, StoreUnusable
from books.stores.sqlite import SqliteStore, condemned, open_or_rebuild

ROWS = 5_000


def filled(path: Path) -> None:
    """A store in a file, large enough for pages that an opening does not read."""
    store = open_or_rebuild(path, "1")
    with store.transaction(0, ROWS) as rows:
        for number in range(ROWS):
            rows.put("entry", f"{number:06d}", b"x" * 200)
    store.close()


def test_a_file_that_is_no_database_is_built_again(tmp_path: Path) -> None:
    """Rubbish in place of the store: the store begins anew at offset 0."""
    path = tmp_path / "0000.sqlite"
    path.write_bytes(b"this is no database at all, whatever its name says" * 100)
    store = open_or_rebuild(path, "1")
    assert store.position.next_offset == 0
    store.close()
    assert not condemned(path).exists()


def test_a_locked_file_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program that holds the file is told of in a sentence; no row is lost over it."""
    path = tmp_path / "0000.sqlite"
    filled(path)
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnusable, match="locked") as refused:
        open_or_rebuild(path, "1")
    assert refused.value.code == "store_unusable"
    assert str(path) in refused.value.message
    holder.close()
    store = open_or_rebuild(path, "1")
    assert store.position.next_offset == ROWS
    store.close()


def test_corruption_found_during_a_batch_condemns_the_store(tmp_path: Path) -> None:
    """A page that was overwritten is met only when it is read: the batch stops, the next start rebuilds the store."""
    path = tmp_path / "0000.sqlite"
    filled(path)
    with path.open("r+b") as file:
        size = file.seek(0, 2)
        file.seek(size // 2)
        file.write(b"\xff" * 65_536)
    store = open_or_rebuild(path, "1")
    assert store.position.next_offset == ROWS, "an opening does not read every page"
    with pytest.raises(StoreUnusable), store.transaction(ROWS, ROWS + 1) as rows:
        list(rows.scan("entry"))
    store.close()
    assert condemned(path).exists()
    again = open_or_rebuild(path, "1")
    assert again.position.next_offset == 0
    again.close()
    assert not condemned(path).exists()


def test_a_full_disk_undoes_the_batch_and_keeps_the_store(tmp_path: Path) -> None:
    """No room: the transaction is undone, the error says so, and what was committed before stays."""
    path = tmp_path / "0000.sqlite"
    filled(path)
    store = open_or_rebuild(path, "1")
    store._database.run("PRAGMA max_page_count = 1")  # SQLite never goes below what the file has already

    def fill() -> None:
        with store.transaction(ROWS, ROWS + 1) as rows:
            for number in range(ROWS):
                rows.put("entry", f"more {number}", b"x" * 4_000)

    with pytest.raises(StoreUnusable, match="full"):
        fill()
    assert store.position.next_offset == ROWS
    store.close()
    assert not condemned(path).exists()


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_store_knows_the_last_record_it_reflects(tmp_path: Path, kind: str) -> None:
    """The mark is committed with the rows, undone with them, and gone when the store starts over."""
    store: Store = MemoryStore("1") if kind == "memory" else SqliteStore(tmp_path / "0000.sqlite", "1")
    assert store.position == Position(0, "1")
    with store.transaction(0, 1):
        store.extend(3, Mark(2, "abc"))
    with store.transaction(3, 4):
        store.extend(4)
    assert store.position.mark == Mark(2, "abc")

    def interrupted() -> None:
        with store.transaction(4, 5):
            store.extend(5, Mark(4, "def"))
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        interrupted()
    assert (store.position.next_offset, store.position.mark) == (4, Mark(2, "abc"))
    store.start_over()
    position = store.position
    assert (position.next_offset, position.mark) == (0, None)
    store.close()
