"""When a cap or a balance of hours will be used up, from the pace so far: workdays and holidays known, no float.

The pace is what was used up to now, divided by the workdays that passed; today counts with the part of a usual day
that was worked already. Work on weekends and holidays makes the pace higher, never the time longer.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from billing.contract import Contract
from billing.exact import exact_or_shown, shown
from billing.results import Invoice, RetainerAccount
from billing.running import cap_limit
from schemas.clauses import CapScope, CapWindow
from schemas.draft import Bucket
from schemas.money import exponent
from schemas.period import Period, parse_period

DAYS_AHEAD_MAX = 3_660
_WORKDAYS = 5
_CALENDAR = frozenset({CapWindow.DAY, CapWindow.WEEK, CapWindow.MONTH})


@dataclass(frozen=True, slots=True)
class Window:
    """The dates `[start, end)` in which something counts; without an end it goes on."""

    start: date
    end: date | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is to be expected of one limit; figures are seconds for time, the contract's currency for money.

    `crosses_on` is the day on which the limit will be reached, None when it will not be in the window (or cannot be
    told, because nothing was used yet). `pace` is the use of a workday; `expected` is the use at the window's end, None
    for a window without one. `workdays` have passed, today with its part.
    """

    used: Fraction
    limit: Fraction
    workdays: Fraction
    pace: Fraction
    crosses_on: date | None
    expected: Fraction | None

    @property
    def is_reached(self) -> bool:
        """Whether the limit is reached already."""
        return self.used >= self.limit

    @property
    def is_warning(self) -> bool:
        """Whether the limit will be reached before the window's end, told from at least one whole workday."""
        return self.crosses_on is not None and not self.is_reached and self.workdays >= 1


def forecast(
    used: Mapping[date, Fraction], limit: Fraction, window: Window, today: date, holidays: frozenset[date]
) -> Forecast:
    """Forecast one limit from what was used on each local date. Dates after today count as used, not as pace."""
    before = sum((seconds for day, seconds in used.items() if day < today), Fraction(0))
    now = used.get(today, Fraction(0))
    total = sum(used.values(), Fraction(0))
    passed = sum(1 for day in _days(window.start, today) if is_workday(day, holidays))
    part = _part_of_today(before, now, passed) if is_workday(today, holidays) else Fraction(0)
    workdays = passed + part
    pace = (before + now) / workdays if workdays else Fraction(0)
    crosses, expected = None, total
    if total < limit and pace:
        crosses = _crossing((limit - total) / pace, part, window.end, today, holidays)
    if window.end is not None:
        expected = total + pace * _workdays_left(part, window.end, today, holidays)
    return Forecast(total, limit, workdays, pace, crosses, None if window.end is None else expected)


def is_workday(day: date, holidays: frozenset[date]) -> bool:
    """Monday to Friday, less the contract's holidays."""
    return day.weekday() < _WORKDAYS and day not in holidays


def _part_of_today(before: Fraction, now: Fraction, passed: int) -> Fraction:
    """How much of today is over, by what was worked: a usual day's worth is a whole day. Without usual days before,
    today counts whole as soon as anything was worked.
    """
    if not before or not passed:
        return Fraction(1 if now else 0)
    return min(Fraction(1), now / (before / passed))


def _days(first: date, end: date) -> Iterable[date]:
    return (first + timedelta(days=number) for number in range((end - first).days))


def _crossing(
    needed: Fraction, part: Fraction, end: date | None, today: date, holidays: frozenset[date]
) -> date | None:
    """The workday on which so many workdays of work are done, counted from now; None when the window ends before."""
    last = end or today + timedelta(days=DAYS_AHEAD_MAX)
    left = needed
    for day in _days(today, min(last, today + timedelta(days=DAYS_AHEAD_MAX))):
        if is_workday(day, holidays):
            left -= 1 - part if day == today else 1
            if left <= 0:
                return day
    return None


def _workdays_left(part: Fraction, end: date, today: date, holidays: frozenset[date]) -> Fraction:
    days = sum(1 for day in _days(today, end) if is_workday(day, holidays))
    return Fraction(days) - (part if today < end and is_workday(today, holidays) else 0)


def cap_window(contract: Contract, cap_id: str, window_key: str, today: date) -> Window | None:
    """The dates of a cap's window by its key; None when today is not in it, or when it is the window of one entry."""
    cap = contract.cap(cap_id)
    return window_of(contract, cap.window, cap.rows[-1], window_key, today)


def window_of(contract: Contract, kind: CapWindow, row: CapScope, window_key: str, today: date) -> Window | None:
    """The dates of a window of a cap of hours or money by its key, if today is in it."""
    start, end = contract.document.date_from or date.min, contract.document.date_to
    match kind:
        case CapWindow.ENTRY:
            return None
        case CapWindow.DATES:
            start, end = row.window_from or start, row.window_to
        case CapWindow.DAY | CapWindow.WEEK | CapWindow.MONTH:
            period = _period_of(window_key)
            start, end = period.start, period.end
        case _:
            pass
    return Window(start, end) if start <= today and (end is None or today < end) else None


def _period_of(window_key: str) -> Period:
    """The dates of a calendar window: a day, a week, a month, or the part of a week in a month."""
    first, _, month = window_key.partition("/")
    if len(first) == len("2026-10-01"):
        day = date.fromisoformat(first)
        return Period(start=day, end=day + timedelta(days=1))
    whole = parse_period(first)
    if not month:
        return whole
    part = parse_period(month)
    return Period(start=max(whole.start, part.start), end=min(whole.end, part.end))


def cap_forecast(
    contract: Contract, cap_id: str, window_key: str, used: Mapping[date, int], today: date
) -> Forecast | None:
    """The forecast of one window of an hour cap; None for a window that is over, not begun, or of one entry."""
    window = cap_window(contract, cap_id, window_key, today)
    if window is None:
        return None
    window = since_work_began(window, contract.cap(cap_id).window, used, today)
    limit = Fraction(cap_limit(contract, cap_id, window_key))
    return forecast({day: Fraction(one) for day, one in used.items()}, limit, window, today, contract.holidays)


def since_work_began(window: Window, kind: CapWindow, used: Iterable[date], today: date) -> Window:
    """A long window has no usual beginning; the pace is that of the time since work began in it."""
    return window if kind in _CALENDAR else Window(min(used, default=today), window.end)


def may_be_used_up(contract: Contract, cap_id: str, window_key: str, used_seconds: int, today: date) -> bool:
    """Whether a window can be a warning at all, told from its total alone: a cheap look before the days are added up.

    No pace is higher than the whole use divided by the workdays that are over, so what does not reach the limit with
    that will not reach it.
    """
    window = cap_window(contract, cap_id, window_key, today)
    limit = cap_limit(contract, cap_id, window_key)
    if window is None or not 0 < used_seconds < limit:
        return False
    if window.end is None or contract.cap(cap_id).window not in _CALENDAR:
        return True
    passed = sum(1 for day in _days(window.start, today) if is_workday(day, contract.holidays))
    left = sum(1 for day in _days(today, window.end) if is_workday(day, contract.holidays))
    return used_seconds + Fraction(used_seconds, max(passed, 1)) * left >= limit


def balance_forecasts(invoice: Invoice, today: date) -> tuple[tuple[RetainerAccount, Forecast], ...]:
    """The forecast of each retainer and block in an invoice of the period that holds today."""
    found = []
    for account in invoice.retainers:
        used = Fraction(account.used_rolled_in_seconds + account.used_granted_seconds + account.used_deficit_seconds)
        limit = Fraction(account.rolled_in_seconds + account.granted_seconds - account.deficit_in_seconds)
        window = Window(account.date_from, _balance_end(invoice, account))
        if window.start <= today and limit > 0:
            days = _drawn_days(invoice, account, used)
            found.append((account, forecast(days, limit, window, today, invoice.request.contract.holidays)))
    return tuple(found)


def _balance_end(invoice: Invoice, account: RetainerAccount) -> date | None:
    """A retainer's hours are asked about in the period of the invoice, those of a block until they expire."""
    document = invoice.request.contract.document
    for block in document.prepaid_blocks:
        if block.id == account.engagement_id:
            return document.date_to if block.expires is None else block.expires + timedelta(days=1)
    return account.date_to


def _drawn_days(invoice: Invoice, account: RetainerAccount, used: Fraction) -> dict[date, Fraction]:
    """What was drawn on each date; burn weights are spread evenly, because the balance counts them together."""
    reasons = (f"retainer:{account.engagement_id}", f"block:{account.engagement_id}")
    worked: dict[date, int] = {}
    for one in invoice.unbilled:
        if one.bucket is Bucket.RETAINER and one.reason in reasons:
            day = one.entry.work_date
            if one.entry.start is not None:
                day = one.entry.start.astimezone(invoice.request.contract.zone).date()
            assert day is not None, "covered work has a date"
            worked[day] = worked.get(day, 0) + one.seconds
    total = sum(worked.values())
    return {day: used * seconds / total for day, seconds in worked.items()} if total else {}


def shown_as(figure: Fraction, currency: str) -> Decimal:
    """Seconds as hours with two decimals, or an amount with the places of its currency; for reading."""
    return shown(figure, exponent(currency)) if currency else exact_or_shown(figure / 3600, 2)


def sentence(name: str, found: Forecast, currency: str = "") -> str:
    """What a forecast says, for people; with a currency its figures are money."""
    used, limit, pace = (shown_as(one, currency) for one in (found.used, found.limit, found.pace))
    unit = currency or "h"
    amounts = f"{used:f} of {limit:f} {unit} used"
    if found.is_reached:
        return f"{name} is used up: {amounts}."
    if found.crosses_on is None:
        return f"{name} is not expected to be used up: {amounts}."
    return f"{name} is expected to be used up on {found.crosses_on}: {amounts}, {pace:f} {unit} a workday."
