"""The store files of a worker's partitions, and their snapshots: one that is taken over does not begin at offset 0."""

import logging
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Protocol

from books.stores.port import Store
from books.stores.snapshots import Snapshot, Snapshots
from books.stores.sqlite import open_or_rebuild
from runtime.errors import MachineryError
from runtime.threads import in_thread

AHEAD_RECORDS_MIN = 10_000
"""A snapshot that is less ahead of a store than this is not worth its copy: folding so much takes seconds."""
LOOK_SECONDS = 10.0

log = logging.getLogger(__name__)


class PartitionStores:
    """The stores below a folder. Without snapshots a new one begins at the journal's beginning.

    A snapshot is due when the rows stand `snapshot_records` further than the newest one.
    """

    def __init__(
        self, folder: Path, fold_version: str, snapshots: Snapshots | None = None, snapshot_records: int = 100_000
    ) -> None:
        self._folder = folder
        self._fold_version = fold_version
        self._snapshots = snapshots
        self._snapshot_records = snapshot_records

    def open(self, partition: int) -> Store:
        """The store of a partition; raises StoreUnusable."""
        return open_or_rebuild(self._file(partition), self._fold_version)

    async def bring(self, partition: int, bounds: tuple[int, int]) -> None:
        """Put a snapshot in the place of a store that is missing or far behind it, before the store is opened."""
        if self._snapshots is not None:
            snapshots, given_up = self._snapshots, Event()
            # A large one takes longer than a group waits for a partition that it takes away again.
            await in_thread(lambda: self._bring(snapshots, partition, *bounds, given_up.is_set), given_up.set)

    def _bring(
        self, snapshots: Snapshots, partition: int, beginning: int, end: int, is_given_up: Callable[[], bool]
    ) -> None:
        if all(one.next_offset < AHEAD_RECORDS_MIN for one in snapshots.all_of(partition)):
            return
        store = self.open(partition)
        stands = store.position.next_offset
        store.close()
        first = max(beginning, stands + AHEAD_RECORDS_MIN)
        found = snapshots.bring(partition, self._file(partition), first, end, is_given_up)
        if found is not None:
            log.info("Journal %s goes on at %s, from a snapshot.", partition, found.next_offset)

    async def take_due(self, partition: int, next_offset: int) -> Snapshot | None:
        """Take a snapshot of a store that is open, if one is due; what hinders it is logged and tried again later.

        Raises StoreUnusable when the store is broken: its owner has not read the place yet, and must not go on.
        """
        if self._snapshots is None:
            return None
        snapshots = self._snapshots
        newest = next((one.next_offset for one in snapshots.all_of(partition) if one.next_offset <= next_offset), 0)
        if next_offset - newest < self._snapshot_records:
            return None
        given_up = Event()
        try:
            taken = await in_thread(
                lambda: snapshots.save(partition, self._file(partition), given_up.is_set), given_up.set
            )
        except (OSError, sqlite3.Error, MachineryError) as error:
            log.warning("No snapshot of journal %s this time: %s", partition, error)
            return None
        log.info("A snapshot of journal %s stands at %s.", partition, taken.next_offset)
        return taken

    def _file(self, partition: int) -> Path:
        return self._folder / f"{partition:04d}.sqlite"


class Sleeping(Protocol):
    """What the beat needs of an app."""

    @property
    def should_stop(self) -> bool:
        """True once the app is told to stop."""

    async def sleep(self, seconds: float) -> None:
        """Sleep, but not beyond the app's end."""


@dataclass(frozen=True, slots=True)
class SnapshotBeat:
    """Takes the snapshots that are due, one after the other, while the fold goes on."""

    app: Sleeping
    positions: Callable[[], Mapping[int, int]]
    stores: PartitionStores

    async def run(self) -> None:
        """Look now and then until the app stops."""
        while not self.app.should_stop:
            for partition, next_offset in self.positions().items():
                await self.stores.take_due(partition, next_offset)
            await self.app.sleep(LOOK_SECONDS)
