"""Writes a LEDES 1998B file: typed values to text, text to bytes. Pure; it judges nothing, `validator.py` does."""

from datetime import date
from decimal import Decimal

from schemas.canonical import decimal_text
from sinks.ledes_1998b.fields import FIELD_NAMES, FILE_HEADER, LINE_END_MARK, SEPARATOR
from sinks.ledes_1998b.rows import LedesInvoice, LedesLayout, LedesLine
from sinks.ledes_1998b.settings import Receiver
from sinks.ledes_1998b.text import exact_text, free_text

DECIMALS_MIN = 2


def write_ledes(layout: LedesLayout, receiver: Receiver) -> bytes:
    """The file's bytes: two header lines, then one record a line, each ended by `[]`."""
    records = [(FILE_HEADER,), FIELD_NAMES, *(_record(layout.invoice, line, receiver) for line in layout.lines)]
    end = LINE_END_MARK + receiver.line_ending.characters
    text = "".join(SEPARATOR.join(values) + end for values in records)
    return text.encode(receiver.character_set.codec)


def _record(invoice: LedesInvoice, line: LedesLine, receiver: Receiver) -> tuple[str, ...]:
    """The 24 values in the order of the format. Ids and codes are exact, descriptions and names are made readable."""
    characters = receiver.character_set
    return (
        _day(invoice.invoice_date),
        exact_text(invoice.number, characters),
        exact_text(invoice.client_id, characters),
        exact_text(invoice.matter_id, characters),
        _number(invoice.total),
        _day(invoice.date_from),
        _day(invoice.date_to),
        free_text(invoice.description, characters),
        exact_text(line.number, characters),
        line.type.value,
        _number(line.units),
        _number(line.adjustment),
        _number(line.total),
        _day(line.date),
        exact_text(line.task_code, characters),
        exact_text(line.expense_code, characters),
        exact_text(line.activity_code, characters),
        exact_text(line.timekeeper_id, characters),
        free_text(line.description, characters),
        exact_text(invoice.firm_id, characters),
        _number(line.unit_cost),
        free_text(line.timekeeper_name, characters),
        exact_text(line.timekeeper_classification, characters),
        exact_text(invoice.client_matter_id, characters),
    )


def _day(day: date) -> str:
    return day.isoformat().replace("-", "")


def _number(value: Decimal | None) -> str:
    """Plain notation with at least two decimals; nothing for no value."""
    if value is None:
        return ""
    whole, _, decimals = decimal_text(value).partition(".")
    return f"{whole}.{decimals.ljust(DECIMALS_MIN, '0')}"
