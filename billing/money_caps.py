"""Amount caps: what may be charged in a window, the latest work loses first (billing-domain step 11; BD-27, BD-28).

They act on money only: seconds stay billed, the charge is reduced with the cap as its reason. Agreed fees that a cap
counts take their room before everything else and are never reduced. A limit that includes tax pays for each amount
with its tax.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from billing.contract import MoneyCap
from billing.money_items import ItemKind, MoneyItem
from billing.windows import window_key
from schemas.clauses import WeekAtMonthEnd


class Reduction(NamedTuple):
    """What one cap took from one item, named by its position."""

    cap_id: str
    position: int
    amount: Fraction


class CapRoom(NamedTuple):
    """A window of an amount cap: its limit and the positions of the items it counts, in work order."""

    cap_id: str
    window: str
    limit: Fraction
    includes_tax: bool
    positions: tuple[int, ...]


class Capped(NamedTuple):
    """All reductions, the windows with what they count, and what is left of each item."""

    reductions: list[Reduction]
    rooms: list[CapRoom]
    left: list[Fraction]


def cap_amounts(caps: Sequence[MoneyCap], items: Sequence[MoneyItem], amounts: Sequence[Fraction]) -> Capped:
    """Apply amount caps, narrow before wide, to what discounts left of the items, in work order."""
    left = list(amounts)
    order = sorted(range(len(items)), key=lambda one: (items[one].kind is not ItemKind.AGREED, items[one].order, one))
    reductions: list[Reduction] = []
    rooms: list[CapRoom] = []
    for cap in caps:
        windows: dict[str, list[int]] = {}
        for position in order:
            if cap.id in items[position].caps:
                windows.setdefault(_key(cap, items[position]), []).append(position)
        for window, positions in sorted(windows.items()):
            rooms.append(_reduce(cap, window, positions, items, left, reductions))
    return Capped(reductions, rooms, left)


def _key(cap: MoneyCap, item: MoneyItem) -> str:
    at_month_end = WeekAtMonthEnd.WHOLE_WEEK
    return window_key(cap.window, at_month_end, item.counted_day, item.entry_id, item.project_id, item.task)


def _reduce(
    cap: MoneyCap,
    window: str,
    positions: list[int],
    items: Sequence[MoneyItem],
    left: list[Fraction],
    reductions: list[Reduction],
) -> CapRoom:
    """Fill one window in work order; what does not fit is taken off."""
    used = limit = Fraction(0)
    includes_tax = cap.rows[0].includes_tax is True
    for position in positions:
        item = items[position]
        row = cap.row_on(item.work_day) or cap.row_on(item.counted_day)
        assert row is not None, "an item names only caps that are valid on its date"
        limit = Fraction(row.amount)
        with_tax = 1 + item.tax if includes_tax else Fraction(1)
        allowed = left[position]
        if item.kind is not ItemKind.AGREED:
            allowed = min(allowed, max(limit - used, Fraction(0)) / with_tax)
        if allowed < left[position]:
            reductions.append(Reduction(cap.id, position, left[position] - allowed))
            left[position] = allowed
        used += allowed * with_tax
    return CapRoom(cap.id, window, limit, includes_tax, tuple(positions))
