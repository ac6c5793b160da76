"""A worker's place on a host: its own, the same after a restart, shared only by processes with other roles."""

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from billstream.cli.commands.programs import RoleName
from schemas.errors import ConfigurationError
from streams import slots
from streams.slots import Role, Slot, take_slot


def given_back(slot: Slot) -> None:
    """The process that held it ended."""
    for lock in slot.locks:
        lock.close()


def test_a_second_worker_gets_a_folder_of_its_own_and_a_restart_the_old_one(tmp_path: Path) -> None:
    """Two processes never share a store; the first place that is free is taken, so a restart finds its rows."""
    first, second = take_slot(tmp_path, Role), take_slot(tmp_path, Role)
    assert (first.folder.name, second.folder.name) == ("01", "02")
    given_back(first)
    again = take_slot(tmp_path, Role)
    assert again.folder == first.folder
    given_back(again)
    given_back(second)


def test_processes_with_other_roles_share_a_folder(tmp_path: Path) -> None:
    """The fold keeps its place whichever of the processes comes first; a second fold gets another."""
    around, fold = take_slot(tmp_path, {Role.SEQUENCE, Role.SLOW, Role.DELIVER}), take_slot(tmp_path, {Role.FOLD})
    other = take_slot(tmp_path, {Role.FOLD, Role.SLOW})
    assert (around.folder.name, fold.folder.name, other.folder.name) == ("01", "01", "02")
    for slot in (around, fold, other):
        given_back(slot)


def test_a_place_is_held_though_nobody_keeps_the_slot(tmp_path: Path) -> None:
    """A worker's parts refer to the folder only; what they do not refer to must not end the lock."""
    folder = take_slot(tmp_path, {Role.FOLD}).folder
    gc.collect()
    second = take_slot(tmp_path, {Role.FOLD})
    assert (folder.name, second.folder.name) == ("01", "02")
    given_back(second)
    for lock in slots._HELD:
        lock.close()


@pytest.mark.proof
def test_a_place_is_held_against_other_processes_too(tmp_path: Path) -> None:
    """The lock is the operating system's: another process sees it, and it is gone with its holder."""
    held = take_slot(tmp_path, {Role.FOLD})
    program = (
        "import sys; from pathlib import Path; from streams.slots import Role, take_slot; "
        "print(take_slot(Path(sys.argv[1]), {Role.FOLD}).folder.name)"
    )
    asked = [sys.executable, "-c", program, str(tmp_path)]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip() == "02"
    given_back(held)
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip() == "01"


def test_no_place_left_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is an error of the settings, not a hang."""
    monkeypatch.setattr(slots, "WORKERS_MAX", 1)
    held = take_slot(tmp_path, {Role.FOLD})
    with pytest.raises(ConfigurationError, match="already use"):
        take_slot(tmp_path, {Role.FOLD})
    given_back(held)


def test_the_command_line_knows_all_roles() -> None:
    """`--role` and the worker use the same words."""
    assert [one.value for one in RoleName] == [one.value for one in Role]


def test_the_name_of_a_place_stays_and_is_nobody_elses(tmp_path: Path) -> None:
    """A restarted worker is known again by its groups; another folder or another place has another name."""
    held = [take_slot(tmp_path / folder, Role) for folder in ("a", "a", "b")]
    assert len({slot.name for slot in held}) == 3
    given_back(held[0])
    again = take_slot(tmp_path / "a", Role)
    assert again.name == held[0].name
    for slot in (again, *held[1:]):
        given_back(slot)
