"""Hour caps: which seconds fit, and where the rest goes. Implements billing-domain section 3, step 7.

Caps are applied one after the other, narrow before wide; each fills its windows in work-time order, so arrival order
cannot change a bill. A cap that cuts an entry meets its worked seconds first and its rounding delta last (BD-34).
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from billing.contract import Contract, HourCap
from billing.entries import day_start, rank_of, work_order
from billing.portions import Placed, Portion, SetPrice, cut, placed_as, portion_order
from billing.terms import AppliedCap
from billing.windows import prorated_limit, window_dates, window_key
from schemas.clauses import CapBasis, Overflow, WeekAtMonthEnd
from schemas.draft import Bucket

_KEYS_KEPT = 4096

WindowId = tuple[str, str, str]
"""Cap id, pool key, window key."""


@dataclass(slots=True, eq=False)
class WindowState:
    """How full a window is, for explanations: what it pays for, its limit, and what did not fit."""

    used_seconds: int = 0
    limit_seconds: int = 0
    over_seconds: int = 0


class Allocated(NamedTuple):
    """What is billed, what is not, and the windows that were touched."""

    live: list[Portion]
    placed: list[Placed]
    windows: dict[WindowId, WindowState]


class _Pass(NamedTuple):
    """One cap on its way through all portions; the lists and mappings are filled.

    `known` has the windows by pool and counted date, where nothing but the date decides.
    """

    contract: Contract
    cap: HourCap
    until: date
    kept: list[Portion]
    placed: list[Placed]
    windows: dict[WindowId, WindowState]
    known: dict[tuple[str, date], WindowState]


Windows = dict[WindowId, WindowState]


def allocate(contract: Contract, live: list[Portion], until: date, windows: Windows | None = None) -> Allocated:
    """Apply all hour caps to portions in work order.

    `until` is the end of the period: the free capacity of a window that ends later is not known yet. `windows` are
    those that earlier work met, if it was allocated before: they are filled further.
    """
    placed: list[Placed] = []
    windows = {} if windows is None else windows
    for cap in contract.caps:
        one = _Pass(contract, cap, until, [], placed, windows, {})
        _fill(one, live)
        live = one.kept
    return Allocated(live, placed, windows)


def _fill(one: _Pass, live: Iterable[Portion]) -> None:
    """Let the cap's windows pay for portions in work order."""
    cap, kept, known = one.cap, one.kept, one.known
    waiting: dict[str, deque[Portion]] = {}
    counts_worked = cap.basis is CapBasis.WORKED
    is_whole = cap.at_month_end is WeekAtMonthEnd.WHOLE_WEEK
    cap_id, reason = cap.id, f"cap:{cap.id}"
    for portion in live:
        _, _, terms, _, counted_day, _, worked_seconds, delta_seconds, _ = portion
        applied = terms.caps.get(cap_id)
        if applied is None:
            kept.append(portion)
            continue
        state = known.get((applied.pool_key, counted_day))
        if state is None:
            state = _window_for(one, applied.pool_key, portion)
        limit = applied.limit_seconds if is_whole else limit_of(one.contract, applied, counted_day)
        state.limit_seconds = limit
        size = worked_seconds if counts_worked else worked_seconds + delta_seconds
        room = limit - state.used_seconds
        if size <= room or size == 0:
            kept.append(portion)
            state.used_seconds += size
            continue
        rest = portion
        if room > 0:
            inside, rest = _cut_at(cap, portion, room)
            inside_seconds = _size(cap, inside)
            state.used_seconds += inside_seconds
            size -= inside_seconds
            kept.append(inside)
        state.over_seconds += size
        if not _overflow(one, applied, reason, rest):
            waiting.setdefault(applied.pool_key, deque()).append(rest)
    for pool_key in sorted(waiting):
        _carry(one, pool_key, waiting[pool_key])
    if waiting:
        kept.sort(key=portion_order)


def _window_for(one: _Pass, pool_key: str, portion: Portion) -> WindowState:
    """The window that pays for a portion."""
    cap, day = one.cap, portion.counted_day
    window = (cap.id, pool_key, _key_on(cap, day) if cap.is_of_a_date else key_of(cap, portion))
    state = one.windows.get(window)
    if state is None:
        state = one.windows[window] = WindowState()
    if cap.is_of_a_date:
        one.known[pool_key, day] = state
    return state


def key_of(cap: HourCap, portion: Portion) -> str:
    """The window of a cap that pays for a portion."""
    if cap.is_of_a_date:
        return _key_on(cap, portion.counted_day)
    entry = portion.entry
    return window_key(cap.window, cap.at_month_end, portion.counted_day, entry.entry_id, entry.project_id, entry.task)


@lru_cache(maxsize=_KEYS_KEPT)
def _key_on(cap: HourCap, day: date) -> str:
    """The window of a cap whose windows only depend on the date."""
    return window_key(cap.window, cap.at_month_end, day, "", "", "")


def limit_of(contract: Contract, applied: AppliedCap, day: date) -> int:
    """The limit of the window that holds a date, in seconds."""
    if applied.cap.at_month_end is WeekAtMonthEnd.PRORATE_BY_WORKDAY:
        return prorated_limit(contract, applied.limit_seconds, day)
    return applied.limit_seconds


def _size(cap: HourCap, portion: Portion) -> int:
    if cap.basis is CapBasis.WORKED:
        return portion.worked_seconds
    return portion.worked_seconds + portion.delta_seconds


def _cut_at(cap: HourCap, portion: Portion, room_seconds: int) -> tuple[Portion, Portion]:
    worked_inside = min(room_seconds, portion.worked_seconds)
    if cap.basis is CapBasis.WORKED:
        # The delta leaves with the end; what it takes away beyond the seconds of the end, it takes before them.
        delta_inside = min(0, portion.worked_seconds - worked_inside + portion.delta_seconds)
    else:
        delta_inside = room_seconds - worked_inside
    return cut(portion, worked_inside, delta_inside)


# What is usual is asked first, and without a look at the enums.
_WRITE_DOWN: Final = Overflow.WRITE_DOWN
_WRITTEN_DOWN: Final = Bucket.WRITTEN_DOWN


def _overflow(one: _Pass, applied: AppliedCap, reason: str, rest: Portion) -> bool:
    """Send what did not fit where the contract says; False when it waits for a later window."""
    overflow = applied.overflow
    if overflow is _WRITE_DOWN:
        one.placed.append(placed_as(rest, _WRITTEN_DOWN, reason))
        return True
    match overflow:
        case Overflow.HOLD_FOR_APPROVAL if reason in rest.entry.released:
            one.kept.append(rest)
        case Overflow.HOLD_FOR_APPROVAL:
            one.placed.append(placed_as(rest, Bucket.HELD, reason))
        case Overflow.OVERAGE_RATE:
            one.kept.append(rest if rest.price is not None else rest.at(_overage(one, applied)))
        case Overflow.CARRY_FORWARD:
            return False
    return True


def _overage(one: _Pass, applied: AppliedCap) -> SetPrice:
    """The price of an hour above a cap."""
    rate = applied.row.overage_rate
    assert rate is not None, "validated with the contract"
    origin = f"overage rate of cap {applied.cap.id}: {rate:f} {one.contract.currency}"
    return SetPrice(rate, f"above cap {applied.cap.name}", origin)


def _carry(one: _Pass, pool_key: str, waiting: deque[Portion]) -> None:
    """Fill the free capacity of later windows with carried time, oldest first, after the windows' own work (BD-25).

    What a window has free is known when it has ended, so time carried into it counts on its last day, or on the last
    day of the contract where that ends within the window. A window in which the cap is not valid has nothing free.
    """
    cap, stop = one.cap, one.contract.document.date_to
    day = min([window_dates(cap, portion.counted_day)[1] for portion in waiting])
    while waiting:
        first, end = window_dates(cap, day)
        own_end = end if stop is None else min(end, stop)
        last = own_end - timedelta(days=1)
        row = cap.row_on(last)
        if own_end > one.until or own_end <= first:
            break
        day = end
        if row is None:
            continue
        applied = AppliedCap(cap, row, pool_key, int(row.hours * 3600), row.overflow)
        limit_seconds = limit_of(one.contract, applied, last)
        window = (cap.id, pool_key, window_key(cap.window, cap.at_month_end, last, "", "", ""))
        state = one.windows.setdefault(window, WindowState())
        state.limit_seconds = limit_seconds
        # Work that counts first, as in time before late, may be younger than what waits behind it.
        younger: list[Portion] = []
        while waiting and state.used_seconds < limit_seconds:
            portion = waiting.popleft()
            if window_dates(cap, portion.counted_day)[1] > first:
                younger.append(portion)
                continue
            room = limit_seconds - state.used_seconds
            if _size(cap, portion) > room:
                portion, rest = _cut_at(cap, portion, room)
                waiting.appendleft(rest)
            state.used_seconds += _size(cap, portion)
            one.kept.append(_counted_on(one.contract, portion, last))
        waiting.extendleft(reversed(younger))
    one.placed.extend(placed_as(portion, Bucket.CARRIED, f"cap:{cap.id}") for portion in waiting)


def _counted_on(contract: Contract, portion: Portion, last: date) -> Portion:
    """The portion as it counts in a later window: behind all own work of its last day, in the order of the work."""
    entry = portion.entry
    midnight = day_start(last + timedelta(days=1), contract.zone)
    started = int(work_order(entry, contract.zone)[1].timestamp())
    order = (
        rank_of(entry),
        midnight,
        started - _BEFORE_OWN_WORK,
        entry.source,
        entry.source_entry_id,
        entry.entry_id,
    )
    return portion._replace(counted_day=last, order=order)


# Work of the next day has 0 at the same instant; carried time sorts before it, whatever its second is.
_BEFORE_OWN_WORK = 10**12
