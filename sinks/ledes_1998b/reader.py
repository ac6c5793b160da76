"""Reads a LEDES 1998B file as a receiver does: frame, header lines, 24 values a record. Knows nothing of the writer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sinks.base import Problem
from sinks.ledes_1998b.fields import FIELD_NAMES, FILE_HEADER, LINE_END_MARK, SEPARATOR
from sinks.ledes_1998b.settings import LineEnding, Receiver

FRAME = "the line"
HEADER_LINES = 2
FIX_FRAME = "Write the file anew; do not edit it by hand."


@dataclass(frozen=True, slots=True)
class Record:
    """One line item as text, by field name; `line` counts from 1 with the header lines."""

    line: int
    values: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.values[name]


@dataclass(frozen=True, slots=True)
class ReadFile:
    """The records that have 24 values, and what is wrong with the frame."""

    records: tuple[Record, ...]
    problems: tuple[Problem, ...]


def read_ledes(content: bytes, receiver: Receiver) -> ReadFile:
    """Split a file into records; bytes that are no characters of the set stay visible as lone surrogates."""
    text = content.decode(receiver.character_set.codec, errors="surrogateescape")
    lines, problems = _lines(text, receiver.line_ending)
    problems += _header_problems(lines)
    records = []
    for number, line in enumerate(lines[HEADER_LINES:], start=HEADER_LINES + 1):
        found = _frame_problem(number, line)
        values = line.removesuffix(LINE_END_MARK).split(SEPARATOR)
        if found is None and len(values) != len(FIELD_NAMES):
            what = f"{len(values)} values instead of {len(FIELD_NAMES)}"
            found = _problem("ledes_field_count", number, what)
        if found is None:
            records.append(Record(number, dict(zip(FIELD_NAMES, values, strict=True))))
        else:
            problems.append(found)
    return ReadFile(tuple(records), tuple(problems))


def _lines(text: str, ending: LineEnding) -> tuple[list[str], list[Problem]]:
    """The lines without their ends; only the receiver's own line end ends a line."""
    lines = text.split(ending.characters)
    problems = []
    if lines[-1]:
        problems.append(_problem("ledes_line_end", len(lines), f"the file does not end with {ending.value.upper()}"))
    else:
        lines.pop()
    if len(lines) <= HEADER_LINES:
        problems.append(_problem("ledes_no_lines", len(lines), "there is no line item"))
    return lines, problems


def _header_problems(lines: list[str]) -> list[Problem]:
    """Both header lines are compared whole: case and order count."""
    expected = (FILE_HEADER + LINE_END_MARK, SEPARATOR.join(FIELD_NAMES) + LINE_END_MARK)
    problems = []
    for index, wanted in enumerate(expected):
        if index >= len(lines) or lines[index] != wanted:
            problems.append(_problem("ledes_header", index + 1, f"it must be {wanted[:40]!r} and so on"))
    return problems


def _frame_problem(number: int, line: str) -> Problem | None:
    if not line.endswith(LINE_END_MARK):
        return _problem("ledes_line_mark", number, f"it does not end with {LINE_END_MARK}")
    return None


def _problem(code: str, line: int, what: str) -> Problem:
    return Problem(code=code, line=line, field=FRAME, what=what, fix=FIX_FRAME)


def number_of(text: str) -> Decimal:
    """A number as receivers read it: `+70`, `1250.` and `0.200` are numbers too; nothing is 0. Raises ValueError."""
    if not text:
        return Decimal(0)
    digits = text.removeprefix("-") if text.startswith("-") else text.removeprefix("+")
    if not digits.isascii() or not digits.replace(".", "", 1).isdigit():
        raise ValueError(f"not a number: {text!r}")
    return Decimal(text)


def day_of(text: str) -> date:
    """A date in eight digits, YYYYMMDD. Raises ValueError for other forms and for days that do not exist."""
    if len(text) != len("YYYYMMDD") or not (text.isascii() and text.isdigit()):
        raise ValueError(f"not YYYYMMDD: {text!r}")
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))
