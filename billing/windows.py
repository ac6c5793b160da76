"""Cap windows: the key, the dates and the limit of the window a piece of work counts in. BD-30..32.

A key is readable and unique within its cap and pool: `2025-W40`, `2025-W40/2025-09` (the part of a week in a month),
`2025-09`, `2025-09-30`, `contract`, the id of a project, task or entry.
"""

from datetime import date, timedelta
from functools import lru_cache

from billing.contract import Contract, HourCap
from schemas.clauses import CapWindow, WeekAtMonthEnd
from schemas.period import month_of, week_key, week_of

_KEYS_KEPT = 4096


def window_key(
    window: CapWindow, at_month_end: WeekAtMonthEnd, day: date, entry_id: str, project_id: str, task: str
) -> str:
    """The key of the window that holds work of a local date."""
    match window:
        case CapWindow.WEEK:
            return _week_part_key(day) if at_month_end is WeekAtMonthEnd.PRORATE_BY_WORKDAY else _week_key(day)
        case CapWindow.MONTH:
            return _month_key(day)
        case CapWindow.DAY:
            return day.isoformat()
        case CapWindow.CONTRACT:
            return "contract"
        case CapWindow.PROJECT:
            return project_id
        case CapWindow.TASK:
            return f"{project_id}/{task}"
        case CapWindow.DATES:
            return "dates"
        case CapWindow.ENTRY:
            return entry_id


@lru_cache(maxsize=_KEYS_KEPT)
def _week_key(day: date) -> str:
    return week_key(day)


@lru_cache(maxsize=_KEYS_KEPT)
def _month_key(day: date) -> str:
    return f"{day:%Y-%m}"


@lru_cache(maxsize=_KEYS_KEPT)
def _week_part_key(day: date) -> str:
    week = week_of(day)
    crosses = week.start.month != (week.end - timedelta(days=1)).month
    return f"{week_key(day)}/{day:%Y-%m}" if crosses else week_key(day)


def window_dates(cap: HourCap, day: date) -> tuple[date, date]:
    """The local dates `[first, end)` of the repeating window (day, week or month) that holds a date."""
    match cap.window:
        case CapWindow.WEEK:
            week = week_of(day)
            if cap.at_month_end is WeekAtMonthEnd.PRORATE_BY_WORKDAY:
                month = month_of(day)
                return max(week.start, month.start), min(week.end, month.end)
            return week.start, week.end
        case CapWindow.MONTH:
            month = month_of(day)
            return month.start, month.end
        case _:
            return day, day + timedelta(days=1)


def prorated_limit(contract: Contract, limit_seconds: int, day: date) -> int:
    """The share of a weekly limit for the part of the week in this month, by workdays (BD-31).

    The two parts always add up to the limit. A week without any workday is shared by its days.
    """
    week, month = week_of(day), month_of(day)
    days = [week.start + timedelta(days=index) for index in range(7)]
    counted = [one for one in days if one.weekday() < 5 and one not in contract.holidays] or days
    early = sum(1 for one in counted if one < max(week.start, month.start if week.start < month.start else month.end))
    early_seconds = (2 * limit_seconds * early + len(counted)) // (2 * len(counted))
    if week.start >= month.start and week.end <= month.end:
        return limit_seconds
    return limit_seconds - early_seconds if week.start < month.start else early_seconds
