"""A view of a store's file: the same digest, one moment, no change; and where two stores differ."""

import sqlite3
from pathlib import Path

import pytest

from books.stores.port import Mark, StoreUnusable
from books.stores.sqlite import SqliteStore
from books.stores.view import RowDifference, StoreView, differences
from books.version import FOLD_VERSION


def filled(path: Path, count: int) -> SqliteStore:
    store = SqliteStore(path, FOLD_VERSION)
    with store.transaction(0, count) as rows:
        for number in range(count):
            rows.put(("one", "other", "Ω")[number % 3], f"{number:05d}\x1f{'ß' * (number % 4)}", b"%d" % number)
        store.extend(count, Mark(count - 1, "last"))
    return store


def test_a_view_has_the_digest_of_its_store(tmp_path: Path) -> None:
    """Rows are hashed as the store does it, without all of them in memory; the position comes along."""
    store = filled(tmp_path / "a.sqlite", 5_000)
    with StoreView(tmp_path / "a.sqlite") as view:
        assert view.digest() == store.digest()
        assert (view.position, sum(view.counts().values())) == (store.position, 5_000)
    store.close()


def test_a_view_stays_at_its_moment_while_the_owner_goes_on(tmp_path: Path) -> None:
    """What is committed after the view was opened is not in it, and the owner is not held up."""
    store = filled(tmp_path / "a.sqlite", 100)
    before = store.digest()
    with StoreView(tmp_path / "a.sqlite") as view:
        with store.transaction(100, 101) as rows:
            rows.put("one", "later", b"x")
        assert (view.digest(), view.position.next_offset) == (before, 100)
    assert store.digest() != before
    store.close()


def test_a_view_makes_no_file_and_changes_none(tmp_path: Path) -> None:
    """A missing file is an error, not an empty store; a store of another version keeps its rows."""
    with pytest.raises(StoreUnusable):
        StoreView(tmp_path / "missing.sqlite")
    assert not (tmp_path / "missing.sqlite").exists()
    filled(tmp_path / "a.sqlite", 10).close()
    with sqlite3.connect(tmp_path / "a.sqlite") as changed:
        changed.execute("UPDATE position SET fold_version = 'older'")
    changed.close()
    with StoreView(tmp_path / "a.sqlite") as view:
        assert (view.position.fold_version, sum(view.counts().values())) == ("older", 10)


def test_differences_name_each_row_that_is_not_the_same() -> None:
    """Missing on either side, or another value; in order, and nothing else."""
    first = [("a", "1", b"x"), ("a", "2", b"x"), ("b", "1", b"x")]
    second = [("a", "1", b"x"), ("a", "3", b"x"), ("b", "1", b"y"), ("c", "0", b"z")]
    assert list(differences(first, second)) == [
        RowDifference("a", "2", b"x", None),
        RowDifference("a", "3", None, b"x"),
        RowDifference("b", "1", b"x", b"y"),
        RowDifference("c", "0", None, b"z"),
    ]
    assert list(differences(first, first)) == []
