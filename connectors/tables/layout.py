"""Recognising a file: which format, which delimiter, where the header stands, and why we think so."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from connectors.tables.cells import LineFeed, RawRow, raw_rows
from connectors.tables.encoding import FileText, open_text
from connectors.tables.formats import (
    KNOWN_FORMATS,
    Plan,
    TableFormat,
    fits,
    format_of,
    lacking,
    normal_header,
    plan_of,
    repeated_header,
)
from connectors.tables.options import Delimiter, ImportOptions
from connectors.tables.problems import file_refused
from schemas.errors import Rejected

SAMPLE_CHARACTERS = 256 * 1024
HEADER_ROWS_SEARCHED = 30
COLUMNS_MAX = 500
JSON_LINES = "json-lines"


@dataclass(frozen=True)
class Layout:
    """How the file is laid out. `plan` is None for JSON lines, which have no header."""

    name: str
    source: str
    mapping_version: int
    reason: str
    plan: Plan | None = None
    delimiter: Delimiter | None = None
    header_line: int = 0


@dataclass(frozen=True)
class _Header:
    line: int
    cells: list[str]
    delimiter: Delimiter


def recognise(text: FileText, options: ImportOptions) -> Layout:
    """Find format, delimiter and header. Raises Rejected with what was missing when nothing fits."""
    with open_text(text) as (stream, _):
        sample = stream.read(SAMPLE_CHARACTERS).replace("\0", "")
    wanted = options.format
    if wanted == JSON_LINES or (
        not wanted and options.mapping is None and sample.lstrip("\ufeff \t\r\n").startswith("{")
    ):
        reason = "declared" if wanted else "the first line is a JSON object"
        return Layout(JSON_LINES, options.source or JSON_LINES, 1, reason)
    headers = list(_possible_headers(sample, options))
    for header in headers:
        names = [normal_header(cell) for cell in header.cells]
        for table in _candidates(options):
            if fits(table, names):
                return _laid_out(table, header, names, options)
    raise _not_recognised(text, options, headers)


def _candidates(options: ImportOptions) -> tuple[TableFormat, ...]:
    if options.mapping is not None:
        return (format_of(options.mapping),)
    if not options.format:
        return KNOWN_FORMATS
    named = tuple(table for table in KNOWN_FORMATS if table.name == options.format)
    if not named:
        known = ", ".join([*(table.name for table in KNOWN_FORMATS), JSON_LINES])
        raise file_refused(
            "unknown_format", f"There is no format {options.format!r}.", f"Known are {known}; or use --mapping."
        )
    return named


def _possible_headers(sample: str, options: ImportOptions) -> Iterator[_Header]:
    declared = options.delimiter or (options.mapping and options.mapping.delimiter)
    delimiters = (Delimiter(declared),) if declared else tuple(Delimiter)
    readings = [_first_rows(sample, delimiter) for delimiter in delimiters]
    # The highest line wins, whatever its delimiter: a header stands above its rows.
    found = [_Header(row.line, row.cells, d) for d, rows in zip(delimiters, readings, strict=True) for row in rows]
    yield from sorted(found, key=lambda header: header.line)


def _first_rows(sample: str, delimiter: Delimiter) -> list[RawRow]:
    rows = raw_rows(LineFeed(io.StringIO(sample)), delimiter, width=0, clean=True)
    return [row for row in islice(rows, HEADER_ROWS_SEARCHED) if row.cells and not row.code]


def _laid_out(table: TableFormat, header: _Header, names: list[str], options: ImportOptions) -> Layout:
    if repeated := repeated_header(table, names):
        fix = "Rename or remove one of the columns; otherwise it cannot be known which one counts."
        raise file_refused("duplicate_header", f"The header {repeated!r} stands twice in line {header.line}.", fix)
    if len(names) > COLUMNS_MAX:
        raise file_refused(
            "too_many_columns", f"The table has {len(names)} columns; at most {COLUMNS_MAX} can be read."
        )
    declared = options.mapping is not None or bool(options.format)
    reason = "declared" if declared else f"line {header.line} has the headers of {table.name}"
    return Layout(
        table.name,
        options.source or table.source,
        table.mapping_version,
        reason,
        plan_of(table, header.cells),
        header.delimiter,
        header.line,
    )


def _not_recognised(text: FileText, options: ImportOptions, headers: list[_Header]) -> Rejected:
    nearest: tuple[int, TableFormat, _Header, list[str]] | None = None
    for header in headers:
        names = [normal_header(cell) for cell in header.cells]
        for table in _candidates(options):
            missing = lacking(table, names)
            if len(missing) < len(table.needs) / 2 and (nearest is None or len(missing) < nearest[0]):
                nearest = (len(missing), table, header, missing)
    if nearest is None:
        fix = "Say what its columns mean with --mapping FILE, see docs/guides/import.md."
        return file_refused("unknown_format", f"{text.path.name} has the headers of no export we know.", fix)
    _, table, header, missing = nearest
    lacks = ", ".join(repr(name) for name in missing) or "nothing, but has columns of another export"
    return file_refused(
        "missing_column",
        f"Line {header.line} of {text.path.name} looks like {table.name} but lacks {lacks}.",
        "Export it with these columns, or say what its columns mean with --mapping FILE.",
    )
