"""Logs: one harmless line per event, secrets masked, expected errors short, repeats counted."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import structlog

from runtime.clock import SimulatedClock
from runtime.errors import Misconfigured
from runtime.logs import TEXT_CHARACTERS_MAX, configure_logs, escape, get_log
from runtime.secrets import Secret

NOON = datetime(2026, 3, 2, 12, 0, 0, 123_999, tzinfo=UTC)


class Lines:
    """A log in memory with a clock that stands still."""

    def __init__(self, *, colours: bool = False) -> None:
        self.stream = io.StringIO()
        self.clock = SimulatedClock(NOON)
        configure_logs(
            service="worker", version="1.2", stream=self.stream, colours=colours, clock=self.clock, level="info"
        )

    def texts(self) -> list[str]:
        """The lines as written."""
        return self.stream.getvalue().splitlines()

    def events(self) -> list[dict[str, object]]:
        """The lines as JSON objects."""
        return [json.loads(line) for line in self.texts()]


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Logging is the process's own; give it back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_an_event_is_one_line_of_json_with_its_fixed_fields() -> None:
    """Time in UTC to the millisecond, level, event, service and version come with every line."""
    lines = Lines()
    get_log("x").info("partition_assigned", topic="journal", partition=3)
    assert lines.events() == [
        {
            "ts": "2026-03-02T12:00:00.123Z",
            "level": "info",
            "event": "partition_assigned",
            "service": "worker",
            "version": "1.2",
            "topic": "journal",
            "partition": 3,
        }
    ]


def test_outside_text_cannot_forge_a_line_or_colour_a_terminal() -> None:
    """Line breaks, escape sequences and direction marks show as what they are, at any depth."""
    hostile = 'x\n{"level": "error"}\r\x1b[31m\u202e\u2028\x00'
    for colours in (False, True):
        lines = Lines(colours=colours)
        get_log("x").info("row_refused", text=hostile, inner={"a": [hostile]})
        (line,) = lines.texts()
        assert "\x1b[31m\\u202e" not in line
        assert "\u202e" not in line
        assert "\x00" not in line
        assert "\\n{" in line.replace("\\\\", "\\")


def test_a_secret_is_masked_wherever_it_stands() -> None:
    """By its type, not by the name of the field."""
    lines = Lines()
    get_log("x").info(
        "connected", given=Secret("canary"), inner={"list": [Secret("canary")]}, text=f"{Secret('canary')}"
    )
    assert "canary" not in lines.stream.getvalue()
    assert lines.events()[0]["inner"] == {"list": ["***"]}


def test_an_expected_error_has_its_code_and_no_stack_trace() -> None:
    """The person who reads it needs the sentence and the way out."""
    lines = Lines()
    error = Misconfigured("folder-not-writable", "It cannot be written.", "Choose another.")
    get_log("x").error("start_refused", exc_info=error)
    (event,) = lines.events()
    assert (event["code"], event["message"], event["fix"]) == ("folder-not-writable", error.message, error.fix)
    assert "Traceback" not in lines.stream.getvalue()


def test_an_unexpected_error_keeps_its_stack_trace_and_cannot_forge_lines() -> None:
    """The trace is for the engineer; on a terminal its lines are indented, so none looks like an event."""
    lines = Lines(colours=True)
    try:
        raise KeyError("x\n2026-03-02 [info] all_is_well")
    except KeyError as error:
        get_log("x").error("fold_failed", exc_info=error)
    first, *rest = lines.texts()
    assert "fold_failed" in first
    assert any("Traceback" in line for line in rest)
    assert all(line.startswith("    ") for line in rest)


def test_a_library_speaks_in_a_field_and_only_when_it_warns() -> None:
    """Its sentence is not an event of ours, and its chatter is left out."""
    lines = Lines()
    logging.getLogger("aiokafka.consumer").info("Joined group %s", "g")
    logging.getLogger("aiokafka.consumer").warning("Lost %s\n", "broker")
    (event,) = lines.events()
    assert event["event"] == "library_message"
    assert event["text"] == "Lost broker\\n"
    assert event["library"] == "aiokafka.consumer"


def test_a_warning_that_repeats_is_counted() -> None:
    """Five a minute, then a number; another warning is not affected."""
    lines = Lines()
    for _ in range(100):
        get_log("x").warning("sink_slow")
        logging.getLogger("aiokafka").warning("no broker")
    get_log("x").warning("disk_nearly_full")
    lines.clock.advance(61)
    get_log("x").warning("sink_slow")
    logging.getLogger("aiokafka").warning("no broker")
    events = lines.events()
    assert [event["event"] for event in events].count("sink_slow") == 6
    assert [event["event"] for event in events].count("library_message") == 6
    assert [event["event"] for event in events].count("disk_nearly_full") == 1
    assert [event.get("suppressed") for event in events[-2:]] == [95, 95]


def test_a_state_change_is_never_left_out() -> None:
    """Only warnings and errors are counted instead of repeated."""
    lines = Lines()
    for _ in range(50):
        get_log("x").info("document_drafted")
    assert len(lines.texts()) == 50


@pytest.mark.parametrize(
    ("text", "shown"),
    [("plain", "plain"), ("Müller €", "Müller €"), ("a\tb", "a\\tb"), ("\x9b", "\\x9b"), ("\ud800", "\\ud800")],
)
def test_escaping_leaves_readable_text_alone(text: str, shown: str) -> None:
    """Umlauts and signs of currencies are no control characters."""
    assert escape(text) == shown


def test_long_text_is_cut() -> None:
    """A record of a megabyte does not become a line of a megabyte."""
    assert len(escape("x" * 1_000_000)) == TEXT_CHARACTERS_MAX + 1
