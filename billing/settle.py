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
from billing.settled import OpenSource, SettledCharge, SettledLine
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
        if room.free < 0 and any(money.items[one].line is not None for one in room.positions):
            found[room.cap_id] = found.get(room.cap_id, Fraction(0)) - Fraction(room.free) / per_whole
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
    charges = [SettledCharge(one, 0, _sources(parts, one), {}) for one in line.charges.values()]
    for one in charges if taken is not None else ():
        assert taken is not None, "looked at above"
        per_whole = taken.money.grains_per_unit * 10**places
        one.taken = _sums(one.charge, taken.caps, per_whole)
        one.discounts = _sums(one.charge, taken.discounts, per_whole)
    nets = [one.net for one in charges]
    inside = sum(discount_units.values())
    units = line.gross_units - inside
    if any(one.taken for one in charges):
        units = units_of(sum(nets, Fraction(0)), places, parts.contract.document.rounding.money_rounding)
    for one, share in zip(charges, spread_units(units, nets), strict=True):
        one.units = share
        if one.sources:
            weights = _weights(parts, one, taken)
            for source, source_units in zip(one.sources, spread_units(share, weights), strict=True):
                source.units = source_units
    return SettledLine(line, units, charges, inside)


def _sums(charge: OpenCharge, columns: Columns, per_whole: int) -> dict[str, Fraction]:
    """What each clause took of a charge."""
    sums = {name: sum([column[one] for one in charge.positions]) for name, column in columns.items()}
    return {name: Fraction(grains, per_whole) for name, grains in sums.items() if grains}


def _sources(parts: Parts, charge: OpenCharge) -> list[OpenSource]:
    """One source per entry, work date and counted date, in work order."""
    found: dict[tuple[str, date, date], OpenSource] = {}
    for position in charge.positions:
        for fresh in _fresh_sources(parts, position):
            key = (fresh.entry.entry_id, fresh.day, fresh.counted_day)
            known = found.get(key)
            if known is None:
                found[key] = fresh
            else:
                known.positions.append(position)
                known.worked_seconds += fresh.worked_seconds
                known.delta_seconds += fresh.delta_seconds
    return list(found.values())


def _fresh_sources(parts: Parts, position: int) -> list[OpenSource]:
    if position < parts.first_expense:
        portion = parts.fees[position].portion
        return [
            OpenSource(
                (portion.order, portion.offset_seconds),
                portion.entry,
                portion.day,
                portion.counted_day,
                [position],
                portion.worked_seconds,
                portion.delta_seconds,
            )
        ]
    if position < parts.first_agreed:
        part = parts.expenses[(position - parts.first_expense) // 2]
        return [OpenSource((part.order, position), part.entry, part.day, part.day, [position], 0, 0)]
    agreed = parts.agreed[position - parts.first_agreed]
    order = agreed.order(parts.contract)
    return [
        OpenSource((order, number), entry, agreed.day, agreed.day, [position], 0, 0, weight=weight)
        for number, (entry, weight) in enumerate(zip(agreed.entries, agreed.weights, strict=True))
    ]


def _weights(parts: Parts, one: SettledCharge, taken: _Taken | None) -> list[int] | list[Fraction]:
    if one.sources[0].weight is not None:
        return [source.weight or Fraction(0) for source in one.sources]
    if one.charge.seconds and not one.taken and (taken is None or taken.are_reduced_alike(one.charge)):
        # The parts of a charge have one price, so their seconds are their shares.
        return [source.worked_seconds + source.delta_seconds for source in one.sources]
    if taken is not None:
        return [sum([taken.left(position) for position in source.positions]) for source in one.sources]
    zero = Fraction(0)
    return [sum((parts.amount(one.charge, each) for each in source.positions), zero) for source in one.sources]
