"""Discounts: line discounts, then invoice discounts, spread over the lines they apply to (step 10; BD-48, BD-73).

A discount is whole units of the currency on each line, so that a client can check it against what the line shows. The
parts of a line share it for the amount caps behind it. Work of earlier periods, which caps must count, is reduced
before any rounding.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from itertools import compress

from billing.contract import Contract
from billing.exact import spread_units, units_of
from billing.lines import OpenLine
from billing.money_items import ItemKind, Money, MoneyItem, Subject
from schemas.charges import Discount, DiscountLevel
from schemas.period import Period

Columns = Mapping[str, Sequence[int]]
"""What clauses took, in grains by position, under the id of the clause."""


@dataclass(frozen=True, slots=True)
class Discounted:
    """Grains that are left of each item and that each discount took of it; units that it took of each line.

    `reduced` are the positions of which each dated row took something.
    """

    left: list[int]
    taken: dict[str, list[int]] = field(default_factory=dict)
    by_line: dict[int, dict[str, int]] = field(default_factory=dict)
    reduced: list[set[int]] = field(default_factory=list)


def discount_items(contract: Contract, period: Period, money: Money, lines: Sequence[OpenLine]) -> Discounted:
    """Apply all discounts of a contract: those on lines first, each kind in the contract's order."""
    found = Discounted([item.grains for item in money.items])
    rows = sorted(contract.document.discounts, key=lambda row: row.level is not DiscountLevel.LINE)
    if not rows:
        return found
    units_left = [line.gross_units for line in lines]
    line_of = [item.line for item in money.items]
    sizes = Counter(line_of)
    earlier = _earlier_periods(contract, period, money.items)
    for row in rows:
        reduced = _reduced(row, money.items)
        by_line: dict[int, list[int]] = {}
        for position in reduced:
            line = line_of[position]
            if line is not None:
                by_line.setdefault(line, []).append(position)
        if by_line:
            # A tie goes to the earlier line, which need not be that of the earlier work that is reduced.
            by_line = dict(sorted(by_line.items()))
            are_whole = [len(positions) == sizes[line] for line, positions in by_line.items()]
            _discount_lines(contract, period, row, by_line, are_whole, money, found, units_left)
        for span, positions in earlier:
            _discount_before_rounding(contract, row, span, sorted(positions & set(reduced)), money, found.left)
    return found


def applies(row: Discount, subject: Subject) -> bool:
    """Whether a discount is about an amount, apart from its date."""
    if not subject.counts_in(row.counts):
        return False
    if subject.kind is ItemKind.EXPENSE:
        is_named = not row.expense_categories or subject.category in row.expense_categories
    else:
        is_named = not row.service_items or subject.service_item in row.service_items
    if subject.kind is ItemKind.TIME:
        is_named = (
            is_named
            and (not row.tasks or subject.task in row.tasks)
            and (not row.people or subject.person_id in row.people)
            and (not row.roles or subject.role in row.roles)
        )
    return is_named and (not row.projects or subject.project_id in row.projects)


def _reduced(row: Discount, items: Sequence[MoneyItem]) -> list[int]:
    """The positions that are reduced. A percentage asks for the work date, a fixed amount for the period's last day."""
    subjects = {item.subject for item in items}
    met = {subject for subject in subjects if applies(row, subject)}
    if len(met) == len(subjects):
        found = list(range(len(items)))
    else:
        found = [position for position, item in enumerate(items) if item.subject in met]
    if row.percent is not None and (row.date_from is not None or row.date_to is not None):
        found = [position for position in found if row.covers(items[position].work_day)]
    return found


def _discount_lines(
    contract: Contract,
    period: Period,
    row: Discount,
    by_line: Mapping[int, Sequence[int]],
    are_whole: Sequence[bool],
    money: Money,
    found: Discounted,
    units_left: list[int],
) -> None:
    """Take a discount from lines, of each from the positions that it reduces; `are_whole` where these are all."""
    rounding, left = contract.document.rounding.money_rounding, found.left
    bases = [
        units_left[line]
        if is_whole
        else units_of(Fraction(sum([left[one] for one in positions]), money.grains_per_unit), 0, rounding)
        for (line, positions), is_whole in zip(by_line.items(), are_whole, strict=True)
    ]
    taken = found.taken.setdefault(row.id, [0] * len(money.items))
    touched: set[int] = set()
    found.reduced.append(touched)
    for (line, positions), units in zip(by_line.items(), _shares(contract, period, row, bases), strict=True):
        if units:
            units_left[line] -= units
            of_line = found.by_line.setdefault(line, {})
            of_line[row.id] = of_line.get(row.id, 0) + units
            shares = _spread(units * money.grains_per_unit, [left[one] for one in positions])
            for position, share in zip(positions, shares, strict=True):
                left[position] -= share
                taken[position] += share
            touched.update(positions if all(shares) else compress(positions, shares))


def _shares(contract: Contract, period: Period, row: Discount, bases: list[int]) -> list[int]:
    """What a discount takes from each line, in units; never more than there is, and nothing from a negative sum."""
    rounding = contract.document.rounding.money_rounding
    total = sum(bases)
    if row.level is DiscountLevel.LINE:
        assert row.percent is not None, "validated with the contract"
        percent = Fraction(row.percent) / 100
        return [units_of(Fraction(base) * percent, 0, rounding) for base in bases]
    if total <= 0:
        return [0] * len(bases)
    if row.percent is not None:
        units = units_of(Fraction(total) * Fraction(row.percent) / 100, 0, rounding)
    else:
        assert row.amount is not None, "validated with the contract"
        is_valid = row.covers(period.end - timedelta(days=1))
        units = min(units_of(Fraction(row.amount), contract.places, rounding), total) if is_valid else 0
    return spread_units(units, bases)


def _discount_before_rounding(
    contract: Contract, row: Discount, span: Period, positions: Sequence[int], money: Money, left: list[int]
) -> None:
    """What an earlier period's invoice was reduced by."""
    if row.percent is not None:
        percent = Fraction(row.percent) / 100
        for position in positions:
            left[position] -= left[position] * percent.numerator // percent.denominator
        return
    base = sum([left[one] for one in positions])
    assert row.amount is not None, "validated with the contract"
    if base > 0 and row.covers(span.end - timedelta(days=1)):
        grains = min(int(Fraction(row.amount) * 10**contract.places * money.grains_per_unit), base)
        for position, share in zip(positions, _spread(grains, [left[one] for one in positions]), strict=True):
            left[position] -= share


def _spread(grains: int, weights: list[int]) -> list[int]:
    """Share what is taken, ties to the later part: so of parts alike never less is left of the earlier one."""
    return spread_units(grains, weights[::-1])[::-1]


def _earlier_periods(contract: Contract, period: Period, items: Sequence[MoneyItem]) -> list[tuple[Period, set[int]]]:
    spans: dict[date, tuple[Period, set[int]]] = {}
    for position, item in enumerate(items):
        if item.line is None:
            span = period if item.counted_day in period else contract.period_of(item.counted_day)
            spans.setdefault(span.start, (span, set()))[1].add(position)
    return [spans[start] for start in sorted(spans)]
