"""Amount caps: what may be charged in a window, the latest work loses first (billing-domain step 11; BD-27, BD-28).

They act on money only: seconds stay billed, the charge is reduced with the cap as its reason.
"""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from billing.contract import MoneyCap
from billing.entries import OrderKey
from billing.windows import window_key
from schemas.clauses import WeekAtMonthEnd


class MoneyItem(NamedTuple):
    """An exact amount that amount caps may reduce; `caps` are the ids of those that count it."""

    order: tuple[OrderKey, int]
    day: date
    project_id: str
    amount: Fraction
    caps: frozenset[str]


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
    positions: tuple[int, ...]


class Capped(NamedTuple):
    """All reductions, the windows with what they count, and what is left of each item."""

    reductions: list[Reduction]
    rooms: list[CapRoom]
    left: list[Fraction]


def cap_amounts(caps: Sequence[MoneyCap], items: Sequence[MoneyItem]) -> Capped:
    """Apply amount caps, narrow before wide, to items in work order."""
    left = [item.amount for item in items]
    order = sorted(range(len(items)), key=lambda position: (items[position].order, position))
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
    return window_key(cap.window, WeekAtMonthEnd.WHOLE_WEEK, item.day, "", item.project_id, "")


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
    for position in positions:
        row = cap.row_on(items[position].day)
        assert row is not None, "an item names only caps that are valid on its date"
        limit = Fraction(row.amount)
        allowed = min(left[position], max(limit - used, Fraction(0)))
        if allowed < left[position]:
            reductions.append(Reduction(cap.id, position, left[position] - allowed))
            left[position] = allowed
        used += allowed
    return CapRoom(cap.id, window, limit, tuple(positions))
