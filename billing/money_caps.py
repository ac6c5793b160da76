"""Amount caps: what may be charged in a window, the latest work loses first (billing-domain step 11; BD-27, BD-28).

They act on money only: seconds stay billed, the charge is reduced with the cap as its reason. Agreed fees that a cap
counts take their room before everything else and are never reduced. A limit that includes tax pays for each amount
with its tax.
"""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from math import lcm
from typing import NamedTuple

from billing.contract import Contract, MoneyCap
from billing.money_items import ItemKind, Money, MoneyItem
from billing.windows import window_key
from schemas.clauses import CapWindow, WeekAtMonthEnd


class CapRoom(NamedTuple):
    """A window of an amount cap, and the positions of the items it counts, in work order; amounts are grains.

    `free` is what is left of the `limit` when everything it counts was paid for. `paying` is the limit of the last item
    that it paid for, if there is one: where it is lowered within its window, work from before stays. `passed` is what
    agreed fees alone are above the limit that the last of them met.
    """

    cap_id: str
    window: str
    limit: int
    paying: int
    free: Fraction
    passed: Fraction
    includes_tax: bool
    positions: tuple[int, ...]


class Capped(NamedTuple):
    """Grains that each cap took of each item, the windows with what they count, and what is left of each item."""

    taken: dict[str, list[int]]
    rooms: list[CapRoom]
    left: list[int]


def cap_amounts(contract: Contract, money: Money, amounts: Sequence[int]) -> Capped:
    """Apply amount caps, narrow before wide, to what discounts left of the items, in work order."""
    items = money.items
    capped = Capped({}, [], list(amounts))
    if not contract.money_caps:
        return capped
    keys = [(item.subject.kind is not ItemKind.AGREED, item.order, item.offset) for item in items]
    order = sorted(range(len(items)), key=keys.__getitem__)
    for cap in contract.money_caps:
        windows: dict[str, list[int]] = {}
        known: dict[tuple[date, str, str, str], str] = {}
        for position in order:
            item = items[position]
            subject = item.subject
            if cap.id in subject.caps:
                entry_id = item.entry_id if cap.window is CapWindow.ENTRY else ""
                about = (item.counted_day, subject.project_id, subject.task, entry_id)
                key = known.get(about)
                if key is None:
                    key = known[about] = _key(cap, *about)
                windows.setdefault(key, []).append(position)
        for window, positions in sorted(windows.items()):
            capped.rooms.append(_reduce(contract, cap, window, positions, money, capped))
    return capped


def _key(cap: MoneyCap, day: date, project_id: str, task: str, entry_id: str) -> str:
    return window_key(cap.window, WeekAtMonthEnd.WHOLE_WEEK, day, entry_id, project_id, task)


def _reduce(
    contract: Contract, cap: MoneyCap, window: str, positions: list[int], money: Money, capped: Capped
) -> CapRoom:
    """Fill one window in work order; what does not fit is taken off."""
    left, items = capped.left, money.items
    includes_tax = cap.rows[0].includes_tax is True
    taxes = taxes_of(money, positions) if includes_tax else {}
    whole = lcm(*{tax.denominator for tax in taxes.values()})
    per_unit = money.grains_per_unit * 10**contract.places
    limits = {row: int(Fraction(row.amount) * per_unit) for row in cap.rows}
    used = limit = passed = 0
    paying: int | None = None
    for position in positions:
        item = items[position]
        row = cap.rows[0] if len(cap.rows) == 1 else cap.row_on(item.work_day)
        assert row is not None, "an item names only caps that are valid on its date"
        limit = limits[row]
        # One grain costs `price` of the limit's smallest parts, tax included.
        price = int(whole * (1 + taxes[position])) if includes_tax else whole
        allowed = left[position]
        is_agreed = item.subject.kind is ItemKind.AGREED
        if used + allowed * price > limit * whole and not is_agreed:
            allowed = min(allowed, max(limit * whole - used, 0) // price)
            if allowed < left[position]:
                taken = capped.taken.setdefault(cap.id, [0] * len(items))
                taken[position] = left[position] - allowed
                left[position] = allowed
        used += allowed * price
        paying = limit if allowed > 0 else paying
        passed = max(used - limit * whole, 0) if is_agreed and allowed else passed
    free = limit - Fraction(used, whole)
    paying = limit if paying is None else paying
    return CapRoom(cap.id, window, limit, paying, free, Fraction(passed, whole), includes_tax, tuple(positions))


def taxes_of(money: Money, positions: Sequence[int]) -> dict[int, Fraction]:
    """The tax of each position; looked up once for what is alike."""
    known: dict[tuple[int, int | None, date | None], Fraction] = {}
    found: dict[int, Fraction] = {}
    for position in positions:
        item: MoneyItem = money.items[position]
        key = (id(item.subject), item.line, item.counted_day if item.line is None else None)
        tax = known.get(key)
        if tax is None:
            tax = known[key] = money.tax_of(item)
        found[position] = tax
    return found
