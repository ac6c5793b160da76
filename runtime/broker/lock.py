"""One holder per folder: a lock the kernel gives back by itself, however its holder ends."""

import asyncio
import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from runtime.errors import InUse, Misconfigured

_POLL_SECONDS = 0.1


class FolderLock:
    """An open, locked file. Children that inherit its descriptor keep the lock until they have ended too."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @property
    def descriptor(self) -> int:
        """The descriptor to hand to a child; only while the lock is held."""
        assert self._descriptor is not None
        return self._descriptor

    def try_acquire(self) -> bool:
        """Take the lock now or say no."""
        if sys.platform == "win32":
            raise unsupported_platform("file locks of this system are not supported")
        import fcntl

        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise Misconfigured(
                "folder-not-writable",
                f"The folder {str(self._path.parent)!r} cannot be written: {error.strerror}.",
                "Choose another folder or change its permissions.",
                detail=repr(error),
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give our part of the lock back; harmless when not held.

        The emptied file says that whoever still holds it is a child on its way out, worth waiting for.
        """
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def holder_is_alive(self) -> bool:
        """Whether the process that took the lock still runs; False while only its dying child holds it."""
        try:
            holder = int(self._path.read_text())
        except (ValueError, FileNotFoundError):
            return False
        try:
            os.kill(holder, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


async def acquire(path: Path, *, what: str, wait_seconds: float) -> FolderLock:
    """Take the lock of a folder; waits only while its former holder is dead and that one's child is still ending.

    Raises InUse with a sentence that names `what` when a living process holds it.
    """
    lock = FolderLock(path)
    deadline = time.monotonic() + wait_seconds
    while not lock.try_acquire():
        if lock.holder_is_alive() or time.monotonic() > deadline:
            raise _in_use(path, what)
        await asyncio.sleep(_POLL_SECONDS)
    return lock


@contextlib.contextmanager
def locked(path: Path, *, wait_seconds: float) -> Iterator[None]:
    """Hold the lock inside the block, after waiting for another holder; for use in a thread."""
    lock = FolderLock(path)
    deadline = time.monotonic() + wait_seconds
    never = threading.Event()
    while not lock.try_acquire():
        if time.monotonic() > deadline:
            raise _in_use(path, "The download")
        never.wait(_POLL_SECONDS)
    try:
        yield
    finally:
        lock.release()


def unsupported_platform(why: str) -> Misconfigured:
    """The error for systems the embedded broker cannot run on."""
    return Misconfigured(
        "broker-platform-unsupported",
        f"The embedded broker cannot run on this platform ({sys.platform}): {why}.",
        "Set BILLSTREAM_BROKERS to a Kafka that runs elsewhere, for example the one of docker-compose.yml.",
    )


def _in_use(path: Path, what: str) -> InUse:
    return InUse(
        "broker-folder-in-use",
        f"{what} in {str(path.parent)!r} is already running.",
        "Stop the other one first, or choose another folder.",
        detail=f"lock {path} held",
    )
