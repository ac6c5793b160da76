"""Brings the pinned jars into the cache folder: once from the network, then from disk; damaged ones come again."""

import contextlib
import errno
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from runtime.broker.jars import Jar
from runtime.broker.lock import locked
from runtime.errors import MachineryError, Misconfigured, Unavailable
from runtime.files import make_folder, sync_folder
from runtime.progress import OnProgress, Progress, Step, no_progress

ATTEMPTS = 3
PARALLEL_DOWNLOADS = 4
OTHER_DOWNLOAD_SECONDS = 300.0
_READ_TIMEOUT_SECONDS = 20


def ensure_jars(
    jars: Sequence[Jar],
    cache: Path,
    *,
    on_progress: OnProgress = no_progress,
    repositories: dict[str, str] | None = None,
    cancelled: threading.Event | None = None,
) -> tuple[Path, ...]:
    """The jars' paths in class path order; blocks, so call it in a thread. `on_progress` is called from other threads.

    Every call checks size and SHA-256 of each jar (43 MB take about 0.1 s) and touches the network only for those
    that are missing or damaged. `repositories` maps a name to a repository's address; the public one when not given.
    Once `cancelled` is set, a running download ends soon with Unavailable, so that Ctrl-C need not wait for it.
    Raises Unavailable without network or when a download stays broken, Misconfigured when the cache cannot be written.
    """
    folder = make_folder(cache / "jars")
    if ":" in str(folder):
        raise Misconfigured(
            "broker-cache-path",
            f"The cache folder {str(folder)!r} has a colon in its path, and Java's class path cannot carry one.",
            "Choose a cache folder without a colon.",
        )
    if _damaged(jars, folder):
        with locked(folder / ".lock", wait_seconds=OTHER_DOWNLOAD_SECONDS):
            # Another process may have fetched them while we waited for the lock.
            meter = _Meter(on_progress, cancelled or threading.Event())
            _fetch_all(_damaged(jars, folder), folder, meter, repositories)
    return tuple(folder / jar.file_name for jar in jars)


def _damaged(jars: Sequence[Jar], folder: Path) -> tuple[Jar, ...]:
    return tuple(jar for jar in jars if not jar.matches(folder / jar.file_name))


def _fetch_all(
    jars: Sequence[Jar],
    folder: Path,
    meter: "_Meter",
    repositories: dict[str, str] | None,
) -> None:
    if not jars:
        return
    meter.begin(sum(jar.size_bytes for jar in jars))
    with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
        downloads = [pool.submit(_fetch, jar, folder, meter, repositories) for jar in jars]
        try:
            for download in downloads:
                download.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    sync_folder(folder)


def _fetch(jar: Jar, folder: Path, meter: "_Meter", repositories: dict[str, str] | None) -> None:
    """Download into a folder of its own, verify, then move: the cache never holds half a jar under its final name."""
    problem = ""
    for _ in range(ATTEMPTS):
        try:
            with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as staging:
                path = _download(jar, Path(staging), meter, repositories)
                if jar.matches(path):
                    path.replace(folder / jar.file_name)
                    return
                problem = f"{jar.file_name} arrived with other content than expected"
        except (OSError, RuntimeError) as error:
            # The resolver reports a refused address as RuntimeError, and its client's errors are OSErrors.
            if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise _disk_full(folder) from error
            problem = f"{type(error).__name__}: {error}"
        meter.forget(jar)
    raise _not_fetched(jar, problem)


def _download(jar: Jar, staging: Path, meter: "_Meter", repositories: dict[str, str] | None) -> Path:
    from jgo.maven import MavenContext, PythonResolver

    @contextlib.contextmanager
    def count(_name: str, _total_bytes: int) -> Iterator[Callable[[int], None]]:
        yield lambda more_bytes: meter.add(jar, more_bytes)

    context = MavenContext(
        resolver=PythonResolver(progress_callback=count),
        repo_cache=staging,
        local_repos=[],
        remote_repos=repositories,
        timeout=_READ_TIMEOUT_SECONDS,
    )
    group, artifact, version = jar.coordinate.split(":")
    return Path(context.project(group, artifact).at_version(version).artifact().resolve())


class _Meter:
    """Adds up the bytes of downloads that run side by side and reports about a hundred times."""

    def __init__(self, on_progress: OnProgress, cancelled: threading.Event) -> None:
        self._total_bytes = 0
        self._on_progress = on_progress
        self._cancelled = cancelled
        self._bytes_of: dict[Jar, int] = {}
        self._reported_bytes = 0
        self._lock = threading.Lock()

    def begin(self, total_bytes: int) -> None:
        """Tell how much there is to come."""
        self._total_bytes = total_bytes
        self._on_progress(Progress(Step.DOWNLOAD, 0, total_bytes))

    def add(self, jar: Jar, more_bytes: int) -> None:
        """Count bytes that arrived; the one place a running download can be ended from outside."""
        if self._cancelled.is_set():
            raise _cancelled()
        with self._lock:
            self._bytes_of[jar] = self._bytes_of.get(jar, 0) + more_bytes
            done_bytes = min(sum(self._bytes_of.values()), self._total_bytes)
            if done_bytes == self._total_bytes or done_bytes - self._reported_bytes >= self._total_bytes // 100:
                self._reported_bytes = done_bytes
                self._on_progress(Progress(Step.DOWNLOAD, done_bytes, self._total_bytes))

    def forget(self, jar: Jar) -> None:
        """The download of this jar starts over."""
        with self._lock:
            self._bytes_of.pop(jar, None)
            self._reported_bytes = min(sum(self._bytes_of.values()), self._total_bytes)


def _disk_full(folder: Path) -> MachineryError:
    return Unavailable(
        "broker-disk-full",
        f"There is no room on the disk of {str(folder)!r} for Kafka's jars (43 MB).",
        "Free some room and start again.",
    )


def _cancelled() -> MachineryError:
    return Unavailable(
        "broker-download-cancelled",
        "The download of Kafka's jars was stopped.",
        "Start again; what has arrived whole is kept.",
    )


def _not_fetched(jar: Jar, problem: str) -> MachineryError:
    return Unavailable(
        "broker-download-failed",
        f"Kafka's jar {jar.file_name} could not be downloaded; it is needed once, before the first start.",
        "Check the network (and SSL_CERT_FILE and REQUESTS_CA_BUNDLE behind a proxy) and start again, or set "
        "BILLSTREAM_BROKERS to a Kafka that runs already.",
        detail=problem,
    )
