"""A worker of the product for benchmarks. Arguments: servers, data folder, partitions, roles (all if none is named)."""

import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.firm import BOOK, TENANT
from bench.product import SNAPSHOT_RECORDS, SNAPSHOTS
from runtime.clock import SystemClock
from runtime.health import Health
from runtime.kafka.connection import KafkaConnection
from runtime.metrics import Build, Metrics
from streams.deciding.offline import OfflineDecider
from streams.engine.app import EngineApp
from streams.engine.worker import run_workers
from streams.installation import WorkerParts, WorkerSettings, make_worker
from streams.metering import label_values
from streams.slots import Role


def main() -> int:
    """Run until told to stop."""
    servers, folder, partitions = sys.argv[1:4]
    settings = WorkerSettings(
        tenant=TENANT,
        book=BOOK,
        partitions=int(partitions),
        replication_factor=1,
        connection=KafkaConnection(bootstrap_servers=servers),
        data_folder=Path(folder),
        roles=frozenset(map(Role, sys.argv[4:])) or frozenset(Role),
        snapshot_folder=Path(snapshots) if (snapshots := os.environ.get(SNAPSHOTS)) else None,
        snapshot_records=SNAPSHOT_RECORDS,
    )

    async def make() -> Sequence[EngineApp]:
        metrics = Metrics(label_values(["toggl"], []), Build("bench", "", platform.python_version()))
        parts = WorkerParts(OfflineDecider(), {}, SystemClock(), metrics, Health())
        return await make_worker(settings, parts)

    return run_workers(make)


if __name__ == "__main__":
    raise SystemExit(main())
