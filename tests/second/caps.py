"""Step 7: hour caps, narrow before wide, each window filled in work-time order (BD-24 to BD-34)."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from schemas.clauses import Cap, CapBasis, CapPool, CapScope, CapWindow, Overflow, WeekAtMonthEnd
from schemas.period import Period, month_of, week_of
from tests.second.case import Case
from tests.second.exact import fraction, half_up
from tests.second.rates import meets
from tests.second.stretch import Stretch, cut, days_of, is_workday, midnight

NARROW_FIRST = list(CapWindow)
POOL_ORDER = [CapPool.PERSON, CapPool.ROLE, CapPool.ALL]


@dataclass
class Capped:
    """What the caps left, and what they took: each with bucket and reason."""

    live: list[Stretch]
    placed: list[tuple[Stretch, str, str]] = field(default_factory=list)


def in_scope(cap: CapScope, one: Stretch) -> bool:
    """Whether a cap speaks about this time."""
    entry = one.entry
    return cap.covers(one.day) and meets(
        (cap.roles, cap.people, cap.service_items, cap.projects, cap.tasks),
        (one.role, entry.person_id, entry.service_item, entry.project_id, entry.task),
    )


def window_of(cap: CapScope, one: Stretch, day: date) -> Period | tuple[str, ...] | None:
    """The span in which time counts, or None when the cap does not look at the date."""
    entry = one.entry
    match cap.window:
        case CapWindow.ENTRY:
            return (entry.entry_id,)
        case CapWindow.TASK:
            return (entry.project_id, entry.task)
        case CapWindow.PROJECT:
            return (entry.project_id,)
        case CapWindow.CONTRACT:
            return ()
        case CapWindow.DATES:
            assert cap.window_from is not None
            assert cap.window_to is not None
            return () if cap.window_from <= day < cap.window_to else None
        case CapWindow.DAY | CapWindow.WEEK | CapWindow.MONTH:
            return calendar_window(cap, day)


def calendar_window(cap: CapScope, day: date) -> Period:
    """A day, an ISO week (BD-32), a part of it in one month (BD-31), or a month."""
    if cap.window is CapWindow.DAY:
        return Period(start=day, end=day + timedelta(days=1))
    if cap.window is CapWindow.MONTH:
        return month_of(day)
    week = week_of(day)
    if not isinstance(cap, Cap) or cap.week_cap_at_month_end is WeekAtMonthEnd.WHOLE_WEEK:
        return week
    month = month_of(day)
    return Period(start=max(week.start, month.start), end=min(week.end, month.end))


def limit_of(case: Case, cap: Cap, window: Period | tuple[str, ...]) -> int:
    """The seconds of a window; a part of a week has its share of the workdays."""
    seconds = fraction(cap.hours) * 3600
    if cap.week_cap_at_month_end is WeekAtMonthEnd.PRORATE_BY_WORKDAY and isinstance(window, Period):
        whole, part = days_of(week_of(window.start)), days_of(window)
        workdays = [day for day in whole if is_workday(day, case.contract.holidays)] or whole
        return half_up(seconds * Fraction(len([day for day in part if day in workdays]), len(workdays)))
    return int(seconds)


def pool_of(cap: Cap, one: Stretch) -> str:
    """Who shares the hours (BD-33)."""
    return {CapPool.PERSON: one.entry.person_id, CapPool.ROLE: one.role, CapPool.ALL: ""}[cap.pool or CapPool.ALL]


def length(cap: Cap, one: Stretch) -> int:
    """How many seconds a cap counts (BD-34)."""
    return one.worked if cap.basis is CapBasis.WORKED else one.billable


def apply_caps(case: Case, live: list[Stretch]) -> Capped:
    """All caps, each over what the narrower ones left."""
    capped = Capped(live)
    ids = list(dict.fromkeys(cap.id for cap in case.contract.caps))
    rows = {cap_id: [cap for cap in case.contract.caps if cap.id == cap_id] for cap_id in ids}

    def width(cap_id: str) -> tuple[int, int, int]:
        first = rows[cap_id][0]
        return (NARROW_FIRST.index(first.window), POOL_ORDER.index(first.pool or CapPool.ALL), ids.index(cap_id))

    for cap_id in sorted(ids, key=width):
        capped = apply_cap(case, rows[cap_id], capped)
    return capped


def apply_cap(case: Case, rows: list[Cap], before: Capped) -> Capped:
    """One cap: sort its time into windows, fill them, then let carried time into what is free."""
    windows: dict[tuple[object, ...], list[tuple[Stretch, Cap]]] = defaultdict(list)
    after = Capped([], before.placed)
    is_phase = rows[0].window is CapWindow.DATES
    for one in sorted(before.live, key=lambda one: (one.order, one.first)):
        cap = next((row for row in rows if in_scope(row, one)), None)
        # A phase with dates is about the work of these dates, wherever another cap carries it.
        window = None if cap is None else window_of(cap, one, one.day if is_phase else one.counted)
        if cap is None or window is None:
            after.live.append(one)
        else:
            windows[pool_of(cap, one), window].append((one, cap))
    carried: dict[str, list[Stretch]] = defaultdict(list)
    used: dict[tuple[object, ...], int] = {}
    for key, members in windows.items():
        used[key], over = fill(case, key[1], members, after)
        carried[str(key[0])] += over
    for pool, waiting in carried.items():
        settle_carried(case, rows, pool, waiting, used, after)
    return after


def fill(case: Case, window: object, members: list[tuple[Stretch, Cap]], after: Capped) -> tuple[int, list[Stretch]]:
    """Fill one window; returns the seconds used and the time to carry."""
    used, carried = 0, []
    for one, cap in members:
        assert isinstance(window, (Period, tuple))
        room = max(0, limit_of(case, cap, window) - used)
        inside, over = cut(one, room, by_worked=cap.basis is CapBasis.WORKED)
        if inside is not None:
            used += length(cap, inside)
            after.live.append(inside)
        if over is None:
            continue
        reason = f"cap:{cap.id}"
        match cap.overflow:
            case Overflow.WRITE_DOWN:
                after.placed.append((over, "written_down", reason))
            case Overflow.OVERAGE_RATE:
                assert cap.overage_rate is not None
                rate = over.overage if over.overage is not None else fraction(cap.overage_rate)
                after.live.append(replace(over, over=over.over or cap.id, overage=rate))
            case Overflow.HOLD_FOR_APPROVAL if reason in one.entry.released:
                after.live.append(over)
            case Overflow.HOLD_FOR_APPROVAL:
                after.placed.append((over, "held", reason))
            case Overflow.CARRY_FORWARD:
                carried.append(over)
    return used, carried


def settle_carried(
    case: Case, rows: list[Cap], pool: str, waiting: list[Stretch], used: dict[tuple[object, ...], int], after: Capped
) -> None:
    """Carried time enters later windows that have room and end inside the period, the oldest first (BD-25).

    The window in which the contract ends, ends with it; there is none behind it.
    """
    waiting = sorted(waiting, key=lambda one: (one.order, one.first))
    window = calendar_window(rows[0], min(one.counted for one in waiting)) if waiting else None
    while waiting and window is not None:
        closed = min(window.end, case.contract.date_to or window.end)
        if closed > case.period.end or closed <= window.start:
            break
        last = closed - timedelta(days=1)
        cap = next((row for row in rows if row.covers(last)), None)
        room = 0 if cap is None else limit_of(case, cap, window) - used.get((pool, window), 0)
        still: list[Stretch] = []
        for one in waiting:
            may_enter = cap is not None and calendar_window(rows[0], one.counted).start < window.start and room > 0
            inside, over = cut(one, room, by_worked=cap.basis is CapBasis.WORKED) if may_enter and cap else (None, one)
            if inside is not None and cap is not None:
                room -= length(cap, inside)
                end = midnight(closed, ZoneInfo(case.contract.zone))
                started = one.entry.start or midnight(one.day, ZoneInfo(case.contract.zone))
                order = (one.order[0], end, -1, started, one.entry.source, one.entry.source_entry_id)
                after.live.append(replace(inside, counted=last, order=order))
            if over is not None:
                still.append(over)
        waiting = still
        window = calendar_window(rows[0], window.end)
    after.placed += [(one, "carried", f"cap:{rows[0].id}") for one in waiting]
