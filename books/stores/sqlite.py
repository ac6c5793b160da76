"""The store in one SQLite file for each partition: rows and offset are one transaction of the database (rule 1)."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

from books.stores.memory import rows_digest
from books.stores.port import Mark, Position, Rows, StoreMoved, StoreUnusable

_SCHEMA = """
CREATE TABLE IF NOT EXISTS row (
    kind TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (kind, key)
);
CREATE TABLE IF NOT EXISTS position (
    one INTEGER PRIMARY KEY CHECK (one = 1), next_offset INTEGER NOT NULL, fold_version TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS mark (
    one INTEGER PRIMARY KEY CHECK (one = 1), record_offset INTEGER NOT NULL, fingerprint TEXT NOT NULL
);
"""
_BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY_CODE = 0xFF
BUSY_SECONDS = 5
"""How long a file that somebody else holds is waited for."""
_CONDEMNED_SUFFIX = ".condemned"


_CACHED_BYTES_MAX = 48 * 1024 * 1024
"""By bytes and not by rows: a drafted document can be a thousand times as large as an entry's row."""
_ROW_BYTES = 400
"""What a remembered row takes besides its value: its key, their objects and their place."""
_CHECKPOINT_PAGES = 16_384
"""64 MB of changes between two checkpoints: each waits for the disk, and the default of 4 MB does so all the time."""
_EXPECTED_TOGETHER = 500
_MISSING = object()


class _Database:
    """An open database file whose errors are sentences. A file that is found broken is condemned: `open_or_rebuild`
    throws it away at the next start, and nothing else does.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, cached_statements=64, check_same_thread=False
        )

    def run(self, statement: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        """All rows that a statement gives."""
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise unusable(self.path, error) from error

    def run_many(self, statement: str, values: Sequence[Sequence[object]]) -> None:
        """Run a statement for each of the values."""
        try:
            self._connection.executemany(statement, values)
        except sqlite3.Error as error:
            raise unusable(self.path, error) from error

    def run_script(self, script: str) -> None:
        """Run several statements."""
        try:
            self._connection.executescript(script)
        except sqlite3.Error as error:
            raise unusable(self.path, error) from error

    def roll_back(self) -> None:
        """Undo the open transaction, if there is one; the database undid it by itself after some errors."""
        if self._connection.in_transaction:
            self.run("ROLLBACK")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def unusable(path: Path, error: sqlite3.Error) -> StoreUnusable:
    """What a database error says of a store. One that is broken is condemned."""
    if is_broken(error):
        with suppress(OSError):  # a full disk: then the next start finds the same again
            condemned(path).touch()
        fix = "Start again: the store is thrown away then and built again from the journal."
    else:
        fix = "Look for a full disk, missing rights or another program that holds the file; then start again."
    return StoreUnusable(str(path), str(error), fix)


def is_broken(error: sqlite3.Error) -> bool:
    """Whether a database error speaks against the file itself."""
    # Errors that the module makes itself, as for a closed connection, carry no code.
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE in _BROKEN


def condemned(path: Path) -> Path:
    """The file beside a store that says: broken, not to be opened again."""
    return path.with_name(path.name + _CONDEMNED_SUFFIX)


def open_or_rebuild(path: Path, fold_version: str) -> "SqliteStore":
    """The store in a file. One that is broken, now or at its last use, is thrown away first: the journal has
    everything.

    Raises StoreUnusable for all that does not speak against the file itself (locked, no rights, disk full).
    """
    if not condemned(path).exists():
        try:
            return SqliteStore(path, fold_version)
        except StoreUnusable:
            if not condemned(path).exists():
                raise
    for file in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm"), condemned(path)):
        file.unlink(missing_ok=True)  # the word against it last: a crash in between must not leave half a store
    return SqliteStore(path, fold_version)


class SqliteRows:
    """Rows of an open connection. Changes wait in memory until the transaction ends or a scan needs them in order.

    Rows that were read or written lately are kept, so that the hot ones (a day, a week, a cap) cost no query.
    """

    def __init__(self, database: _Database) -> None:
        self._database = database
        self._pending: dict[tuple[str, str], bytes | None] = {}
        self._cached: dict[tuple[str, str], bytes | None] = {}
        self._cached_bytes = 0

    def get(self, table: str, key: str) -> bytes | None:
        """See `Rows`."""
        place = (table, key)
        found = self._cached.get(place, _MISSING)
        if found is _MISSING:
            # What waits to be written is not in the database yet, and the cache may have been emptied since.
            found = self._pending.get(place, _MISSING)
        if found is not _MISSING:
            return cast("bytes | None", found)
        rows = self._database.run("SELECT value FROM row WHERE kind = ? AND key = ?", place)
        value = cast(bytes, rows[0][0]) if rows else None
        self._keep(place, value)
        return value

    def expect(self, table: str, keys: Sequence[str]) -> None:
        """See `Rows`: one query for hundreds of rows, and most of what is asked for is not there yet."""
        unknown = sorted(
            {key for key in keys if (table, key) not in self._cached and (table, key) not in self._pending}
        )
        for first in range(0, len(unknown), _EXPECTED_TOGETHER):
            part = unknown[first : first + _EXPECTED_TOGETHER]
            places = ",".join("?" * len(part))
            query = f"SELECT key, value FROM row WHERE kind = ? AND key IN ({places})"  # noqa: S608  # marks only
            found = dict(cast("list[tuple[str, bytes]]", self._database.run(query, (table, *part))))
            for key in part:
                self._keep((table, key), found.get(key))

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
            found = self._database.run(query + " ORDER BY key", (table, start))
        else:
            found = self._database.run(query + " AND key < ? ORDER BY key", (table, start, stop))
        yield from cast(list[tuple[str, bytes]], found)

    def tables(self) -> list[str]:
        """The names of all tables that hold rows, sorted."""
        self.flush()
        return [cast(str, name) for (name,) in self._database.run("SELECT DISTINCT kind FROM row ORDER BY kind")]

    def flush(self) -> None:
        """Hand the waiting changes to the database; it keeps them only if the transaction is committed."""
        if not self._pending:
            return
        # In order, so that rows that stand together are written together.
        puts = sorted((table, key, value) for (table, key), value in self._pending.items() if value is not None)
        gone = [place for place, value in self._pending.items() if value is None]
        self._pending.clear()
        if puts:
            self._database.run_many(
                "INSERT INTO row VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value", puts
            )
        if gone:
            self._database.run_many("DELETE FROM row WHERE kind = ? AND key = ?", gone)

    def forget(self) -> None:
        """Drop everything that is kept in memory: the transaction was undone."""
        self._pending.clear()
        self._empty()

    def _keep(self, place: tuple[str, str], value: bytes | None) -> None:
        # A row that changes often is counted each time: that empties a little early and asks for no look.
        size_bytes = _ROW_BYTES if value is None else _ROW_BYTES + len(value)
        if self._cached_bytes + size_bytes > _CACHED_BYTES_MAX:
            self._empty()
        self._cached_bytes += size_bytes
        self._cached[place] = value

    def _empty(self) -> None:
        self._cached.clear()
        self._cached_bytes = 0


class SqliteStore:
    """A store on disk. Another version of the fold starts with an empty file, because its rows may mean something
    else.
    """

    def __init__(self, path: Path, fold_version: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._database = _Database(path)
        except sqlite3.Error as error:
            raise StoreUnusable(str(path), str(error), "Look at the rights of the file and its folder.") from error
        self._rows = SqliteRows(self._database)
        self._fold_version = fold_version
        self._end_offset = 0
        self._end_mark: Mark | None = None
        try:
            self._prepare()
        except BaseException:
            self._database.close()
            raise

    def _prepare(self) -> None:
        self._database.run("PRAGMA journal_mode = WAL")
        self._database.run("PRAGMA synchronous = NORMAL")
        self._database.run("PRAGMA cache_size = -65536")
        self._database.run(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        self._database.run_script(_SCHEMA)
        if self._read_position() is None:
            self.start_over()

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
        self._database.run("BEGIN IMMEDIATE")
        self._ends_at(end_offset)
        try:
            found = self._read_position()
            if found is None or found.next_offset != begin_offset:
                raise StoreMoved(begin_offset, 0 if found is None else found.next_offset)
            yield self._rows
            self._rows.flush()
            self._database.run("UPDATE position SET next_offset = ?", (self._end_offset,))
            if self._end_mark is not None:
                mark = (self._end_mark.offset, self._end_mark.fingerprint)
                self._database.run("INSERT OR REPLACE INTO mark VALUES (1, ?, ?)", mark)
            self._database.run("COMMIT")
        except BaseException:
            self._rows.forget()
            self._database.roll_back()
            raise

    def _ends_at(self, end_offset: int) -> None:
        self._end_offset, self._end_mark = end_offset, None

    def extend(self, end_offset: int, mark: Mark | None = None) -> None:
        """See `Store`."""
        self._end_offset = end_offset
        self._end_mark = mark or self._end_mark

    def digest(self) -> str:
        """See `Store`."""
        return rows_digest(self._rows, self._rows.tables())

    def close(self) -> None:
        """See `Store`."""
        self._database.close()

    def _read_position(self) -> Position | None:
        query = "SELECT next_offset, record_offset, fingerprint FROM position LEFT JOIN mark WHERE fold_version = ?"
        found = cast(list[tuple[int, int | None, str | None]], self._database.run(query, (self._fold_version,)))
        if not found:
            return None
        next_offset, record_offset, fingerprint = found[0]
        if record_offset is None or fingerprint is None:
            return Position(next_offset, self._fold_version, None)
        return Position(next_offset, self._fold_version, Mark(record_offset, fingerprint))

    def start_over(self) -> None:
        """See `Store`."""
        self._rows.forget()
        self._database.run("BEGIN IMMEDIATE")
        self._database.run("DELETE FROM row")
        self._database.run("DELETE FROM position")
        self._database.run("DELETE FROM mark")
        self._database.run("INSERT INTO position VALUES (1, 0, ?)", (self._fold_version,))
        self._database.run("COMMIT")
