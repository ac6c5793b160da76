"""The stream of what became of each row: understood, a problem, or skipped because it is none; nothing is published."""

from collections.abc import Iterator
from typing import NamedTuple

from connectors.tables.cell_reader import Proof, Reading
from connectors.tables.cells import RECORD_LINES_MAX, REPLACEMENT, LineFeed, RawRow, raw_rows
from connectors.tables.encoding import FileText, HashingReader, open_text
from connectors.tables.json_lines import LineParser
from connectors.tables.layout import Layout
from connectors.tables.options import ImportOptions
from connectors.tables.problems import RowProblem, RowRejected, Skipped, problem_at
from connectors.tables.rows import ParsedRow, RowParser
from connectors.tables.words import is_total
from schemas.entry import EVENT_KINDS

Outcome = ParsedRow | RowProblem | Skipped


class ProofAt(NamedTuple):
    """A cell that settles how the file is to be read, with its line."""

    line: int
    proof: Proof


class OutcomeStream:
    """One pass over a file. After it, `file_hash` and `nul_removed` are known.

    Iterating ends early with `proof` set when a cell proves something that was not known: the pass has to begin again.
    """

    def __init__(self, text: FileText, layout: Layout, reading: Reading, options: ImportOptions) -> None:
        self._text = text
        self._layout = layout
        self._reading = reading
        self._options = options
        self._people = frozenset(person.casefold() for person in options.people)
        self.proof: ProofAt | None = None
        self.file_hash = ""
        self.nul_removed = 0

    def __iter__(self) -> Iterator[Outcome]:
        with open_text(self._text) as (stream, hashing):
            feed = LineFeed(stream)
            yield from self._json_lines(feed) if self._layout.plan is None else self._table(feed)
            self._finish(feed, hashing)

    def _finish(self, feed: LineFeed, hashing: HashingReader) -> None:
        self.nul_removed = feed.nul_removed
        if self.proof is None:
            self.file_hash = hashing.hash_of_all()

    def _table(self, feed: LineFeed) -> Iterator[Outcome]:
        layout = self._layout
        assert layout.plan is not None, "a table has a plan"
        assert layout.delimiter is not None, "a table has a delimiter"
        for _ in range(layout.header_line - 1):
            feed.start_record()
            next(feed)
            yield Skipped.PREAMBLE
        parser = RowParser(layout.plan, self._reading)
        rows = raw_rows(feed, layout.delimiter, width=len(layout.plan.headers), clean=self._text.clean)
        next(rows)
        yield Skipped.HEADER
        scoped = bool(self._people) or self._options.date_from is not None
        for row in rows:
            try:
                if row.code or not row.cells:
                    yield _no_row(row)
                elif scoped:
                    yield self._in_scope(parser.parse(row.cells), row.line)
                else:
                    yield parser.parse(row.cells)
            except RowRejected as refused:
                yield _skipped(parser, row) or problem_at(row.line, refused.code, refused.column, refused.value)
            except Proof as proof:
                self.proof = ProofAt(row.line, proof)
                return

    def _json_lines(self, feed: LineFeed) -> Iterator[Outcome]:
        parser = LineParser(self._reading)
        while True:
            feed.start_record()
            try:
                text = next(feed)
            except StopIteration:
                return
            except ValueError:
                yield problem_at(feed.taken[0][0], "line_too_long", "", feed.taken[0][1][:RECORD_LINES_MAX])
                continue
            line = feed.taken[0][0]
            bare = text.strip("\ufeff \t\r\n")
            if not bare:
                yield Skipped.BLANK
            elif not self._text.clean and REPLACEMENT in bare:
                yield problem_at(line, "undecodable", "", bare)
            else:
                try:
                    yield self._in_scope(parser.parse(bare), line)
                except RowRejected as refused:
                    yield problem_at(line, refused.code, refused.column, refused.value)

    def _in_scope(self, row: ParsedRow, line: int) -> Outcome:
        options = self._options
        person = row.fields.person_ref
        is_anybody = not person and row.fields.kind in EVENT_KINDS
        if self._people and not is_anybody and person.casefold() not in self._people:
            return problem_at(line, "outside_scope", "person", person)
        if options.date_from is None or options.date_to is None or options.date_from <= row.day < options.date_to:
            return row
        return problem_at(line, "outside_scope", "date", row.day.isoformat())


def _no_row(row: RawRow) -> RowProblem | Skipped:
    if not row.cells:
        return Skipped.BLANK
    if row.code == "ragged_row" and is_total([row.cells[0].replace(";", ",").replace("\t", ",").partition(",")[0]]):
        return Skipped.TOTAL
    return problem_at(row.line, row.code, "", row.cells[0])


def _skipped(parser: RowParser, row: RawRow) -> Skipped | None:
    """A row that could not be read may be none: blank cells, a sum, or the header again."""
    if not any(cell.strip() for cell in row.cells):
        return Skipped.BLANK
    if not parser.has_date(row.cells) and is_total(row.cells):
        return Skipped.TOTAL
    return Skipped.HEADER if parser.is_header(row.cells) else None
