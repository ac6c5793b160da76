"""What the tests of this folder start."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runtime.broker import EmbeddedBroker


@pytest.fixture
async def broker(tmp_path: Path, broker_cache: Path) -> AsyncIterator[EmbeddedBroker]:
    """A broker of its own: the topics of an installation have fixed names."""
    made = EmbeddedBroker(tmp_path / "broker", cache=broker_cache)
    await made.start()
    yield made
    await made.stop()
