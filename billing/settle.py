"""Steps 10, 11 and 14: discounts, amount caps on exact amounts, one rounding per line, residuals down to the sources.

BD-09, BD-27, BD-28, BD-48, BD-52. Parts are named by their position, see `billing.money_items`.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from billing.discounts import Columns, discount_items
from billing.exact import spread_units, units_of
from billing.lines import OpenCharge, OpenLine
from billing.money_caps import Capped, cap_amounts
from billing.money_items import Money, Parts, money_items
from billing.portions import Portion, longer, made
from billing.results import SourceShare
from billing.settled import SettledCharge, SettledLine
from billing.surplus import keep_below
from schemas.charges import DiscountShown


class Settlement(NamedTuple):
    """The lines of an invoice in whole units; by amount cap, what agreed fees alone are above its limit."""

    lines: list[SettledLine]
    passed: dict[str, Fraction]


def settle(parts: Parts, lines: Sequence[OpenLine]) -> Settlement:
    """Apply discounts and amount caps, round every line once, and spread its units to charges and sources."""
    contract = parts.contract
    if not contract.money_caps and not contract.document.discounts:
        return Settlement([_settled(parts, line, None, {}) for line in lines], {})
    money = money_items(parts, lines)
    discounted = discount_items(contract, parts.period, money, lines)
    capped = cap_amounts(contract, money, discounted.left)
    separate = {row.id for row in contract.document.discounts if row.show is DiscountShown.SEPARATE}
    included = {name: column for name, column in discounted.taken.items() if name not in separate}
    taken = _Taken(money, capped.taken, included, discounted.reduced)
    settled: list[SettledLine] = []
    for index, line in enumerate(lines):
        by_id = discounted.by_line.get(index, {})
        inside = {name: units for name, units in by_id.items() if name not in separate}
        one = _settled(parts, line, taken, inside)
        one.separate_units = {name: units for name, units in by_id.items() if name in separate}
        settled.append(one)
    apart = [column for name, column in discounted.taken.items() if name in separate]
    keep_below(parts, settled, money, capped, apart)
    return Settlement(settled, _passed(parts, money, capped))


def _passed(parts: Parts, money: Money, capped: Capped) -> dict[str, Fraction]:
    """Windows of this period that agreed fees alone pass; they stand, and a person should know."""
    per_whole = money.grains_per_unit * 10**parts.contract.places
    found: dict[str, Fraction] = {}
    for room in capped.rooms:
        if room.passed and any(money.items[one].line is not None for one in room.positions):
            found[room.cap_id] = found.get(room.cap_id, Fraction(0)) + room.passed / per_whole
    return found


class _Taken(NamedTuple):
    """What amount caps took and discounts inside of lines, in grains by position under the id of the clause.

    `reduced` are the positions that each row of a discount reduced, wherever it stands.
    """

    money: Money
    caps: Columns
    discounts: Columns
    reduced: Sequence[set[int]]

    def are_reduced_alike(self, charge: OpenCharge) -> bool:
        """Whether each row of a discount took from all parts of a charge, or from none; then it took in proportion."""
        parts = [one for one in charge.positions if self.money.items[one].grains]
        touched = [sum([one in positions for one in parts]) for positions in self.reduced]
        return all(number in (0, len(parts)) for number in touched)

    def left(self, position: int) -> int:
        """What is left of a part in grains."""
        grains = self.money.items[position].grains
        for column in self.caps.values():
            grains -= column[position]
        for column in self.discounts.values():
            grains -= column[position]
        return grains


def _settled(parts: Parts, line: OpenLine, taken: _Taken | None, discount_units: Mapping[str, int]) -> SettledLine:
    places = parts.contract.places
    charges = [SettledCharge(one) for one in line.charges.values()]
    if taken is not None:
        per_whole = taken.money.grains_per_unit * 10**places
        for one in charges:
            one.taken = _sums(one.charge, taken.caps, per_whole)
            one.discounts = _sums(one.charge, taken.discounts, per_whole)
    nets = [one.net for one in charges]
    inside = sum(discount_units.values())
    units = line.gross_units - inside
    if any(one.taken for one in charges):
        units = units_of(sum(nets, Fraction(0)), places, parts.contract.document.rounding.money_rounding)
    for one, share in zip(charges, spread_units(units, nets), strict=True):
        one.units = share
        one.sources = _sources(parts, one, taken)
    return SettledLine(line, units, charges, inside)


def _sums(charge: OpenCharge, columns: Columns, per_whole: int) -> dict[str, Fraction]:
    """What each clause took of a charge."""
    sums = {name: sum([column[one] for one in charge.positions]) for name, column in columns.items()}
    return {name: Fraction(grains, per_whole) for name, grains in sums.items() if grains}


def _sources(parts: Parts, one: SettledCharge, taken: _Taken | None) -> list[SourceShare]:
    """The units of a charge by entry, work date and counted date, in work order."""
    first = one.charge.positions[0]
    if first < parts.first_expense:
        return _time_sources(parts, one, taken)
    if first < parts.first_agreed:
        return _expense_sources(parts, one, taken)
    agreed = parts.agreed[first - parts.first_agreed]
    shares = spread_units(one.units, agreed.weights) if agreed.entries else []
    return [
        SourceShare(entry, agreed.day, agreed.day, 0, 0, units, (first,))
        for entry, units in zip(agreed.entries, shares, strict=True)
    ]


def _time_sources(parts: Parts, one: SettledCharge, taken: _Taken | None) -> list[SourceShare]:
    groups, portions = _one_for_each_entry(parts, one.charge)
    if one.charge.seconds and not one.taken and (taken is None or taken.are_reduced_alike(one.charge)):
        # The parts of a charge have one price, so their seconds are their shares.
        shares = spread_units(one.units, [portion.worked_seconds + portion.delta_seconds for portion in portions])
    else:
        shares = spread_units(one.units, _left(parts, one.charge, groups, taken))
    return [
        made(SourceShare, (entry, day, counted_day, worked, delta, units, positions))
        for positions, (_, entry, _, day, counted_day, _, worked, delta, _), units in zip(
            groups, portions, shares, strict=True
        )
    ]


def _expense_sources(parts: Parts, one: SettledCharge, taken: _Taken | None) -> list[SourceShare]:
    groups = [(position,) for position in one.charge.positions]
    expenses = [parts.expenses[(position - parts.first_expense) // 2] for position in one.charge.positions]
    shares = spread_units(one.units, _left(parts, one.charge, groups, taken))
    return [
        SourceShare(expense.entry, expense.day, expense.day, 0, 0, units, positions)
        for positions, expense, units in zip(groups, expenses, shares, strict=True)
    ]


def _one_for_each_entry(parts: Parts, charge: OpenCharge) -> tuple[Sequence[Sequence[int]], list[Portion]]:
    """The parts of a charge with those of one entry, work date and counted date as one; and where each comes from."""
    portions = [parts.fees[position].portion for position in charge.positions]
    if len({portion.entry.entry_id for portion in portions}) == len(portions):
        return [(position,) for position in charge.positions], portions
    found: dict[tuple[str, date, date], tuple[list[int], Portion]] = {}
    for position, portion in zip(charge.positions, portions, strict=True):
        key = (portion.entry.entry_id, portion.day, portion.counted_day)
        positions, whole = found.get(key, ([], None))
        positions.append(position)
        found[key] = (positions, portion if whole is None else longer(whole, portion))
    return [positions for positions, _ in found.values()], [portion for _, portion in found.values()]


def _left(
    parts: Parts, charge: OpenCharge, groups: Sequence[Sequence[int]], taken: _Taken | None
) -> list[int] | list[Fraction]:
    """What is left of some parts when discounts and caps have taken theirs."""
    if taken is not None:
        return [sum([taken.left(position) for position in positions]) for positions in groups]
    return [sum([parts.amount(charge, position) for position in positions], Fraction(0)) for positions in groups]
