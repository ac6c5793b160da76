"""A stretch of an entry's time, and where its seconds lie: worked ones first, a rounding delta at the end (BD-34).

Think of single seconds. A worked second counts as worked, a second of a positive delta only as billable. A negative
delta takes the last worked seconds: they count as worked and not as billable.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from billing.entries import BillingEntry
from schemas.period import Period

Order = tuple[object, ...]


@dataclass(frozen=True)
class Stretch:
    """Some seconds of one entry on one day; `first` of its seconds came before. `counted` is the day that decides the
    period: another than `day` for time that was carried. `over` names the cap above which the time is billed.
    """

    entry: BillingEntry
    order: Order
    day: date
    counted: date
    first: int
    worked: int
    delta: int = 0
    role: str = ""
    over: str = ""
    overage: Fraction | None = None

    @property
    def billable(self) -> int:
        """Seconds after rounding."""
        return self.worked + self.delta


def cut(one: Stretch, seconds: int, *, by_worked: bool) -> tuple[Stretch | None, Stretch | None]:
    """The first so many seconds, and the rest; a second that needs no room goes with what is before it."""
    kept = max(0, one.worked + min(one.delta, 0))
    removed, extra = one.worked - kept, max(one.delta, 0)
    length = one.worked if by_worked else one.billable
    if length <= seconds:
        return one, None
    if seconds <= 0:
        return None, one
    if by_worked:
        head_worked, head_extra = seconds, 0
        head_removed = max(0, seconds - kept)
    else:
        head_worked, head_removed = min(seconds, kept), 0
        head_extra = seconds - head_worked
    head = replace(one, worked=head_worked, delta=head_extra - head_removed)
    tail = replace(
        one,
        first=one.first + head_worked,
        worked=one.worked - head_worked,
        delta=(extra - head_extra) - (removed - head_removed),
    )
    return head, tail


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a local day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(ZoneInfo("UTC"))


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The local date of an instant (BD-59)."""
    return instant.astimezone(zone).date()


def local_clock(instant: datetime, zone: ZoneInfo) -> int:
    """The seconds that a clock on the wall shows."""
    wall = instant.astimezone(zone)
    return wall.hour * 3600 + wall.minute * 60 + wall.second


def days_of(period: Period) -> list[date]:
    """Every date of a period."""
    return [period.start + timedelta(days=number) for number in range((period.end - period.start).days)]


def is_workday(day: date, holidays: tuple[date, ...]) -> bool:
    """Monday to Friday, less the contract's holidays (section 4)."""
    return day.weekday() < 5 and day not in holidays
