"""The store in one SQLite file for each partition: rows and offset are one transaction of the database (rule 1)."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from books.stores.memory import rows_digest
from books.stores.port import Position, Rows, StoreMoved

_SCHEMA = """
CREATE TABLE IF NOT EXISTS row (
    kind TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS position (
    one INTEGER PRIMARY KEY CHECK (one = 1), next_offset INTEGER NOT NULL, fold_version TEXT NOT NULL
);
"""


_CACHED_MAX = 200_000
_CHECKPOINT_PAGES = 16_384
"""64 MB of changes between two checkpoints: each waits for the disk, and the default of 4 MB does so all the time."""
_MISSING = object()


class SqliteRows:
    """Rows of an open connection. Changes wait in memory until the transaction ends or a scan needs them in order.

    Rows that were read or written lately are kept, so that the hot ones (a day, a week, a cap) cost no query.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._execute = connection.execute
        self._pending: dict[tuple[str, str], bytes | None] = {}
        self._cached: dict[tuple[str, str], bytes | None] = {}

    def get(self, table: str, key: str) -> bytes | None:
        """See `Rows`."""
        place = (table, key)
        found = self._cached.get(place, _MISSING)
        if found is _MISSING:
            # What waits to be written is not in the database yet, and the cache may have been emptied since.
            found = self._pending.get(place, _MISSING)
        if found is not _MISSING:
            return cast("bytes | None", found)
        row = self._execute("SELECT value FROM row WHERE kind = ? AND key = ?", place).fetchone()
        value = None if row is None else cast(bytes, row[0])
        self._keep(place, value)
        return value

    def put(self, table: str, key: str, value: bytes) -> None:
        """See `Rows`."""
        place = (table, key)
        self._pending[place] = value
        self._keep(place, value)

    def delete(self, table: str, key: str) -> None:
        """See `Rows`."""
        place = (table, key)
        self._pending[place] = None
        self._keep(place, None)

    def scan(self, table: str, start: str = "", stop: str | None = None) -> Iterator[tuple[str, bytes]]:
        """See `Rows`."""
        self.flush()
        query = "SELECT key, value FROM row WHERE kind = ? AND key >= ?"
        if stop is None:
            yield from self._execute(query + " ORDER BY key", (table, start)).fetchall()
        else:
            yield from self._execute(query + " AND key < ? ORDER BY key", (table, start, stop)).fetchall()

    def tables(self) -> list[str]:
        """The names of all tables that hold rows, sorted."""
        self.flush()
        return [name for (name,) in self._execute("SELECT DISTINCT kind FROM row ORDER BY kind")]

    def flush(self) -> None:
        """Hand the waiting changes to the database; it keeps them only if the transaction is committed."""
        if not self._pending:
            return
        puts = [(table, key, value) for (table, key), value in self._pending.items() if value is not None]
        gone = [place for place, value in self._pending.items() if value is None]
        self._pending.clear()
        if puts:
            self._connection.executemany(
                "INSERT INTO row VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value", puts
            )
        if gone:
            self._connection.executemany("DELETE FROM row WHERE kind = ? AND key = ?", gone)

    def forget(self) -> None:
        """Drop everything that is kept in memory: the transaction was undone."""
        self._pending.clear()
        self._cached.clear()

    def _keep(self, place: tuple[str, str], value: bytes | None) -> None:
        if len(self._cached) >= _CACHED_MAX:
            self._cached.clear()
        self._cached[place] = value


class SqliteStore:
    """A store on disk. Another version of the fold starts with an empty file, because its rows may mean something
    else.
    """

    def __init__(self, path: Path, fold_version: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None, cached_statements=64, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA cache_size = -65536")
        self._connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        self._connection.executescript(_SCHEMA)
        self._rows = SqliteRows(self._connection)
        self._fold_version = fold_version
        self._end_offset = 0
        if self._read_position() is None:
            self._start_over()

    @property
    def position(self) -> Position:
        """See `Store`."""
        found = self._read_position()
        assert found is not None, "a store of this version has a position"
        return found

    @property
    def rows(self) -> Rows:
        """See `Store`."""
        return self._rows

    @contextmanager
    def transaction(self, begin_offset: int, end_offset: int) -> Iterator[Rows]:
        """See `Store`."""
        self._connection.execute("BEGIN IMMEDIATE")
        self._end_offset = end_offset
        try:
            found = self._read_position()
            if found is None or found.next_offset != begin_offset:
                raise StoreMoved(begin_offset, 0 if found is None else found.next_offset)
            yield self._rows
            self._rows.flush()
            self._connection.execute("UPDATE position SET next_offset = ?", (self._end_offset,))
            self._connection.execute("COMMIT")
        except BaseException:
            self._rows.forget()
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def extend(self, end_offset: int) -> None:
        """See `Store`."""
        self._end_offset = end_offset

    def digest(self) -> str:
        """See `Store`."""
        return rows_digest(self._rows, self._rows.tables())

    def close(self) -> None:
        """See `Store`."""
        self._connection.close()

    def _read_position(self) -> Position | None:
        query = "SELECT next_offset, fold_version FROM position WHERE fold_version = ?"
        found = self._connection.execute(query, (self._fold_version,)).fetchone()
        return None if found is None else Position(*found)

    def _start_over(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("DELETE FROM row")
        self._connection.execute("DELETE FROM position")
        self._connection.execute("INSERT INTO position VALUES (1, 0, ?)", (self._fold_version,))
        self._connection.execute("COMMIT")
