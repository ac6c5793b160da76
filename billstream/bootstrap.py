"""The composition root: settings in, running programs out. The demo, `up` and `worker` all start here."""

import asyncio
import os
import platform
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from billstream.cli.exits import Exit
from billstream.cli.failure import CommandFailed
from billstream.cli.output import say
from billstream.cli.session import Session
from billstream.connection import broker_folder, configured_connection, connection_of
from billstream.project import open_project
from billstream.settings import Installation, JsonFiles, LedesFiles, PdfFiles
from billstream.watching import Looks, keep_watching, watched
from runtime.broker import EmbeddedBroker, Progress, Step
from runtime.clock import SystemClock
from runtime.health import Health, HealthServer
from runtime.logs import configure_logs, get_log
from runtime.metrics import Build, Metrics
from sinks.base import DraftSink
from streams.deciding.offline import OfflineDecider
from streams.engine.app import EngineApp
from streams.engine.lanes import LaneLimits
from streams.engine.worker import run_workers
from streams.installation import WorkerParts, WorkerSettings, make_worker
from streams.metering import label_values
from streams.slots import Role

RESTART_SECONDS_FIRST = 1
RESTART_SECONDS_MAX = 30
STOP_SECONDS = 30
_STEPS = {
    Step.DOWNLOAD: "Getting Kafka (once)",
    Step.LEARN: "Preparing quick starts (once)",
    Step.FORMAT: "Preparing the broker's folder",
    Step.START: "Starting the broker",
    Step.READY: "The broker answers",
}


def run_worker(session: Session, roles: Sequence[str] = ()) -> int:
    """One worker in this process until it is told to stop, with all roles or those named; the exit code says whether
    it crashed.
    """
    installation = open_project(session.project, session.environment)
    configure_logs(service="worker", version=version("billstream"), level="debug" if session.debug else "info")

    async def make() -> Sequence[EngineApp]:
        metrics, health = _metrics(installation), Health()
        where = installation.settings.health
        server = HealthServer(health, metrics, host=where.host, port=where.port)
        await server.start()
        get_log("worker").info("worker_starting", health=server.address)
        named = replace(worker_settings(installation), roles=frozenset(map(Role, roles)) or frozenset(Role))
        return await make_worker(named, _parts(installation, metrics, health))

    return run_workers(make)


def worker_settings(installation: Installation) -> WorkerSettings:
    """What a worker of this project needs to know."""
    settings = installation.settings
    return WorkerSettings(
        tenant=settings.tenant,
        book=settings.book,
        partitions=settings.partitions,
        replication_factor=settings.broker.replication_factor,
        connection=connection_of(installation),
        data_folder=installation.data_folder,
        tick_seconds=settings.ticks.interval_seconds,
        snapshot_folder=None if settings.snapshots.folder is None else installation.path(settings.snapshots.folder),
        snapshot_records=settings.snapshots.every_records,
        deliveries=LaneLimits(
            at_once=settings.deliveries.at_once, held_bytes=settings.deliveries.held_mebibytes * 1024 * 1024
        ),
    )


def _parts(installation: Installation, metrics: Metrics, health: Health) -> WorkerParts:
    return WorkerParts(
        decider=OfflineDecider(),
        sinks=make_sinks(installation),
        clock=SystemClock(),
        metrics=metrics,
        health=health,
    )


def make_sinks(installation: Installation) -> Mapping[str, DraftSink]:
    """The sinks of the settings, by name, with folders that do not depend on where the program was started."""
    made: dict[str, DraftSink] = {}
    for name, sink in installation.settings.sinks.items():
        placed = sink.model_copy(update={"folder": installation.path(sink.folder)})
        match placed:
            case JsonFiles():
                from sinks.json_file import JsonFileSink

                made[name] = JsonFileSink(placed)
            case LedesFiles():
                from sinks.ledes_1998b import Ledes1998bSink

                made[name] = Ledes1998bSink(placed)
            case PdfFiles():
                from sinks.pdf.sink import PdfSink

                made[name] = PdfSink(placed.placed(installation.path))
    return made


def _metrics(installation: Installation) -> Metrics:
    settings = installation.settings
    build = Build(version("billstream"), os.environ.get("BILLSTREAM_REVISION", ""), platform.python_version())
    return Metrics(label_values(settings.sources, settings.sinks), build)


def run_up(session: Session) -> int:
    """Broker (unless one is configured), worker and watched folders until Ctrl-C or SIGTERM."""
    installation = open_project(session.project, session.environment)
    configure_logs(service="up", version=version("billstream"), level="debug" if session.debug else "info")
    return asyncio.run(_up(session, installation))


def run_connect(session: Session) -> int:
    """Watch the folders of the settings until Ctrl-C or SIGTERM; raises CommandFailed when there are none."""
    installation = open_project(session.project, session.environment)
    configure_logs(service="connect", version=version("billstream"), level="debug" if session.debug else "info")
    if not watched(installation):
        fix = "Give at least one source a `folder` in billstream.yaml."
        raise CommandFailed("nothing_to_watch", "No source of the settings has a folder.", fix, Exit.CONFIGURATION)

    async def connect() -> int:
        metrics, health = _metrics(installation), Health()
        looks = Looks(SystemClock(), metrics)
        health.add_check("folders", looks.check)
        health.started()
        where = installation.settings.health
        server = HealthServer(health, metrics, host=where.host, port=where.port)
        await server.start()
        get_log("connect").info("connect_starting", health=server.address)
        try:
            await keep_watching(session, installation, _told_to_stop(), looks)
        finally:
            await server.stop()
        return 0

    return asyncio.run(connect())


def _told_to_stop() -> asyncio.Event:
    """An event that Ctrl-C and SIGTERM set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _up(session: Session, installation: Installation) -> int:
    stop = _told_to_stop()
    configured = configured_connection(installation)
    if configured is not None:
        return await _keep_all(session, installation, stop)
    async with embedded_broker(session, installation) as broker:
        say(session, f"Kafka at {broker.bootstrap_servers}; stop with Ctrl-C.")
        return await _keep_all(session, installation, stop)


async def _keep_all(session: Session, installation: Installation, stop: asyncio.Event) -> int:
    """The worker and the watched folders; when the worker ends for good, so do the folders."""
    watching = asyncio.create_task(keep_watching(session, installation, stop))
    try:
        return await _keep_worker(session, installation, stop)
    finally:
        stop.set()
        await watching


def embedded_broker(session: Session, installation: Installation) -> EmbeddedBroker:
    """The broker of a project's data folder; what it downloads is shared by all projects of this user."""

    def report(step: Progress) -> None:
        size = f" {step.done_bytes * 100 // step.total_bytes} %" if step.total_bytes else ""
        if not step.total_bytes or step.done_bytes == step.total_bytes:
            say(session, _STEPS[step.step] + size)

    return EmbeddedBroker(broker_folder(installation), cache=cache_folder(session, installation), on_progress=report)


def cache_folder(session: Session, installation: Installation) -> Path:
    """Where downloads are kept between projects: as set, else below XDG_CACHE_HOME, else below ~/.cache."""
    if installation.settings.cache_folder is not None:
        return installation.path(installation.settings.cache_folder)
    base = session.environment.get("XDG_CACHE_HOME", "")
    return (Path(base) if base else Path.home() / ".cache") / "billstream"


class WorkerProcess:
    """A worker as a process of its own, so that it can crash and be started again without us."""

    def __init__(self, session: Session, installation: Installation, log: Path | None = None) -> None:
        self._session = session
        self._installation = installation
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, more: Mapping[str, str] | None = None) -> None:
        """Start it against the project's broker; `more` are variables for its environment."""
        environment = {**self._session.environment, **(more or {})}
        command = [sys.executable, "-m", "billstream", "worker", "--project", str(self._installation.folder)]
        if self._log is None:
            self._process = await asyncio.create_subprocess_exec(*command, env=environment, start_new_session=True)
            return
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command, env=environment, start_new_session=True, stdout=log, stderr=log
            )

    async def ended(self) -> int:
        """Wait for its end; its exit code."""
        assert self._process is not None, "the worker was not started"
        return await self._process.wait()

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return None if self._process is None else self._process.returncode

    async def stop(self) -> None:
        """Ask it to finish, by force after the time limit; harmless when it has ended."""
        if self._process is None or self._process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


async def _keep_worker(session: Session, installation: Installation, stop: asyncio.Event) -> int:
    """Run a worker and start it again when it crashes, slower each time; wrong settings end it for good."""
    wait_seconds = RESTART_SECONDS_FIRST
    while not stop.is_set():
        worker = WorkerProcess(session, installation)
        await worker.start()
        ends = [asyncio.ensure_future(worker.ended()), asyncio.ensure_future(stop.wait())]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        await worker.stop()
        for end in ends:
            end.cancel()
        code = worker.exit_code or 0
        if stop.is_set() or code in (Exit.DONE, Exit.CONFIGURATION, Exit.CONFLICT):
            return 0 if stop.is_set() else code
        say(session, f"The worker ended with {code}; it is started again in {wait_seconds} s.")
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), wait_seconds)
        wait_seconds = min(wait_seconds * 2, RESTART_SECONDS_MAX)
    return 0
