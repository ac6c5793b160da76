"""Folders of documents: one whose disk hangs keeps no thread from another."""

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime import files
from sinks import base
from sinks.base import DocumentFolder

LIMIT_SECONDS = 20


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose writes hang until the test is over."""
    hanging, over, write = tmp_path / "hanging", threading.Event(), files.write_new

    def write_new(path: Path, content: bytes) -> None:
        if path.is_relative_to(hanging):
            over.wait()
        write(path, content)

    monkeypatch.setattr(base, "write_new", write_new)
    yield hanging
    over.set()


async def test_a_disk_that_hangs_keeps_no_thread_from_another_folder(disk: Path, tmp_path: Path) -> None:
    """A thread cannot be told to stop, so each try leaves one behind; there are more tries than the process has."""
    hanging, well = DocumentFolder(disk, ".json"), DocumentFolder(tmp_path / "well", ".json")
    tries = 4 * (os.cpu_count() or 1) + 40
    stuck = [asyncio.ensure_future(hanging.write(f"{number}.json", b"{}")) for number in range(tries)]
    async with asyncio.timeout(LIMIT_SECONDS):
        receipt = await well.write("a.json", b"{}")
        assert await well.find(receipt.location, b"{}") == receipt
        assert await well.exists(receipt.location)
        assert await asyncio.to_thread(lambda: True)
    for one in stuck:
        one.cancel()
    await asyncio.wait(stuck)
