"""The command `backup`."""

import asyncio
from decimal import Decimal
from pathlib import Path

from billstream.cli.keeping_results import BackupResult, SavedPartition
from billstream.cli.output import progress
from billstream.cli.session import Session
from billstream.keeping.backup import Backup
from billstream.keeping.installation import running_broker
from billstream.keeping.manifest import Manifest
from billstream.project import now, open_project
from runtime.clock import SystemClock
from streams.installation import APPLICATION_ID

_MILLI = Decimal("0.001")


def run_backup(session: Session, folder: Path) -> BackupResult:
    """Take a backup, or add to the one that is there what is new since."""
    return asyncio.run(_backup(session, folder.resolve()))


async def _backup(session: Session, folder: Path) -> BackupResult:
    installation = open_project(session.project, session.environment)
    clock = SystemClock()
    began_seconds = clock.monotonic_seconds()
    async with running_broker(session, installation) as connection:
        with progress(session, "Copying", "records") as advance:
            saved = await Backup(folder, installation, connection, APPLICATION_ID, now(), advance).take()
    manifest = saved.manifest
    return BackupResult(
        folder=str(folder),
        backup_id=manifest.backup_id,
        taken_at=manifest.taken_at,
        partitions=partitions_of(manifest),
        stores=len(manifest.stores),
        files=len(manifest.project),
        records=sum(one.records for one in manifest.segments),
        new_records=saved.new_records,
        bytes=sum(one.size_bytes for one in manifest.all_files),
        seconds=Decimal(clock.monotonic_seconds() - began_seconds).quantize(_MILLI),
    )


def partitions_of(manifest: Manifest) -> tuple[SavedPartition, ...]:
    """What is in a backup of each partition that has records."""
    places = sorted({(one.topic, one.partition) for one in manifest.segments})
    return tuple(
        SavedPartition(
            topic=topic,
            partition=partition,
            begin=manifest.of(topic, partition)[0].begin,
            end=manifest.of(topic, partition)[-1].end,
            records=sum(one.records for one in manifest.of(topic, partition)),
            bytes=sum(one.size_bytes for one in manifest.of(topic, partition)),
        )
        for topic, partition in places
    )
