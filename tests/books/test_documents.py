"""The life of a document: revisions, approval, numbers, and what each refusal protects (design rules 6, 7 and 12)."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from books.entries import holds_of
from books.rows import BilledRow, CounterRow, DocumentRow, OpenFactRow, OpenWorkRow
from books.testing import (
    Story,
    contract,
    directory,
    entry,
    entry_id,
    envelope,
    expense,
    firm,
    scope,
    terms,
    tick,
    week_cap,
)
from schemas import commands
from schemas.codec import decode
from schemas.draft import DocumentState
from schemas.facts import CommandRefused, DocumentApproved, DocumentIssued
from schemas.work import DeliverDocument


@pytest.fixture
def drafted(story: Story) -> Story:
    """A draft of one entry of two hours."""
    story.say(entry("a", hours="2"))
    story.close()
    return story


def refusal(story: Story, command_id: str) -> str:
    """Why a command was refused."""
    fact = story.verdict(command_id)
    assert isinstance(fact, CommandRefused), fact
    return fact.reason


def test_a_close_run_twice_gives_the_same_document(drafted: Story) -> None:
    """BD-70: the same inputs give the same key, lines and hash; changed inputs replace the draft by a new revision."""
    first = drafted.document()
    drafted.close()
    again = drafted.document()
    assert (again.document_id, again.content, again.revision) == (first.document_id, first.content, 2)
    drafted.say(entry("a", hours="3", revision=2))
    drafted.close()
    assert drafted.document().revision == 3
    assert drafted.document().content != first.content


def test_an_edit_before_the_close_changes_no_more_than_the_draft(drafted: Story) -> None:
    """BD-63: 2.00 h that become 2.75 h while the period is open: 412.50 replaces 300.00, and there is no adjustment."""
    assert [str(line.amount) for line in drafted.preview().lines] == ["300.00"]
    drafted.say(entry("a", hours="2.75", revision=2))
    assert [str(line.amount) for line in drafted.preview().lines] == ["412.50"]


def test_an_older_revision_is_published_as_superseded(drafted: Story) -> None:
    """Who reads `documents` learns that the revision before no longer stands."""
    drafted.close()
    states = [(document.revision, document.state) for document in drafted.journal.documents]
    assert states == [(1, DocumentState.DRAFT), (1, DocumentState.SUPERSEDED), (2, DocumentState.DRAFT)]


def test_an_approved_document_is_the_one_that_was_seen(drafted: Story) -> None:
    """Approve names revision and content; anything else than the newest is refused."""
    command = drafted.approve(drafted.document(), revision=2)
    assert refusal(drafted, command) == "other_revision"
    assert refusal(drafted, drafted.approve(drafted.document(), content="0" * 64)) == "other_revision"
    assert isinstance(drafted.verdict(drafted.approve(drafted.document())), DocumentApproved)
    assert drafted.document().state == DocumentState.APPROVED.value
    assert refusal(drafted, drafted.approve(drafted.document())) == "not_a_draft"
    assert refusal(drafted, drafted.approve(drafted.document(), document_id="other")) == "document_unknown"


@pytest.mark.parametrize(
    "change",
    [
        entry("a", hours="3", revision=2),
        entry("a", client_ref="Birch AG", hours="2", revision=2),
        entry("a", description="internal", hours="2", revision=2),
        entry("a", "2026-11-05T09:00", "2", revision=2),
        contract(terms(rates=[{"role": "senior", "rate": "151.00"}])),
        directory(firm(people=[{"id": "dana", "name": "Dana", "roles": [{"role": "junior"}]}])),
    ],
    ids=["hours", "moved", "decided anew", "other month", "rate", "role"],
)
def test_a_stale_draft_is_refused_and_a_redraft_can_be_approved(drafted: Story, change: object) -> None:
    """Rule 6: a draft whose lines would come out differently now cannot be approved."""
    drafted.say(change)
    assert refusal(drafted, drafted.approve(drafted.document())) == "stale"
    drafted.close()
    assert isinstance(drafted.verdict(drafted.approve(drafted.document())), DocumentApproved)


def test_a_draft_is_compared_and_not_flagged(drafted: Story) -> None:
    """Rule 6: a change that was taken back, or that moves no line, leaves the draft as it was."""
    drafted.say(
        entry("a", hours="3", revision=2),
        entry("a", hours="2", revision=3),
        contract(terms(name="The same, with a name")),
        directory(firm(projects=[])),
    )
    assert isinstance(drafted.verdict(drafted.approve(drafted.document())), DocumentApproved)


def test_a_new_entry_does_not_make_a_draft_stale(drafted: Story) -> None:
    """Rule 6: it waits for a redraft or the next document; the approved one stays what was seen."""
    drafted.say(entry("late", "2026-10-20T09:00", "5"), expense("train", "10.00"))
    assert isinstance(drafted.verdict(drafted.approve(drafted.document())), DocumentApproved)
    assert drafted.journal.documents[-1].body.worked_seconds == 7_200


def test_a_new_entry_of_another_month_does_not_make_a_draft_stale(story: Story) -> None:
    """Work of the days before in the same week is looked at for a cap; where it takes nothing, the draft stands."""
    story.say(contract(terms(caps=[week_cap()])), entry("a", "2026-10-01T09:00", "2"))
    story.close()
    story.say(entry("before", "2026-09-30T09:00", "2"))
    assert isinstance(story.verdict(story.approve(story.document())), DocumentApproved)


@pytest.mark.parametrize("odd", [entry("zero", "2026-10-06T09:00", "0"), expense("nothing", "0.00")], ids=["h", "EUR"])
def test_an_entry_of_nothing_does_not_make_a_draft_stale(story: Story, odd: object) -> None:
    """An entry of no seconds, or no money, stands on no line; the draft that saw it can be approved."""
    story.say(entry("a"), odd)
    story.close()
    assert isinstance(story.verdict(story.approve(story.document())), DocumentApproved)


def test_a_draft_cannot_be_approved_while_its_client_is_closed(story: Story) -> None:
    """Section 1: a close that is open when the approval comes would draft something else a moment later."""
    story.say(entry("a"))
    story.close()
    document = story.document()
    late = {"command_id": "late", "person": "dana", "reason": "again", "scope": scope()}
    approve = {"command_id": "ok", "person": "dana", "reason": "fine"}
    seen = {"document_id": document.document_id, "revision": document.revision, "content": document.content}
    story.say(
        commands.CloseDocument.model_validate({"envelope": envelope("late"), **late}),
        commands.ApproveDocument.model_validate({"envelope": envelope("ok"), **approve, **seen}),
    )
    assert refusal(story, "ok") == "close_open"
    assert story.document().revision == 2


def test_numbers_are_given_at_issue_without_gaps(story: Story) -> None:
    """BD-71: A, B, C are drafted; B is issued first, A is rejected, C is issued: 0118, 0119, and A never had one."""
    numbers = {"prefix": "R-", "first": 118, "digits": 4}
    house = {"name": "Kestrel", "zone": "UTC", "currency": "EUR", "invoice_numbers": numbers}
    story.say(directory(firm(firm=house)))
    months = {"A": "08", "B": "09", "C": "10"}
    for name, month in months.items():
        story.say(entry(name, f"2026-{month}-05T09:00"))
        story.close(scope(first=f"2026-{month}-01", end=f"2026-{int(month) + 1:02d}-01"))
    documents = {row.date_from[5:7]: row for _, row in story.book.scan(DocumentRow)}
    for month in ("09", "10"):
        story.approve(documents[month])
    story.order(commands.IssueDocument, document_id=documents["09"].document_id)
    story.order(commands.RejectDocument, document_id=documents["08"].document_id, revision=1)
    refused = story.order(commands.IssueDocument, document_id=documents["08"].document_id)
    assert refusal(story, refused) == "not_approved"
    story.order(commands.IssueDocument, document_id=documents["10"].document_id)
    given = {row.date_from[5:7]: row.number for _, row in story.book.scan(DocumentRow)}
    assert given == {"08": "", "09": "R-0118", "10": "R-0119"}


def test_no_number_is_given_twice_when_the_series_changes(story: Story) -> None:
    """BD-71: a directory that begins its numbers lower does not repeat what was given; a higher beginning is taken."""
    issued = []
    for month, first in ((8, 5), (9, 4), (10, 20), (11, 20)):
        series = {"invoice_numbers": {"first": first, "digits": 1}}
        story.say(directory(firm(firm={"name": "Kestrel", "zone": "UTC", "currency": "EUR", **series}), f"d{month}"))
        story.say(entry(f"e{month}", f"2026-{month:02d}-05T09:00"))
        story.close(scope(first=f"2026-{month:02d}-01", end=f"2026-{month + 1:02d}-01"))
        (draft,) = [row for _, row in story.book.scan(DocumentRow) if row.state == DocumentState.DRAFT.value]
        story.approve(draft)
        story.order(commands.IssueDocument, document_id=draft.document_id)
        issued.append(
            next(row.number for _, row in story.book.scan(DocumentRow) if row.document_id == draft.document_id)
        )
    assert issued == ["5", "6", "20", "21"]


def test_an_issue_that_is_under_way_is_told_so(drafted: Story) -> None:
    """Every command has a verdict: the second of two orders to issue is refused, and the number is one."""
    drafted.approve(drafted.document())
    document_id = drafted.document().document_id
    orders = [
        commands.IssueDocument(
            envelope=envelope(name), command_id=name, person="dana", reason="now", document_id=document_id
        )
        for name in ("one", "two")
    ]
    drafted.say(*orders)
    assert isinstance(drafted.verdict("one"), DocumentIssued)
    assert refusal(drafted, "two") == "issue_under_way"
    series = drafted.book.get(CounterRow, "invoice")
    assert series is not None
    assert series.count == 2


def test_a_rejected_draft_is_drafted_again_as_the_next_revision(drafted: Story) -> None:
    """A rejection takes the draft back; only its newest revision can be rejected, and nothing approved."""
    document = drafted.document()
    assert refusal(drafted, drafted.order(commands.RejectDocument, document_id=document.document_id, revision=7))
    drafted.order(commands.RejectDocument, document_id=document.document_id, revision=1)
    assert drafted.document().state == DocumentState.REJECTED.value
    assert refusal(drafted, drafted.approve(document)) == "not_a_draft"
    drafted.close()
    assert (drafted.document().state, drafted.document().revision) == (DocumentState.DRAFT.value, 2)


def test_a_period_is_reopened_only_while_nothing_of_it_is_issued(drafted: Story) -> None:
    """Reopening withdraws drafts and approved documents; what has left the house stands."""
    drafted.order(commands.ReopenPeriod, scope=scope())
    assert drafted.document().state == DocumentState.WITHDRAWN.value
    drafted.close()
    drafted.approve(drafted.document())
    assert refusal(drafted, drafted.close()) == "already_approved"
    drafted.order(commands.ReopenPeriod, scope=scope())
    assert drafted.document().state == DocumentState.WITHDRAWN.value
    assert drafted.book.get(BilledRow, entry_id("a")) is None
    drafted.close()
    assert (drafted.document().revision, str(drafted.preview().net)) == (3, "300.00")
    drafted.approve(drafted.document())
    drafted.order(commands.IssueDocument, document_id=drafted.document().document_id)
    assert refusal(drafted, drafted.order(commands.ReopenPeriod, scope=scope())) == "already_issued"


def test_a_written_off_entry_is_on_no_line_and_still_counted(story: Story) -> None:
    """Rule 8: a write-off is a bucket with a person's reason."""
    story.say(entry("a"), entry("b", "2026-10-06T09:00"))
    story.order(commands.WriteOff, entry_id=entry_id("a"), reason="goodwill")
    body = story.preview()
    assert {bucket.bucket.value: bucket.seconds for bucket in body.buckets} == {"billed": 3600, "written_off": 3600}
    assert body.net == Decimal("150.00")


def test_a_held_entry_is_released_by_its_reason(story: Story) -> None:
    """A person's hold keeps an entry off invoices until it is released, and can be set again."""
    story.say(entry("a"))
    for _ in range(2):
        story.order(commands.HoldEntry, entry_id=entry_id("a"))
        assert [hold.reason for hold in holds_of(story.row("a"))] == ["held_by_person"]
        assert story.preview().net == 0
        story.order(commands.ReleaseEntry, entry_id=entry_id("a"), held_reason="held_by_person")
        assert story.preview().net == Decimal("150.00")


def test_orders_about_unknown_entries_are_refused(story: Story) -> None:
    """A command never makes an entry; a deletion needs an import that says so."""
    unknown = story.order(commands.HoldEntry, entry_id="nobody")
    assert refusal(story, unknown) == "entry_unknown"
    story.say(entry("a"))
    assert refusal(story, story.order(commands.DeleteEntry, entry_id=entry_id("a"))) == "deletion_not_proposed"


def test_documents_leave_as_the_contract_says(story: Story) -> None:
    """Rule 12: one sink may have drafts, another only what a person approved; what is issued goes to both."""
    story.say(contract(terms(delivery=[{"sink": "json", "leave": "draft"}, {"sink": "ledes"}])), entry("a"))
    story.close()
    assert deliveries(story) == ["json draft"]
    story.approve(story.document())
    assert deliveries(story) == ["json draft", "ledes approved"]
    story.order(commands.IssueDocument, document_id=story.document().document_id)
    assert deliveries(story) == ["json draft", "json issued", "ledes approved", "ledes issued"]


def deliveries(story: Story) -> list[str]:
    """Sink and state of the deliveries that wait for a receipt."""
    requests = [decode(row.value) for _, row in story.book.scan(OpenWorkRow)]
    return sorted(f"{request.sink} {request.state}" for request in requests if isinstance(request, DeliverDocument))


def test_a_draft_whose_lines_stay_the_same_is_not_stale(story: Story) -> None:
    """Rule 6: what is settled about time that stands on no line, here a possible duplicate, promises nothing new."""
    story.say(entry("a", hours="2"), entry("b", hours="2", source="harvest"))
    story.close()
    assert [place.reason for place in story.preview().placements] == ["possible_duplicate"]
    story.order(commands.WriteOff, entry_id=entry_id("a"))
    assert isinstance(story.verdict(story.approve(story.document())), DocumentApproved)


def test_a_draft_with_a_line_more_is_stale(story: Story) -> None:
    """The other side of the rule above: a hold that is released puts time on a line that nobody approved."""
    story.say(entry("a", hours="2"), entry("b", "2026-10-06T09:00"))
    story.order(commands.HoldEntry, entry_id=entry_id("b"))
    story.close()
    story.order(commands.ReleaseEntry, entry_id=entry_id("b"), held_reason="held_by_person")
    assert refusal(story, story.approve(story.document())) == "stale"


def test_an_invoice_is_issued_at_the_books_time(drafted: Story) -> None:
    """The clock of whoever wrote the command decides nothing: the last tick does, if there was one."""
    drafted.say(tick("2026-11-05T10:00"))
    drafted.approve(drafted.document())
    wrong = envelope("issue", datetime(2099, 1, 1, tzinfo=UTC))
    drafted.order(commands.IssueDocument, document_id=drafted.document().document_id, envelope=wrong)
    assert drafted.journal.documents[-1].issued_at == datetime(2026, 11, 5, 10, tzinfo=UTC)


def test_nothing_stays_open_when_all_was_read_back(drafted: Story) -> None:
    """Every proposed fact is read back, so a start has nothing to propose again."""
    drafted.say(tick("2026-11-05T10:00"))
    drafted.approve(drafted.document())
    drafted.order(commands.IssueDocument, document_id=drafted.document().document_id)
    assert list(drafted.book.scan(OpenFactRow)) == []
