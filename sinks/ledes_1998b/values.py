"""Checks of single values: type, length, characters and whether they must be there (legal table of 24 fields)."""

import re
from collections.abc import Iterator

from sinks.base import Problem
from sinks.ledes_1998b import fields
from sinks.ledes_1998b.fields import FIELDS, FieldType, LedesField, LineType
from sinks.ledes_1998b.reader import Record, day_of
from sinks.ledes_1998b.settings import Receiver
from sinks.ledes_1998b.text import are_carried

_NUMBER = re.compile(r"-?([0-9]+)(?:\.([0-9]+))?")
_SHOWN_CHARACTERS = 24


def value_problems(record: Record, receiver: Receiver) -> Iterator[Problem]:
    """Everything wrong with the values of one record, each by itself."""
    for field in FIELDS:
        value = record[field.name]
        if not value:
            if _is_required(field, record, receiver):
                yield _problem("ledes_required", record, field, "a value is missing", _FIX_MISSING.get(field.name, ""))
            continue
        yield from _text_problems(field, record, value, receiver)
        match field.type:
            case FieldType.DATE:
                yield from _date_problems(field, record, value)
            case FieldType.NUMBER:
                yield from _number_problems(field, record, value, receiver)
            case FieldType.TEXT:
                yield from _length_problems(field, record, value, receiver)
    yield from _invoice_number_problems(record, receiver)


_FIX_MISSING = {
    fields.CLIENT_ID: "Give the client a LEDES id in the directory.",
    fields.LAW_FIRM_MATTER_ID: "Give the contract its matter id.",
    fields.LAW_FIRM_ID: "Give the firm its tax id in the directory.",
    fields.CLIENT_MATTER_ID: "Give the contract the client's matter id, or set `client_matter_id_required: false`.",
    fields.TASK_CODE: "Assign a UTBMS task code to the entries, or set `task_code_required: false`.",
    fields.ACTIVITY_CODE: "Assign a UTBMS activity code to the entries, or set `activity_code_required: false`.",
    fields.EXPENSE_CODE: "Assign a UTBMS expense code, or set `expense_code_required: false`.",
    fields.LINE_ITEM_DESCRIPTION: "Describe the work, or set `narrative_required: false`.",
    fields.TIMEKEEPER_ID: "Name the person who did the work.",
}


def _is_required(field: LedesField, record: Record, receiver: Receiver) -> bool:
    """Required by the format, by the kind of line, or by this receiver."""
    line_type = record[fields.LINE_TYPE]
    is_fee, is_expense = line_type == LineType.FEE, line_type == LineType.EXPENSE
    match field.name:
        case fields.UNITS | fields.UNIT_COST:
            return is_fee or is_expense
        case fields.TIMEKEEPER_ID:
            return is_fee
        case fields.TASK_CODE:
            return is_fee and receiver.task_code_required
        case fields.ACTIVITY_CODE:
            return is_fee and receiver.activity_code_required
        case fields.EXPENSE_CODE:
            return is_expense and receiver.expense_code_required
        case fields.LINE_ITEM_DESCRIPTION:
            return receiver.narrative_required
        case fields.INVOICE_DESCRIPTION:
            return receiver.description_required
        case fields.CLIENT_MATTER_ID:
            return receiver.client_matter_id_required
        case _:
            return field.required


def _text_problems(field: LedesField, record: Record, value: str, receiver: Receiver) -> Iterator[Problem]:
    if not are_carried(value, receiver.character_set):
        what = f"a character that {receiver.character_set.value} cannot carry, or a delimiter"
        fix = "Rewrite the text without it, or choose a wider `character_set` if the receiver takes it."
        yield _problem("ledes_character", record, field, what, fix)
    if value != value.strip() or value.upper() == "NULL":
        what = "blanks around a value, or the word NULL in place of nothing"
        yield _problem("ledes_blank_value", record, field, what, "Take them away.")


def _date_problems(field: LedesField, record: Record, value: str) -> Iterator[Problem]:
    try:
        day_of(value)
    except ValueError:
        yield _problem("ledes_date", record, field, f"{_shown(value)} is no day in the form YYYYMMDD", "")


def _number_problems(field: LedesField, record: Record, value: str, receiver: Receiver) -> Iterator[Problem]:
    match = _NUMBER.fullmatch(value)
    if match is None:
        fix = "Digits, a decimal point, a minus in front; no separators, no currency."
        yield _problem("ledes_number", record, field, f"{_shown(value)} is not a plain number", fix)
        return
    digits, decimals = match[1].lstrip("0"), (match[2] or "").rstrip("0")
    if len(digits) > field.size:
        yield _problem("ledes_number_size", record, field, f"more than {field.size} digits before the point", "")
    limit = _decimals_max(field, receiver)
    if len(decimals) > limit:
        fix = "Raise the limit in the receiver's options if the receiver takes it, or bill with fewer decimals."
        yield _problem("ledes_decimals", record, field, f"more than {limit} decimals", fix)


def _decimals_max(field: LedesField, receiver: Receiver) -> int:
    match field.name:
        case fields.UNITS:
            return receiver.units_decimals_max
        case fields.UNIT_COST:
            return receiver.unit_cost_decimals_max
        case fields.INVOICE_TOTAL | fields.LINE_ITEM_TOTAL:
            return receiver.amount_decimals_max
        case _:
            return field.decimals


def _length_problems(field: LedesField, record: Record, value: str, receiver: Receiver) -> Iterator[Problem]:
    limits = {
        fields.INVOICE_NUMBER: receiver.invoice_number_length_max,
        fields.LINE_ITEM_DESCRIPTION: receiver.narrative_length_max,
        fields.INVOICE_DESCRIPTION: receiver.description_length_max,
    }
    limit = limits.get(field.name, field.size)
    if len(value) > limit:
        what = f"{len(value)} characters, {limit} are allowed"
        yield _problem("ledes_length", record, field, what, _FIX_LENGTH.get(field.name, "Shorten it."))


_FIX_LENGTH = {
    fields.TIMEKEEPER_ID: "Give the person a shorter id under `timekeepers` in the receiver's options.",
    fields.TIMEKEEPER_NAME: "Give the person a shorter name under `timekeepers` in the receiver's options.",
    fields.CLIENT_ID: "Give the client a shorter LEDES id in the directory.",
}


def _invoice_number_problems(record: Record, receiver: Receiver) -> Iterator[Problem]:
    number = record[fields.INVOICE_NUMBER]
    allowed = set(receiver.invoice_number_punctuation)
    if any(not (each.isascii() and each.isalnum()) and each not in allowed for each in number):
        what = (
            "only letters, digits" + (f" and {receiver.invoice_number_punctuation}" if allowed else "") + " are allowed"
        )
        fix = "Change the numbering, or `invoice_number_punctuation` if the receiver takes it."
        yield Problem(code="ledes_invoice_number", line=record.line, field=fields.INVOICE_NUMBER, what=what, fix=fix)


def _shown(value: str) -> str:
    return repr(value[:_SHOWN_CHARACTERS])


def _problem(code: str, record: Record, field: LedesField, what: str, fix: str) -> Problem:
    return Problem(code=code, line=record.line, field=field.name, what=what, fix=fix)
