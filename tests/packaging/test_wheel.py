"""The wheel is what people get: our rooms, whole, and nothing else; installed alone and seen from another folder."""

import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest

pytestmark = pytest.mark.proof

# Asked of the empty environment: where each room is found, and what the console command would call.
WHERE = """
import importlib.metadata, importlib.util, json, sys
found = {room: importlib.util.find_spec(room).origin for room in sys.argv[1:]}
commands = importlib.metadata.distribution("billstream").entry_points
print(json.dumps([found, {command.name: command.value for command in commands}]))
"""


def run(*command: str | Path, folder: Path) -> str:
    """Run a command in a folder; its output, or an assertion with everything it said."""
    finished = subprocess.run([str(c) for c in command], cwd=folder, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def rooms(repository_root: Path) -> tuple[str, ...]:
    """The list of rooms that the wheel is made from."""
    parsed = tomllib.loads((repository_root / "pyproject.toml").read_text())
    return tuple(parsed["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])


@pytest.fixture(scope="module")
def wheel(repository_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from this checkout by the locked build tool, without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, folder=repository_root)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> frozenset[str]:
    """The files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(name for name in archive.namelist() if not name.endswith("/"))


@pytest.fixture(scope="module")
def empty_environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment that holds our wheel and nothing else: not even its dependencies, nor pip."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", folder=folder)
    python = folder / "venv/bin/python"
    install = ("install", "--quiet", "--no-deps", "--no-index", wheel)
    run(sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python, *install, folder=folder)
    return folder


def room_files(repository_root: Path, rooms: tuple[str, ...]) -> set[str]:
    """Every file of the rooms that belongs to the repository."""
    command = ("git", "ls-files", "--cached", "--others", "--exclude-standard", *rooms)
    listed = run(*command, folder=repository_root).splitlines()
    return {name for name in listed if (repository_root / name).is_file()}


def other_owners(
    installed: Iterator[Distribution] | list[Distribution], rooms: tuple[str, ...]
) -> list[tuple[str, str]]:
    """Installed distributions other than ours that bring a top-level name of ours."""
    return [
        (distribution.metadata["Name"], path.parts[0])
        for distribution in installed
        if distribution.metadata["Name"] != "billstream"
        for path in distribution.files or []
        if path.parts[0].removesuffix(".py") in rooms
    ]


def test_the_wheel_holds_our_rooms_and_nothing_else(names: frozenset[str], rooms: tuple[str, ...]) -> None:
    """Its top-level names are the rooms and the metadata: no tests, no docs, no settings of the checkout."""
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(rooms)
    assert len(tops) == len(rooms) + 1


def test_no_file_of_a_room_is_left_out(repository_root: Path, names: frozenset[str], rooms: tuple[str, ...]) -> None:
    """Schemas, markers and samples travel with the code; the build tool would drop what .gitignore matches."""
    assert room_files(repository_root, rooms) - names == set()


def test_schemas_and_type_markers_are_inside(names: frozenset[str], rooms: tuple[str, ...]) -> None:
    """Each room is typed for its users, and Avro schemas lie beside the models."""
    assert {f"{room}/py.typed" for room in rooms} <= names
    assert any(name.startswith("schemas/") and name.endswith(".avsc") for name in names)


def test_the_licence_is_inside(names: frozenset[str]) -> None:
    """Whoever has the wheel has the licence and the notice."""
    inside = {name.rsplit("/", 1)[-1] for name in names if ".dist-info/licenses/" in name}
    assert inside == {"LICENSE", "NOTICE"}


def test_rooms_are_found_from_another_folder(empty_environment: Path, rooms: tuple[str, ...]) -> None:
    """In an environment of its own every room comes from the wheel, not from a checkout that happens to be near."""
    said = run(empty_environment / "venv/bin/python", "-I", "-c", WHERE, *rooms, folder=empty_environment)
    packages = str(empty_environment / "venv/lib")
    assert [room for room in rooms if f'"{room}": "{packages}' not in said] == []
    assert '"billstream": "billstream.cli:main"' in said


def test_the_console_command_is_installed(empty_environment: Path) -> None:
    """A person who installed the wheel can type `billstream`."""
    assert (empty_environment / "venv/bin/billstream").is_file()


def test_nobody_else_owns_a_name_of_ours(rooms: tuple[str, ...]) -> None:
    """Top-level names like `streams` are safe only as long as no package we install brings the same."""
    assert other_owners(list(distributions()), rooms) == []


def test_a_second_owner_would_be_found(tmp_path: Path) -> None:
    """A package that ships `streams` is named with what it ships."""
    folder = tmp_path / "rival-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: rival\nVersion: 1.0\n")
    (folder / "RECORD").write_text("streams/__init__.py,,\nrival/streams.py,,\n")
    assert other_owners([Distribution.at(folder)], ("streams", "books")) == [("rival", "streams")]
