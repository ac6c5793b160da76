"""Discounts: line discounts, then invoice discounts, spread over the lines they apply to (step 10; BD-48, BD-73).

A discount is whole units of the currency on each line, so that a client can check it against what the line shows. Its
parts keep their exact shares for the amount caps behind it. Work of earlier periods, which caps must count, is reduced
exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

from billing.contract import Contract
from billing.exact import spread_units, units_of
from billing.lines import OpenLine
from billing.money_items import ItemKind, MoneyItem
from schemas.charges import Discount, DiscountLevel
from schemas.period import Period


@dataclass(frozen=True, slots=True)
class Discounted:
    """What is left of each item; what each discount took from each item, exactly, and from each line, in units."""

    left: list[Fraction]
    by_item: dict[int, dict[str, Fraction]] = field(default_factory=dict)
    by_line: dict[int, dict[str, int]] = field(default_factory=dict)


def discount_items(
    contract: Contract, period: Period, items: Sequence[MoneyItem], lines: Sequence[OpenLine]
) -> Discounted:
    """Apply all discounts of a contract: those on lines first, each kind in the contract's order."""
    found = Discounted([item.amount for item in items])
    rows = sorted(contract.document.discounts, key=lambda row: row.level is not DiscountLevel.LINE)
    if not rows:
        return found
    units_left = [line.gross_units for line in lines]
    earlier = _earlier_periods(contract, period, items)
    for row in rows:
        _discount_lines(contract, period, row, items, found, units_left)
        for span, positions in earlier:
            _discount_exactly(row, span, [one for one in positions if applies(row, items[one])], found.left)
    return found


def applies(row: Discount, item: MoneyItem) -> bool:
    """Whether a discount reduces an amount. A percentage asks for the work date, a fixed amount for the period's."""
    if not item.counts_in(row.counts) or (row.percent is not None and not row.covers(item.work_day)):
        return False
    if item.kind is ItemKind.EXPENSE:
        is_named = not row.expense_categories or item.category in row.expense_categories
    else:
        is_named = not row.service_items or item.service_item in row.service_items
    if item.kind is ItemKind.TIME:
        is_named = (
            is_named
            and (not row.tasks or item.task in row.tasks)
            and (not row.people or item.person_id in row.people)
            and (not row.roles or item.role in row.roles)
        )
    return is_named and (not row.projects or item.project_id in row.projects)


def _discount_lines(
    contract: Contract,
    period: Period,
    row: Discount,
    items: Sequence[MoneyItem],
    found: Discounted,
    units_left: list[int],
) -> None:
    by_line: dict[int, list[int]] = {}
    whole: dict[int, bool] = {}
    for position, item in enumerate(items):
        if item.line is not None:
            is_reduced = applies(row, item)
            whole[item.line] = whole.get(item.line, True) and is_reduced
            if is_reduced:
                by_line.setdefault(item.line, []).append(position)
    if not by_line:
        return
    bases: list[int] = []
    for line, positions in by_line.items():
        exact = sum((found.left[one] for one in positions), Fraction(0))
        bases.append(units_left[line] if whole[line] else _units(contract, exact))
    for (line, positions), units in zip(by_line.items(), _shares(contract, period, row, bases), strict=True):
        if units:
            units_left[line] -= units
            of_line = found.by_line.setdefault(line, {})
            of_line[row.id] = of_line.get(row.id, 0) + units
            _take(row, positions, Fraction(units, 10**contract.places), found)


def _shares(contract: Contract, period: Period, row: Discount, bases: list[int]) -> list[int]:
    """What a discount takes from each line, in units; never more than there is, and nothing from a negative sum."""
    total = sum(bases)
    if row.level is DiscountLevel.LINE:
        assert row.percent is not None, "validated with the contract"
        percent = Fraction(row.percent) / 100
        return [_rounded(contract, Fraction(base) * percent) for base in bases]
    if total <= 0:
        return [0] * len(bases)
    if row.percent is not None:
        units = _rounded(contract, Fraction(total) * Fraction(row.percent) / 100)
    else:
        assert row.amount is not None, "validated with the contract"
        is_valid = row.covers(period.end - timedelta(days=1))
        units = min(_units(contract, Fraction(row.amount)), total) if is_valid else 0
    return spread_units(units, bases)


def _take(row: Discount, positions: list[int], amount: Fraction, found: Discounted) -> None:
    """Take an amount from items in proportion to what is left of them."""
    base = sum((found.left[one] for one in positions), Fraction(0))
    for number, position in enumerate(positions):
        share = amount * found.left[position] / base if base else amount * (number == 0)
        of_item = found.by_item.setdefault(position, {})
        of_item[row.id] = of_item.get(row.id, Fraction(0)) + share
    for position in positions:
        found.left[position] -= amount * found.left[position] / base if base else Fraction(0)
    if not base:
        found.left[positions[0]] -= amount


def _discount_exactly(row: Discount, span: Period, positions: list[int], left: list[Fraction]) -> None:
    """What an earlier period's invoice was reduced by, before its rounding."""
    base = sum((left[one] for one in positions), Fraction(0))
    if row.percent is not None:
        factor = 1 - Fraction(row.percent) / 100
    elif row.amount is not None and row.covers(span.end - timedelta(days=1)) and base > 0:
        factor = 1 - min(Fraction(row.amount), base) / base
    else:
        factor = Fraction(1)
    for position in positions:
        left[position] *= factor


def _earlier_periods(contract: Contract, period: Period, items: Sequence[MoneyItem]) -> list[tuple[Period, list[int]]]:
    spans: dict[date, tuple[Period, list[int]]] = {}
    for position, item in enumerate(items):
        if item.line is None:
            span = period if item.counted_day in period else contract.period_of(item.counted_day)
            spans.setdefault(span.start, (span, []))[1].append(position)
    return [spans[start] for start in sorted(spans)]


def _units(contract: Contract, amount: Fraction) -> int:
    return units_of(amount, contract.places, contract.document.rounding.money_rounding)


def _rounded(contract: Contract, units: Fraction) -> int:
    return units_of(units, 0, contract.document.rounding.money_rounding)
