"""Steps 11 and 14: amount caps on exact amounts, one rounding per line, residuals spread down to the sources.

BD-09, BD-27, BD-28, BD-52. Parts are named by their position: fee parts first, then cost and mark-up of each expense.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from billing.contract import Contract, MoneyCap
from billing.entries import BillingEntry, OrderKey
from billing.exact import spread_units, units_of
from billing.expenses import ExpensePart
from billing.lines import OpenCharge, OpenLine, expense_amounts
from billing.money_caps import Capped, CapRoom, MoneyItem, cap_amounts
from billing.rating import RatedPart
from schemas.period import Period


@dataclass(slots=True)
class OpenSource:
    """An entry's share of a charge while residuals are spread."""

    order: tuple[OrderKey, int]
    entry: BillingEntry
    day: date
    counted_day: date
    positions: list[int]
    worked_seconds: int
    delta_seconds: int
    units: int = 0


@dataclass(slots=True)
class SettledCharge:
    """A charge with its whole units, its sources, and what amount caps took from it, by cap."""

    charge: OpenCharge
    units: int
    sources: list[OpenSource]
    taken: dict[str, Fraction]


@dataclass(slots=True)
class SettledLine:
    """A line with its whole units after caps."""

    line: OpenLine
    units: int
    charges: list[SettledCharge]


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """All priced parts of a request, addressed by one range of positions."""

    contract: Contract
    period: Period
    fees: Sequence[RatedPart]
    expenses: Sequence[ExpensePart]

    def source(self, position: int) -> OpenSource:
        """A fresh source for a position."""
        if position < len(self.fees):
            portion = self.fees[position].portion
            return OpenSource(
                (portion.order, portion.offset_seconds),
                portion.entry,
                portion.day,
                portion.counted_day,
                [position],
                portion.worked_seconds,
                portion.delta_seconds,
            )
        part = self.expenses[(position - len(self.fees)) // 2]
        return OpenSource((part.order, position), part.entry, part.day, part.day, [position], 0, 0)


def settle(parts: Parts, lines: Sequence[OpenLine]) -> list[SettledLine]:
    """Apply amount caps, round every line once, and spread its units to charges and sources."""
    contract = parts.contract
    if not contract.money_caps:
        return [_settled(parts, line, {}) for line in lines]
    items = _items(parts, lines)
    capped = cap_amounts(contract.money_caps, items)
    taken: dict[int, dict[str, Fraction]] = {}
    for reduction in capped.reductions:
        of_item = taken.setdefault(reduction.position, {})
        of_item[reduction.cap_id] = of_item.get(reduction.cap_id, Fraction(0)) + reduction.amount
    settled = [_settled(parts, line, taken) for line in lines]
    _keep_below(parts, settled, items, capped)
    return settled


def _settled(parts: Parts, line: OpenLine, taken: Mapping[int, Mapping[str, Fraction]]) -> SettledLine:
    charges = [SettledCharge(one, 0, _sources(parts, one), _taken(one, taken)) for one in line.charges.values()]
    nets = [one.charge.gross - sum(one.taken.values(), Fraction(0)) for one in charges]
    rounding = parts.contract.document.rounding.money_rounding
    units = units_of(sum(nets, Fraction(0)), parts.contract.places, rounding)
    for one, share in zip(charges, spread_units(units, nets), strict=True):
        one.units = share
        for source, source_units in zip(one.sources, spread_units(share, _weights(parts, one, taken)), strict=True):
            source.units = source_units
    return SettledLine(line, units, charges)


def _sources(parts: Parts, charge: OpenCharge) -> list[OpenSource]:
    """One source per entry, work date and counted date, in work order."""
    found: dict[tuple[str, date, date], OpenSource] = {}
    for position in charge.positions:
        fresh = parts.source(position)
        key = (fresh.entry.entry_id, fresh.day, fresh.counted_day)
        known = found.get(key)
        if known is None:
            found[key] = fresh
        else:
            known.positions.append(position)
            known.worked_seconds += fresh.worked_seconds
            known.delta_seconds += fresh.delta_seconds
    return list(found.values())


def _taken(charge: OpenCharge, taken: Mapping[int, Mapping[str, Fraction]]) -> dict[str, Fraction]:
    total: dict[str, Fraction] = {}
    if taken:
        for position in charge.positions:
            for cap_id, amount in taken.get(position, {}).items():
                total[cap_id] = total.get(cap_id, Fraction(0)) + amount
    return total


def _weights(
    parts: Parts, one: SettledCharge, taken: Mapping[int, Mapping[str, Fraction]]
) -> list[int] | list[Fraction]:
    if one.charge.seconds and not one.taken:
        # The parts of a charge have one price, so their seconds are their shares.
        return [source.worked_seconds + source.delta_seconds for source in one.sources]
    return [
        sum(
            (
                _amount(parts, one.charge, position) - sum(taken.get(position, {}).values(), Fraction(0))
                for position in source.positions
            ),
            Fraction(0),
        )
        for source in one.sources
    ]


def _amount(parts: Parts, charge: OpenCharge, position: int) -> Fraction:
    """The exact amount of one part before caps."""
    if position >= len(parts.fees):
        number, is_markup = divmod(position - len(parts.fees), 2)
        return expense_amounts(parts.contract, parts.expenses[number])[is_markup]
    if not charge.seconds:
        return Fraction(0)
    return charge.gross * Fraction(parts.fees[position].portion.billable_seconds, charge.seconds)


def _items(parts: Parts, lines: Sequence[OpenLine]) -> list[MoneyItem]:
    """Every part as an amount for caps. Work before the period keeps its room, at its exact price."""
    charges = {position: charge for line in lines for charge in line.charges.values() for position in charge.positions}
    items: list[MoneyItem] = []
    for position, part in enumerate(parts.fees):
        portion = part.portion
        if position in charges:
            amount = _amount(parts, charges[position], position)
        else:
            amount = Fraction(part.unit_price) * Fraction(portion.billable_seconds, 3600)
        order = (portion.order, portion.offset_seconds)
        caps = frozenset(cap.id for cap in portion.terms.money_caps)
        items.append(MoneyItem(order, portion.counted_day, portion.entry.project_id, amount, caps))
    for expense in parts.expenses:
        counted = frozenset(cap.id for cap in parts.contract.money_caps if _counts(cap, expense))
        for amount in expense_amounts(parts.contract, expense):
            items.append(MoneyItem((expense.order, len(items)), expense.day, expense.entry.project_id, amount, counted))
    return items


def _counts(cap: MoneyCap, part: ExpensePart) -> bool:
    row = cap.row_on(part.day)
    if row is None or not cap.counts.expenses:
        return False
    return (
        (not row.projects or part.entry.project_id in row.projects)
        and (not row.people or part.entry.person_id in row.people)
        and (row.window_from is None or row.window_from <= part.day)
        and (row.window_to is None or part.day < row.window_to)
    )


def _keep_below(parts: Parts, settled: Sequence[SettledLine], items: Sequence[MoneyItem], capped: Capped) -> None:
    """Rounding may not lift what a cap counts above its limit: the surplus units leave the latest sources."""
    places = {
        position: (line, charge, source)
        for line in settled
        for charge in line.charges
        for source in charge.sources
        for position in source.positions
    }
    for room in capped.rooms:
        before = sum((capped.left[one] for one in room.positions if one not in places), Fraction(0))
        allowed_units = max(int((room.limit - before) * 10**parts.contract.places // 1), 0)
        _take_surplus(room, allowed_units, places)


def _take_surplus(
    room: CapRoom,
    allowed_units: int,
    places: Mapping[int, tuple[SettledLine, SettledCharge, OpenSource]],
) -> None:
    sources = {id(places[one][2]): places[one] for one in room.positions if one in places}
    surplus = sum(source.units for _, _, source in sources.values()) - allowed_units
    for line, charge, source in sorted(sources.values(), key=lambda place: place[2].order, reverse=True):
        if surplus <= 0:
            return
        units = min(surplus, max(source.units, 0))
        source.units -= units
        charge.units -= units
        line.units -= units
        surplus -= units
