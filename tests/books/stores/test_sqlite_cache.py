"""The SQLite store's memory is bounded and never hides what the running transaction wrote."""

from pathlib import Path

import pytest

from books.stores import sqlite
from books.stores.sqlite import SqliteStore


def test_a_full_cache_does_not_hide_what_waits_to_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row is read back as this transaction left it, changed or gone, however many others were read since."""
    monkeypatch.setattr(sqlite, "_CACHED_MAX", 4)
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
