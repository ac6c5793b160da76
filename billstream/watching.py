"""Watched folders: every whole file is imported like by hand, then moved away with a report beside it.

Health goes by progress: whoever watches has looked at all folders a short while ago, and can reach the broker.
"""

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
from runtime.health import Finding
from runtime.logs import get_log
from runtime.metrics import Metrics
from schemas.errors import BillstreamError, Conflict, OutcomeUnknown, Rejected, Retryable
from streams.pacing import Waited

RETRY_SECONDS = 5
LOOK_SECONDS_MAX = 120
"""A look that takes longer than this, the file it imports included, makes the program unready until it is done."""


class Looks:
    """What health and metrics are told about the looks at the folders."""

    def __init__(self, clock: Clock, metrics: Metrics | None = None) -> None:
        self.clock = clock
        self._metrics = metrics
        self._moved_seconds = clock.monotonic_seconds()
        self._reason = "no look is finished yet"

    def moved(self) -> None:
        """A file was taken or refused."""
        self._moved_seconds = self.clock.monotonic_seconds()

    def seen(self, source: str) -> None:
        """All that lay in a source's folder was looked at."""
        if self._metrics is not None:
            last = self._metrics.connector_last_success_timestamp_seconds
            last.labels(source).set(self.clock.now().timestamp())

    def paced(self, waited: Waited) -> None:
        """A back-fill looked whether live work is behind, and has waited; that is progress, too."""
        self.moved()
        if self._metrics is not None:
            self._metrics.live_lag_seconds.set(waited.live_lag_seconds)
            self._metrics.backfill_paused_seconds_total.inc(waited.waited_seconds)

    def finished(self) -> None:
        """All folders were looked at."""
        self.moved()
        self._reason = ""

    def failed(self, reason: str) -> None:
        """Nothing can be imported now."""
        self._reason = reason

    async def check(self) -> Finding:
        """Ready while looks are finished, one after the other."""
        age_seconds = self.clock.monotonic_seconds() - self._moved_seconds
        if self._reason:
            return Finding(ok=False, reason=self._reason)
        if age_seconds > LOOK_SECONDS_MAX:
            return Finding(ok=False, reason=f"the folders were last looked at {age_seconds:.0f} s ago")
        return Finding(ok=True)


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


async def keep_watching(
    session: Session, installation: Installation, stop: asyncio.Event, looks: Looks | None = None
) -> None:
    """Watch until told to stop; while the broker is away, say so, wait and begin again."""
    looks = looks or Looks(SystemClock())
    while not stop.is_set():
        try:
            await _watch(session, installation, stop, looks)
        except (Unavailable, Retryable, OutcomeUnknown, KafkaError, TimeoutError) as error:
            reason = str(error) or "it gave no answer in time"
            looks.failed(f"the broker is away: {reason}")
            get_log("connect").warning("broker_away", reason=reason, again_seconds=RETRY_SECONDS)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RETRY_SECONDS)


async def _watch(session: Session, installation: Installation, stop: asyncio.Event, looks: Looks) -> None:
    folders = watched(installation)
    if not folders:
        await stop.wait()
        return
    desk = KafkaDesk(installation, connection_of(installation), on_look=looks.paced)
    try:
        await desk.start()
        while not stop.is_set():
            await desk.ask()
            await look_once(session, desk, folders, looks)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), installation.settings.watch.interval_seconds)
    finally:
        await desk.stop()


async def look_once(session: Session, desk: KafkaDesk, folders: dict[str, FolderWatch], looks: Looks) -> int:
    """Import every file that has settled; returns how many were taken or refused."""
    done = 0
    for name, folder in folders.items():
        for file in folder.scan(looks.clock.monotonic_seconds()):
            await _take(session, desk, name, file)
            looks.moved()
            done += 1
        looks.seen(name)
    looks.finished()
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
