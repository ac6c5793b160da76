"""A book in memory with poisoned inputs: what the workers' own check refuses lies among its dead letters."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from billstream.closing import Order
from billstream.dead_letters.port import Raw
from billstream.file_preview import memory_desk
from billstream.memory_desk import MemoryDesk
from billstream.settings import load_settings
from books.testing import BOOK, TENANT, contract, directory, firm, terms
from streams.topics import TIME_ENTRIES, book_partition

Poison = Callable[..., Awaitable[str]]


@pytest.fixture
def order() -> Order:
    """Dana does it."""
    return Order("dana", "looked at it", 1)


@pytest.fixture
def desk(tmp_path: Path) -> MemoryDesk:
    """The book of the firm of `books.testing`, with directory and contract."""
    (tmp_path / "billstream.yaml").write_text(f"tenant: {TENANT}\nbook: {BOOK}\nzone: UTC\nperson: dana\n")
    made = memory_desk(load_settings(tmp_path, {}))
    made.append([directory(firm()), contract(terms())])
    return made


@pytest.fixture
def home(desk: MemoryDesk) -> int:
    """The partition of the book."""
    return book_partition(TENANT, BOOK, desk.installation.settings.partitions)


@pytest.fixture
def poison(desk: MemoryDesk, home: int) -> Poison:
    """A producer writes bytes; returns the id of the letter that they became."""

    async def write(value: bytes, key: bytes = b"", topic: str = TIME_ENTRIES, partition: int | None = None) -> str:
        await desk.send_again([Raw("", topic, home if partition is None else partition, key, value)])
        page = await desk.letters.page()
        return page.notes[-1].letter_id

    return write


@pytest.fixture
def golden(repository_root: Path) -> Callable[[str], bytes]:
    """The bytes of a golden record."""
    return lambda stem: (repository_root / f"tests/golden/records/{stem}.bin").read_bytes()
