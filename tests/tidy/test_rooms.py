"""Who may import whom: the contracts in pyproject.toml hold, cover every room, and do catch what they forbid."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# One import per contract that the contract must refuse: module, import line, words of the contract's name.
TRESPASSES = [
    ("schemas/clock.py", "import time", "schemas is the language"),
    ("runtime/invoice.py", "import schemas", "runtime is machinery"),
    ("billing/peek.py", "import os", "billing is pure"),
    ("books/wait.py", "import asyncio", "books is a state machine"),
    ("connectors/csv/bill.py", "import billing", "connectors only bring in"),
    ("sinks/ledes/bill.py", "import books", "sinks only carry out"),
    ("connectors/csv/peer.py", "import connectors.toggl", "connectors do not know each other"),
    ("sinks/ledes/peer.py", "import sinks.json", "sinks do not know each other"),
    ("streams/shortcut.py", "import sinks.ledes", "streams meets connectors and sinks only at their ports"),
    ("streams/loop.py", "import billstream", "nobody imports the front door"),
    ("billstream/engine.py", "import faust", "Faust lives in streams"),
    ("billing/up.py", "import books", "Imports go downwards only"),
]
ALLOWED = [
    ("connectors/csv/read.py", "import connectors.base"),
    ("streams/ports.py", "import connectors.base, sinks.base, books, billing, faust"),
    ("billstream/cli.py", "import streams, connectors.csv, sinks.ledes, runtime"),
    ("books/store.py", "import sqlite3, runtime"),
]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the rooms found in `folder`, with that folder's contracts."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200", "PYTHONSAFEPATH": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def broken_contracts(report: str) -> set[str]:
    """The names of the contracts that the report calls broken."""
    return {line.removesuffix(" BROKEN") for line in report.splitlines() if line.endswith(" BROKEN")}


@pytest.fixture
def toy_house(tmp_path: Path, repository_root: Path, rooms: tuple[str, ...]) -> Path:
    """Empty rooms with two connectors and two sinks, under our contracts."""
    (tmp_path / "pyproject.toml").write_text((repository_root / "pyproject.toml").read_text())
    folders = [*rooms, "connectors/csv", "connectors/toggl", "sinks/ledes", "sinks/json"]
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "__init__.py").touch()
    for port in ("connectors/base.py", "sinks/base.py"):
        (tmp_path / port).touch()
    return tmp_path


def test_no_room_imports_what_it_may_not(repository_root: Path) -> None:
    """Every contract of pyproject.toml is kept by the tree as it stands."""
    finished = lint_imports(repository_root)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_every_contract_refuses_its_trespass(toy_house: Path) -> None:
    """A tree with one trespass for each contract breaks them all: none is written so that it cannot fail."""
    for name, line, _ in TRESPASSES:
        (toy_house / name).write_text(line + "\n")
    finished = lint_imports(toy_house)
    broken = broken_contracts(finished.stdout)
    silent = [words for *_, words in TRESPASSES if not any(name.startswith(words) for name in broken)]
    assert not silent, (silent, finished.stdout + finished.stderr)


def test_the_ports_stay_open(toy_house: Path) -> None:
    """What the house plan allows is not refused: ports, the store's database, the front door's wiring."""
    for name, line in ALLOWED:
        (toy_house / name).write_text(line + "\n")
    finished = lint_imports(toy_house)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_contracts_cover_every_room(pyproject: dict[str, Any], rooms: tuple[str, ...]) -> None:
    """The linter reads exactly the rooms of the wheel; each but the topmost has a `forbidden` contract of its own."""
    linter = pyproject["tool"]["importlinter"]
    assert tuple(linter["root_packages"]) == rooms
    forbidden = [contract for contract in linter["contracts"] if contract["type"] == "forbidden"]
    ruled = {contract["source_modules"][0] for contract in forbidden if len(contract["source_modules"]) == 1}
    assert ruled == set(rooms) - {"billstream"}
    trespassed = {words for *_, words in TRESPASSES}
    unproven = [c["name"] for c in linter["contracts"] if not any(c["name"].startswith(w) for w in trespassed)]
    assert not unproven, "each contract needs a trespass in TRESPASSES"


def test_one_list_names_the_rooms(pyproject: dict[str, Any], rooms: tuple[str, ...], repository_root: Path) -> None:
    """A room is a top-level package; none exists beside the list, and the source distribution carries the same ones."""
    packages = {path.parent.name for path in repository_root.glob("*/__init__.py")}
    assert packages == set(rooms)
    assert pyproject["tool"]["hatch"]["build"]["targets"]["sdist"]["include"] == [f"/{room}" for room in rooms]


def test_every_room_says_what_it_is(rooms: tuple[str, ...], texts: dict[str, str]) -> None:
    """Each room has a README.md of at most 30 lines and a py.typed marker."""
    missing = [name for room in rooms for name in (f"{room}/README.md", f"{room}/py.typed") if name not in texts]
    long = [room for room in rooms if texts.get(f"{room}/README.md", "").count("\n") > 30]
    assert (missing, long) == ([], [])


@pytest.mark.parametrize("room", ["connectors", "sinks"])
def test_every_system_has_its_page_and_its_proof(room: str, texts: dict[str, str]) -> None:
    """Each folder of the room says what it talks to, and has tests under the same name; no list to keep by hand."""
    systems = {name.split("/")[1] for name in texts if re.fullmatch(rf"{room}/[a-z0-9_]+/__init__\.py", name)}
    silent = [system for system in systems if f"{room}/{system}/README.md" not in texts]
    proofs = [name for name in texts if name.rsplit("/", 1)[-1].startswith("test_")]
    unproven = [system for system in systems if not any(p.startswith(f"tests/{room}/{system}/") for p in proofs)]
    assert systems
    assert (silent, unproven) == ([], [])


def imported_roots(tree: ast.Module) -> set[str]:
    """The first names of everything a module imports, late imports and those for types included."""
    roots = {
        alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    named = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    return roots | {module.split(".")[0] for module in named}


def test_claude_is_called_from_one_module(modules: dict[str, ast.Module], rooms: tuple[str, ...]) -> None:
    """`anthropic` is imported by at most one module, and that one is in streams: one door to the model."""
    callers = [
        name for name, tree in modules.items() if name.split("/")[0] in rooms and "anthropic" in imported_roots(tree)
    ]
    assert len(callers) <= 1, callers
    assert all(name.startswith("streams/") for name in callers)


def test_faust_is_imported_only_in_streams(modules: dict[str, ast.Module], rooms: tuple[str, ...]) -> None:
    """No room but streams knows the engine, so it can be replaced in one place."""
    knowing = {
        name.split("/")[0]
        for name, tree in modules.items()
        if name.split("/")[0] in rooms and imported_roots(tree) & {"faust", "mode"}
    }
    assert knowing <= {"streams"}


@pytest.mark.parametrize(
    ("source", "roots"),
    [
        ("def f():\n    import faust.types\n", {"faust"}),
        ("from mode.utils import x", {"mode"}),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from faust import App\n", {"typing", "faust"}),
        ("'''import faust'''", set()),
    ],
)
def test_imports_are_seen_wherever_they_stand(source: str, roots: set[str]) -> None:
    """Late imports and imports for types count; words in a text do not."""
    assert imported_roots(ast.parse(source)) == roots
