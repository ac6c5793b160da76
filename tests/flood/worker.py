"""A worker whose decider needs half a minute for each call and whose sink never answers: SERVERS FOLDER PARTITIONS."""

import asyncio
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from books.testing import BOOK, TENANT
from runtime.clock import SystemClock
from runtime.health import Health
from runtime.kafka import KafkaConnection
from runtime.metrics import Build, Metrics
from schemas.work import DecideEntry
from sinks.base import DraftKey, DraftToSend, Receipt, SeenDraft, SinkSpec
from streams.deciding.offline import OfflineDecider
from streams.deciding.port import Verdict
from streams.engine.app import EngineApp
from streams.engine.worker import run_workers
from streams.installation import WorkerParts, WorkerSettings, make_worker
from streams.metering import label_values

CALL_SECONDS = 30.0
SINK = "hanging"


class SlowDecider:
    """The offline rules, half a minute late."""

    name = "offline"
    version = 1

    async def decide(self, requests: Sequence[DecideEntry]) -> Sequence[Verdict]:
        """See `Decider`."""
        await asyncio.sleep(CALL_SECONDS)
        return await OfflineDecider().decide(requests)


class HangingSink:
    """A destination that takes the connection and says nothing."""

    spec = SinkSpec(name=SINK, create_deadline_seconds=30, settle_seconds=5)

    async def find(self, draft: DraftToSend, key: DraftKey) -> Receipt | None:
        """Never answers."""
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

    async def make() -> Sequence[EngineApp]:
        metrics = Metrics(label_values(["toggl"], [SINK]), Build("test", "", platform.python_version()))
        return await make_worker(
            settings, WorkerParts(SlowDecider(), {SINK: HangingSink()}, SystemClock(), metrics, Health())
        )

    return run_workers(make)


if __name__ == "__main__":
    raise SystemExit(main())
