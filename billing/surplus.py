"""Rounding may not lift what an amount cap counts above its limit: surplus units leave the latest sources (step 14)."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import ceil

from billing.exact import units_of
from billing.money_caps import Capped, CapRoom
from billing.money_items import ItemKind, MoneyItem, Parts
from billing.settled import OpenSource, SettledCharge, SettledLine
from schemas.clauses import TaxRounding

Place = tuple[SettledLine, SettledCharge, OpenSource]


def keep_below(
    parts: Parts,
    settled: Sequence[SettledLine],
    items: Sequence[MoneyItem],
    capped: Capped,
    kept_apart: Mapping[int, Fraction],
) -> None:
    """Compare each window with what its sources round to, and take off what is too much.

    `kept_apart` is what discounts on lines of their own take off each position; it is not in the sources.
    """
    places = {
        position: (line, charge, source)
        for line in settled
        for charge in line.charges
        for source in charge.sources
        for position in source.positions
        if items[position].kind in (ItemKind.TIME, ItemKind.EXPENSE)
    }
    for room in capped.rooms:
        before = apart = Fraction(0)
        taxed: dict[int, tuple[Place, Fraction]] = {}
        for position in room.positions:
            factor = 1 + items[position].tax if room.includes_tax else Fraction(1)
            if position in places:
                taxed[id(places[position][2])] = (places[position], items[position].tax)
                apart += kept_apart.get(position, Fraction(0)) * factor
            else:
                before += capped.left[position] * factor
        allowed = (max(room.limit - before, Fraction(0)) + apart) * 10**parts.contract.places
        _take_surplus(parts, room, allowed, list(taxed.values()))


def _take_surplus(parts: Parts, room: CapRoom, allowed: Fraction, sources: list[tuple[Place, Fraction]]) -> None:
    surplus = _counted(parts, room, sources) - allowed
    for (line, charge, source), tax in sorted(sources, key=lambda one: one[0][2].order, reverse=True):
        if surplus <= 0:
            return
        units = min(ceil(surplus / (1 + tax if room.includes_tax else Fraction(1))), max(source.units, 0))
        if units:
            source.units -= units
            charge.units -= units
            line.units -= units
            surplus = _counted(parts, room, sources) - allowed if room.includes_tax else surplus - units


def _counted(parts: Parts, room: CapRoom, sources: Iterable[tuple[Place, Fraction]]) -> Fraction:
    """What the window's sources come to, with the tax as it will be rounded where the limit includes it."""
    document = parts.contract.document
    is_by_line = document.tax_rounding is TaxRounding.LINE
    taxed: dict[tuple[Fraction, int], int] = {}
    for (line, _, source), tax in sources:
        key = (tax, id(line) if is_by_line else 0)
        taxed[key] = taxed.get(key, 0) + source.units
    total = Fraction(sum(taxed.values()))
    if not room.includes_tax:
        return total
    rounding = document.rounding.money_rounding
    return total + sum(units_of(units * tax, 0, rounding) for (tax, _), units in taxed.items())
