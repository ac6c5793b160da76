"""One holder per folder, and the kernel gives the lock back however its holder ends."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.broker.lock import FolderLock, acquire
from runtime.errors import InUse


async def take(path: Path, *, wait_seconds: float = 0) -> FolderLock:
    """Take the lock as the broker does."""
    return await acquire(path, what="A broker", wait_seconds=wait_seconds)


def start_child(lock: FolderLock) -> "subprocess.Popen[bytes]":
    """A process that inherits the lock and ends when its input does."""
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[lock.descriptor])


async def test_a_living_holder_is_not_waited_for(tmp_path: Path) -> None:
    """The answer is immediate, however long one would be willing to wait."""
    lock = await take(tmp_path / "lock")
    with pytest.raises(InUse, match=r"A broker in .* is already running"):
        await asyncio.wait_for(take(tmp_path / "lock", wait_seconds=600), 5)
    lock.release()
    (await take(tmp_path / "lock")).release()


async def test_the_dying_child_of_a_dead_holder_is_waited_for(tmp_path: Path) -> None:
    """A broker that ends after its parent was killed still has its files open; the next start comes after it."""
    lock = await take(tmp_path / "lock")
    child = start_child(lock)
    lock.release()
    waiting = asyncio.create_task(take(tmp_path / "lock", wait_seconds=60))
    await asyncio.sleep(0)
    assert not waiting.done()
    child.communicate()
    (await asyncio.wait_for(waiting, 10)).release()


async def test_a_child_that_never_ends_is_reported_after_the_limit(tmp_path: Path) -> None:
    """Waiting has an end, and the sentence is the same."""
    lock = await take(tmp_path / "lock")
    child = start_child(lock)
    lock.release()
    with pytest.raises(InUse):
        await take(tmp_path / "lock", wait_seconds=0.2)
    child.communicate()
