"""What a project has on this machine and on its broker, for commands that work while no worker runs as well."""

import fcntl
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from billstream.bootstrap import embedded_broker
from billstream.cli.session import Session
from billstream.connection import configured_connection, connection_of, embedded_connection
from billstream.settings import Installation
from runtime.errors import InUse
from runtime.kafka import KafkaConnection

WORKERS_FOLDER = "workers"
STORES_FOLDER = "books"
FIRST_SLOT = "01"
_FOLD_LOCK = "fold.lock"


@dataclass(frozen=True, order=True)
class StorePlace:
    """The store of a partition in a worker's slot."""

    slot: str
    partition: int
    path: Path


def store_path(data_folder: Path, slot: str, partition: int) -> Path:
    """Where a worker keeps the store of a partition."""
    return data_folder / WORKERS_FOLDER / slot / STORES_FOLDER / f"{partition:04d}.sqlite"


def stores_of(data_folder: Path) -> list[StorePlace]:
    """All stores of this machine's workers, also those of partitions that moved to another worker since."""
    return sorted(
        StorePlace(path.parent.parent.name, int(path.stem), path)
        for path in (data_folder / WORKERS_FOLDER).glob(f"[0-9][0-9]/{STORES_FOLDER}/[0-9][0-9][0-9][0-9].sqlite")
    )


def slots_of(data_folder: Path) -> list[str]:
    """The slots that workers of this machine have ever taken."""
    return sorted(path.name for path in (data_folder / WORKERS_FOLDER).glob("[0-9][0-9]"))


@contextmanager
def slots_held(data_folder: Path, slots: list[str]) -> Iterator[None]:
    """Hold the place of the fold in these slots, so that no worker begins with a store that is being replaced.

    Raises InUse when a worker runs.
    """
    with ExitStack() as stack:
        for slot in slots:
            folder = data_folder / WORKERS_FOLDER / slot
            folder.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context((folder / _FOLD_LOCK).open("w"))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InUse(
                    "worker_running",
                    f"A worker is at work in slot {slot} of {data_folder}.",
                    "Stop it first (Ctrl-C of `billstream up`, SIGTERM of a worker).",
                ) from None
        yield


@asynccontextmanager
async def running_broker(session: Session, installation: Installation) -> AsyncIterator[KafkaConnection]:
    """The project's broker: the configured one, the embedded one that runs, or it is started for the block."""
    configured = configured_connection(installation)
    if configured is not None:
        yield configured
        return
    broker = embedded_broker(session, installation)
    try:
        await broker.start()
    except InUse:
        yield connection_of(installation)
        return
    try:
        yield embedded_connection(broker.bootstrap_servers)
    finally:
        await broker.stop()
