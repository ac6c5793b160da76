"""A watched folder takes whole files only, moves them when they are done, and loses none in a crash."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.folder import FolderSettings, FolderWatch, Outcome, finish, watch
from runtime.clock import SimulatedClock
from schemas.errors import ConfigurationError, Conflict


@pytest.fixture
def folder(tmp_path: Path) -> FolderWatch:
    """A watch that takes a file after five quiet seconds."""
    return FolderWatch(FolderSettings(folder=tmp_path, settle_seconds=5))


def test_a_file_is_handed_out_when_it_has_not_changed_for_a_while(folder: FolderWatch, tmp_path: Path) -> None:
    """Each change starts the wait anew; a file is handed out once."""
    path = tmp_path / "week.csv"
    path.write_text("a")
    assert folder.scan(0) == []
    assert folder.scan(4) == []
    path.write_text("a,b")
    assert folder.scan(6) == []
    assert folder.scan(10) == []
    assert [file.path for file in folder.scan(11)] == [path]
    assert folder.scan(30) == []


def test_a_file_that_changes_after_it_was_handed_out_comes_again(folder: FolderWatch, tmp_path: Path) -> None:
    """A new export under the same name is a new file."""
    path = tmp_path / "week.csv"
    path.write_text("a")
    folder.scan(0)
    assert len(folder.scan(5)) == 1
    path.write_text("another")
    folder.scan(6)
    assert len(folder.scan(11)) == 1


def test_an_empty_file_gets_more_time(folder: FolderWatch, tmp_path: Path) -> None:
    """Some programs make the file long before they write it."""
    (tmp_path / "week.csv").touch()
    folder.scan(0)
    assert folder.scan(59) == []
    assert len(folder.scan(60)) == 1


@pytest.mark.parametrize(
    "name", ["week.csv.part", ".week.csv", "~$week.csv", "week.csv.done", "week.csv.done.json", "week.pdf"]
)
def test_unfinished_and_foreign_files_are_left_alone(folder: FolderWatch, tmp_path: Path, name: str) -> None:
    """Half downloads, hidden files and our own reports are never taken."""
    (tmp_path / name).write_text("a")
    folder.scan(0)
    assert folder.scan(100) == []


def test_links_and_folders_are_not_followed(folder: FolderWatch, tmp_path: Path) -> None:
    """A link could lead anywhere."""
    (tmp_path / "secret").write_text("a")
    (tmp_path / "link.csv").symlink_to(tmp_path / "secret")
    (tmp_path / "folder.csv").mkdir()
    folder.scan(0)
    assert folder.scan(100) == []


def test_a_finished_file_is_moved_and_has_a_report_beside_it(folder: FolderWatch, tmp_path: Path) -> None:
    """A second file of the same name gets a number; nothing is overwritten."""
    path = tmp_path / "week.csv"
    for expected in ("week.csv.done", "week.csv.2.done"):
        path.write_text(expected)
        folder.scan(0)
        [file] = folder.scan(5)
        target = finish(file, Outcome.DONE, {"rows": 1})
        assert target == tmp_path / expected
        assert target.read_text() == expected
        assert json.loads((tmp_path / f"{expected}.json").read_text()) == {"rows": 1}
        assert not path.exists()


def test_a_refused_file_says_so_in_its_name(folder: FolderWatch, tmp_path: Path) -> None:
    """A person sees at a glance what was not taken."""
    (tmp_path / "week.csv").write_text("a")
    folder.scan(0)
    [file] = folder.scan(5)
    assert finish(file, Outcome.REFUSED, {}).name == "week.csv.refused"


def test_a_file_that_changed_while_it_was_read_is_not_moved(folder: FolderWatch, tmp_path: Path) -> None:
    """What was published is not what stands there now, so it must be read again."""
    path = tmp_path / "week.csv"
    path.write_text("a")
    folder.scan(0)
    [file] = folder.scan(5)
    path.write_text("changed")
    with pytest.raises(Conflict):
        finish(file, Outcome.DONE, {})
    assert path.read_text() == "changed"


def test_a_crash_before_the_move_gives_the_file_again(tmp_path: Path) -> None:
    """After a restart the file settles and is handed out again; an orphaned report is simply replaced."""
    path = tmp_path / "week.csv"
    path.write_text("a")
    (tmp_path / "week.csv.done.json").write_text("from before the crash")
    restarted = FolderWatch(FolderSettings(folder=tmp_path))
    restarted.scan(0)
    [file] = restarted.scan(5)
    finish(file, Outcome.DONE, {"rows": 2})
    assert json.loads((tmp_path / "week.csv.done.json").read_text()) == {"rows": 2}


def test_a_file_system_without_links_renames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network shares know no hard links."""

    def no_links(source: Path, target: Path) -> None:
        raise PermissionError(source, target)

    (tmp_path / "week.csv").write_text("a")
    folder = FolderWatch(FolderSettings(folder=tmp_path))
    folder.scan(0)
    [file] = folder.scan(5)
    monkeypatch.setattr(os, "link", no_links)
    assert finish(file, Outcome.DONE, {}).read_text() == "a"


def test_a_missing_folder_is_told_at_once(tmp_path: Path) -> None:
    """Waiting for ever beside a typing error helps nobody."""
    with pytest.raises(ConfigurationError):
        FolderWatch(FolderSettings(folder=tmp_path / "nowhere")).scan(0)


async def test_watching_hands_out_files_as_the_clock_goes(folder: FolderWatch, tmp_path: Path) -> None:
    """The watch sleeps on the clock it was given and yields each settled file."""
    (tmp_path / "week.csv").write_text("a")

    class Quick(SimulatedClock):
        elapsed = 0

        def monotonic_seconds(self) -> float:
            return self.elapsed

        async def sleep(self, seconds: float) -> None:
            self.elapsed += int(seconds)

    clock = Quick(datetime(2026, 11, 1, tzinfo=UTC))
    async for file in watch(folder, clock):
        assert file.path.name == "week.csv"
        break
    assert clock.elapsed == 6
