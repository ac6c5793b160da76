"""A snapshot is a store's committed state, whole or not there; a damaged one is never used (rule 1)."""

import os
from pathlib import Path

import pytest

from books.stores.snapshots import GivenUp, Snapshots
from books.stores.sqlite import SqliteStore


def grown(store: SqliteStore, offset: int) -> None:
    """One more row, up to this offset."""
    with store.transaction(store.position.next_offset, offset) as rows:
        rows.put("entry", f"row-{offset}", b"x" * 100)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a worker keeps the store of partition 0."""
    return tmp_path / "worker" / "0000.sqlite"


def test_a_snapshot_gives_the_rows_and_the_offset_of_its_moment(tmp_path: Path, file: Path) -> None:
    """What is committed when it is taken is in it, what is changed meanwhile is not."""
    snapshots, store = Snapshots(tmp_path / "shared", "1"), SqliteStore(file, "1")
    grown(store, 10)
    digest = store.digest()
    with store.transaction(10, 20) as rows:
        rows.put("entry", "open", b"not committed")
        assert snapshots.save(0, file).next_offset == 10
    store.close()
    elsewhere = tmp_path / "other" / "0000.sqlite"
    elsewhere.parent.mkdir()
    brought = snapshots.bring(0, elsewhere, 0, 100)
    assert brought is not None
    found = SqliteStore(elsewhere, "1")
    assert (found.position.next_offset, found.digest()) == (10, digest)
    found.close()


def test_the_last_two_are_kept_of_each_version(tmp_path: Path, file: Path) -> None:
    """Another version's snapshots stay, for a roll-back; its own older ones go."""
    other, snapshots, store = Snapshots(tmp_path, "0"), Snapshots(tmp_path, "1"), SqliteStore(file, "1")
    for offset in (10, 20, 30):
        grown(store, offset)
        snapshots.save(0, file)
        if offset == 10:
            other.save(0, file)
    store.close()
    assert [one.next_offset for one in snapshots.all_of(0)] == [30, 20]
    assert [one.next_offset for one in other.all_of(0)] == [10]
    assert snapshots.all_of(1) == []


@pytest.mark.parametrize("damage", ["bytes", "torn", "missing"])
def test_a_damaged_snapshot_is_passed_over(tmp_path: Path, file: Path, damage: str) -> None:
    """Bytes that are not those of its name, half a file, a file that went: the one before serves."""
    snapshots, store = Snapshots(tmp_path / "shared", "1"), SqliteStore(file, "1")
    for offset in (10, 20):
        grown(store, offset)
        snapshots.save(0, file)
    store.close()
    newest = snapshots.all_of(0)[0].file
    content = bytearray(newest.read_bytes())
    if damage == "missing":
        newest.unlink()
        newest.mkdir()
    elif damage == "torn":
        newest.write_bytes(content[: len(content) // 2])
    else:
        content[-1] ^= 1
        newest.write_bytes(content)
    brought = snapshots.bring(0, file, 0, 100)
    assert brought is not None
    assert brought.next_offset == 10
    assert sorted(one.name for one in file.parent.iterdir()) == ["0000.sqlite"]


@pytest.mark.parametrize(("beginning", "end", "offset"), [(0, 15, 10), (0, 9, None), (11, 100, 20), (21, 100, None)])
def test_only_what_the_journal_still_has_serves(
    tmp_path: Path, file: Path, beginning: int, end: int, offset: int | None
) -> None:
    """A snapshot of a longer journal than there is, or of one whose records are gone, would be another book's."""
    snapshots, store = Snapshots(tmp_path / "shared", "1"), SqliteStore(file, "1")
    for at in (10, 20):
        grown(store, at)
        snapshots.save(0, file)
    store.close()
    before = file.read_bytes()
    brought = snapshots.bring(0, file, beginning, end)
    assert (None if brought is None else brought.next_offset) == offset
    assert brought is not None or file.read_bytes() == before


def test_a_snapshot_that_fails_leaves_nothing_that_counts(tmp_path: Path, file: Path) -> None:
    """No store, no snapshot, and no half file under a name that counts."""
    snapshots = Snapshots(tmp_path / "shared", "1")
    with pytest.raises(Exception, match="unable to open"):
        snapshots.save(0, file)
    assert snapshots.all_of(0) == []


def test_a_copy_that_is_given_up_leaves_everything_as_it_was(tmp_path: Path, file: Path) -> None:
    """The store stays where it stands, no half file lies beside it, and no snapshot counts that did not."""
    snapshots, store = Snapshots(tmp_path / "shared", "1"), SqliteStore(file, "1")
    grown(store, 10)
    first = snapshots.save(0, file)
    grown(store, 20)
    with pytest.raises(GivenUp):
        snapshots.save(0, file, lambda: True)
    store.close()
    assert snapshots.all_of(0) == [first]
    before, beside = file.read_bytes(), sorted(file.parent.iterdir())
    with pytest.raises(GivenUp):
        snapshots.bring(0, file, 0, 100, lambda: True)
    assert (file.read_bytes(), sorted(file.parent.iterdir())) == (before, beside)


def test_rows_are_given_up_while_they_are_copied(tmp_path: Path, file: Path) -> None:
    """Of a large store that is most of the time."""
    snapshots, store = Snapshots(tmp_path / "shared", "1"), SqliteStore(file, "1")
    with store.transaction(0, 10) as rows:
        for number in range(20_000):
            rows.put("entry", f"row-{number}", b"x" * 100)
    looks: list[bool] = []

    def is_given_up() -> bool:
        looks.append(True)
        return not list(tmp_path.glob("shared/**/*.part"))

    with pytest.raises(GivenUp):
        snapshots.save(0, file, is_given_up)
    store.close()
    assert looks
    assert not list(file.parent.glob("*.copy"))


def test_two_that_save_at_once_do_not_spoil_each_other(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old owner of a partition still copies when the new one has its own copy ready: both are whole. They may have
    one process number, as in containers.
    """
    old, new = (Snapshots(tmp_path / "shared", "1", saver) for saver in ("first-host", "second-host"))
    beside = tmp_path / "other" / "0000.sqlite"
    for place, offset in ((file, 10), (beside, 20)):
        store = SqliteStore(place, "1")
        grown(store, offset)
        store.close()
    keep = os.fsync

    def meanwhile(number: int) -> None:
        """What one has written, and not yet named, lies there while the other one does all its work."""
        monkeypatch.setattr(os, "fsync", keep)
        new.save(0, beside)
        keep(number)

    monkeypatch.setattr(os, "fsync", meanwhile)
    old.save(0, file)
    for end, offset in ((100, 20), (19, 10)):
        brought = new.bring(0, tmp_path / "heir.sqlite", 0, end)
        assert brought is not None
        assert brought.next_offset == offset
    assert len(list((tmp_path / "shared" / "0000").iterdir())) == 2
