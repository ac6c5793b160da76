"""What a person may type as a place in the past, and what replacing a store leaves behind when it is interrupted."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from billstream.cli.failure import CommandFailed
from billstream.keeping.past import moment
from billstream.keeping.rebuild import put_in_place
from books.stores.sqlite import SqliteStore, condemned, open_or_rebuild
from books.version import FOLD_VERSION


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("1840", 1840),
        ("2026-11-03T12:00", datetime(2026, 11, 3, 11, 0, tzinfo=UTC)),
        ("2026-11-03T12:00Z", datetime(2026, 11, 3, 12, 0, tzinfo=UTC)),
        ("2026-07-03T12:00:30+05:30", datetime(2026, 7, 3, 6, 30, 30, tzinfo=UTC)),
        ("2026-10-25", datetime(2026, 10, 25, 22, 59, 59, 999_000, tzinfo=UTC)),
    ],
)
def test_offsets_local_times_and_dates(typed: str, meant: int | datetime) -> None:
    """A local time is the firm's; a date is its last millisecond there, also on a day of 25 hours."""
    assert moment(typed, "Europe/Berlin") == meant


@pytest.mark.parametrize("typed", ["2026-10-25T02:30", "2026-03-29T02:30", "yesterday", "", "-5", "2026-13-01"])
def test_what_has_no_one_meaning_is_refused(typed: str) -> None:
    """An hour that the clocks show twice or never is asked back, like anything that is no moment at all."""
    with pytest.raises(CommandFailed) as failed:
        moment(typed, "Europe/Berlin")
    assert (failed.value.code, failed.value.exit_code) == ("moment_invalid", 2)


def store_with(path: Path, key: str) -> None:
    store = SqliteStore(path, FOLD_VERSION)
    with store.transaction(0, 1) as rows:
        rows.put("entry", key, b"x")
    store.close()


def test_a_new_store_takes_the_old_ones_place(tmp_path: Path) -> None:
    """The old file and its companions are gone, and nothing speaks against the new one."""
    store_with(tmp_path / "0000.sqlite", "old")
    store_with(tmp_path / "new", "new")
    put_in_place(tmp_path / "new", tmp_path / "0000.sqlite")
    opened = open_or_rebuild(tmp_path / "0000.sqlite", FOLD_VERSION)
    assert [opened.rows.get("entry", key) for key in ("old", "new")] == [None, b"x"]
    opened.close()
    assert [path.name for path in tmp_path.iterdir()] == ["0000.sqlite"]


def test_a_replacement_that_dies_halfway_costs_a_rebuild_and_nothing_else(tmp_path: Path) -> None:
    """A word against the old store stands before it is touched: the next start begins at offset 0."""
    store_with(tmp_path / "0000.sqlite", "old")
    (tmp_path / "missing").mkdir()
    with pytest.raises(OSError, match="missing"):
        put_in_place(tmp_path / "missing" / "new", tmp_path / "0000.sqlite")
    assert condemned(tmp_path / "0000.sqlite").exists()
    opened = open_or_rebuild(tmp_path / "0000.sqlite", FOLD_VERSION)
    assert opened.position.next_offset == 0
    opened.close()
