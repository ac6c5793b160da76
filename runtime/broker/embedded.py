"""A Kafka broker of our own for trying out, tests and one small firm: no Docker, no installed Java; design section 4.

It listens on loopback without a password: every program of this machine's users can reach it. It is one process, so a
dying disk takes its records along; `BILLSTREAM_BROKERS` points to a real cluster.
"""

import asyncio
import dataclasses
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from runtime.broker import ports, process, properties, ready, starts, state
from runtime.broker.download import ensure_jars
from runtime.broker.jars import Jar, kafka_version, pinned_jars
from runtime.broker.lock import FolderLock, acquire
from runtime.errors import MachineryError, Unavailable
from runtime.files import make_folder, replace
from runtime.progress import OnProgress, Progress, Step, no_progress

LOCK_FILE = "lock"
LEARNING_SECONDS = 120.0
"""How long a trial start may take to end: Java writes down then what it learned."""
_POLL_SECONDS = 0.05
_START_ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True)
class BrokerOptions:
    """What a caller may want different; the defaults fit one small firm."""

    heap_mebibytes: int = 256
    port: int | None = None
    start_timeout_seconds: float = 90.0
    stop_timeout_seconds: float = 20.0
    free_bytes_min: int = 512 * 1024 * 1024


class EmbeddedBroker:
    """One broker on one folder, as `async with EmbeddedBroker(folder) as broker` or by `start()` and `stop()`.

    The records stay in the folder and are there again after the next start, however this one ended.
    """

    def __init__(
        self,
        folder: Path,
        *,
        cache: Path | None = None,
        options: BrokerOptions | None = None,
        on_progress: OnProgress = no_progress,
        seat: properties.Seat | None = None,
        trial: Path | None = None,
    ) -> None:
        """`cache` holds the downloaded jars and may be shared; by default it is the folder `cache` beside `folder`.

        With a `seat` it is one of the brokers of a cluster (`EmbeddedCluster`) and answers once enough of them run.
        With a `trial` folder Java leaves there what it learned of this start (`starts`).
        """
        self._folder = folder.absolute()
        self._cache = (cache or folder.absolute().parent / "cache").absolute()
        self._options = options or BrokerOptions()
        self._on_progress = on_progress
        self._seat = seat
        self._trial = trial
        self._lock: FolderLock | None = None
        self._process: process.BrokerProcess | None = None
        self._ports: properties.Ports | None = None

    @property
    def folder(self) -> Path:
        """Where records, settings and logs are."""
        return self._folder

    @property
    def bootstrap_servers(self) -> str:
        """The address for clients; known while the broker runs."""
        assert self._ports is not None, "the broker was not started"
        return f"{properties.LOOPBACK}:{self._ports.broker}"

    @property
    def keeper_id(self) -> int:
        """Process id of the broker's parent, which leads the broker's process group."""
        assert self._process is not None, "the broker was not started"
        return self._process.keeper_id

    @property
    def running(self) -> bool:
        """Whether the process is there; `ended` waits for the opposite."""
        return self._process is not None and self._process.exit_code is None

    async def start(self) -> None:
        """Start and return when the broker answers; does nothing when it runs already.

        Raises InUse (folder or port), Unavailable (download, disk, Java died), Misconfigured (folder, platform).
        """
        if self.running:
            return
        java_executable = process.java_executable()
        make_folder(self._folder)
        wait_seconds = self._options.stop_timeout_seconds + 10
        self._lock = self._lock or await acquire(
            self._folder / LOCK_FILE,
            what="A broker",
            wait_seconds=wait_seconds,
        )
        try:
            await self._start_locked(java_executable)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop cleanly, by force after the time limit; harmless when nothing runs."""
        try:
            if self._process is not None:
                await self._process.stop()
        finally:
            self._forget()

    async def kill(self) -> None:
        """End it at once, as a power cut would; for tests of recovery."""
        if self._process is not None:
            await self._process.kill()
        self._forget()

    async def restart(self) -> None:
        """Stop and start again on the same records, and on the same ports unless somebody took them."""
        await self.stop()
        await self.start()

    async def ended(self) -> int:
        """Wait until the process ends by itself or is stopped; its exit code. For the caller's supervision."""
        return await self._process.ended() if self._process is not None else 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _start_locked(self, java_executable: Path) -> None:
        jars = pinned_jars()
        process.require_room(self._folder, self._options.free_bytes_min)
        class_path = await self._class_path(jars)
        flags = await self._flags(java_executable, class_path)
        java = process.Java(java_executable, class_path, self._folder, self._options.heap_mebibytes, flags)
        seat_cluster_id = None if self._seat is None else self._seat.cluster_id
        remembered = state.load(self._folder, kafka_version(jars), seat_cluster_id)
        for attempt in range(1, _START_ATTEMPTS + 1):
            remembered = await self._prepare(java, remembered)
            if await self._run(java, remembered.cluster_id):
                self._on_progress(Progress(Step.READY))
                return
            # Between our look and Java's bind somebody took the port; with a free choice, choose again.
            if attempt == _START_ATTEMPTS or not process.said(self._folder, "Address already in use"):
                raise process.died(self._folder, "ended while it started")

    async def _class_path(self, jars: tuple[Jar, ...]) -> tuple[Path, ...]:
        """A thread cannot be cancelled, so it is told; otherwise Ctrl-C would wait for the whole download."""
        cancelled = threading.Event()
        try:
            return await asyncio.to_thread(
                ensure_jars, jars, self._cache, on_progress=self._on_progress, cancelled=cancelled
            )
        finally:
            cancelled.set()

    async def _flags(self, java_executable: Path, class_path: tuple[Path, ...]) -> tuple[str, ...]:
        """What makes Java start quickly; learned once, on the first start with these jars."""
        learnt = starts.file_of(java_executable, class_path, self._cache)
        if self._trial is None:
            with starts.learning(learnt) as trial:
                if trial is not None:
                    self._on_progress(Progress(Step.LEARN))
                    await self._learn(trial)
        return starts.flags(learnt, self._trial)

    async def _learn(self, trial: Path) -> None:
        """Start and stop a broker that nobody uses; whatever is wrong with it, the real start will say better."""
        options = BrokerOptions(stop_timeout_seconds=LEARNING_SECONDS, free_bytes_min=self._options.free_bytes_min)
        broker = EmbeddedBroker(trial / "broker", cache=self._cache, options=options, trial=trial)
        with suppress(MachineryError):
            async with broker:
                pass

    async def _prepare(self, java: process.Java, remembered: state.BrokerState) -> state.BrokerState:
        """Write the settings for free ports and format the records folder the first time."""
        seat = self._seat
        self._ports = (
            ports.choose(remembered.ports, wanted_broker_port=self._options.port) if seat is None else seat.ports
        )
        for name in (properties.RECORDS_FOLDER, properties.LOGS_FOLDER, properties.TEMPORARY_FOLDER):
            make_folder(self._folder / name)
        replace(self._folder / properties.SERVER_FILE, properties.server_properties(self._ports, seat).encode())
        replace(self._folder / properties.LOG_FILE, properties.log_properties().encode())
        current = remembered.with_ports(self._ports)
        if not current.formatted:
            self._on_progress(Progress(Step.FORMAT))
            # Only the broker itself is learned from.
            formatter = java if self._trial is None else dataclasses.replace(java, more_flags=())
            await asyncio.to_thread(process.format_records, formatter, current.cluster_id)
            current = current.as_formatted()
        state.save(self._folder, current)
        return current

    async def _run(self, java: process.Java, cluster_id: str) -> bool:
        """Run the broker; True when it answers, False when it ended before that."""
        assert self._lock is not None
        assert self._ports is not None
        self._on_progress(Progress(Step.START))
        self._process = process.BrokerProcess(
            java,
            lock_descriptor=self._lock.descriptor,
            grace_seconds=self._options.stop_timeout_seconds,
        )
        advertised_port = None if self._seat is None else self._seat.advertised_port
        deadline = time.monotonic() + self._options.start_timeout_seconds
        while self._process.exit_code is None:
            if await ready.cluster_answering_at(self._ports.broker, advertised_port) == cluster_id:
                return True
            if time.monotonic() > deadline:
                raise Unavailable(
                    "broker-start-timeout",
                    f"The broker did not answer within {self._options.start_timeout_seconds:.0f} seconds.",
                    "Try again; a machine under heavy load may need longer. The broker's log is in its folder.",
                    detail=process.died(self._folder, "is slow").detail,
                )
            await asyncio.sleep(_POLL_SECONDS)
        return False

    def _forget(self) -> None:
        self._process = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None
