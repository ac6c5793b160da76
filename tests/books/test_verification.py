"""Every document of a book's history is confirmed from the journal alone: drafts, corrections, credit notes, voids."""

import pytest

from books.rows import DocumentRow
from books.testing import Story, contract, entry, expense, scope, terms, tick, week_cap
from books.verification import Audit, journal_checks
from schemas import commands
from schemas.draft import DocumentState
from schemas.entry import Deletion

MARCH = scope(first="2026-03-01", end="2026-04-01")
APRIL = scope(first="2026-04-01", end="2026-05-01")


def issue(story: Story, wanted: object) -> None:
    """Close, approve and issue whatever is drafted, credit notes first."""
    story.close(wanted)  # type: ignore[arg-type]  # a scope
    drafts = [row for _, row in story.book.scan(DocumentRow) if row.state == DocumentState.DRAFT.value]
    for row in sorted(drafts, key=lambda one: one.kind):
        story.approve(row)
        story.order(commands.IssueDocument, document_id=row.document_id)


def audit(story: Story) -> Audit:
    found = Audit()
    found.read(enumerate(story.journal.records))
    return found


def expect_all_hold(story: Story, documents: int) -> None:
    """Each document that the journal published was drafted there, and each draft holds."""
    found = audit(story)
    assert len(found.documents) == documents
    assert {document_id for document_id, _ in found.revisions} == set(found.documents)
    for revision in found.revisions.values():
        assert [one for one in journal_checks(revision) if not one.holds] == []


@pytest.fixture
def march(story: Story) -> Story:
    """March is issued, with a cap and an expense."""
    story.say(contract(terms(caps=[week_cap(overflow="write_down")])))
    story.say(
        entry("a", "2026-03-02T09:00", "30"), entry("b", "2026-03-04T09:00", "15"), expense("e", "80.00", "2026-03-05")
    )
    issue(story, MARCH)
    return story


def test_a_redraft_and_an_issue_hold(march: Story) -> None:
    """Each revision is compared with what its own close saw."""
    march.say(entry("n", "2026-04-07T09:00", "2"))
    march.close(APRIL)
    march.say(entry("m", "2026-04-08T09:00", "2"))
    march.close(APRIL)
    expect_all_hold(march, documents=2)
    april = audit(march).newest(march.documents()[-1].document_id)
    assert april is not None
    assert april.revision == 2


@pytest.mark.parametrize("correction", ["adjust_next", "credit_and_rebill", "credit_now"])
def test_corrections_of_every_kind_hold(march: Story, correction: str) -> None:
    """Late, changed and deleted entries after the issue: adjustments, credit notes and rebills."""
    march.say(contract(terms(caps=[week_cap(overflow="write_down")], correction=correction)))
    march.say(entry("a", "2026-03-02T09:00", "24", revision=2), entry("late", "2026-03-10T09:00", "3"))
    march.say(entry("b", "2026-03-04T09:00", "15", revision=2, deletion=Deletion.REPORTED))
    march.say(entry("n", "2026-04-07T09:00", "1"))
    issue(march, APRIL)
    found = audit(march)
    for revision in found.revisions.values():
        assert [one for one in journal_checks(revision) if not one.holds] == []
    assert len(found.documents) >= 2


def test_a_void_with_its_credit_note_holds(march: Story) -> None:
    """The credit note of a void is computed again like a draft."""
    march.order(commands.VoidDocument, document_id=march.document().document_id, rebill=True)
    expect_all_hold(march, documents=2)


def test_ticks_and_schedules_hold(story: Story) -> None:
    """A close by schedule leads to the same draft again."""
    story.say(contract(terms(close={"every": "month", "automatic": True, "close_grace_days": 1})))
    story.say(entry("a", "2026-03-02T09:00", "3"), tick("2026-04-03T00:01"))
    expect_all_hold(story, documents=1)
