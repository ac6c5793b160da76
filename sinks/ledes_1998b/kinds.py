"""Checks of a line by its kind: what belongs on fees, expenses and adjustments, and which codes may stand there."""

from collections.abc import Iterator

from schemas.utbms import CODES, TIMEKEEPER_CLASSIFICATIONS, CodeKind
from sinks.base import Problem
from sinks.ledes_1998b import fields
from sinks.ledes_1998b.fields import LineType
from sinks.ledes_1998b.reader import Record, number_of
from sinks.ledes_1998b.settings import Receiver

_NOT_ON: dict[LineType, tuple[str, ...]] = {
    LineType.FEE: (fields.EXPENSE_CODE,),
    LineType.EXPENSE: (
        fields.TASK_CODE,
        fields.ACTIVITY_CODE,
        fields.TIMEKEEPER_ID,
        fields.TIMEKEEPER_NAME,
        fields.TIMEKEEPER_CLASSIFICATION,
    ),
}
_NOT_ON[LineType.FEE_ADJUSTMENT] = (*_NOT_ON[LineType.EXPENSE], fields.EXPENSE_CODE)
_NOT_ON[LineType.EXPENSE_ADJUSTMENT] = _NOT_ON[LineType.FEE_ADJUSTMENT]

_CODE_FIELDS = (
    (fields.TASK_CODE, CodeKind.TASK),
    (fields.ACTIVITY_CODE, CodeKind.ACTIVITY),
    (fields.EXPENSE_CODE, CodeKind.EXPENSE),
)


def kind_problems(record: Record, receiver: Receiver) -> Iterator[Problem]:
    """What does not fit the kind of this line."""
    try:
        line_type = LineType(record[fields.LINE_TYPE])
    except ValueError:
        what = "it must be one of " + ", ".join(LineType)
        yield _problem("ledes_line_type", record, fields.LINE_TYPE, what, "")
        return
    for name in _NOT_ON[line_type]:
        if record[name]:
            what = f"it must be empty on a line of type {line_type.value}"
            yield _problem("ledes_not_on_kind", record, name, what, "Take it away.")
    yield from _quantity_problems(record, line_type)
    yield from _code_problems(record, receiver)
    classification = record[fields.TIMEKEEPER_CLASSIFICATION]
    known = TIMEKEEPER_CLASSIFICATIONS | set(receiver.classifications.values())
    if classification and classification not in known:
        fix = "Use a code of the published list, or name it under `classifications`."
        yield _problem("ledes_classification", record, fields.TIMEKEEPER_CLASSIFICATION, "unknown code", fix)


def _quantity_problems(record: Record, line_type: LineType) -> Iterator[Problem]:
    try:
        units, unit_cost = number_of(record[fields.UNITS]), number_of(record[fields.UNIT_COST])
    except ValueError:
        return  # the value itself is reported already
    match line_type:
        case LineType.FEE | LineType.EXPENSE:
            if units <= 0 and record[fields.UNITS]:
                fix = "Raise `units_decimals_max`, or use increments, so that the time is not shown as nothing."
                yield _problem("ledes_units", record, fields.UNITS, "it must be more than 0", fix)
            if unit_cost <= 0 and record[fields.UNIT_COST]:
                yield _problem("ledes_unit_cost", record, fields.UNIT_COST, "it must be more than 0", "")
        case LineType.FEE_ADJUSTMENT | LineType.EXPENSE_ADJUSTMENT:
            if units != 1:
                yield _problem("ledes_units", record, fields.UNITS, "an adjustment has 1 unit", "")
            if unit_cost != 0:
                yield _problem("ledes_unit_cost", record, fields.UNIT_COST, "an adjustment has no unit cost", "")


def _code_problems(record: Record, receiver: Receiver) -> Iterator[Problem]:
    for name, kind in _CODE_FIELDS:
        code = record[name]
        problem = _code_problem(code, kind, receiver) if code else ""
        if problem:
            fix = "Assign another code, or name it under `codes_allowed` when the client's list has it."
            yield _problem("ledes_code", record, name, problem, fix)


def _code_problem(code: str, kind: CodeKind, receiver: Receiver) -> str:
    """Why a code may not be used; empty when it may. A client's own list overrules the published sets."""
    if receiver.codes_allowed:
        return "" if code in receiver.codes_allowed else "the receiver does not take this code"
    known = CODES.get(code)
    if known is None or known.set_id not in receiver.code_sets:
        return "no set in use has this code"
    if known.kind is not kind:
        return f"this is no {kind.value} code"
    return "this is the heading of a group, not a code for a line" if known.is_heading else ""


def _problem(code: str, record: Record, field: str, what: str, fix: str) -> Problem:
    return Problem(code=code, line=record.line, field=field, what=what, fix=fix)
