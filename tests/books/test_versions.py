"""Which version of an entry counts: what the versions say decides, never the order they came in (design rule 5)."""

from collections.abc import Sequence
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from books.book import Book
from books.entries import holds_of
from books.rows import CapRow, EntryRow, HoursRow, PersonDayRow
from books.stores.port import Rows
from books.testing import BOOK, TENANT, Story, contract, directory, entry, entry_id, firm, scope, terms, week_cap
from books.versions import is_deleted
from schemas import commands, inputs
from schemas.entry import Deletion, EntryVersion
from schemas.values import Record


def test_a_version_that_comes_three_times_is_one_entry(story: Story) -> None:
    """BD-61: the second and third delivery change nothing, and nothing follows from them."""
    version = entry("tgl-771", hours="2", revision=3)
    story.say(version)
    rows, records = story.preview(), len(story.journal.records)
    story.say(version, version)
    assert story.preview() == rows
    assert rows.worked_seconds == 7_200
    assert len(story.journal.records) == records + 2


def test_an_older_version_that_comes_late_is_ignored(story: Story) -> None:
    """BD-62: version 5 (1.50 h) came before version 4 (2.00 h); 1.50 h count."""
    story.say(entry("tgl-772", hours="1.5", revision=5), entry("tgl-772", hours="2", revision=4))
    assert story.row("tgl-772").worked_seconds == 5_400


def test_two_contents_of_one_revision_are_held(story: Story) -> None:
    """BD-62: equal `updated_at` with different content is a conflict, shown and held until a person settles it."""
    story.say(entry("a", hours="1", revision=5), entry("a", hours="2", revision=5))
    assert [hold.reason for hold in holds_of(story.row("a"))] == ["conflicting_version"]
    story.order(commands.ReleaseEntry, entry_id=entry_id("a"), held_reason="conflicting_version")
    assert holds_of(story.row("a")) == ()
    story.say(entry("a", hours="3", revision=6))
    assert not story.row("a").conflict


def test_an_entry_edited_back_has_its_first_content_again(story: Story) -> None:
    """A-B-A: the third version says what the first said, and the decision for that content is used again."""
    a, b, again = (entry("a", hours=h, revision=r) for h, r in (("1", 1), ("2", 2), ("1", 3)))
    story.say(a, b, again)
    row = story.row("a")
    assert (row.worked_seconds, row.source_revision, row.content) == (3_600, 3, a.content)
    story.say(b, a)
    assert story.row("a") == row


def test_the_same_content_again_only_raises_the_version(story: Story) -> None:
    """A higher version without a change keeps what is in between from coming back."""
    story.say(entry("a", hours="1", revision=1), entry("a", hours="1", revision=9), entry("a", hours="2", revision=5))
    assert (story.row("a").worked_seconds, story.row("a").source_revision) == (3_600, 9)


def test_a_reported_deletion_takes_the_entry_away_and_a_later_version_brings_it_back(story: Story) -> None:
    """A deletion is a version: below later ones, above earlier ones."""
    story.say(entry("a", revision=1), entry("a", revision=2, deletion=Deletion.REPORTED))
    assert is_deleted(story.row("a"))
    assert story.preview().worked_seconds == 0
    story.say(entry("a", revision=1))
    assert is_deleted(story.row("a"))
    story.say(entry("a", revision=3))
    assert story.preview().worked_seconds == 3_600


def test_an_inferred_deletion_that_is_seen_again_is_alive(story: Story) -> None:
    """A person accepted that the row was gone; the next import has it again, with the very same content."""
    first = entry("a", revision=0, import_id="one")
    story.say(first, imported("two", seen=5))
    story.order(commands.DeleteEntry, entry_id=entry_id("a"))
    assert is_deleted(story.row("a"))
    story.say(first)
    assert is_deleted(story.row("a"))
    story.say(entry("a", revision=0, import_id="three", seen=9))
    assert not is_deleted(story.row("a"))
    assert story.preview().worked_seconds == 3_600


def imported(import_id: str, seen: int = 0, people: tuple[str, ...] = ("Dana",)) -> inputs.ImportCompleted:
    """The end of an import of October, observed at an hour."""
    stamp = entry("x", seen=seen)
    return inputs.ImportCompleted.model_validate(
        {
            "envelope": {**stamp.envelope.model_dump(), "event_id": f"import-{import_id}"},
            "import_id": import_id,
            "source": "toggl",
            "account": "account",
            "people": people,
            "date_from": "2026-10-01",
            "date_to": "2026-11-01",
            "observed_at": stamp.observed_at,
            "rows": 1,
            "accepted": 1,
            "refused": 0,
            "asked": 0,
        }
    )


def test_a_row_missing_from_an_import_is_proposed_as_deleted_and_held(story: Story) -> None:
    """Absence is a proposal: the entry is held until a person accepts it or keeps the entry."""
    story.say(entry("a", import_id="one"), entry("b", "2026-10-06T09:00", import_id="one"), imported("one"))
    story.say(entry("b", "2026-10-06T09:00", import_id="two", seen=3), imported("two", seen=3))
    assert [hold.reason for hold in holds_of(story.row("a"))] == ["deletion_proposed"]
    assert holds_of(story.row("b")) == ()
    story.order(commands.ReleaseEntry, entry_id=entry_id("a"), held_reason="deletion_proposed")
    assert holds_of(story.row("a")) == ()


def test_rows_outside_of_an_imports_scope_are_left_alone(story: Story) -> None:
    """Other people, other months, other accounts and what was seen after the import are not missing from it."""
    others = (
        entry("bo", person_ref="Bo", import_id="one"),
        entry("may", "2026-05-05T09:00", import_id="one"),
        entry("other", account="second", import_id="one"),
        entry("later", import_id="one", seen=9),
    )
    story.say(*others, imported("two", seen=3))
    assert [row.deletion_proposed for _, row in story.book.scan(EntryRow)] == [""] * 4


def test_a_row_that_an_import_has_in_an_older_version_is_not_missing(story: Story) -> None:
    """The interface showed revision 9 already when a file of the day before is imported: the entry is there."""
    story.say(entry("a", revision=9, seen=1), entry("a", hours="2", revision=8, import_id="file", seen=3))
    story.say(imported("file", seen=3))
    assert story.row("a").deletion_proposed == ""


def test_a_repeated_end_of_an_import_does_not_propose_again(story: Story) -> None:
    """Twice in the journal is harmless: what a person decided to keep meanwhile stays."""
    story.say(entry("a", import_id="one"), imported("two", seen=3))
    story.order(commands.ReleaseEntry, entry_id=entry_id("a"), held_reason="deletion_proposed")
    story.say(imported("two", seen=3))
    assert story.row("a").deletion_proposed == ""


NAMES = st.sampled_from(["one", "two", "three"])


@st.composite
def versions(draw: st.DrawFn) -> EntryVersion:
    """A version of one of three entries, close enough to others to collide with them in every way."""
    return entry(
        draw(NAMES),
        f"2026-10-0{draw(st.integers(1, 3))}T{draw(st.sampled_from(['09', '10']))}:00",
        draw(st.sampled_from(["0", "1", "30"])),
        revision=draw(st.sampled_from([0, 0, 1, 2])),
        seen=draw(st.integers(0, 3)),
        mapping_version=draw(st.sampled_from([1, 2])),
        deletion=draw(st.sampled_from([Deletion.NONE] * 4 + [Deletion.REPORTED, Deletion.INFERRED])),
        person_ref=draw(st.sampled_from(["Dana", "Bo", "Stranger", "Nobody"])),
        client_ref=draw(st.sampled_from(["Acme Ltd", "Birch AG", "Unknown"])),
        import_id=draw(st.sampled_from(["", "i1", "i2"])),
        billable_hint=draw(st.sampled_from([None, False, True])),
    )


def settled(records: Sequence[Record]) -> dict[str, object]:
    """The rows that must follow from the set of versions alone: entries, days, hours, indexes, and what caps are used.

    Nobody asks what a deleted entry is, so whether one was decided while it lived is no part of it.
    """
    story = Story()
    story.say(directory(firm()), contract(terms("acme", caps=[week_cap()])), contract(terms("birch")), *records)
    rows: Rows = story.journal.rows
    undecided = [
        (key, msgspec.structs.replace(row, decision=None) if is_deleted(row) else row)
        for key, row in story.book.scan(EntryRow)
    ]
    tables = {kind.table: list(rows.scan(kind.table)) for kind in (PersonDayRow, HoursRow)}
    used = [(key, cap.used_seconds) for key, cap in story.book.scan(CapRow) if cap.used_seconds]
    return {**tables, "entry": undecided, "index": list(rows.scan("index")), "used": used}


@given(st.lists(versions(), min_size=1, max_size=7), st.randoms(use_true_random=False))
def test_any_order_and_repetition_gives_the_same_rows(history: list[EntryVersion], random: Random) -> None:
    """Invariant 3 of the domain: the same set of versions gives the same rows, byte for byte."""
    other = history + random.choices(history, k=3)
    random.shuffle(other)
    assert settled(other) == settled(history)


def living(story: Story) -> list[tuple[str, EntryRow]]:
    """The entries that are not deleted."""
    return [(key, row) for key, row in story.book.scan(EntryRow) if not is_deleted(row)]


@given(st.lists(versions(), min_size=1, max_size=5))
def test_names_known_early_or_late_give_the_same_rows(history: list[EntryVersion]) -> None:
    """A directory and contracts that come after the entries settle them as if they had come before."""
    late = Story()
    late.say(*history, contract(terms("birch")), directory(firm()), contract(terms("acme", caps=[week_cap()])))
    early = Story()
    early.say(directory(firm()), contract(terms("acme", caps=[week_cap()])), contract(terms("birch")), *history)
    assert living(late) == living(early)
    for kind in (PersonDayRow, HoursRow):
        assert list(late.book.scan(kind)) == list(early.book.scan(kind))
    assert late.preview() == early.preview()


@pytest.mark.parametrize("client", ["acme", "birch"])
def test_books_do_not_see_each_other(client: str) -> None:
    """Two books in one partition keep apart: an entry of one is nothing to the other."""
    story = Story().begin()
    stranger = entry("a")
    story.say(stranger.model_copy(update={"envelope": stranger.envelope.model_copy(update={"book": "second"})}))
    assert story.preview(scope(client)).worked_seconds == 0
    assert Book(story.journal.rows, TENANT, BOOK).get(EntryRow, entry_id("a")) is None
    assert Book(story.journal.rows, TENANT, "second").get(EntryRow, entry_id("a")) is not None
