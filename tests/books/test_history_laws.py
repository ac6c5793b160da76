"""Laws of history: whatever happens between closes, documents and adjustments add up to a fresh computation (2.4)."""

from collections.abc import Sequence
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from books.preview import preview_invoice
from books.rows import DocumentRow
from books.testing import Story, contract, directory, entry, expense, firm, scope, terms, week_cap
from schemas import commands
from schemas.draft import DocumentKind, DocumentScope, DocumentState, DraftBody
from schemas.entry import Deletion, EntryVersion
from schemas.values import Record

pytestmark = pytest.mark.proof

CLIENTS = {"acme": "Acme Ltd", "birch": "Birch AG"}
PERIODS = [("2026-09-28", "2026-10-01"), ("2026-10-01", "2026-10-05"), ("2026-10-05", "2026-10-12")]
STANDING = (DocumentState.APPROVED.value, DocumentState.ISSUED.value, DocumentState.VOID.value)
Step = tuple[str, object]


def amendment(number: int, hours: str, rate: str, correction: str) -> Record:
    """A revision of Acme's contract."""
    rates = [{"role": "senior", "rate": rate}, {"role": "junior", "rate": "90.00"}]
    clauses = {"caps": [week_cap(hours=hours, pool="all")], "rates": rates, "correction": correction}
    return contract(terms("acme", **clauses), f"amendment-{number}")


@st.composite
def versions(draw: st.DrawFn) -> EntryVersion:
    """A version of one of a few entries."""
    name, revision = draw(st.sampled_from("abcdef")), draw(st.integers(1, 9))
    client = CLIENTS[draw(st.sampled_from(["acme", "acme", "birch"]))]
    deletion = draw(st.sampled_from([Deletion.NONE] * 4 + [Deletion.REPORTED]))
    day = draw(st.sampled_from(["09-29", "09-30", "10-01", "10-02", "10-05", "10-08"]))
    if name == "f":
        amount = draw(st.sampled_from(["10.00", "33.33"]))
        return expense(name, amount, f"2026-{day}", revision=revision, client_ref=client, deletion=deletion)
    hours = draw(st.sampled_from(["0.5", "1", "3.1", "7"]))
    person = draw(st.sampled_from(["Dana", "Bo"]))
    more = {"revision": revision, "client_ref": client, "person_ref": person, "deletion": deletion}
    return entry(name, f"2026-{day}T{8 + ord(name) - 97:02d}:00", hours, **more)


def steps() -> st.SearchStrategy[Step]:
    """One thing that happens to a firm."""
    amended = st.tuples(
        st.integers(0, 10**6),
        st.sampled_from(["4", "9", "40"]),
        st.sampled_from(["150.00", "140.00"]),
        st.sampled_from(["adjust_next", "credit_and_rebill", "credit_now"]),
    )
    closed = st.tuples(st.sampled_from(sorted(CLIENTS)), st.sampled_from(PERIODS))
    return st.one_of(
        st.tuples(st.just("version"), versions()),
        st.tuples(st.just("version"), versions()),
        st.tuples(st.just("close"), closed),
        st.tuples(st.just("close"), closed),
        st.tuples(st.just("amend"), amended),
        st.tuples(st.just("approve"), st.integers(0, 10)),
        st.tuples(st.just("issue"), st.integers(0, 10)),
        st.tuples(st.just("void"), st.integers(0, 10)),
        st.tuples(st.just("reopen"), closed),
    )


class History:
    """A story with what was issued in it, as it was then."""

    def __init__(self) -> None:
        self.story = Story()
        self.story.say(directory(firm()), amendment(0, "9", "150.00", "adjust_next"), contract(terms("birch")))
        self.issued: dict[str, DraftBody] = {}

    def take(self, step: Step) -> None:
        """One step; what cannot be done now is refused by the book."""
        what, about = step
        match what, about:
            case "version", EntryVersion():
                self.story.say(about)
            case "amend", (int() as number, str() as hours, str() as rate, str() as correction):
                self.story.say(amendment(number, hours, rate, correction))
            case "close", (str() as client, (str() as first, str() as end)):
                self.story.close(scope(client, first, end))
            case "reopen", (str() as client, (str() as first, str() as end)):
                self.story.order(commands.ReopenPeriod, scope=scope(client, first, end))
            case "approve", int() as number:
                self._with(DocumentState.DRAFT, number, self.story.approve)
            case "issue", int() as number:
                self._with(DocumentState.APPROVED, number, self.issue)
            case "void", int() as number:
                self._with(DocumentState.ISSUED, number, self._void)
            case _:
                raise AssertionError(step)

    def _with(self, state: DocumentState, number: int, do: object) -> None:
        rows = [row for _, row in self.story.book.scan(DocumentRow) if row.state == state.value]
        if rows:
            assert callable(do)
            do(rows[number % len(rows)])

    def issue(self, row: DocumentRow) -> None:
        """Issue a document and remember what it said."""
        self.story.order(commands.IssueDocument, document_id=row.document_id)
        self.issued[row.document_id] = self.story.stored(row)

    def _void(self, row: DocumentRow) -> None:
        self.story.order(commands.VoidDocument, document_id=row.document_id, rebill=True)

    def settle_all(self) -> None:
        """Close everything and approve what is drafted, until nothing is left to say."""
        for _ in range(2):
            for client in sorted(CLIENTS):
                for first, end in PERIODS:
                    self._settle(scope(client, first, end))

    def _settle(self, wanted: DocumentScope) -> None:
        self.story.close(wanted)
        for kind in (DocumentKind.CREDIT_NOTE, DocumentKind.INVOICE):
            for _, row in list(self.story.book.scan(DocumentRow)):
                if (row.client_id, row.kind, row.state) == (wanted.client_id, kind.value, DocumentState.DRAFT.value):
                    self.story.approve(row)

    def net(self, client: str) -> Decimal:
        """All that was ever promised to a client, credit notes included."""
        rows = [row for row in self.story.documents(client) if row.state in STANDING]
        return sum((self.story.stored(row).net for row in rows), Decimal(0))

    def seconds(self, client: str) -> dict[str, int]:
        """The seconds of each entry over all documents of a client."""
        found: dict[str, int] = {}
        for row in self.story.documents(client):
            for line in self.story.stored(row).lines if row.state in STANDING else ():
                for source in line.sources:
                    found[source.entry_id] = found.get(source.entry_id, 0) + source.worked_seconds
        return {entry_id: seconds for entry_id, seconds in found.items() if seconds}

    def fresh(self, client: str) -> tuple[Decimal, dict[str, int]]:
        """What one computation over today's facts gives, period by period."""
        net, seconds = Decimal(0), dict[str, int]()
        for first, end in PERIODS:
            invoice = preview_invoice(self.story.book, self.story.catalog, scope(client, first, end))
            assert invoice is not None, "the contract is there from the beginning"
            net += Decimal(invoice.net_units).scaleb(-2)
            for line in invoice.lines:
                for charge in line.charges:
                    for share in charge.sources:
                        entry_id = share.entry.entry_id
                        seconds[entry_id] = seconds.get(entry_id, 0) + share.worked_seconds
        return net, {entry_id: one for entry_id, one in seconds.items() if one}


@given(st.lists(steps(), min_size=5, max_size=30))
def test_documents_add_up_to_a_fresh_computation(happened: Sequence[Step]) -> None:
    """Invariant 4, and conservation of seconds per client: edits, moves, deletions, late entries, amendments, closes,
    approvals, voids and reopened periods in any order; what was issued is as it was issued.
    """
    history = History()
    for step in happened:
        history.take(step)
    history.settle_all()
    for client in CLIENTS:
        assert (history.net(client), history.seconds(client)) == history.fresh(client)
    for document_id, body in history.issued.items():
        assert history.story.stored(history.story.at(document_id)) == body
    assert [row for _, row in history.story.book.scan(DocumentRow) if row.state == DocumentState.DRAFT.value] == []


@given(st.lists(versions(), min_size=2, max_size=9), st.randoms(use_true_random=False))
def test_arrival_order_and_closes_between_change_no_total(said: list[EntryVersion], random: Random) -> None:
    """Invariant 3 over issued periods: the same versions in another order, with closes between, bill the same."""
    calm, busy = History(), History()
    for version in said:
        calm.take(("version", version))
    calm.settle_all()
    mixed = list(said)
    random.shuffle(mixed)
    for version in mixed:
        busy.take(("version", version))
        if random.random() < 0.4:
            busy.take(("close", (random.choice(sorted(CLIENTS)), random.choice(PERIODS))))
            busy.take(("approve", random.randint(0, 10)))
    busy.settle_all()
    for client in CLIENTS:
        assert (busy.net(client), busy.seconds(client)) == (calm.net(client), calm.seconds(client))
