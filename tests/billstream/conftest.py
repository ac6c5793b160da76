"""Fixtures of the front door: a copy of the sample firm, and calls of the program inside this process."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from billstream.cli import run
from billstream.configuration.source import Items, Mapping, Node, Scalar, read_text
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


@pytest.fixture(scope="session")
def yaml_as_json() -> Callable[[str], Any]:
    """YAML text as the JSON values that an editor's language server sees (the core schema of YAML 1.2)."""
    return lambda text: _core(read_text(text, "text"))


_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def _core(node: Node) -> Any:  # noqa: ANN401  # any JSON value
    match node:
        case Mapping():
            return {key: _core(member) for key, member in node.members.items()}
        case Items():
            return [_core(member) for member in node.members]
        case Scalar() if node.quoted or not isinstance(node.value, str):
            return node.value
        case Scalar() if _NUMBER.fullmatch(node.text):
            return int(node.text) if node.text.lstrip("+-").isdigit() else Decimal(node.text)
        case _:
            return node.text
