"""What a close costs while it waits: a decision looks at no other entry and at no document (design rule 6)."""

from collections.abc import Callable, Iterator, Sequence

import pytest

from books import pending
from books.effects import Effects
from books.fold import Fold
from books.rows import CloseRow, CounterRow, DocumentRow, PendingRow
from books.stores.memory import MemoryStore
from books.stores.port import Rows
from books.testing import Story, decision, entry, scope, undecided
from books.version import FOLD_VERSION
from schemas import commands
from schemas.facts import DocumentDrafted
from schemas.work import DecideEntry, DeliverDocument


class CountedRows:
    """Rows that count how many of them were scanned."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.scans = 0
        self.scanned: set[str] = set()

    def get(self, table: str, key: str) -> bytes | None:
        """The row, or None."""
        return self._rows.get(table, key)

    def expect(self, table: str, keys: Sequence[str]) -> None:
        """See `Rows`."""
        self._rows.expect(table, keys)

    def put(self, table: str, key: str, value: bytes) -> None:
        """Insert or replace a row."""
        self._rows.put(table, key, value)

    def delete(self, table: str, key: str) -> None:
        """Remove a row."""
        self._rows.delete(table, key)

    def scan(self, table: str, start: str = "", stop: str | None = None) -> Iterator[tuple[str, bytes]]:
        """Rows in key order, counted as a scan even when none is there: it makes a store write what waits."""
        self.scans += 1
        self.scanned.add(table)
        return self._rows.scan(table, start, stop)


class Asked:
    """Keeps what is asked and answers when it is told to."""

    def __init__(self) -> None:
        self.requests: list[DecideEntry] = []

    def __call__(self, request: DecideEntry | DeliverDocument) -> None:
        if isinstance(request, DecideEntry):
            self.requests.append(request)


@pytest.fixture
def folded() -> Callable[[Story, Fold, DecideEntry], int]:
    """Apply the answer to a request; returns how many scans that took."""

    def apply(story: Story, fold: Fold, request: DecideEntry) -> int:
        rows = CountedRows(story.journal.rows)
        fold.apply(rows, 1_000_000, decision(request), Effects())
        return rows.scans

    return apply


def test_a_decision_scans_nothing_while_a_close_waits(folded: Callable[[Story, Fold, DecideEntry], int]) -> None:
    """However many entries wait and documents stand, a decision costs a look at the closes that wait for its entry."""
    slow = Asked()
    story = Story(slow).begin()
    story.close(scope("birch"))
    story.say(*(entry(f"e{number}", f"2026-10-{number:02d}T09:00") for number in range(1, 21)))
    story.close()
    fold = Fold()
    folded(story, fold, slow.requests[0])  # compiles the contracts
    assert [folded(story, fold, request) for request in slow.requests[1:19]] == [0] * 18
    assert pending.missing_decisions(story.book, pending.open_closes(story.book)[0][0]) == 1


def test_the_last_decision_ends_the_wait_and_leaves_no_row_behind() -> None:
    """A close is drafted at the offset of its last decision; what was kept about the wait goes with it."""
    slow = Asked()
    story = Story(slow).begin()
    story.say(entry("a"), entry("b", "2026-10-06T09:00"))
    command_id = story.close()
    story.say(decision(slow.requests[0]))
    assert story.verdicts(command_id) == []
    story.say(decision(slow.requests[1]))
    assert isinstance(story.verdict(command_id), DocumentDrafted)
    for kind in (CloseRow, PendingRow):
        assert list(story.book.scan(kind)) == [], kind.table
    assert [key for key, _ in story.book.scan(CounterRow) if key.startswith("missing")] == []


def test_two_closes_wait_for_the_same_decision() -> None:
    """An answer tells every close that froze its entry: the second one is drafted right after the first."""
    slow = Asked()
    story = Story(slow).begin()
    story.say(entry("a"))
    first, second = story.close(), story.close()
    story.say(decision(slow.requests[0]))
    assert [isinstance(story.verdict(one), DocumentDrafted) for one in (first, second)] == [True, True]
    assert not pending.any_close_open(story.book)


def test_an_approval_under_way_is_known_without_looking_at_documents(story: Story) -> None:
    """The row of approvals is there from the command to its fact, and gone afterwards."""
    story.say(entry("a"))
    story.close()
    document = story.document()
    pending.begin_approval(story.book, document, "command")
    assert pending.clients_with_approvals(story.book) == {"acme"}
    pending.end_approval(story.book, document.document_id)
    assert pending.clients_with_approvals(story.book) == set()
    story.order(commands.RejectDocument, document_id=document.document_id, revision=document.revision)
    assert list(story.book.scan(PendingRow)) == []


def test_a_close_that_is_given_up_forgets_its_waits() -> None:
    """A refusal that is read back removes the close and every trace of what it waited for."""
    story = Story(undecided).begin()
    story.say(entry("a"))
    story.close()
    ((key, _),) = pending.open_closes(story.book)
    pending.forget_close(story.book, key)
    assert list(story.book.scan(PendingRow)) == []
    assert not pending.any_close_open(story.book)


def test_a_close_looks_at_no_document_of_other_contracts(story: Story) -> None:
    """A book holds the documents of years: those of a contract are found by its name, not among all."""
    story.say(entry("a"))
    story.close(scope("birch"))
    drafted_before = len(story.journal.records)
    assert isinstance(story.verdict(story.close()), DocumentDrafted)
    fold, records = Fold(), story.journal.records
    with MemoryStore(FOLD_VERSION).transaction(0, len(records)) as given:
        rows = CountedRows(given)
        for offset, record in enumerate(records):
            if offset == drafted_before:
                rows.scanned.clear()
            fold.apply(rows, offset, record, Effects())
    assert rows.scanned
    assert DocumentRow.table not in rows.scanned
