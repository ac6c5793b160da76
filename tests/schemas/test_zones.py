"""Rules of time zones are locked like every other input of a bill."""

import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

ASK = (
    "from datetime import datetime as d; from zoneinfo import ZoneInfo as z; "
    "print(d(2026, 7, 1, tzinfo=z('Europe/Berlin')).utcoffset())"
)


@pytest.mark.parametrize(("before", "offset"), [("import schemas; ", "2:00:00"), ("", "9:00:00")])
def test_zone_rules_come_with_the_package(before: str, offset: str, tmp_path: Path, repository_root: Path) -> None:
    """A machine whose own files say something else (here: Berlin is Tokyo) gives the same hours once we are loaded."""
    (tmp_path / "Europe").mkdir()
    (tmp_path / "Europe" / "Berlin").write_bytes((files("tzdata") / "zoneinfo" / "Asia" / "Tokyo").read_bytes())
    command = [sys.executable, "-c", before + ASK]
    environment = {**os.environ, "PYTHONTZPATH": str(tmp_path)}
    asked = subprocess.run(command, env=environment, cwd=repository_root, check=True, capture_output=True, text=True)
    assert asked.stdout.strip() == offset
