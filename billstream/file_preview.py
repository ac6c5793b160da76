"""`preview` without a broker: files through a connector into a journal in memory, folded and billed as ever."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from billstream.applying import apply_configuration
from billstream.cli.results import PreviewResult
from billstream.cli.running import collect_seldom
from billstream.cli.session import Session
from billstream.importing import Declared, imported_file, publish_file, understand
from billstream.memory_desk import MemoryDesk
from billstream.previewing import preview
from billstream.project import open_project
from billstream.settings import Installation
from schemas.inputs import Decision
from schemas.period import Period
from schemas.work import DecideEntry
from streams.agents.categorise import decision_of
from streams.deciding.offline import OfflineDecider, decide

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def offline_decision(request: DecideEntry) -> Decision:
    """The offline decider's answer; its time says nothing, so it is always the same."""
    return decision_of(request, decide(request), OfflineDecider(), _EPOCH)


def memory_desk(installation: Installation) -> MemoryDesk:
    """A desk in memory with the offline decider."""
    return MemoryDesk(installation, offline_decision)


def preview_files(
    session: Session, files: Sequence[Path], contracts: Path | None, clients: Sequence[str], period: Period
) -> PreviewResult:
    """The invoices of a period from files alone; rows that could not be read are named in the answer."""
    collect_seldom()
    return asyncio.run(_preview(session, files, contracts, clients, period))


async def _preview(
    session: Session, files: Sequence[Path], contracts: Path | None, clients: Sequence[str], period: Period
) -> PreviewResult:
    desk, problems = await desk_of_files(session, files, contracts)
    result = await preview(desk, clients, period)
    return result.model_copy(update={"problems": problems})


async def desk_of_files(
    session: Session, files: Sequence[Path], contracts: Path | None
) -> tuple[MemoryDesk, tuple[str, ...]]:
    """A desk in memory that has read the project's configuration and these files, and what could not be read."""
    installation = open_project(session.project, session.environment)
    desk = memory_desk(installation)
    await apply_configuration(desk, contracts, "preview", "preview", dry_run=False)
    problems = []
    for one in understand(installation, files, Declared()):
        await publish_file(desk, session, one)
        shown = imported_file(one)
        if shown.refused or shown.asked:
            problems.append(f"{shown.file}: {shown.refused} rows refused, {shown.asked} need an answer")
        problems += [f"{shown.file}: {note}" for note in shown.notes]
    return desk, tuple(problems)
