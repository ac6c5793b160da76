"""Whole copies of stores in a folder that all workers reach: who takes a partition over begins at the newest one and
not at the journal's beginning (rule 1).

A copy is `<folder>/<partition>/<offset>-v<fold version>-<hash of its bytes>.sqlite`; it gets its name when it is whole.
One whose bytes are not those of its name is passed over for an older one.
"""

import hashlib
import logging
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from books.stores.sqlite import is_broken, unusable
from runtime.files import make_folder, sync_folder

log = logging.getLogger(__name__)

KEPT = 2
"""Of a partition and a version: the newest, and the one before should it be damaged."""
_CHUNK_BYTES = 4 * 1024 * 1024
_SYNC_BYTES = 64 * 1024 * 1024
"""So much is made durable at once: a whole store would be a wait that nothing ends."""
_STEPS_BETWEEN_LOOKS = 100_000
_HASH_DIGITS = 32
_NAME = re.compile(r"(\d{20})-v([^/]+)-([0-9a-f]{32})\.sqlite")


IsGivenUp = Callable[[], bool]
"""Whether nobody waits for a copy any more."""


def never() -> bool:
    """Somebody waits to the end."""
    return False


class GivenUp(Exception):
    """Nobody waits for this copy any more; nothing counts that did not count before."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A store's copy: the rows up to `next_offset` of its partition's journal."""

    file: Path
    next_offset: int
    digest: str


class Snapshots:
    """The snapshots of one version of the fold; those of others are left alone, for a roll-back may want them.

    No two that save at the same time may have one `saver`: it names what they write beside each other in the folder. A
    process number is no such name, for all containers have the same. One that comes again overwrites what its end left.
    """

    def __init__(self, folder: Path, fold_version: str, saver: str = "alone") -> None:
        self._folder = folder
        self._fold_version = fold_version
        self._saver = saver

    def all_of(self, partition: int) -> list[Snapshot]:
        """The snapshots of a partition, the newest first."""
        return sorted(self._found(partition), key=lambda one: one.next_offset, reverse=True)

    def save(self, partition: int, store: Path, is_given_up: IsGivenUp = never) -> Snapshot:
        """Copy the committed state of a store that somebody may be writing; remove all but the last two.

        Raises OSError, sqlite3.Error and GivenUp; then nothing counts that did not count before. Raises StoreUnusable
        when the store turns out to be broken: a copy reads all of it, and its owner only what it needs.
        """
        place = make_folder(self._place(partition))
        # Nobody else writes beside the store: its folder is a slot, which one living process has, frozen or not, and
        # that saves one partition after the other.
        copy = store.with_name(f"{store.name}.copy")
        copy.unlink(missing_ok=True)
        try:
            _copy_rows(store, copy, is_given_up)
            next_offset = _offset_of(copy)
            arriving = place / f".{self._saver}.part"
            digest = _copy_file(copy, arriving, is_given_up)
        finally:
            copy.unlink(missing_ok=True)
        snapshot = Snapshot(place / f"{next_offset:020d}-v{self._fold_version}-{digest}.sqlite", next_offset, digest)
        arriving.replace(snapshot.file)
        sync_folder(place)
        for old in self.all_of(partition)[KEPT:]:
            old.file.unlink(missing_ok=True)
        return snapshot

    def bring(
        self, partition: int, store: Path, beginning: int, end: int, is_given_up: IsGivenUp = never
    ) -> Snapshot | None:
        """Put the newest whole snapshot with `beginning <= offset <= end` in the place of a store that nobody has open.

        None, and the place as it was, when no snapshot serves. Raises GivenUp; then the place is as it was, too.
        """
        for snapshot in self.all_of(partition):
            if beginning <= snapshot.next_offset <= end and _arrives(snapshot, store, is_given_up):
                return snapshot
        return None

    def _place(self, partition: int) -> Path:
        return self._folder / f"{partition:04d}"

    def _found(self, partition: int) -> Iterator[Snapshot]:
        place = self._place(partition)
        for file in place.iterdir() if place.is_dir() else ():
            found = _NAME.fullmatch(file.name)
            if found is not None and found[2] == self._fold_version:
                yield Snapshot(file, int(found[1]), found[3])


def _arrives(snapshot: Snapshot, store: Path, is_given_up: IsGivenUp) -> bool:
    arriving = store.with_name(f"{store.name}.arriving")
    try:
        digest = _copy_file(snapshot.file, arriving, is_given_up)
    except GivenUp:
        arriving.unlink(missing_ok=True)
        raise
    except OSError as error:
        log.warning("The snapshot %s cannot be copied: %s.", snapshot.file, error)
        digest = ""
    if digest != snapshot.digest:
        log.warning("The snapshot %s is damaged; an older one is looked for.", snapshot.file)
        arriving.unlink(missing_ok=True)
        return False
    for beside in ("-wal", "-shm"):
        store.with_name(store.name + beside).unlink(missing_ok=True)
    arriving.replace(store)
    return True


def _copy_rows(store: Path, copy: Path, is_given_up: IsGivenUp) -> None:
    """The committed rows as a file of their own; a writer goes on meanwhile."""
    reader = sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True)
    reader.set_progress_handler(is_given_up, _STEPS_BETWEEN_LOOKS)
    try:
        reader.execute("VACUUM INTO ?", (str(copy),))
    except sqlite3.OperationalError as error:
        if is_given_up():
            raise GivenUp from error
        raise
    except sqlite3.DatabaseError as error:
        if is_broken(error):
            raise unusable(store, error) from error
        raise
    finally:
        reader.close()


def _offset_of(copy: Path) -> int:
    reader = sqlite3.connect(f"{copy.resolve().as_uri()}?mode=ro", uri=True)
    try:
        (offset,) = reader.execute("SELECT next_offset FROM position").fetchone()
    finally:
        reader.close()
    return int(offset)


def _copy_file(source: Path, target: Path, is_given_up: IsGivenUp) -> str:
    """Copy, durable when this returns; the first digits of the SHA-256 of what was copied."""
    digest, unsynced = hashlib.sha256(), 0
    with source.open("rb") as reader, target.open("wb") as writer:
        while chunk := reader.read(_CHUNK_BYTES):
            if is_given_up():
                raise GivenUp
            digest.update(chunk)
            writer.write(chunk)
            unsynced += len(chunk)
            if unsynced >= _SYNC_BYTES:
                writer.flush()
                os.fsync(writer.fileno())
                unsynced = 0
        writer.flush()
        os.fsync(writer.fileno())
    return digest.hexdigest()[:_HASH_DIGITS]
