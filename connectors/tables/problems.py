"""Why a row or a file is not taken: reason codes with a sentence for a person, and what a row's outcome can be."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from schemas.errors import Rejected

VALUE_CHARACTERS_SHOWN = 60


class Verdict(StrEnum):
    """What became of a row that is not accepted."""

    REFUSED = "refused"
    ASKED = "asked"


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A row that is not published: where, what stands there (cut), why, and for a question the flag that answers it."""

    verdict: Verdict
    line: int
    column: str
    value: str
    code: str
    sentence: str
    flag: str = ""


class Skipped(StrEnum):
    """Lines that are no rows; they are counted apart."""

    BLANK = "blank"
    PREAMBLE = "preamble"
    HEADER = "header"
    TOTAL = "total"


class Reason(NamedTuple):
    """What stands behind a code. A reason with a flag is a question; `whole_file` questions stop the whole import."""

    sentence: str
    flag: str = ""
    whole_file: bool = False


REASONS: dict[str, Reason] = {
    # rows that are refused
    "ragged_row": Reason("The row has another number of cells than the header."),
    "broken_quote": Reason("A quotation mark is never closed, or text follows a closed one."),
    "line_too_long": Reason("The line is longer than 1 MiB, or one cell spans more than 1,000 lines."),
    "cell_too_long": Reason("A cell may have at most 10,000 characters."),
    "name_too_long": Reason("A name or an id may have at most 500 characters."),
    "undecodable": Reason("Some bytes of the row are no characters in the encoding of the file."),
    "missing_date": Reason("The row has no date."),
    "bad_date": Reason("This is no date in the order that holds for the file."),
    "date_out_of_range": Reason("A date must lie between 1990 and 2099."),
    "bad_time": Reason("This is no time of day."),
    "missing_duration": Reason("The row has neither a duration nor an end."),
    "bad_duration": Reason("This is no duration."),
    "negative_duration": Reason("A duration cannot be negative."),
    "duration_too_long": Reason("One entry cannot be longer than 31 days."),
    "end_before_start": Reason("The entry ends before it starts."),
    "bad_number": Reason("This is no number with the decimal mark that holds for the file."),
    "missing_amount": Reason("The row has neither an amount nor a quantity with a unit price."),
    "bad_currency": Reason("This is no three-letter currency code."),
    "bad_flag": Reason("This is neither yes nor no."),
    "bad_kind": Reason("The kind must be time, expense, milestone or usage."),
    "bad_revision": Reason("This is neither a whole number nor an instant."),
    "formula_cell": Reason("A formula stands where a value must stand; export values, not formulas."),
    "spreadsheet_error": Reason("The spreadsheet left an error here instead of a value."),
    "duplicate_id": Reason("Another row of this file has the same id."),
    "missing_id": Reason("A deletion needs the id of what is deleted."),
    "outside_scope": Reason("The row lies outside the people or dates that were declared for this import."),
    "bad_json": Reason("The line is not one JSON object of our format."),
    "unknown_zone": Reason("There is no such time zone."),
    # questions about one row
    "missing_person": Reason("Nobody is named in this row. Whose time is it?", "--person"),
    "serial_date": Reason(
        "A spreadsheet wrote a day number instead of a date. Does it count from 1900 or from 1904?", "--serial-dates"
    ),
    "duration_unit": Reason("A plain number as duration: hours, minutes or seconds?", "--duration-unit"),
    "two_digit_year": Reason("The year has two digits. In what form are dates written?", "--date-format"),
    # questions about the whole file
    "no_person_column": Reason("The file does not say whose time it is. Whose?", "--person", whole_file=True),
    "date_order": Reason(
        "Is this day/month or month/day? No date in the file decides it.", "--date-order", whole_file=True
    ),
    "date_order_mixed": Reason(
        "Some dates of this file can only be day/month and others only month/day. Which one holds?",
        "--date-order",
        whole_file=True,
    ),
    "decimal_mark": Reason(
        "Is this a decimal mark or a thousands separator? Nothing decides it.", "--decimal-mark", whole_file=True
    ),
    "decimal_mark_mixed": Reason(
        "Some numbers of this file have a decimal comma and others a decimal point. Which one holds?",
        "--decimal-mark",
        whole_file=True,
    ),
    "zone": Reason(
        "The file has clock times without a time zone. Which zone were they exported in?", "--zone", whole_file=True
    ),
}


class RowRejected(Exception):
    """A cell that cannot be taken; `column` is the header's name. Caught in this folder, it becomes a RowProblem."""

    def __init__(self, code: str, column: str, value: str) -> None:
        super().__init__(code)
        self.code = code
        self.column = column
        self.value = value


def problem_at(line: int, code: str, column: str, value: str) -> RowProblem:
    """The problem of a row, in words; the value is cut."""
    reason = REASONS[code]
    verdict = Verdict.ASKED if reason.flag else Verdict.REFUSED
    shown = value if len(value) <= VALUE_CHARACTERS_SHOWN else value[: VALUE_CHARACTERS_SHOWN - 1] + "…"
    return RowProblem(verdict, line, column, shown, code, reason.sentence, reason.flag)


def file_refused(code: str, message: str, fix: str = "", detail: str = "") -> Rejected:
    """A file of which no row can be taken."""
    return Rejected(code, message, fix, detail)
