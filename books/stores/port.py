"""The port of a book's store: rows by table and key, changed only inside a transaction that ends with the offset
(rule 1).
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from schemas.errors import BillstreamError, Conflict


@dataclass(frozen=True, slots=True)
class Mark:
    """The last journal record that the rows reflect: it ties a store to its journal, for another has another there."""

    offset: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Position:
    """What a store reflects: the next journal offset to apply, the version of the fold that wrote it, and the last
    record applied if its owner said which.
    """

    next_offset: int
    fold_version: str
    mark: Mark | None = None


class Rows(Protocol):
    """Rows of one partition. A key is text; `scan` gives keys in text order."""

    def get(self, table: str, key: str) -> bytes | None:
        """The row, or None."""

    def expect(self, table: str, keys: Sequence[str]) -> None:
        """These rows will be asked for soon: a store that has them on disk may read them together."""

    def put(self, table: str, key: str, value: bytes) -> None:
        """Insert or replace a row."""

    def delete(self, table: str, key: str) -> None:
        """Remove a row; a missing one is no error."""

    def scan(self, table: str, start: str = "", stop: str | None = None) -> Iterator[tuple[str, bytes]]:
        """Rows with `start <= key < stop` in key order. Do not change the same table while scanning it."""


class Store(Protocol):
    """A cache of the journal: a rebuild gives the same rows, byte for byte."""

    @property
    def position(self) -> Position:
        """What the rows reflect now."""

    @property
    def rows(self) -> Rows:
        """The rows, for reading at any time and for changing inside a transaction."""

    def transaction(self, begin_offset: int, end_offset: int) -> AbstractContextManager[Rows]:
        """Change rows; at the end of the block rows and `end_offset` are committed as one.

        Raises `StoreMoved` when the stored offset is not `begin_offset` any more. An exception in the block undoes it.
        """

    def extend(self, end_offset: int, mark: Mark | None = None) -> None:
        """Within a transaction: it goes on, and will end at this offset; `mark` is the last record below it."""

    def start_over(self) -> None:
        """Drop all rows and go back to offset 0; not within a transaction."""

    def digest(self) -> str:
        """A hash over all rows, to compare a rebuild with."""

    def close(self) -> None:
        """Give the store up."""


class StoreMoved(Conflict):
    """Somebody else committed to this store: this owner is refused and must stop."""

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(
            "store_moved",
            f"The store stands at offset {found}, this worker's batch began at {expected}.",
            "Another worker owns this partition now; this one stops.",
        )


class StoreUnusable(BillstreamError):
    """The store cannot be read or written as it is: no retry within this process helps."""

    def __init__(self, place: str, problem: str, fix: str) -> None:
        super().__init__("store_unusable", f"The store {place} cannot be used: {problem}.", fix)
