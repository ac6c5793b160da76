"""The disks of simulated machines: stores that survive their process, and may be lost, torn or set back."""

import shutil
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Protocol

import books.stores.sqlite
from books.stores.memory import MemoryRows, rows_digest
from books.stores.port import Mark, Position, Rows, Store, StoreMoved, StoreUnusable
from books.stores.sqlite import SqliteStore, open_or_rebuild

KEPT_COMMITS = 4
PAGE_BYTES = 4096


class Disk(Protocol):
    """Where the folds of all machines keep their stores, one file for each machine."""

    def open(self, machine: int, fold_version: str) -> Store:
        """The store of a machine as its disk has it; raises StoreUnusable while another process holds it."""

    def died(self, store: Store) -> None:
        """The process that had this store open is gone: what it had not committed never was."""

    def lose(self, machine: int) -> None:
        """The file is gone."""

    def tear(self, machine: int, random: Random) -> None:
        """The file was being written when the power went."""

    def set_back(self, machine: int, random: Random) -> None:
        """The last commits did not reach the disk."""

    def left(self) -> list[tuple[int, str, str]]:
        """Offset, version and digest of each store when nobody works any more."""

    def complaints(self) -> list[str]:
        """What a disk saw that must not happen to a store."""


class _Rows(MemoryRows):
    """Rows that can go back to earlier commits."""

    def __init__(self) -> None:
        super().__init__()
        self.commits: deque[tuple[Position, list[tuple[str, str, bytes | None]]]] = deque(maxlen=KEPT_COMMITS)

    def committed(self, before: Position) -> None:
        """Forget how to undo the open transaction alone, but remember it as one of the last commits."""
        self.commits.append((before, self._undo or []))
        self.commit()

    def set_back(self, commits: int) -> Position | None:
        """Undo the last commits; the position of the rows afterwards, None when nothing was undone."""
        position = None
        for _ in range(min(commits, len(self.commits))):
            position, self._undo = self.commits.pop()
            self.roll_back()
        return position


class _CachedRows:
    """The rows of an open file. What was read once is not read again, as in the store on SQLite: who does not own the
    file any more sees old rows.
    """

    def __init__(self, rows: MemoryRows) -> None:
        self._rows = rows
        self._cached: dict[tuple[str, str], bytes | None] = {}

    def get(self, table: str, key: str) -> bytes | None:
        """See `Rows`."""
        place = (table, key)
        if place not in self._cached:
            self._cached[place] = self._rows.get(table, key)
        return self._cached[place]

    def expect(self, table: str, keys: Sequence[str]) -> None:
        """See `Rows`."""

    def put(self, table: str, key: str, value: bytes) -> None:
        """See `Rows`."""
        self._cached[table, key] = value
        self._rows.put(table, key, value)

    def delete(self, table: str, key: str) -> None:
        """See `Rows`."""
        self._cached[table, key] = None
        self._rows.delete(table, key)

    def scan(self, table: str, start: str = "", stop: str | None = None) -> Iterator[tuple[str, bytes]]:
        """See `Rows`."""
        return self._rows.scan(table, start, stop)

    def forget(self) -> None:
        """The transaction was undone."""
        self._cached.clear()


class File:
    """What stands on a disk: rows and position; `holder` is the store whose transaction is open."""

    def __init__(self, fold_version: str) -> None:
        self.rows = _Rows()
        self.position = Position(0, fold_version)
        self.is_torn = False
        self.written_by: set[str] = set()
        """The versions of the fold whose rows are here."""
        self.strayed = ""
        """An owner began elsewhere than where the rows stood."""
        self.holder: SimulatedStore | None = None


class SimulatedStore:
    """An open file, with the promises of the store on SQLite: one writer at a time, rows and offset as one."""

    def __init__(self, file: File, fold_version: str) -> None:
        self.file = file
        self.fold_version = fold_version
        self._rows = _CachedRows(file.rows)
        self._end = (0, file.position.mark)

    @property
    def position(self) -> Position:
        """See `Store`."""
        return self.file.position

    @property
    def rows(self) -> Rows:
        """See `Store`."""
        return self._rows

    @contextmanager
    def transaction(self, begin_offset: int, end_offset: int) -> Iterator[Rows]:
        """See `Store`."""
        file = self.file
        if file.holder is not None:
            raise StoreUnusable("of a simulated machine", "database is locked", "Start again.")
        self.check_begin(begin_offset)
        if begin_offset != file.position.next_offset:
            file.strayed = f"at {file.position.next_offset} somebody went on from {begin_offset}"
        file.rows.begin()
        file.holder, self._end = self, (end_offset, file.position.mark)
        try:
            yield self._rows
        except BaseException:
            self.release()
            raise
        self.commit(Position(self._end[0], file.position.fold_version, self._end[1]))
        file.holder = None

    def check_begin(self, begin_offset: int) -> None:
        """Refuse an owner whose batch began elsewhere."""
        if self.file.position.next_offset != begin_offset:
            raise StoreMoved(begin_offset, self.file.position.next_offset)

    def commit(self, position: Position) -> None:
        """Rows and position, as one."""
        self.file.rows.committed(self.file.position)
        self.file.position = position
        self.file.written_by.add(self.fold_version)

    def release(self) -> None:
        """Undo the open transaction, if this store has one."""
        self._rows.forget()
        if self.file.holder is self:
            self.file.rows.roll_back()
            self.file.holder = None

    def extend(self, end_offset: int, mark: Mark | None = None) -> None:
        """See `Store`."""
        self._end = (end_offset, mark or self._end[1])

    def start_over(self) -> None:
        """See `Store`."""
        self.file.rows = _Rows()
        self._rows = _CachedRows(self.file.rows)
        self.file.position = Position(0, self.file.position.fold_version)

    def digest(self) -> str:
        """See `Store`."""
        return rows_digest(self.file.rows, self.file.rows.tables())

    def close(self) -> None:
        """See `Store`."""
        self.release()


class MemoryDisk:
    """Files in memory."""

    def __init__(self) -> None:
        self.files: dict[int, File] = {}

    def open(self, machine: int, fold_version: str) -> Store:
        """See `Disk`. A torn file, and one of another version, is begun anew, as the store on SQLite does it."""
        file = self.files.get(machine)
        if file is None or file.is_torn:
            file = self.files[machine] = File(fold_version)
        elif not self.is_usable(file, fold_version):
            if file.holder is not None:
                raise StoreUnusable("of a simulated machine", "database is locked", "Start again.")
            file = self.files[machine] = File(fold_version)
        return SimulatedStore(file, fold_version)

    def is_usable(self, file: File, fold_version: str) -> bool:
        """Whether rows of this file mean the same to this version."""
        return file.position.fold_version == fold_version

    def died(self, store: Store) -> None:
        """See `Disk`."""
        assert isinstance(store, SimulatedStore), type(store).__name__
        store.release()

    def lose(self, machine: int) -> None:
        """See `Disk`."""
        self.files.pop(machine, None)

    def tear(self, machine: int, random: Random) -> None:
        """See `Disk`."""
        if machine in self.files:
            self.files[machine].is_torn = True

    def set_back(self, machine: int, random: Random) -> None:
        """See `Disk`."""
        file = self.files.get(machine)
        if file is not None and file.holder is None:
            file.position = file.rows.set_back(random.randint(1, KEPT_COMMITS)) or file.position

    def left(self) -> list[tuple[int, str, str]]:
        """See `Disk`."""
        found = []
        for file in self.files.values():
            if not file.is_torn and file.position.next_offset:
                digest = rows_digest(file.rows, file.rows.tables())
                found.append((file.position.next_offset, file.position.fold_version, digest))
        return found

    def complaints(self) -> list[str]:
        """See `Disk`."""
        mixed = [sorted(file.written_by) for file in self.files.values() if len(file.written_by) > 1]
        strayed = [file.strayed for file in self.files.values() if file.strayed]
        return [
            *(f"a store holds rows of the versions {versions}" for versions in mixed),
            *(f"a store was changed by two owners: {how}" for how in strayed),
        ]


class KillableStore:
    """A store on SQLite whose process can be killed: nothing of it is left open then."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self._open: AbstractContextManager[Rows] | None = None
        self._is_closed = False

    @property
    def position(self) -> Position:
        """See `Store`."""
        return self.store.position

    @property
    def rows(self) -> Rows:
        """See `Store`."""
        return self.store.rows

    def transaction(self, begin_offset: int, end_offset: int) -> AbstractContextManager[Rows]:
        """See `Store`."""
        self._open = self.store.transaction(begin_offset, end_offset)
        return self._open

    def extend(self, end_offset: int, mark: Mark | None = None) -> None:
        """See `Store`."""
        self.store.extend(end_offset, mark)

    def start_over(self) -> None:
        """See `Store`."""
        self.store.start_over()

    def digest(self) -> str:
        """See `Store`."""
        return self.store.digest()

    def close(self) -> None:
        """See `Store`."""
        self._is_closed = True
        self.store.close()

    def kill(self) -> None:
        """Undo what is open, and let go of the file."""
        if self._is_closed:
            return
        gone = StoreUnusable("of a simulated machine", "its process is dead", "Start again.")
        if self._open is not None:
            # What is not open any more, or was never begun, cannot be left.
            with suppress(StoreUnusable, RuntimeError, AttributeError):
                self._open.__exit__(StoreUnusable, gone, None)
        self.close()


class FolderDisk:
    """Real SQLite files, killed as a process is: what stands in the files stays, nothing is tidied up."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self, machine: int, fold_version: str) -> Store:
        """See `Disk`."""
        vars(books.stores.sqlite)["BUSY_SECONDS"] = 0  # nobody lets go of a file while this process waits
        store = open_or_rebuild(self._path(machine), fold_version)
        # What is lost with the power is ours to say; waiting for a real disk would take most of the time.
        store._database.run("PRAGMA synchronous = OFF")
        return KillableStore(store)

    def died(self, store: Store) -> None:
        """See `Disk`: closing would write the log into the file, and a kill does not."""
        assert isinstance(store, KillableStore), type(store).__name__
        files = _files(store.store._database.path)
        kept = self._folder / "kept"
        kept.mkdir(exist_ok=True)
        for file in files:
            shutil.copy(file, kept / file.name)
        store.kill()
        for file in files:
            shutil.copy(kept / file.name, file)

    def lose(self, machine: int) -> None:
        """See `Disk`."""
        for file in _files(self._path(machine)):
            file.unlink()

    def tear(self, machine: int, random: Random) -> None:
        """See `Disk`: cut off, or a page that was never written."""
        path = self._path(machine)
        size = path.stat().st_size if path.exists() else 0
        if size < PAGE_BYTES:
            return
        with path.open("r+b") as file:
            page = random.randrange(size // PAGE_BYTES)
            if random.random() < 0.5:
                file.truncate(page * PAGE_BYTES + random.randrange(1, PAGE_BYTES))
            else:
                file.seek(page * PAGE_BYTES)
                file.write(bytes(PAGE_BYTES))

    def set_back(self, machine: int, random: Random) -> None:
        """See `Disk`: the end of the write-ahead log is missing."""
        log = self._path(machine).with_name(self._path(machine).name + "-wal")
        if log.exists() and log.stat().st_size:
            with log.open("r+b") as file:
                file.truncate(random.randrange(log.stat().st_size))

    def left(self) -> list[tuple[int, str, str]]:
        """See `Disk`; that of the last fold is known already."""
        return []

    def complaints(self) -> list[str]:
        """See `Disk`; SQLite sees to it by itself."""
        return []

    def _path(self, machine: int) -> Path:
        return self._folder / f"machine-{machine}" / "book.sqlite"


def _files(path: Path) -> Sequence[Path]:
    """The database and its write-ahead log, as far as they are there."""
    return [file for file in (path, path.with_name(path.name + "-wal")) if file.exists()]
