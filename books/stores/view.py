"""A look at a store's file that changes nothing: rows and offset of one moment, while its owner may go on writing."""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias, cast
from urllib.parse import quote

from books.stores.port import Mark, Position, StoreUnusable

Item: TypeAlias = tuple[str, str, bytes]
"""(table, key, value) of a row."""
_READ_TOGETHER = 2_000


@dataclass(frozen=True, slots=True)
class RowDifference:
    """A row that two stores do not have in common; None where it is missing."""

    table: str
    key: str
    first: bytes | None
    second: bytes | None


class StoreView:
    """A store's file, read only, as of the moment at which the view was opened. Any version of the fold may have
    written it.
    """

    def __init__(self, path: Path) -> None:
        """Raises StoreUnusable when the file is no store or cannot be read."""
        self.path = path
        try:
            self._connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None)
            try:
                self._connection.execute("BEGIN")
                # A transaction sees the moment of its first query.
                self.position = self._position()
            except BaseException:
                self._connection.close()
                raise
        except sqlite3.Error as error:
            raise StoreUnusable(str(path), str(error), "Look at the file and its rights.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the moment go: as long as a view is open its owner's log of changes grows."""
        self._connection.close()

    def items(self) -> Iterator[Item]:
        """All rows in the order of table and key, never all of them in memory."""
        found = self._connection.execute("SELECT kind, key, value FROM row ORDER BY kind, key")
        while part := found.fetchmany(_READ_TOGETHER):
            yield from cast("list[Item]", part)

    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        return dict(self._connection.execute("SELECT kind, count(*) FROM row GROUP BY kind ORDER BY kind").fetchall())

    def digest(self) -> str:
        """The same as `Store.digest` of the same rows."""
        return digest_of(self.items())

    def _position(self) -> Position:
        query = "SELECT next_offset, fold_version, record_offset, fingerprint FROM position LEFT JOIN mark"
        found = self._connection.execute(query).fetchone()
        if found is None:
            return Position(0, "")
        next_offset, fold_version, record_offset, fingerprint = found
        mark = None if record_offset is None else Mark(record_offset, fingerprint)
        return Position(next_offset, fold_version, mark)


def digest_of(items: Iterable[Item]) -> str:
    """One hash over rows in order."""
    hashed = hashlib.sha256()
    for table, key, value in items:
        for part in (table.encode(), key.encode(), value):
            hashed.update(len(part).to_bytes(8, "big"))
            hashed.update(part)
    return hashed.hexdigest()


def differences(first: Iterable[Item], second: Iterable[Item]) -> Iterator[RowDifference]:
    """The rows in which two ordered stores differ, in order."""
    ones, others = iter(first), iter(second)
    one, other = next(ones, None), next(others, None)
    while one is not None or other is not None:
        if one is not None and (other is None or one[:2] < other[:2]):
            yield RowDifference(one[0], one[1], one[2], None)
            one = next(ones, None)
        elif other is not None and (one is None or other[:2] < one[:2]):
            yield RowDifference(other[0], other[1], None, other[2])
            other = next(others, None)
        else:
            assert one is not None
            assert other is not None
            if one[2] != other[2]:
                yield RowDifference(one[0], one[1], one[2], other[2])
            one, other = next(ones, None), next(others, None)
