"""The store in memory: for previews, the follower fold, tests and the simulator."""

import hashlib
from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from books.stores.port import Mark, Position, Rows, StoreMoved


class MemoryRows:
    """Rows in dictionaries with sorted keys; remembers what a transaction changed so that it can be undone."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[str, bytes]] = {}
        self._keys: dict[str, list[str]] = {}
        self._undo: list[tuple[str, str, bytes | None]] | None = None

    def get(self, table: str, key: str) -> bytes | None:
        """See `Rows`."""
        found = self._tables.get(table)
        return None if found is None else found.get(key)

    def expect(self, table: str, keys: Sequence[str]) -> None:
        """See `Rows`; they are here already."""

    def put(self, table: str, key: str, value: bytes) -> None:
        """See `Rows`."""
        rows = self._tables.setdefault(table, {})
        before = rows.get(key)
        if self._undo is not None:
            self._undo.append((table, key, before))
        if before is None:
            insort(self._keys.setdefault(table, []), key)
        rows[key] = value

    def delete(self, table: str, key: str) -> None:
        """See `Rows`."""
        rows = self._tables.get(table, {})
        before = rows.pop(key, None)
        if before is None:
            return
        if self._undo is not None:
            self._undo.append((table, key, before))
        keys = self._keys[table]
        del keys[bisect_left(keys, key)]

    def scan(self, table: str, start: str = "", stop: str | None = None) -> Iterator[tuple[str, bytes]]:
        """See `Rows`."""
        keys = self._keys.get(table, [])
        rows = self._tables.get(table, {})
        end = len(keys) if stop is None else bisect_left(keys, stop)
        for key in keys[bisect_left(keys, start) : end]:
            yield key, rows[key]

    def tables(self) -> list[str]:
        """The names of all tables that hold rows, sorted."""
        return sorted(name for name, rows in self._tables.items() if rows)

    def begin(self) -> None:
        """Start to remember changes."""
        self._undo = []

    def commit(self) -> None:
        """Forget how to undo."""
        self._undo = None

    def roll_back(self) -> None:
        """Undo all changes since `begin`."""
        undo, self._undo = self._undo or [], None
        for table, key, before in reversed(undo):
            if before is None:
                self.delete(table, key)
            else:
                self.put(table, key, before)


class MemoryStore:
    """A store that lives as long as its process."""

    def __init__(self, fold_version: str) -> None:
        self._rows = MemoryRows()
        self._position = Position(0, fold_version)
        self._end_offset = 0
        self._end_mark: Mark | None = None

    @property
    def position(self) -> Position:
        """See `Store`."""
        return self._position

    @property
    def rows(self) -> Rows:
        """See `Store`."""
        return self._rows

    @contextmanager
    def transaction(self, begin_offset: int, end_offset: int) -> Iterator[Rows]:
        """See `Store`."""
        if self._position.next_offset != begin_offset:
            raise StoreMoved(begin_offset, self._position.next_offset)
        self._rows.begin()
        self._end_offset, self._end_mark = end_offset, self._position.mark
        try:
            yield self._rows
        except BaseException:
            self._rows.roll_back()
            raise
        self._rows.commit()
        self._position = Position(self._end_offset, self._position.fold_version, self._end_mark)

    def extend(self, end_offset: int, mark: Mark | None = None) -> None:
        """See `Store`."""
        self._end_offset = end_offset
        self._end_mark = mark or self._end_mark

    def start_over(self) -> None:
        """See `Store`."""
        self._rows = MemoryRows()
        self._end_mark = None
        self._position = Position(0, self._position.fold_version)

    def digest(self) -> str:
        """See `Store`."""
        return rows_digest(self._rows, self._rows.tables())

    def close(self) -> None:
        """See `Store`."""


def rows_digest(rows: Rows, tables: list[str]) -> str:
    """One hash over all rows in order; the same for every store that holds the same rows."""
    hashed = hashlib.sha256()
    for table in tables:
        for key, value in rows.scan(table):
            for part in (table.encode(), key.encode(), value):
                hashed.update(len(part).to_bytes(8, "big"))
                hashed.update(part)
    return hashed.hexdigest()
