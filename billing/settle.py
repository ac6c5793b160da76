"""Steps 10, 11 and 14: discounts, amount caps on exact amounts, one rounding per line, residuals down to the sources.

BD-09, BD-27, BD-28, BD-48, BD-52. Parts are named by their position, see `billing.money_items`.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction

from billing.discounts import Discounted, discount_items
from billing.exact import spread_units, units_of
from billing.lines import OpenCharge, OpenLine
from billing.money_caps import cap_amounts
from billing.money_items import Parts, money_items
from billing.settled import OpenSource, SettledCharge, SettledLine
from billing.surplus import keep_below
from schemas.charges import DiscountShown

Taken = Mapping[int, Mapping[str, Fraction]]
"""What clauses took from parts: position, id of the clause, exact amount."""


def settle(parts: Parts, lines: Sequence[OpenLine]) -> list[SettledLine]:
    """Apply discounts and amount caps, round every line once, and spread its units to charges and sources."""
    contract = parts.contract
    if not contract.money_caps and not contract.document.discounts:
        return [_settled(parts, line, {}, {}, {}) for line in lines]
    items = money_items(parts, lines)
    discounted = discount_items(contract, parts.period, items, lines)
    capped = cap_amounts(contract.money_caps, items, discounted.left)
    taken: dict[int, dict[str, Fraction]] = {}
    for reduction in capped.reductions:
        of_item = taken.setdefault(reduction.position, {})
        of_item[reduction.cap_id] = of_item.get(reduction.cap_id, Fraction(0)) + reduction.amount
    settled = _with_discounts(parts, lines, taken, discounted)
    separate = _separate(parts)
    kept_apart = {
        position: sum((amount for name, amount in by_id.items() if name in separate), Fraction(0))
        for position, by_id in discounted.by_item.items()
    }
    keep_below(parts, settled, items, capped, kept_apart)
    return settled


def _separate(parts: Parts) -> set[str]:
    """The discounts that stand on lines of their own."""
    return {row.id for row in parts.contract.document.discounts if row.show is DiscountShown.SEPARATE}


def _with_discounts(parts: Parts, lines: Sequence[OpenLine], taken: Taken, discounted: Discounted) -> list[SettledLine]:
    separate = _separate(parts)
    included = {
        position: {name: amount for name, amount in by_id.items() if name not in separate}
        for position, by_id in discounted.by_item.items()
    }
    found = []
    for index, line in enumerate(lines):
        by_id = discounted.by_line.get(index, {})
        inside = {name: units for name, units in by_id.items() if name not in separate}
        settled = _settled(parts, line, taken, included, inside)
        settled.separate_units = {name: units for name, units in by_id.items() if name in separate}
        found.append(settled)
    return found


def _settled(
    parts: Parts, line: OpenLine, taken: Taken, discounts: Taken, discount_units: Mapping[str, int]
) -> SettledLine:
    charges = [
        SettledCharge(one, 0, _sources(parts, one), _sum(one, taken), _sum(one, discounts))
        for one in line.charges.values()
    ]
    nets = [one.net for one in charges]
    inside = sum(discount_units.values())
    units = line.gross_units - inside
    if any(one.taken for one in charges):
        rounding = parts.contract.document.rounding.money_rounding
        units = units_of(sum(nets, Fraction(0)), parts.contract.places, rounding)
    for one, share in zip(charges, spread_units(units, nets), strict=True):
        one.units = share
        if one.sources:
            weights = _weights(parts, one, taken, discounts)
            for source, source_units in zip(one.sources, spread_units(share, weights), strict=True):
                source.units = source_units
    return SettledLine(line, units, charges, inside)


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


def _sum(charge: OpenCharge, taken: Taken) -> dict[str, Fraction]:
    total: dict[str, Fraction] = {}
    if taken:
        for position in charge.positions:
            for name, amount in taken.get(position, {}).items():
                total[name] = total.get(name, Fraction(0)) + amount
    return total


def _weights(parts: Parts, one: SettledCharge, taken: Taken, discounts: Taken) -> list[int] | list[Fraction]:
    if one.sources[0].weight is not None:
        return [source.weight or Fraction(0) for source in one.sources]
    if one.charge.seconds and not one.taken and not one.discounts:
        # The parts of a charge have one price, so their seconds are their shares.
        return [source.worked_seconds + source.delta_seconds for source in one.sources]
    zero = Fraction(0)
    return [
        sum(
            (
                parts.amount(one.charge, position)
                - sum(taken.get(position, {}).values(), zero)
                - sum(discounts.get(position, {}).values(), zero)
                for position in source.positions
            ),
            zero,
        )
        for source in one.sources
    ]
