"""When an amount cap ("not to exceed") will be reached, from the money charged on each date so far.

What counts is what the cap itself counts: fees, expenses and agreed fees after discounts, with tax where the limit
includes it. It is worked out from a traced invoice of the period that holds today.
"""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from billing.attribute import work_date_of
from billing.contract import MoneyCap, own_dates
from billing.currency import exchange_of
from billing.discounts import discount_items
from billing.expenses import gather_expenses
from billing.finish import agreed_fees
from billing.forecast import Forecast, forecast, since_work_began, window_of
from billing.invoice import Traced
from billing.lines import OpenLine, measure_fee_line, open_agreed_lines, open_expense_lines, open_fee_lines
from billing.money_caps import cap_amounts
from billing.money_items import Parts, money_items
from schemas.entry import EVENT_KINDS


class MoneyForecast(NamedTuple):
    """The forecast of one window of an amount cap, in the contract's currency."""

    cap: MoneyCap
    window: str
    forecast: Forecast


def amount_cap_forecasts(traced: Traced, today: date) -> tuple[MoneyForecast, ...]:
    """The forecast of each window of an amount cap that holds today and has counted something."""
    contract = traced.invoice.request.contract
    caps = {cap.id: cap for cap in contract.money_caps}
    found = []
    for cap_id, key, limit, used in _uses(traced):
        cap = caps[cap_id]
        window = window_of(contract, cap.window, cap.rows[-1], key, today)
        if window is not None and used:
            since = since_work_began(window, cap.window, used, today)
            found.append(MoneyForecast(cap, key, forecast(used, limit, since, today, contract.holidays)))
    return tuple(found)


def _uses(traced: Traced) -> list[tuple[str, str, Fraction, Mapping[date, Fraction]]]:
    """Cap, window, limit and what was charged on each date, as amounts, of every window."""
    request = traced.invoice.request
    contract, period = request.contract, request.period
    if not contract.money_caps:
        return []
    parts = _parts(traced)
    lines = _lines(parts)
    money = money_items(parts, lines)
    before = discount_items(contract, period, money, lines).left
    whole = money.grains_per_unit * 10**contract.places
    found: list[tuple[str, str, Fraction, Mapping[date, Fraction]]] = []
    for room in cap_amounts(contract, money, before).rooms:
        days: dict[date, int] = {}
        for position in room.positions:
            day = money.items[position].counted_day
            days[day] = days.get(day, 0) + before[position]
        paid, charged = (Fraction(room.limit) - room.free) / whole, sum(days.values())
        # A limit with tax counts more than the amounts, one that is reached less: the days keep their proportion.
        scale = paid / charged if charged else Fraction(0)
        limit = Fraction(room.limit, whole)
        found.append((room.cap_id, room.window, limit, {day: one * scale for day, one in days.items()}))
    return found


def _parts(traced: Traced) -> Parts:
    """Everything that is priced, as the invoice had it."""
    request = traced.invoice.request
    contract, period = request.contract, request.period
    first, end = own_dates(contract, period)
    dated = [(entry, work_date_of(contract.zone, entry)) for entry in request.entries]
    entries = [one for one, day in dated if day < end and (first <= day or one.kind in EVENT_KINDS)]
    exchange = exchange_of(contract, request.exchange_rates, request.invoice_date, period, request.written)
    expenses = gather_expenses(contract, exchange, entries)
    agreed = agreed_fees(contract, entries, period, traced.drawn.charges)
    return Parts(contract, period, traced.rated.parts, expenses.parts, agreed.parts)


def _lines(parts: Parts) -> list[OpenLine]:
    contract, period = parts.contract, parts.period
    fees = [line for line in open_fee_lines(contract, period, parts.fees) if line.seconds]
    for line in fees:
        measure_fee_line(contract, line)
    expenses = open_expense_lines(contract, period, parts.expenses, parts.first_expense)
    return [*fees, *expenses, *open_agreed_lines(contract, period, parts.agreed, parts.first_agreed)]
