"""The identities receivers check: lines against their parts, invoice against lines, dates against the period."""

from collections.abc import Iterator
from decimal import Decimal

from sinks.base import Problem
from sinks.ledes_1998b import fields
from sinks.ledes_1998b.fields import LineType
from sinks.ledes_1998b.reader import Record, day_of, number_of

LINE_TOLERANCE = Decimal("0.005")
"""Identity 1 holds when the difference is smaller; the sum of an invoice has no tolerance."""

ADJUSTMENT_TYPES = (LineType.FEE_ADJUSTMENT, LineType.EXPENSE_ADJUSTMENT)


def sum_problems(records: tuple[Record, ...]) -> Iterator[Problem]:
    """All identities over records whose values are each well formed, invoice by invoice."""
    by_number: dict[str, list[Record]] = {}
    for record in records:
        yield from _line_identity(record)
        yield from _period_problems(record)
        by_number.setdefault(record[fields.INVOICE_NUMBER], []).append(record)
    for lines in by_number.values():
        yield from _invoice_identity(lines)
        yield from _repeated_values(lines)
        yield from _line_numbers(lines)
        yield from _negative_adjustments(lines)


def _line_identity(record: Record) -> Iterator[Problem]:
    """Identity 1: total = units x unit cost + adjustment."""
    units, cost = number_of(record[fields.UNITS]), number_of(record[fields.UNIT_COST])
    wanted = units * cost + number_of(record[fields.ADJUSTMENT])
    total = number_of(record[fields.LINE_ITEM_TOTAL])
    if abs(wanted - total) >= LINE_TOLERANCE:
        what = f"units x unit cost + adjustment is {wanted:f}, the total says {total:f}"
        yield _problem("ledes_line_total", record, fields.LINE_ITEM_TOTAL, what)


def _period_problems(record: Record) -> Iterator[Problem]:
    """Identity 3: start <= date of the line <= end."""
    first, last = day_of(record[fields.BILLING_START_DATE]), day_of(record[fields.BILLING_END_DATE])
    if last < first:
        yield _problem("ledes_period", record, fields.BILLING_END_DATE, "the period ends before it starts")
    elif not first <= day_of(record[fields.LINE_ITEM_DATE]) <= last:
        fix = "Bill it with its own period, or set `period: lines` when the receiver takes late entries."
        what = f"{record[fields.LINE_ITEM_DATE]} is outside {first.isoformat()}..{last.isoformat()}"
        yield _problem("ledes_date_outside", record, fields.LINE_ITEM_DATE, what, fix)


def _invoice_identity(lines: list[Record]) -> Iterator[Problem]:
    """Identity 2: the invoice's total is the exact sum of its lines."""
    total = number_of(lines[0][fields.INVOICE_TOTAL])
    added = sum((number_of(record[fields.LINE_ITEM_TOTAL]) for record in lines), Decimal(0))
    if added != total:
        what = f"the lines add up to {added:f}, the invoice says {total:f}"
        yield _problem("ledes_invoice_total", lines[0], fields.INVOICE_TOTAL, what)


def _repeated_values(lines: list[Record]) -> Iterator[Problem]:
    """Identity 4: values of the invoice are the same on each of its lines."""
    for record in lines[1:]:
        for name in fields.INVOICE_FIELDS:
            if record[name] != lines[0][name]:
                what = f"it differs from line {lines[0].line} of the same invoice"
                yield _problem("ledes_invoice_value", record, name, what)


def _line_numbers(lines: list[Record]) -> Iterator[Problem]:
    seen: set[str] = set()
    for record in lines:
        number = record[fields.LINE_ITEM_NUMBER]
        if number in seen:
            yield _problem("ledes_line_number", record, fields.LINE_ITEM_NUMBER, "this number is used twice")
        seen.add(number)


def _negative_adjustments(lines: list[Record]) -> Iterator[Problem]:
    """A receiver may refuse a second negative adjustment of one type."""
    for type_ in ADJUSTMENT_TYPES:
        negative = [
            record
            for record in lines
            if record[fields.LINE_TYPE] == type_ and number_of(record[fields.LINE_ITEM_TOTAL]) < 0
        ]
        for record in negative[1:]:
            what = f"a second negative line of type {type_.value}"
            yield _problem("ledes_adjustments", record, fields.LINE_TYPE, what, "Merge them into one line.")


def _problem(code: str, record: Record, field: str, what: str, fix: str = "") -> Problem:
    return Problem(
        code=code, line=record.line, field=field, what=what, fix=fix or "Report this: the file was made wrongly."
    )
