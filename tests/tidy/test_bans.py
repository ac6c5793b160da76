"""The clock, chance, the environment and the terminal have their places: the linter refuses them everywhere else."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# How each banned name looks in code; a new ban needs a line here.
USES = {
    "time.time": "import time\nx = time.time()\n",
    "time.time_ns": "import time\nx = time.time_ns()\n",
    "time.sleep": "import time\ntime.sleep(1)\n",
    "datetime.datetime.now": "from datetime import UTC, datetime\nx = datetime.now(UTC)\n",
    "datetime.datetime.utcnow": "import datetime\nx = datetime.datetime.utcnow()\n",
    "datetime.datetime.today": "from datetime import datetime\nx = datetime.today()\n",
    "datetime.date.today": "from datetime import date\nx = date.today()\n",
    "random": "import random\n",
    "secrets": "import secrets\n",
    "uuid.uuid1": "import uuid\nx = uuid.uuid1()\n",
    "uuid.uuid4": "from uuid import uuid4\n",
    "os.environ": "import os\nx = os.environ['A']\n",
    "os.getenv": "import os\nx = os.getenv('A')\n",
    "os.urandom": "import os\nx = os.urandom(8)\n",
    "pickle": "import pickle\n",
    "yaml": "import yaml\n",
}
# Rooms and modules where the ban is lifted; every other place of the rooms is under it.
HOMES = {"runtime/clock.py", "billstream/*"}


def rules_broken(repository_root: Path, place: str, source: str) -> set[str]:
    """The lint rules that a piece of code breaks when it stands at a place."""
    ruff = str(Path(sys.executable).with_name("ruff"))
    command = [ruff, "check", "--no-cache", "--output-format", "json", "--stdin-filename", place, "-"]
    finished = subprocess.run(command, cwd=repository_root, input=source, capture_output=True, text=True, check=False)
    return {found["code"] for found in json.loads(finished.stdout)}


def test_every_ban_is_shown_and_names_its_replacement(pyproject: dict[str, Any]) -> None:
    """The list of uses above is the list of bans, and each ban says what to do instead."""
    bans = pyproject["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]
    assert set(bans) == set(USES)
    assert [name for name, ban in bans.items() if not ban["msg"].endswith(".")] == []


@pytest.mark.parametrize("name", USES)
def test_a_banned_call_is_refused(name: str, repository_root: Path) -> None:
    """In a room that has no exception each use is found."""
    assert "TID251" in rules_broken(repository_root, "books/example.py", USES[name])


def test_printing_is_refused_outside_the_front_door(repository_root: Path) -> None:
    """Only the command line speaks to a person."""
    assert "T201" in rules_broken(repository_root, "streams/example.py", "print('hello')\n")
    assert "T201" not in rules_broken(repository_root, "billstream/cli/example.py", "print('hello')\n")


def test_the_clock_has_one_home(pyproject: dict[str, Any], rooms: tuple[str, ...], repository_root: Path) -> None:
    """Within the rooms the bans are lifted in exactly these places."""
    lifted = {
        place
        for place, rules in pyproject["tool"]["ruff"]["lint"]["per-file-ignores"].items()
        if "TID251" in rules and place.split("/")[0] in rooms
    }
    assert lifted == HOMES
    assert "TID251" not in rules_broken(repository_root, "runtime/clock.py", USES["time.time"])
