"""Which letter came of which: the same bytes, later, and sent again by somebody in between."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from billstream.dead_letters.standing import LetterState, Standing, pending, standings
from books.rows import Settlement
from schemas.canonical import instant_micros
from streams.letter_log import LetterNote

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def note(letter_id: str, offset: int, minute: int = 0, value: str = "same", **more: object) -> LetterNote:
    """A letter about a record of `time-entries`, written so many minutes after noon."""
    said: dict[str, object] = {
        "tenant": "firm",
        "book": "main",
        "topic": "time-entries",
        "partition": 1,
        "stage": "sequence",
        "reason": "avro_broken",
        "detail": "",
        "key": b"",
        "size_bytes": 1,
        "whole_bytes": 0,
        "wire_schema_id": 1001,
        "place": (1, offset),
        **more,
    }
    seen_at = NOON + timedelta(minutes=minute)
    return LetterNote(letter_id=letter_id, offset=offset, seen_at=seen_at, value_hash=value, **said)  # type: ignore[arg-type]  # any field


def settled(minute: int, outcome: str = "replayed", sent: str = "same") -> Settlement:
    """What Dana did so many minutes after noon."""
    at_micros = instant_micros(NOON + timedelta(minutes=minute))
    return Settlement(outcome=outcome, person="dana", reason="x", at_micros=at_micros, sent=sent, offset=9)


def told(notes: list[LetterNote], done: Mapping[str, tuple[Settlement, ...]]) -> dict[str, Standing]:
    found = standings(notes, lambda letter_id: done.get(letter_id, ()))
    return {one.note.letter_id: one for one in found}


def test_a_letter_after_a_replay_of_the_same_bytes_follows_it() -> None:
    """The first is settled and names the second; the second is open and names the first."""
    found = told([note("a", 5), note("b", 9, minute=3)], {"a": (settled(2),)})
    assert (found["a"].state, found["a"].failed_again) == (LetterState.REPLAYED, "b")
    assert (found["b"].state, found["b"].follows, found["b"].first) == (LetterState.OPEN, "a", "a")
    assert [one.note.letter_id for one in pending(found.values())] == ["b"]


def test_a_letter_from_before_the_replay_does_not_follow_it() -> None:
    """The producer wrote the same bytes twice by itself."""
    found = told([note("a", 5), note("b", 9, minute=1)], {"a": (settled(2),)})
    assert found["b"].follows == ""


def test_other_bytes_do_not_follow() -> None:
    """A letter that came later by chance is about something else."""
    found = told([note("a", 5), note("b", 9, minute=3, value="other")], {"a": (settled(2),)})
    assert found["b"].follows == ""


def test_a_repaired_record_that_fails_is_known_by_what_was_sent() -> None:
    """Its bytes are other ones than those of the letter it was made of, and it may fail in the journal."""
    later = note("b", 70, minute=3, value="mended", topic="journal", stage="fold")
    found = told([note("a", 5), later], {"a": (settled(2, "repaired", "mended"),)})
    assert (found["a"].state, found["b"].follows) == (LetterState.REPAIRED, "a")


def test_each_replay_has_its_own_letter() -> None:
    """Of a letter that was replayed twice both failures are known, also after it was discarded."""
    done = {"a": (settled(1), settled(4), settled(6, "discarded", ""))}
    found = told([note("a", 5), note("b", 9, minute=2), note("c", 12, minute=5)], done)
    assert (found["b"].follows, found["c"].follows) == ("a", "a")
    assert (found["a"].state, found["a"].failed_again) == (LetterState.DISCARDED, "c")


def test_a_chain_names_its_beginning() -> None:
    """Each step names the one before, all of them the first."""
    done = {"a": (settled(1),), "b": (settled(3),)}
    found = told([note("a", 5), note("b", 9, minute=2), note("c", 12, minute=4)], done)
    assert (found["c"].follows, found["c"].first, found["b"].first) == ("b", "a", "a")


def test_a_word_of_a_newer_version_is_no_open_letter() -> None:
    """Somebody settled it, in a way that this version does not know."""
    found = told([note("a", 5)], {"a": (settled(1, "forwarded"),)})
    assert (found["a"].state, pending(found.values())) == (LetterState.SETTLED, [])


def test_the_clock_of_a_journal_may_be_behind() -> None:
    """The worker stamps the journal: some seconds of difference between two machines hide no failure."""
    later = note("b", 70, minute=0, topic="journal", stage="fold")
    sent = settled(0)
    ahead = msgspec.structs.replace(sent, at_micros=sent.at_micros + 2_000_000)
    assert told([note("a", 5), later], {"a": (ahead,)})["b"].follows == "a"
