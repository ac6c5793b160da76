"""Settled dead letters: who did what and why stands in the rows, because the journal says it."""

from books.rows import LetterRow
from books.testing import Story, entry, envelope
from schemas import commands
from schemas.commands import LetterOutcome
from schemas.outputs import HoursTotal


def settle(story: Story, outcome: str, **more: object) -> None:
    story.order(commands.SettleDeadLetter, dead_letter_id="letter-1", outcome=outcome, **more)


def test_a_settlement_is_kept_with_its_person_and_reason(story: Story) -> None:
    """The row says all that the command said; another letter has none."""
    settle(story, "replayed", sent="5f", person="amir", reason="the workers are upgraded")
    row = story.book.get(LetterRow, "letter-1")
    assert row is not None
    (one,) = row.settlements
    assert (one.outcome, one.person, one.reason, one.sent) == ("replayed", "amir", "the workers are upgraded", "5f")
    assert not story.book.has(LetterRow, "letter-2")


def test_the_last_word_about_a_letter_counts(story: Story) -> None:
    """What was discarded may be replayed after all; both stay in the history, oldest first."""
    settle(story, "discarded")
    settle(story, "replayed")
    row = story.book.get(LetterRow, "letter-1")
    assert row is not None
    assert [one.outcome for one in row.settlements] == ["discarded", "replayed"]


def test_a_settlement_counts_once(story: Story) -> None:
    """The same command again adds nothing, as with every command."""
    settle(story, "discarded", command_id="once")
    settle(story, "discarded", command_id="once")
    row = story.book.get(LetterRow, "letter-1")
    assert row is not None
    assert len(row.settlements) == 1


def test_the_history_of_a_letter_is_bounded(story: Story) -> None:
    """Somebody's script that replays for ever does not fill the rows; the newest word is there."""
    for _ in range(60):
        settle(story, "replayed")
    settle(story, "discarded")
    row = story.book.get(LetterRow, "letter-1")
    assert row is not None
    assert (len(row.settlements), row.settlements[-1].outcome) == (50, "discarded")


def test_a_record_that_no_journal_holds_does_not_stop_the_book(story: Story) -> None:
    """A foreign writer put an output into the journal: it is told as unusable, and what follows is applied."""
    total = HoursTotal(
        envelope=envelope("stray"),
        client_id="acme",
        week="2026-W41",
        role="senior",
        person_id="dana",
        worked_seconds=1,
        billable_seconds=1,
        held_seconds=0,
        entries=1,
        origin_offset=0,
    )
    story.say(total, entry("a"))
    assert [reason for _, reason, _ in story.journal.unapplied] == ["record_misplaced"]
    assert story.row("a").worked_seconds == 3600


def test_a_word_of_a_newer_version_settles_too() -> None:
    """An outcome that this version does not know is read as unknown, not refused."""
    assert LetterOutcome("forwarded") is LetterOutcome.UNKNOWN
