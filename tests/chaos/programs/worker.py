"""A worker of the product for the crash test; it can switch one protection off, so that the test is seen to turn red.

Its argument is one JSON object: see `Options`. The product has no such switches: they are patches of this process.
"""

import json
import logging
import os
import platform
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import books.closing
import streams.installation
from books.effects import Effects
from books.testing import BOOK, TENANT
from runtime.clock import SystemClock
from runtime.health import Health
from runtime.kafka.connection import KafkaConnection
from runtime.metrics import Build, Metrics
from schemas.codec import record_type_of
from schemas.facts import DocumentDrafted
from streams.agents.fold import FoldHandler, _Owned
from streams.deciding.offline import OfflineDecider
from streams.engine.app import EngineApp
from streams.engine.batch import Batch, Settling
from streams.engine.publisher import Outgoing
from streams.engine.worker import run_workers
from streams.installation import WorkerParts, WorkerSettings, make_worker
from streams.metering import label_values
from tests.chaos.destinations import sinks_below
from tests.chaos.ends import LastWord
from tests.chaos.switches import SWITCHES

SNAPSHOT_RECORDS = 20_000


@dataclass(frozen=True)
class Options:
    """`off` names the protection that is switched off; `fold_version` is the version of the code in this process.

    `clock` is a file that says how many seconds the clock is wrong; `sinks` a folder that two sinks of files write to;
    `snapshots` one that all workers reach; `end` a file for why the process ended.
    """

    servers: str
    folder: str
    partitions: int
    replication_factor: int = 1
    clock: str = ""
    sinks: str = ""
    snapshots: str = ""
    end: str = ""
    off: str = ""
    fold_version: str = ""
    tick_seconds: int = 3
    session_seconds: int = 6


class WrongClock(SystemClock):
    """The machine's clock, wrong by what its file says just now; what measures time does not jump."""

    def now(self) -> datetime:
        """The wrong moment."""
        return super().now() + timedelta(seconds=int(Path(chosen.clock).read_text()))


def replaced(owner: object, name: str, value: object) -> None:
    """Patch this process."""
    assert hasattr(owner, name), name
    setattr(owner, name, value)


def die_once(name: str) -> None:
    """SIGKILL, but only the first time in this folder."""
    marker = Path(chosen.folder) / name
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def be_another_version(fold_version: str) -> None:
    """Other code than the one before, which dies once when its first draft is in the journal but not in its store."""
    for module in (books.closing, streams.installation):
        replaced(module, "FOLD_VERSION", fold_version)
    post = FoldHandler._post

    async def posted(
        self: FoldHandler, owned: _Owned, batch: Batch, effects: Effects, letters: list[Outgoing]
    ) -> list[Settling]:
        if owned.caught_up and any(record_type_of(one.value) is DocumentDrafted for one in effects.facts):
            await self._publisher.publish([self._fact(batch.partition, one) for one in effects.facts])
            die_once("died-in-an-upgrade")
        return await post(self, owned, batch, effects, letters)

    replaced(FoldHandler, "_post", posted)


async def make() -> Sequence[EngineApp]:
    """The apps of this process."""
    settings = WorkerSettings(
        tenant=TENANT,
        book=BOOK,
        partitions=chosen.partitions,
        replication_factor=chosen.replication_factor,
        connection=KafkaConnection(bootstrap_servers=chosen.servers),
        data_folder=Path(chosen.folder),
        tick_seconds=chosen.tick_seconds,
        session_limit_seconds=chosen.session_seconds,
        snapshot_folder=Path(chosen.snapshots) if chosen.snapshots else None,
        snapshot_records=SNAPSHOT_RECORDS,
    )
    metrics = Metrics(label_values(["toggl", "harvest"], []), Build("chaos", "", platform.python_version()))
    clock = WrongClock() if chosen.clock else SystemClock()
    sinks = sinks_below(Path(chosen.sinks)) if chosen.sinks else {}
    return await make_worker(settings, WorkerParts(OfflineDecider(), sinks, clock, metrics, Health()))


if __name__ == "__main__":
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"
    )
    chosen = Options(**json.loads(sys.argv[1]))
    if chosen.end:
        word = LastWord(Path(chosen.end))
        logging.getLogger().addHandler(word)
        sys.excepthook = word.uncaught
    if chosen.off:
        SWITCHES[chosen.off](replaced, lambda: die_once("died-between"))
    if chosen.fold_version:
        be_another_version(chosen.fold_version)
    sys.exit(run_workers(make))
