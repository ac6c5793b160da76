"""Small closed vocabularies and limits of cells: yes and no, kinds, currencies, names, lengths of entries."""

import re
from datetime import timedelta

from connectors.base import EntryFields
from connectors.tables.problems import RowRejected
from schemas.entry import SECONDS_OF_A_DAY, WORKED_SECONDS_MAX, EntryKind

CELL_CHARACTERS_MAX = 10_000
NAME_CHARACTERS_MAX = 500
NUMBER_MAX = 1_000_000_000_000
OVER_A_DAY = "over_24_hours"
_FLAGS = {
    **dict.fromkeys(("yes", "y", "true", "t", "1", "ja", "oui", "si", "sí", "billable"), True),
    **dict.fromkeys(("no", "n", "false", "f", "0", "nein", "non", "non-billable", "not billable"), False),
}
_CURRENCY = re.compile(r"(?:.* - )?([A-Za-z]{3})")
_TOTAL = re.compile(r'["\s]*(?:grand |sub)?(?:total|totals|sum|summe|gesamt|totaal|insgesamt)["\s:]*', re.IGNORECASE)


def flag_of(text: str, column: str) -> bool:
    """Yes or no; RowRejected for any other word."""
    flag = _FLAGS.get(text.casefold())
    if flag is None:
        raise RowRejected("bad_flag", column, text)
    return flag


def kind_of(text: str, column: str) -> EntryKind:
    """The kind of an entry by its name; RowRejected for any other word."""
    kind = EntryKind(text.casefold())
    if kind is EntryKind.UNKNOWN:
        raise RowRejected("bad_kind", column, text)
    return kind


def currency_of(text: str, column: str) -> str:
    """The code of `EUR` or of a phrase such as `Euro - EUR`; RowRejected for anything else."""
    match = _CURRENCY.fullmatch(text)
    if match is None:
        raise RowRejected("bad_currency", column, text)
    return match[1].upper()


def name_of(text: str, column: str) -> str:
    """The name as it is; RowRejected when it is longer than any name."""
    if len(text) > NAME_CHARACTERS_MAX:
        raise RowRejected("name_too_long", column, text)
    return text


def check_span_length(worked_seconds: int, column: str) -> str:
    """A reason to hold an entry longer than a day, else empty; RowRejected over 31 days."""
    if worked_seconds > WORKED_SECONDS_MAX:
        raise RowRejected("duration_too_long", column, f"{worked_seconds} s")
    return OVER_A_DAY if worked_seconds > SECONDS_OF_A_DAY else ""


def check_limits(fields: EntryFields, column: str) -> EntryFields:
    """The same entry; RowRejected for what the schema of entries has no room for."""
    for number in (fields.amount, fields.quantity, fields.unit_price):
        if number is not None and abs(number) >= NUMBER_MAX:
            raise RowRejected("bad_number", column, f"{number:f}")
    if fields.start is not None and fields.end is not None:
        elapsed = fields.end - fields.start
        if elapsed < timedelta():
            raise RowRejected("end_before_start", column, fields.end.isoformat())
        if elapsed > timedelta(seconds=WORKED_SECONDS_MAX):
            raise RowRejected("duration_too_long", column, str(elapsed))
    return fields


def is_total(cells: list[str]) -> bool:
    """Whether the first cell that is not blank says that this is the sum of the rows above."""
    first = next((cell for cell in cells if cell.strip()), "")
    return _TOTAL.fullmatch(first) is not None
