"""Ids and versions: the same file again is nothing new, an edit is a new version, a scope is declared."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from connectors.base import EntryFields, EntryMaker, Stamp
from connectors.tables import ImportOptions, Preview, preview_file, read_file
from connectors.testing import check_import, check_same_again
from schemas.canonical import deterministic_id
from schemas.entry import EntryVersion, version_order
from schemas.errors import Conflict, Rejected
from schemas.inputs import ImportCompleted

Imported = Callable[..., tuple[list[EntryVersion], ImportCompleted]]
Written = Callable[[str | bytes], Path]
BERLIN = ImportOptions(zone="Europe/Berlin")
HEADER = "User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,End time,Duration,Tags\n"
FIRST = "Ann,a@x.example,Acme,Web,,first,Yes,2026-10-01,09:00:00,2026-10-01,10:00:00,01:00:00,\n"
SECOND = "Ann,a@x.example,Acme,Web,,second,Yes,2026-10-01,10:00:00,2026-10-01,11:00:00,01:00:00,\n"
BROKEN = "Ann,a@x.example,Acme,Web,,second,Yes,2026-10-01,10:00:00,2026-10-01,11:00:00,soon,\n"


def test_the_same_file_again_gives_the_same_records(written: Written, stamp: Stamp) -> None:
    """Ids, hashes, event ids and the import's id do not depend on the run."""
    path = written(HEADER + FIRST + SECOND)
    first = list(read_file(preview_file(path, BERLIN), stamp))
    check_import(first)
    check_same_again(first, read_file(preview_file(path, BERLIN), stamp))


def test_a_later_import_of_the_same_file_raises_the_version_and_changes_no_content(
    written: Written, stamp: Stamp
) -> None:
    """The same content observed later is a higher version with the same hash."""
    path = written(HEADER + FIRST)
    later = stamp.model_copy(update={"observed_at": datetime(2026, 12, 1, tzinfo=UTC)})
    old, *_ = read_file(preview_file(path, BERLIN), stamp)
    new, *_ = read_file(preview_file(path, BERLIN), later)
    assert isinstance(old, EntryVersion)
    assert isinstance(new, EntryVersion)
    assert (old.entry_id, old.content) == (new.entry_id, new.content)
    assert version_order(old) < version_order(new)
    assert old.envelope.event_id != new.envelope.event_id


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("first", "FIRST"),
        ("01:00:00,", "00:45:00,"),
        (",Acme,", ",Birch,"),
        ("10:00:00,01", "10:30:00,01"),
        ("Yes", "No"),
    ],
)
def test_an_edited_row_is_a_new_version_of_the_same_entry(imported: Imported, old: str, new: str) -> None:
    """Text, duration, client, end and flag may change; person and start tell which entry it is."""
    [before], _ = imported(HEADER + FIRST)
    [after], _ = imported(HEADER + FIRST.replace(old, new))
    assert before.entry_id == after.entry_id
    assert before.content != after.content


def test_a_row_that_is_missing_leaves_the_ids_of_the_others(imported: Imported) -> None:
    """What is left out of a later export can be found by its id."""
    both, _ = imported(HEADER + FIRST + SECOND)
    rest, done = imported(HEADER + SECOND)
    assert {entry.entry_id for entry in rest} == {both[1].entry_id}
    assert done.people == ("a@x.example",)


def test_a_refused_row_keeps_its_place_among_equals(imported: Imported) -> None:
    """Mending a broken row moves no other row: the ordinal was counted before the row was refused."""
    broken, _ = imported(HEADER + BROKEN + SECOND)
    mended, _ = imported(HEADER + SECOND + SECOND)
    assert broken[0].entry_id == mended[1].entry_id


def test_the_order_of_columns_and_the_wording_of_headers_change_no_id(imported: Imported) -> None:
    """A newer export of the same work is nothing new."""
    [old], _ = imported(HEADER + FIRST)
    newer = (
        "Description,Email,User,Client,Project,Task,Billable,Start date,Start time,Stop date,Stop time,Duration,Tags\n"
    )
    row = "first,A@X.example,Ann,Acme,Web,,Yes,2026-10-01,09:00:00,2026-10-01,10:00:00,1:00:00,\n"
    [new], _ = imported(newer + row)
    assert (new.entry_id, new.content) == (old.entry_id, old.content)


def test_accounts_and_books_are_kept_apart(written: Written, stamp: Stamp) -> None:
    """The same row of another account or book is another entry."""
    path = written(HEADER + FIRST)
    other = ImportOptions(zone="Europe/Berlin", account="second")
    ids = set()
    for options, book in ((BERLIN, "main"), (other, "main"), (BERLIN, "branch")):
        first, *_ = read_file(preview_file(path, options), stamp.model_copy(update={"book": book}))
        assert isinstance(first, EntryVersion)
        ids.add(first.entry_id)
    assert len(ids) == 3


def test_a_declared_scope_is_published_even_when_nothing_is_left_in_it(written: Written, stamp: Stamp) -> None:
    """An empty export of a declared scope says that everything in it is gone; without declaration it says nothing."""
    path = written(HEADER)
    with pytest.raises(Rejected):
        read_file(preview_file(path, BERLIN), stamp)
    scope = {"people": ("a@x.example",), "date_from": date(2026, 10, 1), "date_to": date(2026, 11, 1)}
    [done] = read_file(preview_file(path, ImportOptions.model_validate({"zone": "UTC", **scope})), stamp)
    assert isinstance(done, ImportCompleted)
    assert (done.people, done.date_from, done.date_to, done.rows) == (*scope.values(), 0)


def test_another_scope_or_zone_is_another_import(written: Written) -> None:
    """The import's id covers the bytes, how they are read, and the scope."""
    path = written(HEADER + FIRST)

    def id_of(**more: object) -> str:
        preview: Preview = preview_file(path, ImportOptions.model_validate({"zone": "Europe/Berlin", **more}))
        return preview.import_id

    ids = {id_of(), id_of(zone="UTC"), id_of(account="b"), id_of(people=("a@x.example", "b@x.example"))}
    assert len(ids) == 4


def test_a_file_that_changes_after_the_preview_is_never_complete(written: Written, stamp: Stamp) -> None:
    """Without ImportCompleted nothing can be taken as missing."""
    preview = preview_file(written(HEADER + FIRST + SECOND), BERLIN)
    written(HEADER + FIRST)
    records = read_file(preview, stamp)
    seen: list[ImportCompleted] = []
    with pytest.raises(Conflict):
        seen.extend(record for record in records if not isinstance(record, EntryVersion))
    assert seen == []


def test_event_ids_are_those_of_the_canonical_encoding(stamp: Stamp) -> None:
    """The fast way of making an event id equals the written rule."""
    maker = EntryMaker(stamp, source='so"urce', account="konto ü", mapping_version=1, import_id="i")
    day = date(2026, 10, 5)
    entry = maker.make(EntryFields(source_entry_id='7"\\\n', person_ref="Ann", work_date=day, worked_seconds=60))
    said = {
        "entry_id": entry.entry_id,
        "content": entry.content,
        "import_id": "i",
        "observed_at": stamp.observed_at,
    }
    assert entry.envelope.event_id == deterministic_id("entry_version", said)
