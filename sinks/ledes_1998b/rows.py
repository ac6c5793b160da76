"""What a LEDES file says, typed: the invoice as a whole and its lines, before they become text."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from schemas.draft import Finding
from sinks.base import Problem
from sinks.ledes_1998b.fields import LineType


@dataclass(frozen=True, slots=True)
class LedesInvoice:
    """Values that every line repeats; `date_from` and `date_to` are both inside the billing period."""

    invoice_date: date
    number: str
    client_id: str
    matter_id: str
    total: Decimal
    date_from: date
    date_to: date
    description: str
    firm_id: str
    client_matter_id: str


@dataclass(frozen=True, slots=True)
class LedesLine:
    """One line; `total = units x unit_cost + adjustment`, where a missing unit cost counts as 0."""

    number: str
    type: LineType
    units: Decimal
    unit_cost: Decimal | None
    adjustment: Decimal | None
    total: Decimal
    date: date
    description: str
    task_code: str = ""
    activity_code: str = ""
    expense_code: str = ""
    timekeeper_id: str = ""
    timekeeper_name: str = ""
    timekeeper_classification: str = ""


@dataclass(frozen=True, slots=True)
class LedesLayout:
    """An invoice with its lines, what the format could not carry (`notes`), what forbids to write it (`problems`)."""

    invoice: LedesInvoice
    lines: tuple[LedesLine, ...]
    notes: tuple[Finding, ...]
    problems: tuple[Problem, ...]
