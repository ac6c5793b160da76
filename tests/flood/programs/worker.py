"""A worker whose decider does not answer about a flood and whose sink never answers: SERVERS FOLDER PARTITIONS.

Both leave a file in the folder when they are asked, so that a test knows that somebody waits for them.
"""

import asyncio
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from books.testing import BOOK, TENANT
from runtime.clock import SystemClock
from runtime.health import Health
from runtime.kafka.connection import KafkaConnection
from runtime.metrics import Build, Metrics
from schemas.work import DecideEntry
from sinks.base import DraftKey, DraftToSend, Receipt, SeenDraft, SinkSpec
from streams.deciding.offline import OfflineDecider
from streams.deciding.port import Verdict
from streams.engine.app import EngineApp
from streams.engine.worker import run_workers
from streams.installation import WorkerParts, WorkerSettings, make_worker
from streams.metering import label_values

SINK = "hanging"
SLOW_TEXT = "flood"
"""What an entry says whose decision takes longer than any test."""


@dataclass
class SlowDecider:
    """The offline rules; never, when they are asked about a flood."""

    asked: Path
    name: str = "offline"
    version: int = 1

    async def decide(self, requests: Sequence[DecideEntry]) -> Sequence[Verdict]:
        """See `Decider`."""
        if any(SLOW_TEXT in one.description for one in requests):
            self.asked.touch()
            await asyncio.Event().wait()
        return await OfflineDecider().decide(requests)


@dataclass(frozen=True)
class HangingSink:
    """A destination that takes the connection and says nothing."""

    asked: Path
    spec: ClassVar[SinkSpec] = SinkSpec(name=SINK, create_deadline_seconds=30, settle_seconds=5, timeout_seconds=600)

    async def find(self, draft: DraftToSend, key: DraftKey) -> Receipt | None:
        """Never answers."""
        self.asked.touch()
        await asyncio.Event().wait()
        return None

    async def create(self, draft: DraftToSend, key: DraftKey) -> Receipt:
        """Is never reached."""
        raise AssertionError(draft.document_id)

    async def read_back(self, receipt: Receipt) -> SeenDraft:
        """Is never reached."""
        raise AssertionError(receipt.location)


def main() -> int:
    """Run until told to stop."""
    servers, folder, partitions = sys.argv[1:]
    settings = WorkerSettings(
        tenant=TENANT,
        book=BOOK,
        partitions=int(partitions),
        replication_factor=1,
        connection=KafkaConnection(bootstrap_servers=servers),
        data_folder=Path(folder),
    )
    decider, sink = SlowDecider(Path(folder) / "decider-asked"), HangingSink(Path(folder) / "sink-asked")

    async def make() -> Sequence[EngineApp]:
        metrics = Metrics(label_values(["toggl"], [SINK]), Build("test", "", platform.python_version()))
        return await make_worker(settings, WorkerParts(decider, {SINK: sink}, SystemClock(), metrics, Health()))

    return run_workers(make)


if __name__ == "__main__":
    raise SystemExit(main())
