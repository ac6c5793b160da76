"""A store is a cache: the journal says everything, twice is once, the first fact of an id counts (rules 1 and 2)."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from books.local import Follower
from books.rows import DocumentRow
from books.stores.memory import MemoryStore
from books.stores.port import Store
from books.stores.sqlite import SqliteStore
from books.testing import Story, contract, directory, entry, entry_id, expense, firm, scope, terms, tick, week_cap
from books.version import FOLD_VERSION
from schemas import commands
from schemas.codec import decode, encode
from schemas.facts import DocumentDrafted, DocumentIssued
from schemas.inputs import Category
from schemas.values import Record


@pytest.fixture
def october() -> Story:
    """A month with everything in it: moves, edits, caps, expenses, orders, two closes, an approval and an issue."""
    story = Story().begin(caps=[week_cap(hours="6")], close={"automatic": True, "close_grace_days": 3})
    for day in range(5, 20):
        story.say(
            entry(f"e{day}", f"2026-10-{day:02d}T09:00", "2"), entry(f"b{day}", f"2026-10-{day:02d}T14:00", "1.5")
        )
    story.say(entry("e5", "2026-10-05T09:00", "3", revision=2), entry("e6", client_ref="Birch AG", revision=2))
    story.say(
        entry("dup", "2026-10-07T09:30", "1", source="harvest"), expense("train", "45.90"), tick("2026-10-30T10:00")
    )
    story.order(commands.CorrectEntry, entry_id=entry_id("e8"), category=Category.NON_BILLABLE, remember=True)
    story.close()
    story.say(contract(terms(caps=[week_cap(hours="8")])), directory(firm(projects=[])))
    story.close(scope("birch"))
    story.close()
    story.approve(story.document())
    story.order(commands.IssueDocument, document_id=story.document().document_id)
    story.say(tick("2026-11-05T10:00"), entry("late", "2026-10-21T09:00", "1"))
    return story


def digest_of(records: Iterable[Record], store: Store, batch: int) -> str:
    """The digest after folding a journal in batches of a size."""
    follower = Follower(store)
    todo = list(enumerate(records))
    for start in range(0, len(todo), batch):
        follower.apply(todo[start : start + batch])
    return store.digest()


@pytest.mark.parametrize("batch", [1, 7, 10_000])
def test_a_rebuild_gives_the_same_rows_byte_for_byte(october: Story, tmp_path: Path, batch: int) -> None:
    """Rule 1: whatever the store and the size of the batches, and after the wire, the journal gives the same rows."""
    records = [decode(encode(record)) for record in october.journal.records]
    memory, disk = MemoryStore(FOLD_VERSION), SqliteStore(tmp_path / "0000.sqlite", FOLD_VERSION)
    live = digest_of(october.journal.records, MemoryStore(FOLD_VERSION), 1)
    assert digest_of(records, memory, batch) == live
    assert digest_of(records, disk, batch) == live
    disk.close()


def test_a_fold_that_is_stopped_goes_on_as_if_it_had_not_been(october: Story, tmp_path: Path) -> None:
    """Rule 1: reopening the store in the middle, with nothing compiled in memory, changes no row."""
    records = list(enumerate(october.journal.records))
    for start in range(0, len(records), 9):
        store = SqliteStore(tmp_path / "0000.sqlite", FOLD_VERSION)
        Follower(store).apply(records[start : start + 9])
        store.close()
    again = SqliteStore(tmp_path / "0000.sqlite", FOLD_VERSION)
    assert again.digest() == digest_of(october.journal.records, MemoryStore(FOLD_VERSION), 1)
    again.close()


def test_the_first_fact_of_an_id_counts(october: Story) -> None:
    """A zombie may append another content under the id of a fact: nothing follows from it."""
    first = next(record for record in october.journal.records if isinstance(record, DocumentDrafted))
    rows = dict(october.book.scan(DocumentRow))
    documents = len(october.journal.documents)
    october.say(first.model_copy(update={"content": "0" * 64}), first)
    assert dict(october.book.scan(DocumentRow)) == rows
    assert len(october.journal.documents) == documents


def test_appending_everything_twice_changes_nothing(october: Story) -> None:
    """Section 1: a repeat of any input, command or fact is harmless; no number, revision or line comes of it."""
    before = (dict(october.book.scan(DocumentRow)), october.preview(scope("birch")), october.preview())
    october.say(*list(october.journal.records))
    assert (dict(october.book.scan(DocumentRow)), october.preview(scope("birch")), october.preview()) == before
    assert len({fact.fact_id for fact in october.journal.records if isinstance(fact, DocumentIssued)}) == 1


def test_every_drafts_seconds_are_somewhere(october: Story) -> None:
    """Rule 8: worked seconds are the sum of the buckets, and of what stands on lines and placements."""
    drafts = [record for record in october.journal.records if isinstance(record, DocumentDrafted)]
    assert len(drafts) >= 3
    for fact in drafts:
        body = fact.body
        assert sum(bucket.seconds for bucket in body.buckets) == body.worked_seconds
        on_lines = sum(source.worked_seconds for line in body.lines for source in line.sources)
        assert on_lines + sum(place.seconds for place in body.placements) == body.worked_seconds
        assert sum(line.amount for line in body.lines) == body.net
