"""Steps 11 and 14: amount caps on exact amounts, then one rounding for each line, and its spread (BD-09, BD-27)."""

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction

from schemas.clauses import AmountCap
from tests.second.caps import NARROW_FIRST, window_of
from tests.second.case import Case, Source
from tests.second.exact import fraction, shares, units_of, whole
from tests.second.lines import Charge, Line
from tests.second.rates import meets


@dataclass
class Rounded:
    """A line in smallest units; `adjustment` is what discounts and amount caps took."""

    line: Line
    units: int
    adjustment: int
    tax: int


def counts(cap: AmountCap, charge: Charge) -> bool:
    """Whether an amount cap counts a charge."""
    one, entry = charge.one, charge.one.entry
    if charge.kind != "fee" and not cap.counts.expenses:
        return False
    if charge.kind == "fee" and not cap.counts.time:
        return False
    chosen: tuple[tuple[str, ...], ...] = (cap.projects, cap.people)
    own: tuple[str, ...] = (entry.project_id, entry.person_id)
    if charge.kind == "fee":
        chosen += (cap.roles, cap.service_items, cap.tasks)
        own += (one.role, entry.service_item, entry.task)
    else:
        chosen, own = chosen[:1], own[:1]
    return cap.covers(one.day) and meets(chosen, own)


def apply_amount_caps(case: Case, charges: list[Charge]) -> None:
    """Narrow before wide; within a window the latest work loses first."""
    ids = list(dict.fromkeys(cap.id for cap in case.contract.amount_caps))
    rows = {cap_id: [cap for cap in case.contract.amount_caps if cap.id == cap_id] for cap_id in ids}
    for cap_id in sorted(ids, key=lambda one: (NARROW_FIRST.index(rows[one][0].window), ids.index(one))):
        windows: dict[object, list[tuple[Charge, AmountCap]]] = defaultdict(list)
        for charge in charges:
            cap = next((row for row in rows[cap_id] if counts(row, charge)), None)
            window = None if cap is None else window_of(cap, charge.one, charge.one.counted)
            if cap is not None and window is not None:
                windows[window].append((charge, cap))
        for members in windows.values():
            take_latest(members)


def take_latest(members: list[tuple[Charge, AmountCap]]) -> None:
    """Take what is above the limit from the latest work; an amount never becomes negative by it."""
    over = sum(charge.amount for charge, _ in members) - fraction(members[0][1].amount)
    for charge, _ in sorted(members, key=lambda pair: (pair[0].one.order, pair[0].one.first), reverse=True):
        taken = min(max(over, Fraction(0)), max(charge.amount, Fraction(0)))
        charge.amount -= taken
        over -= taken


def round_line(case: Case, line: Line) -> Rounded:
    """One rounding for the line (BD-09); the adjustment is what is missing to the rounded gross amount (BD-28)."""
    mode, currency = case.contract.rounding.money_rounding, case.contract.currency
    gross = whole(units_of(sum((charge.gross for charge in line.charges), Fraction(0)), currency), mode)
    units = whole(units_of(sum((charge.amount for charge in line.charges), Fraction(0)), currency), mode)
    return Rounded(line, units, units - gross, line.charges[0].tax)


@dataclass
class Part:
    """What one entry has of a rounded line."""

    charges: list[Charge]
    units: int

    @property
    def fact(self) -> Source:
        """The part in comparable form."""
        worked, delta = sum(one.one.worked for one in self.charges), sum(one.one.delta for one in self.charges)
        return (self.charges[0].one.entry.entry_id, worked, delta, self.units)


def parts_of(line: Line, units: int) -> list[Part]:
    """The line's amount spread over its prices, and each part over its entries, by largest remainder."""
    groups: dict[object, list[Charge]] = defaultdict(list)
    for charge in line.charges:
        groups[charge.inner].append(charge)
    weights = [sum((charge.amount for charge in members), Fraction(0)) for members in groups.values()]
    found: list[Part] = []
    for part, members in zip(shares(units, weights), groups.values(), strict=True):
        entries: dict[object, list[Charge]] = defaultdict(list)
        for charge in members:
            entries[charge.one.entry.entry_id, charge.one.day, charge.one.counted].append(charge)
        amounts = [sum((charge.amount for charge in own), Fraction(0)) for own in entries.values()]
        for own, own_units in zip(entries.values(), shares(part, amounts), strict=True):
            found.append(Part(own, own_units))
    return found


def keep_limits(case: Case, charges: list[Charge], parts: list[Part]) -> None:
    """Where rounding lifts what an amount cap counts above its limit, the surplus leaves the latest work."""
    for cap in case.contract.amount_caps:
        shown = [part for part in parts if counts(cap, part.charges[0])]
        windows = [window_of(cap, part.charges[0].one, part.charges[0].one.counted) for part in shown]
        for window in dict.fromkeys(window for window in windows if window is not None):
            own = [part for part, of_it in zip(shown, windows, strict=True) if of_it == window]
            earlier = [one for one in charges if counts(cap, one) and one.one.counted not in case.period]
            before = [one.amount for one in earlier if window_of(cap, one.one, one.one.counted) == window]
            limit = units_of(fraction(cap.amount) - sum(before, Fraction(0)), case.contract.currency)
            over = -((limit - sum(part.units for part in own)).__floor__())
            for part in sorted(
                own, key=lambda part: (part.charges[0].one.order, part.charges[0].one.first), reverse=True
            ):
                taken = min(max(over, 0), max(part.units, 0))
                part.units -= taken
                over -= taken
