"""Tables of time and expenses from files: exports we know, tables with a declared mapping, JSON lines of our own."""

from connectors.tables.mapping import (
    Column,
    DateOrder,
    DecimalMark,
    DurationUnit,
    SerialDates,
    TableMapping,
    load_mapping,
)
from connectors.tables.options import Delimiter, ImportOptions
from connectors.tables.preview import Counts, Evidence, PersonTotal, Preview, Question, preview_file
from connectors.tables.problems import REASONS, RowProblem, Verdict
from connectors.tables.reading import read_file, row_problems
from connectors.tables.report import problem_report, report_of

__all__ = [
    "REASONS",
    "Column",
    "Counts",
    "DateOrder",
    "DecimalMark",
    "Delimiter",
    "DurationUnit",
    "Evidence",
    "ImportOptions",
    "PersonTotal",
    "Preview",
    "Question",
    "RowProblem",
    "SerialDates",
    "TableMapping",
    "Verdict",
    "load_mapping",
    "preview_file",
    "problem_report",
    "read_file",
    "report_of",
    "row_problems",
]
