"""Taxes: the rule a line falls under, and the tax per category and rate (billing-domain step 15; BD-53, BD-54)."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from billing.contract import Contract
from billing.exact import units_of
from billing.results import Line, Tax
from schemas.clauses import TaxedKind, TaxRounding, TaxRule
from schemas.period import Period

_RULES_KEPT = 4096
NOT_TAXED = Tax(category="O", percent=Decimal(0), base_units=0, tax_units=0, reason="The contract states no tax.")


class Taxed(NamedTuple):
    """What a tax rule looks at."""

    kind: TaxedKind
    service_item: str
    project_id: str
    expense_category: str


def tax_index(contract: Contract, period: Period, taxed: Taxed) -> int:
    """The position of the rule that counts on the last day of the period; -1 when the contract states no tax."""
    day = period.end - timedelta(days=1)
    for index, rule in enumerate(contract.document.taxes):
        if rule.covers(day) and _matches(rule, taxed):
            return index
    assert not contract.document.taxes, "validated with the contract: some rule matches every line"
    return -1


def _matches(rule: TaxRule, taxed: Taxed) -> bool:
    return (
        (not rule.kinds or taxed.kind in rule.kinds)
        and (not rule.service_items or taxed.service_item in rule.service_items)
        and (not rule.expense_categories or taxed.expense_category in rule.expense_categories)
        and (not rule.projects or taxed.project_id in rule.projects)
    )


@lru_cache(maxsize=_RULES_KEPT)
def rule_of(contract: Contract, index: int) -> Tax:
    """Category, rate and reason of a rule, without amounts."""
    if index < 0:
        return NOT_TAXED
    rule = contract.document.taxes[index]
    return Tax(rule.category, rule.percent, 0, 0, rule.reason)


@lru_cache(maxsize=_RULES_KEPT)
def tax_text(contract: Contract, index: int) -> str:
    """A rule in words that do not change with the order of rules."""
    rule = rule_of(contract, index)
    return f"{rule.category} {rule.percent.normalize():f} {rule.reason}"


def tax_rows(contract: Contract, lines: Sequence[Line]) -> tuple[Tax, ...]:
    """One row per category and rate, over the sum of its lines or line by line as the contract says."""
    groups: dict[tuple[str, Decimal], list[Line]] = {}
    for line in lines:
        rule = rule_of(contract, line.tax_index)
        groups.setdefault((rule.category, rule.percent), []).append(line)
    return tuple(_row(contract, groups[key]) for key in sorted(groups))


def _row(contract: Contract, lines: Sequence[Line]) -> Tax:
    rule = rule_of(contract, lines[0].tax_index)
    base_units = sum(line.units for line in lines)
    if contract.document.tax_rounding is TaxRounding.LINE:
        tax_units = sum(_tax(contract, line.units, rule.percent) for line in lines)
    else:
        tax_units = _tax(contract, base_units, rule.percent)
    reasons = sorted({rule_of(contract, line.tax_index).reason for line in lines} - {""})
    return Tax(rule.category, rule.percent, base_units, tax_units, "; ".join(reasons))


def _tax(contract: Contract, units: int, percent: Decimal) -> int:
    return units_of(Fraction(units) * Fraction(percent) / 100, 0, contract.document.rounding.money_rounding)
