"""The SQLite store's memory is bounded and never hides what the running transaction wrote."""

from pathlib import Path

import pytest

from books.stores import sqlite
from books.stores.sqlite import SqliteStore


def test_a_full_cache_does_not_hide_what_waits_to_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row is read back as this transaction left it, changed or gone, however many others were read since."""
    monkeypatch.setattr(sqlite, "_CACHED_BYTES_MAX", 4 * sqlite._ROW_BYTES)
    store = SqliteStore(tmp_path / "rows.sqlite", "1")
    with store.transaction(0, 1) as rows:
        rows.put("hours", "changed", b"old")
        rows.put("hours", "deleted", b"old")
    with store.transaction(1, 2) as rows:
        rows.put("hours", "changed", b"new")
        rows.delete("hours", "deleted")
        for number in range(10):
            rows.get("hours", f"other-{number}")
        assert (rows.get("hours", "changed"), rows.get("hours", "deleted")) == (b"new", None)
    store.close()


def test_what_is_remembered_is_bounded_by_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large rows push others out, so that some drafted documents do not take the memory of a worker."""
    monkeypatch.setattr(sqlite, "_CACHED_BYTES_MAX", 10_000)
    store = SqliteStore(tmp_path / "rows.sqlite", "1")
    asked: list[str] = []
    store._database._connection.set_trace_callback(asked.append)
    with store.transaction(0, 1) as rows:
        for number in range(10):
            rows.put("body", f"{number}", bytes(4_000))
    rows = store.rows
    asked.clear()
    assert rows.get("body", "9") == bytes(4_000)
    assert asked == []
    assert rows.get("body", "0") == bytes(4_000)
    assert len(asked) == 1
    store.close()
