"""Where golden files of the sinks are kept."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def golden(repository_root: Path) -> Path:
    """The folder of golden outputs; they are invented and change only on purpose."""
    return repository_root / "tests" / "sinks" / "golden"
