"""An invoice that does not add up stops nothing but itself (design rule 8)."""

import msgspec
import pytest

from books.rows import CloseRow, OpenFactRow
from books.testing import Story, entry, entry_id, scope
from schemas.errors import ConservationBroken
from schemas.facts import CommandRefused, DocumentApproved, DocumentDrafted, Fact


@pytest.fixture
def broken(story: Story) -> Story:
    """A draft of two clients; then a row of Acme is damaged, so that billing cannot say where its seconds belong."""
    story.say(entry("a", hours="2"), entry("b", client_ref="Birch AG"))
    story.close()
    story.close(scope("birch"))
    damaged = msgspec.structs.replace(story.row("a"), start_micros=None, end_micros=None)
    story.book.put(entry_id("a"), damaged)
    return story


def refused(fact: Fact) -> tuple[str, str]:
    """Reason and detail of a refusal."""
    assert isinstance(fact, CommandRefused), fact
    return fact.reason, fact.detail


def test_a_close_that_does_not_add_up_is_refused_and_alerted(broken: Story) -> None:
    """The close ends, with what was found; whoever watches the alerts hears of it."""
    reason, detail = refused(broken.verdict(broken.close()))
    assert reason == "conservation_broken"
    assert "neither start nor work date" in detail
    (alert,) = broken.journal.alerts
    assert (alert.kind, alert.client_id, alert.window) == ("conservation_break", "acme", "2026-10-01/2026-11-01")
    assert list(broken.book.scan(CloseRow)) == []
    assert list(broken.book.scan(OpenFactRow)) == []


def test_other_clients_are_closed_and_approved(broken: Story) -> None:
    """One client's breach is no other client's."""
    broken.close()
    assert isinstance(broken.verdict(broken.close(scope("birch"))), DocumentDrafted)
    assert isinstance(broken.verdict(broken.approve(broken.document("birch"))), DocumentApproved)


def test_an_approval_that_cannot_be_computed_again_is_refused(broken: Story) -> None:
    """Whether the draft is stale cannot be known, so it is not approved."""
    reason, _ = refused(broken.verdict(broken.approve(broken.document())))
    assert reason == "conservation_broken"
    assert len(broken.journal.alerts) == 1


def test_a_preview_says_what_does_not_add_up(broken: Story) -> None:
    """Who looks before closing gets an error with a code, not a stack of calls."""
    with pytest.raises(ConservationBroken) as caught:
        broken.preview()
    assert caught.value.code == "conservation_broken"
