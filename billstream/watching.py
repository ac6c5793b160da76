"""Watched folders: every whole file is imported like by hand, then moved away with a report beside it."""

import asyncio
from contextlib import suppress

from aiokafka.errors import KafkaError

from billstream.cli.session import Session
from billstream.connection import connection_of
from billstream.importing import Declared, Understood, imported_file, options_of, publish_file
from billstream.kafka_desk import KafkaDesk
from billstream.settings import Installation
from connectors.folder import FolderSettings, FolderWatch, Outcome, SettledFile, finish
from connectors.tables import preview_file
from runtime.clock import Clock, SystemClock
from runtime.errors import Unavailable
from runtime.files import make_folder
from runtime.logs import get_log
from schemas.errors import BillstreamError, Conflict, OutcomeUnknown, Rejected, Retryable

RETRY_SECONDS = 5


def watched(installation: Installation) -> dict[str, FolderWatch]:
    """The watched folders of the settings by source; missing ones are made."""
    found: dict[str, FolderWatch] = {}
    watch = installation.settings.watch
    for name, source in installation.settings.sources.items():
        if source.folder is not None:
            folder = installation.path(source.folder)
            make_folder(folder)
            settings = FolderSettings(
                folder=folder, settle_seconds=watch.settle_seconds, poll_seconds=watch.interval_seconds
            )
            found[name] = FolderWatch(settings)
    return found


async def keep_watching(session: Session, installation: Installation, stop: asyncio.Event) -> None:
    """Watch until told to stop; while the broker is away, wait and begin again."""
    while not stop.is_set():
        try:
            await _watch(session, installation, stop)
        except (Unavailable, Retryable, OutcomeUnknown, KafkaError) as error:
            get_log("connect").warning("broker_away", reason=str(error), again_seconds=RETRY_SECONDS)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RETRY_SECONDS)


async def _watch(session: Session, installation: Installation, stop: asyncio.Event) -> None:
    folders = watched(installation)
    if not folders:
        await stop.wait()
        return
    clock = SystemClock()
    desk = KafkaDesk(installation, connection_of(installation))
    try:
        await desk.start()
        while not stop.is_set():
            await look_once(session, desk, folders, clock)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), installation.settings.watch.interval_seconds)
    finally:
        await desk.stop()


async def look_once(session: Session, desk: KafkaDesk, folders: dict[str, FolderWatch], clock: Clock) -> int:
    """Import every file that has settled; returns how many were taken or refused."""
    done = 0
    for name, folder in folders.items():
        for file in folder.scan(clock.monotonic_seconds()):
            await _take(session, desk, name, file)
            done += 1
    return done


async def _take(session: Session, desk: KafkaDesk, source: str, file: SettledFile) -> None:
    """Import one file and move it away; a file that cannot be used is moved away with the reason."""
    log = get_log("connect")
    options = options_of(desk.installation, source, Declared(source=source))
    try:
        one = Understood(file.path, source, preview_file(file.path, options))
        await publish_file(desk, session, one)
    except Rejected as error:
        finish(file, Outcome.REFUSED, _reason(error))
        log.warning("file_refused", source=source, code=error.code)
    except Conflict:
        log.info("file_changed", source=source)
    else:
        report = imported_file(one)
        finish(file, Outcome.DONE, report.model_dump(mode="json"))
        log.info("file_imported", source=source, rows=report.rows, accepted=report.accepted, refused=report.refused)


def _reason(error: BillstreamError) -> dict[str, str]:
    return {"code": error.code, "message": error.message, "fix": error.fix}
