"""A release settles what was seen when it was given: a reason that is not there is refused, a new cause holds again
(design rule 10).
"""

import pytest

from books.entries import holds_of
from books.testing import Story, contract, decision, directory, entry, entry_id, firm, terms
from schemas import commands
from schemas.facts import CommandRefused
from schemas.inputs import Decision
from schemas.work import DecideEntry, DeliverDocument


def release(story: Story, name: str, reason: str, source: str = "toggl") -> str:
    """Release an entry; returns the reason of the refusal, empty when it was accepted."""
    command = story.order(commands.ReleaseEntry, entry_id=entry_id(name, source), held_reason=reason)
    refused = [fact.reason for fact in story.verdicts(command) if isinstance(fact, CommandRefused)]
    return refused[0] if refused else ""


def reasons(story: Story, name: str, source: str = "toggl") -> list[str]:
    """Why an entry is held."""
    return [hold.reason for hold in holds_of(story.row(name, source))]


@pytest.mark.parametrize(
    "reason",
    ["possible_duplicate", "conflicting_version", "held_by_person", "deletion_proposed", "low_confidence", "cap:week"],
)
def test_nothing_is_released_before_it_is_held(story: Story, reason: str) -> None:
    """A release given in advance would let time be billed twice that nobody has looked at."""
    story.say(entry("a"))
    assert release(story, "a", reason) == "not_held"


def test_a_duplicate_that_comes_after_a_release_is_held(story: Story) -> None:
    """The release was refused, so the other entry of the same time is not billed as well."""
    story.say(entry("a", hours="2"))
    assert release(story, "a", "possible_duplicate") == "not_held"
    story.say(entry("a", hours="2", source="harvest"))
    assert str(story.preview().net) == "300.00"
    assert reasons(story, "a") == ["possible_duplicate"]


def test_a_release_is_about_one_other_entry(story: Story) -> None:
    """Two people on one call are no duplicate; a third entry over the same time is a new question."""
    story.say(entry("a", hours="2", source="harvest"), entry("b", hours="2"))
    assert release(story, "b", "possible_duplicate") == ""
    assert reasons(story, "b") == []
    story.say(entry("c", hours="3", source="clockify"))
    assert reasons(story, "b") == ["possible_duplicate"]


def test_a_release_of_a_conflict_is_about_its_contents(story: Story) -> None:
    """Two contents of revision 1 were looked at. Two of revision 2, or a third one, were not."""
    story.say(entry("a", hours="2"), entry("a", hours="3"))
    assert release(story, "a", "conflicting_version") == ""
    assert reasons(story, "a") == []
    story.say(entry("a", hours="4"))
    assert reasons(story, "a") == ["conflicting_version"]
    assert release(story, "a", "conflicting_version") == ""
    story.say(entry("a", hours="4", revision=2), entry("a", hours="8", revision=2))
    assert reasons(story, "a") == ["conflicting_version"]


def test_a_connectors_doubt_is_released_for_one_content(story: Story) -> None:
    """Eight hours may be right where a person looked; eighty of the same entry are another matter."""
    story.say(entry("a", hours="8", problem="duration_mismatch"))
    assert release(story, "a", "duration_mismatch") == ""
    assert reasons(story, "a") == []
    story.say(entry("a", hours="80", problem="duration_mismatch", revision=2))
    assert reasons(story, "a") == ["duration_mismatch"]


def unsure(request: DecideEntry | DeliverDocument) -> Decision | None:
    """Decides that everything is billable, but wants a person to look at it."""
    return decision(request, held_reason="decision_unsure") if isinstance(request, DecideEntry) else None


def test_a_deciders_doubt_is_released_for_one_text() -> None:
    """A release fits the inputs of the decision: another text is decided, and doubted, anew."""
    story = Story(unsure).begin()
    story.say(entry("a", hours="2"))
    assert release(story, "a", "decision_unsure") == ""
    assert str(story.preview().net) == "300.00"
    story.say(entry("a", hours="2", revision=2, description="something else"))
    assert reasons(story, "a") == ["decision_unsure"]


def test_overflow_is_released_only_of_a_cap_that_is_there(story: Story) -> None:
    """A cap of the entry's contract, and the entry as it is: more hours are held again."""
    cap = {"id": "month", "window": "month", "hours": "1", "pool": "all", "overflow": "hold_for_approval"}
    story.say(contract(terms(caps=[cap])), entry("a", hours="2"))
    assert release(story, "a", "cap:week") == "not_held"
    assert str(story.preview().net) == "150.00"
    assert release(story, "a", "cap:month") == ""
    assert str(story.preview().net) == "300.00"
    story.say(entry("a", hours="9", revision=2))
    assert str(story.preview().net) == "150.00"


def test_what_only_the_source_can_settle_is_not_released(story: Story) -> None:
    """A running timer has no end to bill, whatever a person says."""
    story.say(entry("a", hours="0", running=True))
    assert release(story, "a", "running") == "not_held"


def test_time_that_stands_on_a_document_is_not_released(story: Story) -> None:
    """It was billed; to bill it again is not a person's to allow, it takes an adjustment."""
    story.say(entry("a", hours="2"))
    story.close()
    story.approve(story.document())
    story.say(entry("a", "2026-11-05T09:00", "2", revision=2))
    assert release(story, "a", "changed_after_approval") == "not_held"


def test_a_name_is_released_for_itself(story: Story) -> None:
    """That nobody is called so was looked at; another name that nobody has was not."""
    story.say(directory(firm()), entry("a", person_ref="Stranger"))
    assert release(story, "a", "person_unknown") == ""
    assert reasons(story, "a") == []
    story.say(entry("a", person_ref="Other", revision=2))
    assert reasons(story, "a") == ["person_unknown"]
