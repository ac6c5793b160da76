"""Where the front door's own fold keeps its rows between calls, so that a question reads only the journal's tail.

It is a cache of the journal: it may be deleted at any time, and a second call at the same moment folds in memory.
"""

import fcntl
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from billstream.settings import Installation
from books.stores.memory import MemoryStore
from books.stores.port import Store
from books.stores.sqlite import SqliteStore
from books.version import FOLD_VERSION
from runtime.files import safe_name
from runtime.kafka import KafkaConnection
from runtime.kafka.admin import admin_client

FOLDER = "front-door"


@dataclass
class FollowerStore:
    """A store and, for one on disk, the lock that keeps it ours; `close` gives both up."""

    store: Store
    path: Path | None = None
    lock: TextIO | None = None

    def close(self) -> None:
        """Give the store and its lock up."""
        self.store.close()
        if self.lock is not None:
            self.lock.close()

    def discard(self) -> None:
        """Begin again from nothing: what was kept is not of this journal."""
        self.store.close()
        if self.path is not None:
            for file in self.path.parent.glob(f"{self.path.name}*"):
                if file.suffix != ".lock":
                    file.unlink()
        self.store = MemoryStore(FOLD_VERSION) if self.path is None else SqliteStore(self.path, FOLD_VERSION)


def open_follower_store(installation: Installation, cluster_id: str) -> FollowerStore:
    """The store of a book on one cluster; in memory while another call of this user holds the one on disk."""
    settings = installation.settings
    folder = installation.data_folder / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / safe_name(f"{settings.tenant}-{settings.book}-{cluster_id}")
    lock = path.with_name(path.name + ".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return FollowerStore(MemoryStore(FOLD_VERSION))
    return FollowerStore(SqliteStore(path, FOLD_VERSION), path, lock)


async def cluster_of(connection: KafkaConnection) -> str:
    """The id of a cluster; offsets mean something only together with it."""
    async with admin_client(connection) as admin:
        return str((await admin.describe_cluster())["cluster_id"])
