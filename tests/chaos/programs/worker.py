"""A worker of the product for the crash test; it can switch one protection off, so that the test is seen to turn red.

Its argument is one JSON object: see `Options`. The product has no such switches: they are patches of this process.
"""

import json
import logging
import os
import platform
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import books.closing
import books.entries
import books.facts
import books.versions
import streams.installation
from books.book import Book
from books.effects import Cause, Effects
from books.fold import Fold
from books.rows import EntryRow
from books.stores.port import Rows
from books.testing import BOOK, TENANT
from runtime.clock import SystemClock
from runtime.health import Health
from runtime.kafka.connection import KafkaConnection
from runtime.metrics import Build, Metrics
from schemas.codec import decode, record_type_of
from schemas.facts import DocumentDrafted, Fact
from schemas.values import Record
from streams.agents.fold import FoldHandler, _Owned
from streams.agents.sequence import SequenceHandler
from streams.deciding.offline import OfflineDecider
from streams.engine.app import EngineApp
from streams.engine.batch import Batch
from streams.engine.publisher import Outgoing
from streams.engine.worker import run_workers
from streams.installation import WorkerParts, WorkerSettings, make_worker
from streams.metering import label_values
from streams.topics import DEAD_LETTERS


@dataclass(frozen=True)
class Options:
    """`off` names the protection that is switched off; `fold_version` is the version of the code in this process."""

    servers: str
    folder: str
    partitions: int
    off: str = ""
    fold_version: str = ""
    tick_seconds: int = 3


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


def version_order_off() -> None:
    """The last version to arrive counts."""

    def arrival(row: EntryRow, other: EntryRow) -> EntryRow:
        return books.versions._raised(row, other)

    replaced(books.entries, "merge", arrival)


def outputs_first_off() -> None:
    """Rows and offset are committed, then outputs are published; once the process dies between."""
    publish = FoldHandler._publish

    async def late(
        self: FoldHandler, owned: _Owned, rows: Rows, batch: Batch, effects: Effects, letters: list[Outgoing]
    ) -> None:
        owned.next_offset = max(owned.next_offset, batch.next_offset)
        owned.store.extend(owned.next_offset)
        self._commit(owned)
        if effects.documents and owned.caught_up:
            die_once("died-between")
        owned.transaction = owned.store.transaction(owned.next_offset, owned.next_offset)
        await publish(self, owned, owned.transaction.__enter__(), batch, effects, letters)

    replaced(FoldHandler, "_publish", late)


def read_back_off() -> None:
    """A fact counts at once, in the rows of the one that proposes it; what stands in the journal comes too late."""
    apply = Fold.apply

    def at_once(self: Fold, rows: Rows, offset: int, record: Record, effects: Effects) -> None:
        known = len(effects.facts)
        apply(self, rows, offset, record, effects)
        envelope = record.envelope
        while known < len(effects.facts):
            framed = effects.facts[known]
            known += 1
            fact, book = decode(framed.value), Book(rows, framed.tenant, framed.book)
            assert isinstance(fact, Fact), type(fact).__name__
            story = envelope.correlation or envelope.event_id
            where = (framed.tenant, framed.book, envelope.recorded_at)
            cause = Cause(offset, envelope.event_id, story, *where, "chaos")
            if books.facts.settle(book, fact, offset):
                self._fact(book, fact, cause, effects)

    replaced(Fold, "apply", at_once)


def dead_letters_off() -> None:
    """What cannot be read or applied is dropped."""
    outgoing = SequenceHandler._outgoing

    async def process(self: SequenceHandler, batch: Batch) -> None:
        found = [outgoing(self, batch, record, []) for record in batch.records]
        await self._publisher.publish([one for one in found if one.topic != DEAD_LETTERS])

    replaced(SequenceHandler, "process", process)


SWITCHES: dict[str, Callable[[], None]] = {
    "version_order": version_order_off,
    "outputs_first": outputs_first_off,
    "read_back": read_back_off,
    "dead_letters": dead_letters_off,
}


def be_another_version(fold_version: str) -> None:
    """Other code than the one before, which dies once when its first draft is in the journal but not in its store."""
    for module in (books.closing, streams.installation):
        replaced(module, "FOLD_VERSION", fold_version)
    publish = FoldHandler._publish

    async def published(
        self: FoldHandler, owned: _Owned, rows: Rows, batch: Batch, effects: Effects, letters: list[Outgoing]
    ) -> None:
        if owned.caught_up and any(record_type_of(one.value) is DocumentDrafted for one in effects.facts):
            await self._publisher.publish([self._fact(batch.partition, one) for one in effects.facts])
            die_once("died-in-an-upgrade")
        await publish(self, owned, rows, batch, effects, letters)

    replaced(FoldHandler, "_publish", published)


async def make() -> Sequence[EngineApp]:
    """The apps of this process."""
    settings = WorkerSettings(
        tenant=TENANT,
        book=BOOK,
        partitions=chosen.partitions,
        replication_factor=1,
        connection=KafkaConnection(bootstrap_servers=chosen.servers),
        data_folder=Path(chosen.folder),
        tick_seconds=chosen.tick_seconds,
        session_limit_seconds=6,
    )
    metrics = Metrics(label_values(["toggl", "harvest"], []), Build("chaos", "", platform.python_version()))
    return await make_worker(settings, WorkerParts(OfflineDecider(), {}, SystemClock(), metrics, Health()))


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    chosen = Options(**json.loads(sys.argv[1]))
    if chosen.off:
        SWITCHES[chosen.off]()
    if chosen.fold_version:
        be_another_version(chosen.fold_version)
    sys.exit(run_workers(make))
