"""From characters to rows of cells, as a stream: one broken row is reported and the next line is read as usual.

The standard csv module splits the cells, strictly. What it cannot recover from is done here: after an unclosed
quotation mark only the first line is refused and reading goes on at the second, so no row is swallowed in silence.
"""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TextIO

LINE_CHARACTERS_MAX = 1024 * 1024
RECORD_LINES_MAX = 1_000
REPLACEMENT = "\ufffd"


class RawRow(NamedTuple):
    """The cells of one row and the number of its first line; with a `code` the cells are only what is worth showing."""

    line: int
    cells: list[str]
    code: str = ""


@dataclass(slots=True)
class Oddities:
    """How many rows have something that is kept but worth telling."""

    nul_removed: int = 0
    control_characters: int = 0
    bidirectional_marks: int = 0
    formula_like_texts: int = 0


class _RecordTooLong(ValueError):
    """One record took too many lines or characters."""


class LineFeed:
    """Physical lines with their numbers; lines that were read ahead can be given back."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._returned: deque[tuple[int, str]] = deque()
        self._number = 0
        self.taken: list[tuple[int, str]] = []
        self._taken_characters = 0
        self.nul_removed = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        number, line = self._returned.popleft() if self._returned else self._next_of_stream()
        if not line:
            raise StopIteration
        self.taken.append((number, line))
        self._taken_characters += len(line)
        if len(line) > LINE_CHARACTERS_MAX or len(self.taken) > RECORD_LINES_MAX:
            raise _RecordTooLong
        if self._taken_characters > 2 * LINE_CHARACTERS_MAX:
            raise _RecordTooLong
        return line

    def start_record(self) -> None:
        """Forget the lines of the record before."""
        self.taken.clear()
        self._taken_characters = 0

    def give_back_all_but_first(self) -> None:
        """Read the later lines of the current record again, as records of their own."""
        self._returned.extendleft(reversed(self.taken[1:]))

    def _next_of_stream(self) -> tuple[int, str]:
        line = self._stream.readline(LINE_CHARACTERS_MAX + 1)
        self._number += 1
        if len(line) > LINE_CHARACTERS_MAX and not line.endswith("\n"):
            self._drain()
        if "\0" in line:
            self.nul_removed += 1
            line = line.replace("\0", "") or "\n"
        return self._number, line

    def _drain(self) -> None:
        while (rest := self._stream.readline(LINE_CHARACTERS_MAX)) and not rest.endswith("\n"):
            pass


def raw_rows(feed: LineFeed, delimiter: str, *, width: int, clean: bool) -> Iterator[RawRow]:
    """Rows of exactly `width` cells (0: any number), or with a code that says what is wrong; [] for blank lines."""
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    while True:
        feed.start_record()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _broken(feed, "cell_too_long" if "field limit" in str(error) else "broken_quote")
            continue
        except _RecordTooLong:
            yield _broken(feed, "line_too_long" if len(feed.taken) == 1 else "broken_quote")
            continue
        line = feed.taken[0][0]
        if not clean and any(REPLACEMENT in cell for cell in cells):
            yield RawRow(line, [next(cell for cell in cells if REPLACEMENT in cell)], "undecodable")
        elif width and len(cells) != width and cells:
            yield _fitted(feed, cells, width)
        else:
            yield RawRow(line, cells)


def _fitted(feed: LineFeed, cells: list[str], width: int) -> RawRow:
    line, text = feed.taken[0]
    if not any(cell.strip() for cell in cells):
        return RawRow(line, [])
    if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
        return RawRow(line, cells[:width])
    if len(feed.taken) > 1:
        return _broken(feed, "broken_quote")
    return RawRow(line, [text.rstrip("\n")], "ragged_row")


def _broken(feed: LineFeed, code: str) -> RawRow:
    line, text = feed.taken[0]
    feed.give_back_all_but_first()
    return RawRow(line, [text[:1_000].rstrip("\n")], code)
