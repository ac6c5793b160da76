"""Fixtures of the front door: a copy of the sample firm, and calls of the program inside this process."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from billstream.cli import run
from billstream.demo.run import FIRM


@dataclass(frozen=True)
class Called:
    """What a call answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401  # any answer
        """The answer of --json."""
        return json.loads(self.out)


Call = Callable[..., Called]


@pytest.fixture
def firm(tmp_path: Path) -> Path:
    """A project folder with the sample firm."""
    return Path(shutil.copytree(FIRM, tmp_path / "firm"))


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run the program with arguments; nothing of this machine's environment reaches it."""
    for name in ("BILLSTREAM_BROKERS", "BILLSTREAM_DEBUG"):
        monkeypatch.delenv(name, raising=False)

    def run_it(*arguments: object) -> Called:
        capsys.readouterr()
        code = run([str(one) for one in arguments])
        captured = capsys.readouterr()
        return Called(code, captured.out, captured.err)

    return run_it
