"""The command `restore`: put a backup back, prove it, and only then let anything leave again."""

import asyncio
import tempfile
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from billstream.bootstrap import make_sinks
from billstream.cli.exits import Exit
from billstream.cli.failure import CommandFailed
from billstream.cli.keeping_results import ProofItem, RestoreResult
from billstream.cli.output import progress, say
from billstream.cli.running import collect_seldom
from billstream.cli.session import Session
from billstream.keeping.installation import running_broker, stores_of
from billstream.keeping.manifest import Manifest, problems, read_manifest
from billstream.keeping.past import PastDesk
from billstream.keeping.proving import Deliveries, next_numbers, prove_documents, prove_receipts, prove_stores
from billstream.keeping.rebuild import Rebuilder
from billstream.keeping.restore import Restore, put_project_files, read_state
from billstream.project import open_project
from billstream.settings import Installation
from runtime.clock import SystemClock
from runtime.errors import Misconfigured
from runtime.kafka import KafkaConnection, spans
from runtime.kafka.reading import partition_reader
from streams import sending
from streams.topics import JOURNAL

_MILLI = Decimal("0.001")
_PROBLEMS_NAMED_MAX = 5


@dataclass(frozen=True)
class Wanted:
    """What a person asked for: a backup to put back, a proof, or both; `accept` is why it may be sent all the same."""

    folder: Path | None = None
    verify: bool = False
    accept: str = ""
    dry_run: bool = False


@dataclass
class _Proven:
    documents: int = 0
    receipts: int = 0
    items: list[ProofItem] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return all(one.holds for one in self.items)


def run_restore(session: Session, wanted: Wanted) -> RestoreResult:
    """Put a backup back or prove what was; raises before the first change what speaks against it."""
    collect_seldom()
    return asyncio.run(_restore(session, wanted))


async def _restore(session: Session, wanted: Wanted) -> RestoreResult:
    clock = SystemClock()
    began_seconds = clock.monotonic_seconds()
    manifest = None if wanted.folder is None else whole(wanted.folder.resolve())
    if manifest is None and not wanted.verify:
        raise CommandFailed("usage", "Nothing to restore.", "Name a backup, or use --verify.", Exit.USAGE)
    if wanted.dry_run and manifest is not None:
        return _only_looked(manifest)
    records, proven, put = 0, _Proven(), []
    if wanted.folder is not None and manifest is not None:
        put = put_project_files(wanted.folder.resolve(), manifest, session.project.resolve())
    installation = open_project(session.project, session.environment)
    async with running_broker(session, installation) as connection:
        if wanted.folder is not None and manifest is not None:
            with progress(session, "Restoring", "records") as advance:
                restore = Restore(wanted.folder.resolve(), manifest, installation, connection, advance)
                records = await restore.put_back()
        else:
            _finished(installation)
        if wanted.verify:
            proven = await _prove(installation, connection)
            if (proven.holds or wanted.accept) and not wanted.dry_run:
                if not proven.holds:
                    say(session, f"Sent all the same: {wanted.accept}")
                await sending.allow(connection)
        held = await sending.is_held(connection)
    return RestoreResult(
        backup_id=manifest.backup_id if manifest else "",
        taken_at=manifest.taken_at if manifest else None,
        records=records,
        stores=len(manifest.stores) if manifest else 0,
        files=tuple(put),
        sending="held" if held else "allowed",
        verified=wanted.verify and proven.holds,
        documents=proven.documents,
        receipts=proven.receipts,
        proofs=tuple(proven.items),
        seconds=Decimal(clock.monotonic_seconds() - began_seconds).quantize(_MILLI),
    )


def whole(folder: Path) -> Manifest:
    """The list of a backup all of whose files are there, byte for byte; Misconfigured otherwise."""
    manifest = read_manifest(folder)
    wrong = problems(folder, manifest)
    if wrong:
        raise Misconfigured(
            "backup_damaged",
            f"The backup is not whole: {'; '.join(wrong[:_PROBLEMS_NAMED_MAX])} ({len(wrong)} in all).",
            "Take another copy of it: records, stores and files are restored together or not at all.",
        )
    return manifest


def _only_looked(manifest: Manifest) -> RestoreResult:
    return RestoreResult(
        backup_id=manifest.backup_id,
        taken_at=manifest.taken_at,
        stores=len(manifest.stores),
        records=sum(one.records for one in manifest.segments),
        sending="",
        proofs=(ProofItem(about=f"{len(manifest.all_files)} files of the backup are whole", holds=True),),
        seconds=Decimal(0),
    )


def _finished(installation: Installation) -> None:
    state = read_state(installation.data_folder)
    if state is not None and not state.done:
        message = f"The restore of backup {state.backup_id} did not come to its end."
        raise CommandFailed("restore_unfinished", message, "Run `billstream restore DIR` again.", Exit.CONFLICT)


async def _prove(installation: Installation, connection: KafkaConnection) -> _Proven:
    proven = _Proven()
    async with partition_reader(connection) as reader:
        bounds = {partition: span for (_, partition), span in (await spans(connection, [JOURNAL])).items()}
        places = stores_of(installation.data_folder)
        proven.items += await prove_stores(Rebuilder(reader, SystemClock()), places, bounds)
        deliveries = Deliveries()
        with tempfile.TemporaryDirectory(prefix="billstream-") as folder:
            desk = PastDesk(installation, connection, reader, Path(folder), deliveries.note_effects)
            try:
                await desk.go_to(None)
                proven.documents, items = await prove_documents(desk)
                proven.items += items
                async for records in desk.journal():
                    deliveries.note_records(records)
                proven.receipts, items = await prove_receipts(deliveries, make_sinks(installation))
                proven.items += [*items, *next_numbers(desk)]
            finally:
                desk.close()
    return proven
