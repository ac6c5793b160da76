"""What a person sees: outside text is shown and never interpreted, and a call that is not clear changes nothing."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from billstream.cli import render_letters
from billstream.cli.exits import Exit
from billstream.cli.letter_results import (
    ChangeItem,
    LetterItem,
    LetterResult,
    LettersResult,
    RepairResult,
    SentItem,
    SettledLettersResult,
)
from billstream.cli.results import ReasonCount, RefusedItem
from billstream.cli.running_letters import exit_of

HOSTILE = "\x1b[2J[bold]\u202e\x07\nspoofed"
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
Call = Callable[..., object]


def item(**more: object) -> LetterItem:
    """A letter whose record says hostile things."""
    said: dict[str, object] = {
        "letter_id": "9f3a1c" + "0" * 26,
        "state": "open",
        "topic": "time-entries",
        "partition": 1,
        "offset": 7,
        "stage": "sequence",
        "reason": "value_invalid",
        "detail": HOSTILE,
        "seen_at": NOON,
        "size_bytes": 12,
        "key": HOSTILE,
        **more,
    }
    return LetterItem.model_validate(said)


@pytest.fixture
def shown() -> Callable[[Callable[[Console], None]], str]:
    """What a terminal would get."""

    def print_it(show: Callable[[Console], None]) -> str:
        out = io.StringIO()
        show(
            Console(file=out, markup=False, highlight=False, emoji=False, width=200, force_terminal=True, no_color=True)
        )
        return out.getvalue()

    return print_it


def inert(text: str) -> bool:
    """Whether nothing of the hostile text would be obeyed."""
    return not any(sign in text for sign in ("\x1b[2J", "\x07", "\u202e", "\nspoofed"))


def test_a_list_is_inert(shown: Callable[[Callable[[Console], None]], str]) -> None:
    """Detail and reasons are shown as they are written; counts and what was left out are told."""
    counted = (ReasonCount(topic="time-entries", reason=HOSTILE, letters=1),)
    result = LettersResult(letters=(item(),), open=1, by_reason=counted, left_out=3)
    text = shown(lambda screen: render_letters.letters(screen, result))
    assert inert(text)
    assert "9f3a1c000000" in text
    assert "[bold]" in text
    assert "3 older letters were not read" in text
    none = shown(lambda screen: render_letters.letters(screen, LettersResult(letters=(), open=0)))
    assert none.strip() == "No dead letter is open."


def test_a_record_is_inert(shown: Callable[[Callable[[Console], None]], str]) -> None:
    """Fields, the place where it breaks, the bytes around it, and what can be done next."""
    result = LetterResult(
        letter=item(state="replayed", settled_by="dana", settled_at=NOON, failed_again="77ab02" + "0" * 26, first="x"),
        record_kind="entry_version",
        record={"description": HOSTILE, "envelope": {"event_id": "e1"}, "tags": [HOSTILE], "long": "y" * 500},
        broken_at=33,
        broken_field="zone",
        broken_why="the bytes end here",
        wrong=(f"worked_seconds: {HOSTILE}",),
        hex=HOSTILE.encode().hex(),
        next=("billstream dead-letters show 77ab02",),
    )
    text = shown(lambda screen: render_letters.letter(screen, result))
    assert inert(text)
    for part in (
        "envelope.event_id",
        "at byte 33 in zone",
        "200 more characters",
        "failed again as 77ab02",
        "1b 5b 32 4a",
    ):
        assert part in text


def test_what_was_done_is_told(shown: Callable[[Callable[[Console], None]], str]) -> None:
    """Each letter with what came of it, refusals with their reason, and how many are left."""
    done = SentItem(letter_id="a" * 32, outcome="replayed", topic="time-entries", partition=1, came="failed_again")
    refused = RefusedItem(command_id="", about="b" * 32, reason="letter_cut", detail=HOSTILE)
    result = SettledLettersResult(done=(done,), refused=(refused,), more=7)
    text = shown(lambda screen: render_letters.settled(screen, result))
    assert inert(text)
    assert "aaaaaaaaaaaa replayed to time-entries/1: failed again" in text
    assert "7 more fit" in text
    repaired = RepairResult(letter_id="a" * 32, changes=(ChangeItem(field="x", before="1", after=HOSTILE),), sent=done)
    assert inert(shown(lambda screen: render_letters.repaired(screen, repaired)))
    written = RepairResult(letter_id="a" * 32, file="entry.json")
    text = shown(lambda screen: render_letters.repaired(screen, written))
    assert "billstream dead-letters repair aaaaaaaaaaaa --from entry.json" in text


@pytest.mark.parametrize(
    ("came", "refused", "code"),
    [
        ("accepted", False, Exit.DONE),
        ("sent", False, Exit.DONE),
        ("failed_again", False, Exit.NEEDS_ATTENTION),
        ("no_answer", False, Exit.TRY_AGAIN),
        ("accepted", True, Exit.REFUSED),
    ],
)
def test_the_exit_code_says_how_it_went(came: str, refused: bool, code: Exit) -> None:
    """Scripts tell a failure from a success without reading the answer."""
    done = SentItem(letter_id="a", outcome="replayed", came=came)
    no = (RefusedItem(command_id="", about="b", reason="letter_cut"),) if refused else ()
    assert exit_of(SettledLettersResult(done=(done,), refused=no)) is code
    if not refused:
        assert exit_of(RepairResult(letter_id="a", sent=done)) is code


@pytest.mark.parametrize(
    "arguments",
    [
        ("replay",),
        ("replay", "9f3a1c", "--reason", "frame_magic"),
        ("replay", "--reason", "frame_magic"),
        ("discard", "9f3a1c"),
        ("discard", "--because", "x"),
        ("repair", "9f3a1c", "--out", "x.json", "--set", "a=1"),
        ("list", "--since", "yesterday"),
    ],
)
def test_a_call_that_is_not_clear_is_refused(call: Call, firm: Path, arguments: tuple[str, ...]) -> None:
    """No letters, two ways to choose them, all of a reason without a yes, no reason: nothing is asked of a broker."""
    called = call("dead-letters", *arguments, "--project", firm)
    assert called.code == Exit.USAGE  # type: ignore[attr-defined]  # see conftest


def test_without_a_broker_it_says_how_to_start_one(call: Call, firm: Path) -> None:
    """The embedded broker does not run, and none is set."""
    called = call("dead-letters", "list", "--project", firm)
    assert (called.code, "billstream up" in called.err) == (Exit.UNAVAILABLE, True)  # type: ignore[attr-defined]
