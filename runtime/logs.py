"""Logs: one event per line, JSON off the terminal, coloured text on it; operations section 8.

Texts from outside are made harmless (control characters escaped, long ones cut), secrets show as `***` by their type,
errors with a code carry no stack trace, and a warning that repeats is counted instead of repeated.
"""

import json
import logging
import sys
import traceback
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from runtime.clock import Clock, SystemClock
from runtime.errors import MachineryError
from runtime.secrets import MASK, Secret

TEXT_CHARACTERS_MAX = 2_000
DEPTH_MAX = 5
REPEATS_MAX = 5
REPEAT_WINDOW_SECONDS = 60.0
EVENTS_REMEMBERED_MAX = 1_000
_TRACE_KEY = "exception"
_HARMFUL_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_QUIET_LIBRARIES = ("aiokafka", "aiohttp.access", "asyncio", "faust", "mode", "urllib3", "jgo", "kafka")


def configure_logs(
    *,
    service: str,
    version: str,
    level: str = "info",
    stream: TextIO | None = None,
    colours: bool | None = None,
    clock: Clock | None = None,
) -> None:
    """Set up logging for the process, for our own events and those of libraries.

    `stream` is standard error by default; `colours` follows whether it is a terminal. Calling it again replaces it.
    """
    target = stream if stream is not None else sys.stderr
    on_terminal = target.isatty() if colours is None else colours
    time_source = clock or SystemClock()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        _named(service, version),
        _stamped(time_source),
        explain_error,
        make_harmless,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_as_library_event, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.dev.ConsoleRenderer(timestamp_key="ts", exception_formatter=structlog.dev.plain_traceback)
                if on_terminal
                else _render_json,
            ],
        )
    )
    root = logging.getLogger()
    handler.addFilter(RepeatLimiter(time_source))
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for library in _QUIET_LIBRARIES:
        logging.getLogger(library).setLevel(max(logging.WARNING, root.level))


def get_log(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module; events are snake_case words, everything else is a keyword."""
    log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return log


class RepeatLimiter(logging.Filter):
    """Lets a warning or error through five times a minute, then counts; the next one let through says how many."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._windows: dict[tuple[int, str], tuple[float, int, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written; ours carry their event as a dictionary, a library's carry a text."""
        if record.levelno < logging.WARNING:
            return True
        ours = record.msg if isinstance(record.msg, dict) else None
        suppressed = self._admit((record.levelno, str(ours.get("event") if ours else record.msg)[:200]))
        if suppressed is None:
            return False
        if suppressed and ours is not None:
            ours["suppressed"] = suppressed
        elif suppressed:
            record.suppressed = suppressed
        return True

    def _admit(self, key: tuple[int, str]) -> int | None:
        """How many were left out before this one, None when this one is left out too."""
        now_seconds = self._clock.monotonic_seconds()
        begun_seconds, passed, suppressed = self._windows.get(key, (now_seconds, 0, 0))
        if now_seconds - begun_seconds >= REPEAT_WINDOW_SECONDS:
            begun_seconds, passed = now_seconds, 0
        if passed >= REPEATS_MAX:
            self._windows[key] = (begun_seconds, passed, suppressed + 1)
            return None
        if len(self._windows) >= EVENTS_REMEMBERED_MAX:
            self._windows.clear()
        self._windows[key] = (begun_seconds, passed + 1, 0)
        return suppressed


def explain_error(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """An expected error becomes code, message and fix; any other keeps its stack trace."""
    given = event.pop("exc_info", None)
    error = _error_of(given)
    if error is None:
        return event
    if _is_expected(error):
        event["code"] = str(getattr(error, "code", ""))
        event["message"] = str(getattr(error, "message", ""))
        event["fix"] = str(getattr(error, "fix", ""))
    else:
        event[_TRACE_KEY] = "".join(traceback.format_exception(error))
    return event


def make_harmless(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Escape what could forge a line or colour a terminal, in keys' values at any depth, and mask secrets."""
    for key, value in event.items():
        if key == _TRACE_KEY:
            event[key] = "\n".join("    " + escape(line) for line in str(value).splitlines())
        elif not key.startswith("_"):
            event[key] = _harmless(value, DEPTH_MAX)
    return event


def escape(text: str) -> str:
    """The text with control, invisible and direction characters visible, cut after 2,000 characters."""
    cut = text if len(text) <= TEXT_CHARACTERS_MAX else text[:TEXT_CHARACTERS_MAX] + "…"
    if cut.isascii() and cut.isprintable():
        return cut
    return "".join(_visible(character) for character in cut)


def _visible(character: str) -> str:
    if unicodedata.category(character) not in _HARMFUL_CATEGORIES:
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


Loggable = str | int | float | bool | None | Sequence["Loggable"] | Mapping[str, "Loggable"]


def _harmless(value: object, depth: int) -> Loggable:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, str):
        return escape(value)
    if depth > 0 and isinstance(value, Mapping):
        return {escape(str(key)): _harmless(inner, depth - 1) for key, inner in value.items()}
    if depth > 0 and isinstance(value, list | tuple | set | frozenset):
        return [_harmless(inner, depth - 1) for inner in value]
    return escape(str(value))


def _error_of(given: object) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return given[1] if len(given) > 1 and isinstance(given[1], BaseException) else None
    return sys.exception() if given else None


def _is_expected(error: BaseException) -> bool:
    """Ours, or of the same shape: other rooms have a tree of their own that this room may not import."""
    return isinstance(error, MachineryError) or all(hasattr(error, name) for name in ("code", "message", "fix"))


def _named(service: str, version: str) -> Processor:
    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("service", service)
        event.setdefault("version", version)
        return event

    return add


def _stamped(clock: Clock) -> Processor:
    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["ts"] = clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return event

    return add


def _as_library_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A library's sentence is no event name of ours; it goes into a field under one fixed name."""
    record = event.get("_record")
    event["text"] = event.get("event", "")
    event["event"] = "library_message"
    if isinstance(record, logging.LogRecord):
        event["library"] = record.name
        if hasattr(record, "suppressed"):
            event["suppressed"] = record.suppressed
    return event


def _render_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    first = {key: event[key] for key in ("ts", "level", "event") if key in event}
    return json.dumps({**first, **event}, ensure_ascii=False, default=str)
