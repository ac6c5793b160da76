"""The tree as the tidy tests see it: tracked files, parsed modules, rooms; plain types, so that a check reads alone."""

import ast
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def tracked_files(repository_root: Path) -> tuple[str, ...]:
    """Every file that is, or is about to be, in the repository: relative, with forward slashes."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=repository_root, check=True, capture_output=True, text=True).stdout
    return tuple(sorted(name for name in set(listed.split("\0")) if name and (repository_root / name).is_file()))


@pytest.fixture(scope="session")
def texts(repository_root: Path, tracked_files: tuple[str, ...]) -> dict[str, str]:
    """The text of each tracked file that is UTF-8 text."""
    found: dict[str, str] = {}
    for name in tracked_files:
        try:
            found[name] = (repository_root / name).read_bytes().decode()
        except UnicodeDecodeError:
            continue
    return found


@pytest.fixture(scope="session")
def modules(texts: dict[str, str]) -> dict[str, ast.Module]:
    """The syntax tree of each Python file."""
    return {name: ast.parse(text, filename=name) for name, text in texts.items() if name.endswith(".py")}


@pytest.fixture(scope="session")
def pyproject(repository_root: Path) -> dict[str, Any]:
    """The parsed pyproject.toml."""
    return tomllib.loads((repository_root / "pyproject.toml").read_text())


@pytest.fixture(scope="session")
def rooms(pyproject: dict[str, Any]) -> tuple[str, ...]:
    """The rooms, from the one list that also makes the wheel."""
    return tuple(pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
