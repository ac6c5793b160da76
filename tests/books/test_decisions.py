"""Which decision counts: the highest rank, then the newest decider, then the first in the journal (design rule 11)."""

from itertools import permutations

import pytest

from books.entries import decision_of
from books.facts import open_work
from books.testing import Story, decision, entry, entry_id, undecided
from schemas import commands
from schemas.codec import decode
from schemas.inputs import Category, Decision, DecisionRank
from schemas.work import DecideEntry, DeliverDocument


class Asked:
    """Keeps every request; answers none."""

    def __init__(self) -> None:
        self.requests: list[DecideEntry] = []

    def __call__(self, request: DecideEntry | DeliverDocument) -> None:
        if isinstance(request, DecideEntry):
            self.requests.append(request)


@pytest.fixture
def asked() -> Asked:
    """The requests of a story."""
    return Asked()


@pytest.fixture
def open_story(asked: Asked) -> Story:
    """A story whose questions stay open."""
    return Story(asked).begin()


def category(story: Story, name: str = "a") -> str:
    """What an entry is held to be."""
    found = decision_of(story.row(name))
    return "" if found is None else found.category


def test_the_highest_rank_wins_in_any_order(open_story: Story, asked: Asked) -> None:
    """Rank goes before the decider's version, whatever comes first in the journal."""
    open_story.say(entry("a"))
    request = asked.requests[0]
    answers = (
        decision(request, Category.BILLABLE, DecisionRank.OFFLINE, decider_version=9),
        decision(request, Category.PROJECT, DecisionRank.CLAUDE, decider_version=2),
        decision(request, Category.RETAINER, DecisionRank.CONTRACT_RULE, decider_version=1),
    )
    for order in permutations(answers):
        story = Story(undecided).begin()
        story.say(entry("a"), *order)
        assert category(story) == "retainer"


def test_among_equals_the_newer_decider_and_then_the_first_counts(open_story: Story, asked: Asked) -> None:
    """A repeat of a decider's answer changes nothing; a newer version of it does."""
    open_story.say(entry("a"))
    request = asked.requests[0]
    first = decision(request, Category.BILLABLE, decider_version=2)
    open_story.say(first, decision(request, Category.PROJECT, decider_version=2))
    assert category(open_story) == "billable"
    open_story.say(decision(request, Category.PROJECT, decider_version=1), first)
    assert category(open_story) == "billable"
    open_story.say(decision(request, Category.RETAINER, decider_version=3))
    assert category(open_story) == "retainer"


def test_a_decision_fits_every_version_with_the_same_inputs(open_story: Story, asked: Asked) -> None:
    """Hours may change without asking again; a changed text asks anew, and the old answer waits for the old text."""
    open_story.say(entry("a"))
    answer = decision(asked.requests[0], Category.PROJECT)
    open_story.say(answer, entry("a", hours="3", revision=2))
    assert (category(open_story), len(asked.requests)) == ("project", 1)
    open_story.say(entry("a", description="other", revision=3))
    assert (category(open_story), len(asked.requests)) == ("", 2)
    open_story.say(entry("a", revision=4))
    assert (category(open_story), len(asked.requests)) == ("project", 2)


def test_a_question_is_asked_once_and_closed_by_its_answer(open_story: Story, asked: Asked) -> None:
    """Repeats and new hours ask nothing; the open row of the question goes away with the answer."""
    open_story.say(entry("a"), entry("a"), entry("a", hours="2", revision=2))
    assert len(asked.requests) == 1
    assert open_requests(open_story) == [asked.requests[0].request_id]
    open_story.say(decision(asked.requests[0]))
    assert open_requests(open_story) == []


def open_requests(story: Story) -> list[str]:
    """Ids of the questions that wait for an answer."""
    return [
        framed.identity for framed in open_work(story.journal.rows) if isinstance(decode(framed.value), DecideEntry)
    ]


def test_nothing_is_asked_about_what_cannot_be_decided(open_story: Story, asked: Asked) -> None:
    """Running timers, entries of unknown clients and days without a contract wait; they are asked about later."""
    open_story.say(entry("timer", running=True), entry("who", "2026-10-06T09:00", client_ref="?"))
    assert asked.requests == []
    open_story.order(commands.AssignEntry, entry_id=entry_id("who"), client_id="birch")
    open_story.say(entry("timer", hours="2", revision=2))
    assert [request.client_id for request in asked.requests] == ["birch", "acme"]


def test_a_person_wins_over_every_decider(open_story: Story, asked: Asked) -> None:
    """A correction fits the entry as long as its text stays; later answers of any rank do not touch it."""
    open_story.say(entry("a"))
    open_story.order(commands.CorrectEntry, entry_id=entry_id("a"), category=Category.NON_BILLABLE)
    open_story.say(decision(asked.requests[0], Category.BILLABLE, DecisionRank.SOURCE_FIELD))
    assert category(open_story) == "non_billable"
    open_story.say(entry("a", hours="5", revision=2))
    assert category(open_story) == "non_billable"
    open_story.say(entry("a", description="something else", revision=3))
    assert category(open_story) == ""
    open_story.say(entry("a", revision=4))
    assert category(open_story) == "non_billable"


def test_a_remembered_decision_goes_with_the_next_question(open_story: Story, asked: Asked) -> None:
    """Approved memory is a fact of the request: same client, same text, case and blanks aside."""
    open_story.say(entry("a", description="Weekly  call"))
    correct = {"entry_id": entry_id("a"), "category": Category.NON_BILLABLE, "remember": True}
    open_story.order(commands.CorrectEntry, **correct)
    open_story.say(entry("b", "2026-10-06T09:00", description="weekly call"))
    open_story.say(entry("c", "2026-10-07T09:00", description="weekly call", client_ref="Birch AG"))
    remembered = [request.remembered for request in asked.requests[1:]]
    assert remembered[0] is not None
    assert (remembered[0].category, remembered[0].entry_id) == (Category.NON_BILLABLE, entry_id("a"))
    assert remembered[1] is None


def test_a_decision_about_nothing_we_know_stops_nothing(story: Story) -> None:
    """An answer for an entry that was never read, or for inputs it never had, is kept and waits."""
    stray = Decision.model_validate(
        {
            **decision(request_of(entry_id("never"))).model_dump(),
            "category": "barter",
        }
    )
    story.say(stray, entry("a"))
    assert category(story) == "billable"


def request_of(about: str) -> DecideEntry:
    """A request about an entry, as another book might have asked it."""
    asked = Asked()
    story = Story(asked).begin()
    story.say(entry("x"))
    return asked.requests[0].model_copy(update={"entry_id": about})
