"""The 24 fields of LEDES 1998B in their order, with type, size and whether a value must be there.

After the official table (LEDES Oversight Committee, revisions 8/2007 and 7/2014). Sizes of numbers are digits before
and after the decimal point; whether a conditional field is needed depends on the kind of its line (`checks.py`).
"""

from dataclasses import dataclass
from enum import StrEnum

FILE_HEADER = "LEDES1998B"
SEPARATOR = "|"
LINE_END_MARK = "[]"
TEXT_LENGTH_MAX = 15_000
"""The table says 15 KB; this is the smaller of its two readings."""


class FieldType(StrEnum):
    """How a value is written."""

    DATE = "date"
    TEXT = "text"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class LedesField:
    """One field: `size` is characters for texts, digits before the point for numbers; `decimals` is for numbers."""

    name: str
    type: FieldType
    size: int
    decimals: int = 0
    required: bool = False


class LineType(StrEnum):
    """Kinds of lines: work, expense, and adjustments of the invoice's fees or expenses."""

    FEE = "F"
    EXPENSE = "E"
    FEE_ADJUSTMENT = "IF"
    EXPENSE_ADJUSTMENT = "IE"


INVOICE_DATE = "INVOICE_DATE"
INVOICE_NUMBER = "INVOICE_NUMBER"
CLIENT_ID = "CLIENT_ID"
LAW_FIRM_MATTER_ID = "LAW_FIRM_MATTER_ID"
INVOICE_TOTAL = "INVOICE_TOTAL"
BILLING_START_DATE = "BILLING_START_DATE"
BILLING_END_DATE = "BILLING_END_DATE"
INVOICE_DESCRIPTION = "INVOICE_DESCRIPTION"
LINE_ITEM_NUMBER = "LINE_ITEM_NUMBER"
LINE_TYPE = "EXP/FEE/INV_ADJ_TYPE"
UNITS = "LINE_ITEM_NUMBER_OF_UNITS"
ADJUSTMENT = "LINE_ITEM_ADJUSTMENT_AMOUNT"
LINE_ITEM_TOTAL = "LINE_ITEM_TOTAL"
LINE_ITEM_DATE = "LINE_ITEM_DATE"
TASK_CODE = "LINE_ITEM_TASK_CODE"
EXPENSE_CODE = "LINE_ITEM_EXPENSE_CODE"
ACTIVITY_CODE = "LINE_ITEM_ACTIVITY_CODE"
TIMEKEEPER_ID = "TIMEKEEPER_ID"
LINE_ITEM_DESCRIPTION = "LINE_ITEM_DESCRIPTION"
LAW_FIRM_ID = "LAW_FIRM_ID"
UNIT_COST = "LINE_ITEM_UNIT_COST"
TIMEKEEPER_NAME = "TIMEKEEPER_NAME"
TIMEKEEPER_CLASSIFICATION = "TIMEKEEPER_CLASSIFICATION"
CLIENT_MATTER_ID = "CLIENT_MATTER_ID"

FIELDS: tuple[LedesField, ...] = (
    LedesField(INVOICE_DATE, FieldType.DATE, 8, required=True),
    LedesField(INVOICE_NUMBER, FieldType.TEXT, 20, required=True),
    LedesField(CLIENT_ID, FieldType.TEXT, 20, required=True),
    LedesField(LAW_FIRM_MATTER_ID, FieldType.TEXT, 20, required=True),
    LedesField(INVOICE_TOTAL, FieldType.NUMBER, 12, 4, required=True),
    LedesField(BILLING_START_DATE, FieldType.DATE, 8, required=True),
    LedesField(BILLING_END_DATE, FieldType.DATE, 8, required=True),
    LedesField(INVOICE_DESCRIPTION, FieldType.TEXT, TEXT_LENGTH_MAX),
    LedesField(LINE_ITEM_NUMBER, FieldType.TEXT, 20, required=True),
    LedesField(LINE_TYPE, FieldType.TEXT, 2, required=True),
    LedesField(UNITS, FieldType.NUMBER, 10, 4),
    LedesField(ADJUSTMENT, FieldType.NUMBER, 10, 4),
    LedesField(LINE_ITEM_TOTAL, FieldType.NUMBER, 10, 4, required=True),
    LedesField(LINE_ITEM_DATE, FieldType.DATE, 8, required=True),
    LedesField(TASK_CODE, FieldType.TEXT, 20),
    LedesField(EXPENSE_CODE, FieldType.TEXT, 20),
    LedesField(ACTIVITY_CODE, FieldType.TEXT, 20),
    LedesField(TIMEKEEPER_ID, FieldType.TEXT, 20),
    LedesField(LINE_ITEM_DESCRIPTION, FieldType.TEXT, TEXT_LENGTH_MAX),
    LedesField(LAW_FIRM_ID, FieldType.TEXT, 20, required=True),
    LedesField(UNIT_COST, FieldType.NUMBER, 10, 4),
    LedesField(TIMEKEEPER_NAME, FieldType.TEXT, 30),
    LedesField(TIMEKEEPER_CLASSIFICATION, FieldType.TEXT, 10),
    LedesField(CLIENT_MATTER_ID, FieldType.TEXT, 20),
)
FIELD_NAMES = tuple(field.name for field in FIELDS)

INVOICE_FIELDS = (
    INVOICE_DATE,
    CLIENT_ID,
    LAW_FIRM_MATTER_ID,
    INVOICE_TOTAL,
    BILLING_START_DATE,
    BILLING_END_DATE,
    INVOICE_DESCRIPTION,
    LAW_FIRM_ID,
    CLIENT_MATTER_ID,
)
"""Values of the invoice as a whole, which every line of one invoice number repeats."""
