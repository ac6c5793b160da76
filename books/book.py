"""A view of one book inside a partition's rows: typed rows under the book's name, and the indexes over entries."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Protocol, TypeVar

import msgspec

from books.rows import IndexRow, Row
from books.stores.port import Rows

SEPARATOR = "\x1f"
R = TypeVar("R", bound=Row)
R_co = TypeVar("R_co", bound=Row, covariant=True)
_encoder = msgspec.msgpack.Encoder()
_NOTHING = b"\x90"


class _Decoder(Protocol[R_co]):
    def decode(self, value: bytes, /) -> R_co: ...


@cache
def _decoder(row: type[R]) -> _Decoder[R]:
    return msgspec.msgpack.Decoder(row)


def key_of(*parts: str) -> str:
    """A key of several parts; a separator inside a part would let two keys collide, so it is taken out."""
    key = SEPARATOR.join(parts)
    if key.count(SEPARATOR) < len(parts):
        return key
    return SEPARATOR.join(part.replace(SEPARATOR, " ") for part in parts)


class Book:
    """The rows of one book. `name` is `tenant/book`."""

    def __init__(self, rows: Rows, tenant: str, book: str) -> None:
        self.tenant = tenant
        self.book = book
        self._rows = rows
        self._prefix = key_of(tenant, book) + SEPARATOR

    def get(self, row: type[R], key: str) -> R | None:
        """The row of this key, or None."""
        value = self._rows.get(row.table, self._prefix + key)
        return None if value is None else _decoder(row).decode(value)

    def expect(self, row: type[Row], keys: Sequence[str]) -> None:
        """Rows of these keys will be asked for soon."""
        self._rows.expect(row.table, [self._prefix + key for key in keys])

    def put(self, key: str, row: Row) -> None:
        """Insert or replace a row."""
        self._rows.put(row.table, self._prefix + key, _encoder.encode(row))

    def delete(self, row: type[Row], key: str) -> None:
        """Remove a row."""
        self._rows.delete(row.table, self._prefix + key)

    def has(self, row: type[Row], key: str) -> bool:
        """Whether there is such a row."""
        return self._rows.get(row.table, self._prefix + key) is not None

    def scan(self, row: type[R], *parts: str) -> Iterator[tuple[str, R]]:
        """Rows whose key begins with these parts, in key order; all rows without parts."""
        start = self._prefix + (key_of(*parts) + SEPARATOR if parts else "")
        decode = _decoder(row).decode
        cut = len(self._prefix)
        for key, value in self._rows.scan(row.table, start, _after(start)):
            yield key[cut:], decode(value)

    def mark(self, *parts: str) -> None:
        """Set an index key."""
        self._rows.put(IndexRow.table, self._prefix + key_of(*parts), _NOTHING)

    def unmark(self, *parts: str) -> None:
        """Remove an index key."""
        self._rows.delete(IndexRow.table, self._prefix + key_of(*parts))

    def is_marked(self, *parts: str) -> bool:
        """Whether an index key is set."""
        return self._rows.get(IndexRow.table, self._prefix + key_of(*parts)) is not None

    def marked(self, *parts: str) -> Iterator[str]:
        """The last parts of the index keys that begin with these parts, in order."""
        start = self._prefix + key_of(*parts) + SEPARATOR
        for key, _ in self._rows.scan(IndexRow.table, start, _after(start)):
            yield key.rsplit(SEPARATOR, 1)[1]

    def marked_between(self, parts: tuple[str, ...], first: str, last: str) -> Iterator[str]:
        """As `marked`, where the part that follows lies in `first <= part < last`."""
        start = self._prefix + key_of(*parts) + SEPARATOR
        for key, _ in self._rows.scan(IndexRow.table, start + first, start + last):
            yield key.rsplit(SEPARATOR, 1)[1]


def _after(prefix: str) -> str:
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
