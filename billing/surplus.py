"""Rounding may not lift what an amount cap counts above its limit: surplus units leave the latest sources (step 14)."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import floor
from typing import NamedTuple

from billing.entries import OrderKey
from billing.exact import units_of
from billing.money_caps import Capped, CapRoom, taxes_of
from billing.money_items import ItemKind, Money, Parts
from billing.portions import portion_order
from billing.results import SourceShare
from billing.settled import SettledCharge, SettledLine
from schemas.clauses import TaxRounding


class Place(NamedTuple):
    """One source of a charge."""

    line: SettledLine
    charge: SettledCharge
    number: int

    @property
    def source(self) -> SourceShare:
        """The source as it is now."""
        return self.charge.sources[self.number]

    def take(self, units: int) -> None:
        """Take so much from the source, and so from its charge and line."""
        source = self.source
        self.charge.sources[self.number] = source._replace(units=source.units - units)
        self.charge.units -= units
        self.line.units -= units


def keep_below(
    parts: Parts, settled: Sequence[SettledLine], money: Money, capped: Capped, apart: Sequence[Sequence[int]]
) -> None:
    """Compare each window with what its sources round to, and take off what is too much.

    `apart` is what discounts on lines of their own take off each position; it is not in the sources.
    """
    # Rounding lifts a line by half a unit at most, and its tax as much: with more room than that nothing can happen.
    slack = (len(settled) + 1) * 2 * money.grains_per_unit
    tight = [room for room in capped.rooms if room.free < slack]
    places = _places(settled, money) if tight else {}
    for room in tight:
        before = kept_apart = Fraction(0)
        taxed: dict[tuple[int, int], tuple[Place, Fraction]] = {}
        for tax, positions in _by_tax(room, money).items():
            found = [places[one] for one in positions if one in places]
            taxed |= {(id(place.charge), place.number): (place, tax) for place in found}
            before += sum([capped.left[one] for one in positions if one not in places]) * (1 + tax)
            kept_apart += sum([column[one] for column in apart for one in positions if one in places]) * (1 + tax)
        allowed = (max(room.paying - before, Fraction(0)) + kept_apart) / money.grains_per_unit
        _take_surplus(parts, room, allowed, list(taxed.values()))


def _by_tax(room: CapRoom, money: Money) -> dict[Fraction, list[int]]:
    """The positions of a window by their tax; without meaning where the limit does not include it."""
    if not room.includes_tax:
        return {Fraction(0): list(room.positions)}
    found: dict[Fraction, list[int]] = {}
    for position, tax in taxes_of(money, room.positions).items():
        found.setdefault(tax, []).append(position)
    return found


def _places(settled: Sequence[SettledLine], money: Money) -> dict[int, Place]:
    """Where the amount of a position stands, for all that may be reduced."""
    return {
        position: Place(line, charge, number)
        for line in settled
        for charge in line.charges
        for number, source in enumerate(charge.sources)
        for position in source.positions
        if money.items[position].subject.kind in (ItemKind.TIME, ItemKind.EXPENSE)
    }


def _take_surplus(parts: Parts, room: CapRoom, allowed: Fraction, sources: list[tuple[Place, Fraction]]) -> None:
    surplus = _counted(parts, room, sources) - allowed
    if surplus <= 0:
        return
    assert surplus <= sum(2 + tax for _, tax in sources) + 1, "more than rounding can lift is above the limit"
    for place, tax in sorted(sources, key=lambda one: _order(parts, one[0].source), reverse=True):
        # Tax is rounded of a sum, so one unit may take with it a unit of tax, or none: the last ones leave one by one.
        while surplus > 0 and place.source.units > 0:
            units = min(max(floor((surplus - 1) / (1 + tax)), 1), place.source.units)
            place.take(units)
            surplus = _counted(parts, room, sources) - allowed if room.includes_tax else surplus - units
        if surplus <= 0:
            return


def _order(parts: Parts, source: SourceShare) -> tuple[OrderKey, int]:
    """Where time or an expense stands in the order of work."""
    position = source.positions[0]
    if position < parts.first_expense:
        return portion_order(parts.fees[position].portion)
    return parts.expenses[(position - parts.first_expense) // 2].order, position


def _counted(parts: Parts, room: CapRoom, sources: Iterable[tuple[Place, Fraction]]) -> Fraction:
    """What the window's sources come to, with the tax as it will be rounded where the limit includes it."""
    document = parts.contract.document
    is_by_line = document.tax_rounding is TaxRounding.LINE
    taxed: dict[tuple[Fraction, int], int] = {}
    for place, tax in sources:
        key = (tax, id(place.line) if is_by_line else 0)
        taxed[key] = taxed.get(key, 0) + place.source.units
    total = Fraction(sum(taxed.values()))
    if not room.includes_tax:
        return total
    rounding = document.rounding.money_rounding
    return total + sum(units_of(units * tax, 0, rounding) for (tax, _), units in taxed.items())
