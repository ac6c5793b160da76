"""Step 15: the first tax rule that meets a line, and the tax on the document or on each line (BD-53, BD-54)."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from billing.entries import BillingEntry
from schemas.clauses import TaxedKind, TaxRounding
from tests.second.case import Case, Fact
from tests.second.exact import fraction, whole


@dataclass(frozen=True)
class Taxed:
    """A line's amount and the position of its tax rule."""

    units: int
    tax: int


def tax_index(case: Case, kind: TaxedKind, entry: BillingEntry, counted: date) -> int:
    """The position of the rule that a charge of an entry meets on the invoice of a day; -1 without taxes."""
    return fee_tax_index(case, kind, entry.service_item, entry.project_id, counted, entry.expense_category)


def fee_tax_index(
    case: Case, kind: TaxedKind, service_item: str, project: str, counted: date, expense_category: str = ""
) -> int:
    """The same for anything with a service item and a project; a rule is that of the period's last day."""
    last = case.period_of(counted).end - timedelta(days=1)
    for at, rule in enumerate(case.contract.taxes):
        if (
            rule.covers(last)
            and (not rule.kinds or kind in rule.kinds)
            and (not rule.service_items or service_item in rule.service_items)
            and (
                not rule.expense_categories
                or (kind is TaxedKind.EXPENSE and expense_category in rule.expense_categories)
            )
            and (not rule.projects or project in rule.projects)
        ):
            return at
    return -1


def percent_of(case: Case, index: int) -> Fraction:
    """The tax of a rule as a part of the amount."""
    return fraction(case.contract.taxes[index].percent) / 100 if index >= 0 else Fraction(0)


def tax_facts(case: Case, lines: list[Taxed]) -> tuple[Counter[Fact], int]:
    """The rows of the breakdown by (category, rate), and the tax in all."""
    mode = case.contract.rounding.money_rounding
    bases: dict[tuple[str, Fraction], list[int]] = defaultdict(list)
    for line in lines:
        if line.tax >= 0:
            rule = case.contract.taxes[line.tax]
            bases[rule.category, fraction(rule.percent)].append(line.units)
    rows: Counter[Fact] = Counter()
    total = 0
    for (category, percent), units in bases.items():
        parts = units if case.contract.tax_rounding is TaxRounding.LINE else [sum(units)]
        tax = sum(whole(part * percent / 100, mode) for part in parts)
        if sum(units) or tax:
            rows[category, percent, sum(units), tax] += 1
        total += tax
    return rows, total
