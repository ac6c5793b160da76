"""`rebuild`: a store is a cache of its journal, and this proves it: the journal is folded anew from its first record
and the rows are compared, byte for byte (design rule 1). Nothing is published and nobody is asked.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice
from pathlib import Path

import msgspec

from billstream.keeping.folding import SilentFold, Tally
from billstream.keeping.installation import StorePlace
from books.stores.sqlite import SqliteStore, condemned
from books.stores.view import RowDifference, StoreView, differences
from books.version import FOLD_VERSION
from runtime.clock import Clock
from runtime.files import sync_folder
from runtime.kafka.listing import Span
from runtime.kafka.reading import PartitionReader
from streams.topics import JOURNAL

DIFFERENCES_SHOWN_MAX = 5
NEW_SUFFIX = ".rebuilt"

OnRead = Callable[[int, int], None]


class Verdict(StrEnum):
    """How a store stands to its journal."""

    SAME = "same"
    DIFFERS = "differs"
    NO_STORE = "no_store"
    OTHER_VERSION = "other_version"
    """Another version of the fold wrote it: a worker throws it away at its next start."""
    OTHER_JOURNAL = "other_journal"
    """Its last record is not the one that the journal has there: a worker throws it away at its next start."""
    AHEAD = "ahead"
    """It reflects more than the journal holds: no worker starts with it, and nothing replaces it before a person has
    found out whether the journal lost records.
    """


@dataclass(frozen=True)
class Rebuilt:
    """What became of one store: `offset` is where both were compared, or the journal's end without a comparison."""

    place: StorePlace
    verdict: Verdict
    offset: int
    digest: str
    stored_digest: str = ""
    tally: Tally = field(default_factory=Tally)
    seconds: float = 0.0
    rows: int = 0
    differences: tuple[RowDifference, ...] = ()
    replaced: bool = False


@dataclass(frozen=True)
class Rebuilder:
    """Folds partitions of one journal anew. With `replace` the new store takes the old one's place; its slot must be
    held.
    """

    reader: PartitionReader
    clock: Clock
    replace: bool = False
    on_read: OnRead = lambda done, total: None

    async def rebuild(self, place: StorePlace, span: Span) -> Rebuilt:
        """Fold a partition's journal into a new store beside the old one, compare, and put it in place if wanted."""
        with _new_file(place.path) as path:
            began_seconds = self.clock.monotonic_seconds()
            store = SqliteStore(path, FOLD_VERSION)
            try:
                silent = SilentFold(store)
                found = await self._compared(place, silent, path, span)
                replaces = self.replace and found.verdict is not Verdict.AHEAD
                if replaces:
                    await self._fold(silent, place.partition, span.end)
            finally:
                store.close()
            seconds = self.clock.monotonic_seconds() - began_seconds
            if replaces:
                put_in_place(path, place.path)
        return replace(found, tally=silent.tally, seconds=seconds, replaced=replaces)

    async def _compared(self, place: StorePlace, silent: SilentFold, path: Path, span: Span) -> Rebuilt:
        verdict, stop = _before(place, span)
        await self._fold(silent, place.partition, stop)
        # The owner may have gone on since: the view is opened last, so that it stays open for a moment only.
        if verdict is not Verdict.SAME:
            with StoreView(path) as new:
                return Rebuilt(place, verdict, stop, new.digest(), rows=sum(new.counts().values()))
        with StoreView(place.path) as old:
            await self._fold(silent, place.partition, old.position.next_offset)
            with StoreView(path) as new:
                return _judged(place, old, new)

    async def _fold(self, silent: SilentFold, partition: int, end: int) -> None:
        async for records in self.reader.read(JOURNAL, partition, silent.next_offset, end):
            silent.apply(records)
            self.on_read(silent.tally.records, end)


def _before(place: StorePlace, span: Span) -> tuple[Verdict, int]:
    """What can be said without folding, and up to which offset to fold first."""
    if not place.path.exists():
        return Verdict.NO_STORE, span.end
    with StoreView(place.path) as old:
        if old.position.fold_version != FOLD_VERSION:
            return Verdict.OTHER_VERSION, span.end
        if old.position.next_offset > span.end:
            return Verdict.AHEAD, span.end
        return Verdict.SAME, old.position.next_offset


def _judged(place: StorePlace, old: StoreView, new: StoreView) -> Rebuilt:
    stored, rebuilt = old.digest(), new.digest()
    if old.position.mark != new.position.mark:
        verdict = Verdict.OTHER_JOURNAL
    else:
        verdict = Verdict.SAME if stored == rebuilt else Verdict.DIFFERS
    found = () if stored == rebuilt else tuple(islice(differences(old.items(), new.items()), DIFFERENCES_SHOWN_MAX))
    rows = sum(new.counts().values())
    return Rebuilt(place, verdict, new.position.next_offset, rebuilt, stored, rows=rows, differences=found)


@contextmanager
def _new_file(path: Path) -> Iterator[Path]:
    """A file beside a store for its successor, on the same disk; nothing of it is left behind."""
    new = path.with_name(path.name + NEW_SUFFIX)
    new.parent.mkdir(parents=True, exist_ok=True)
    _remove(new)
    try:
        yield new
    finally:
        _remove(new)


def put_in_place(new: Path, path: Path) -> None:
    """Let a whole, closed store take the place of another. Interrupted anywhere, the next start builds it again: the
    word against the old one is taken back last.
    """
    condemned(path).touch()
    _remove(path)
    new.rename(path)
    condemned(path).unlink()
    sync_folder(path.parent)


def _remove(path: Path) -> None:
    for file in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        file.unlink(missing_ok=True)


def readable(value: bytes | None) -> str:
    """A row's value as JSON, for people; empty for a missing row."""
    if value is None:
        return ""
    try:
        return msgspec.json.encode(msgspec.msgpack.decode(value)).decode()
    except msgspec.DecodeError:
        return json.dumps(value.hex())
