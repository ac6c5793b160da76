"""Steps 11 and 14: amount caps on exact amounts, then one rounding for each line, and its spread (BD-09, BD-27)."""

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction

from schemas.clauses import AmountCap, CapWindow, TaxedKind, TaxRounding
from tests.second.caps import NARROW_FIRST, calendar_window, window_of
from tests.second.case import Case, Source
from tests.second.exact import fraction, shares, units_of, whole
from tests.second.fees import Fee
from tests.second.lines import Charge, Line
from tests.second.rates import meets
from tests.second.taxes import fee_tax_index, percent_of


@dataclass
class Rounded:
    """A line in smallest units; `adjustment` is what discounts and amount caps took inside of it."""

    line: Line
    units: int
    adjustment: int
    tax: int

    @property
    def net(self) -> int:
        """What is left when discounts on lines of their own are taken off too."""
        return self.units - sum(self.line.apart.values())


@dataclass
class Room:
    """A window of an amount cap: what of the limit agreed fees take, and its charges in work-time order."""

    agreed: Fraction = Fraction(0)
    charges: list[tuple[Charge, AmountCap]] = field(default_factory=list)


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
    return cap.covers(one.day) and meets(chosen, own)


def counts_fee(cap: AmountCap, fee: Fee) -> bool:
    """Whether an amount cap counts an agreed fee."""
    project = not cap.projects or fee.project in cap.projects
    return cap.counts.agreed_fees and fee.kind != "deposit" and project and cap.covers(fee.day)


def window_of_fee(cap: AmountCap, fee: Fee) -> object:
    """The window in which an agreed fee takes room, or None when the cap does not look at its day."""
    match cap.window:
        case CapWindow.ENTRY:
            return ("fee", id(fee))
        case CapWindow.TASK:
            return (fee.project, "")
        case CapWindow.PROJECT:
            return (fee.project,)
        case CapWindow.CONTRACT:
            return ()
        case CapWindow.DATES:
            assert cap.window_from is not None
            assert cap.window_to is not None
            return () if cap.window_from <= fee.day < cap.window_to else None
        case CapWindow.DAY | CapWindow.WEEK | CapWindow.MONTH:
            return calendar_window(cap, fee.day)


def taxed(case: Case, cap: AmountCap, tax: int) -> Fraction:
    """What an amount of one costs where the limit includes its tax."""
    return 1 + percent_of(case, tax) if cap.includes_tax else Fraction(1)


def taxed_fee(case: Case, cap: AmountCap, fee: Fee) -> Fraction:
    """The same for an agreed fee."""
    return taxed(case, cap, fee_tax_index(case, TaxedKind.FEE, fee.service_item, fee.project, fee.day))


def rooms_of(case: Case, rows: list[AmountCap], charges: list[Charge], fees: list[Fee]) -> dict[object, Room]:
    """The windows of a cap; agreed fees take their room before everything else."""
    found: dict[object, Room] = defaultdict(Room)
    for fee in sorted(fees, key=lambda fee: fee.day):
        cap = next((row for row in rows if counts_fee(row, fee)), None)
        window = None if cap is None else window_of_fee(cap, fee)
        if cap is not None and window is not None:
            found[window].agreed += fee.left * taxed_fee(case, cap, fee)
    for charge in sorted(charges, key=lambda charge: (charge.one.order, charge.one.first)):
        cap = next((row for row in rows if counts(row, charge)), None)
        is_phase = rows[0].window is CapWindow.DATES
        at = None if cap is None else window_of(cap, charge.one, charge.one.day if is_phase else charge.one.counted)
        if cap is not None and at is not None:
            found[at].charges.append((charge, cap))
    return found


def in_turn(case: Case) -> list[list[AmountCap]]:
    """The rows of each cap, narrow before wide, then those with more conditions first."""
    ids = list(dict.fromkeys(cap.id for cap in case.contract.amount_caps))
    rows = {cap_id: [cap for cap in case.contract.amount_caps if cap.id == cap_id] for cap_id in ids}
    return [rows[one] for one in sorted(ids, key=lambda one: (NARROW_FIRST.index(rows[one][0].window), one))]


def apply_amount_caps(case: Case, charges: list[Charge], fees: list[Fee]) -> None:
    """Fill each window in work-time order, so the latest work loses first; an amount never becomes negative by it."""
    unit = units_of(Fraction(1), case.contract.currency)
    for rows in in_turn(case):
        for room in rooms_of(case, rows, charges, fees).values():
            used = room.agreed
            for charge, cap in room.charges:
                limit, price = units_of(fraction(cap.amount), case.contract.currency), taxed(case, cap, charge.tax)
                allowed = max(limit - used, Fraction(0)) / price / unit
                if used + charge.amount * unit * price > limit and allowed < charge.amount:
                    charge.amount, charge.capped = allowed, True
                used += charge.amount * unit * price


def round_line(case: Case, line: Line) -> Rounded:
    """One rounding for the line (BD-09); the adjustment is what is missing to the rounded gross amount (BD-28).

    Discounts take whole units of what the line shows; only what a limit cuts is rounded again.
    """
    mode, currency = case.contract.rounding.money_rounding, case.contract.currency
    gross = whole(units_of(sum((charge.gross for charge in line.charges), Fraction(0)), currency), mode)
    left = sum((charge.amount + charge.apart for charge in line.charges), Fraction(0))
    inside = sum((charge.taken - units_of(charge.apart, currency) for charge in line.charges), Fraction(0))
    is_capped = any(charge.capped for charge in line.charges)
    units = whole(units_of(left, currency), mode) if is_capped else gross - whole(inside)
    return Rounded(line, units, units - gross, line.charges[0].tax)


@dataclass
class Part:
    """What one entry has of a rounded line."""

    charges: list[Charge]
    units: int
    line: Line

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
    weights = [shown_of(members) for members in groups.values()]
    found: list[Part] = []
    for part, members in zip(shares(units, weights), groups.values(), strict=True):
        entries: dict[object, list[Charge]] = defaultdict(list)
        for charge in members:
            entries[charge.one.entry.entry_id, charge.one.day, charge.one.counted].append(charge)
        amounts = [shown_of(own) for own in entries.values()]
        for own, own_units in zip(entries.values(), shares(part, amounts), strict=True):
            found.append(Part(own, own_units, line))
    return found


def shown_of(charges: list[Charge]) -> Fraction:
    """What is left of charges on their own line."""
    return sum((charge.amount + charge.apart for charge in charges), Fraction(0))


def keep_limits(case: Case, charges: list[Charge], fees: list[Fee], parts: list[Part]) -> None:
    """Where rounding lifts what an amount cap counts above its limit, the surplus leaves the latest work."""
    unit = units_of(Fraction(1), case.contract.currency)
    for rows in in_turn(case):
        for room in rooms_of(case, rows, charges, fees).values():
            mine = {id(charge): cap for charge, cap in room.charges}
            own = [part for part in parts if id(part.charges[0]) in mine]
            shown = {id(charge) for part in own for charge in part.charges}
            before = room.agreed
            apart = Fraction(0)
            for charge, cap in room.charges:
                if id(charge) in shown:
                    apart += charge.apart * unit * taxed(case, cap, charge.tax)
                else:
                    before += charge.amount * unit * taxed(case, cap, charge.tax)
            own.sort(key=lambda part: (part.charges[0].one.order, part.charges[0].one.first), reverse=True)
            # Work from before a limit was lowered stays, under that of the last work that was paid.
            paid = [(charge.amount * unit * taxed(case, cap, charge.tax), cap) for charge, cap in room.charges]
            caps = [cap for amount, cap in paid if amount > 0] or [cap for _, cap in paid]
            limit = units_of(fraction(caps[-1].amount), case.contract.currency) if caps else Fraction(0)
            remove_surplus(case, rows[0], own, max(limit - before, Fraction(0)) + apart)


def remove_surplus(case: Case, cap: AmountCap, latest_first: list[Part], allowed: Fraction) -> None:
    """Take as few units as needed from the latest work, so that all of it, with its rounded tax, is allowed."""
    for part in latest_first:
        while part.units > 0 and with_tax(case, cap, latest_first) > allowed:
            part.units -= 1


def with_tax(case: Case, cap: AmountCap, parts: list[Part]) -> Fraction:
    """The parts in units, with the tax that will be shown for them where the limit includes it."""
    total = Fraction(sum(part.units for part in parts))
    if not cap.includes_tax:
        return total
    by_line = case.contract.tax_rounding is TaxRounding.LINE
    bases: dict[object, tuple[Fraction, int]] = {}
    for part in parts:
        percent = percent_of(case, part.charges[0].tax)
        key = (percent, id(part.line) if by_line else 0)
        bases[key] = (percent, bases.get(key, (percent, 0))[1] + part.units)
    mode = case.contract.rounding.money_rounding
    return total + sum(whole(units * percent, mode) for percent, units in bases.values())
