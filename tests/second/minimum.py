"""Steps 12 and 16: the minimum true-up (BD-49), and money that is held for the client (BD-40)."""

from datetime import date, timedelta
from fractions import Fraction

from schemas.charges import HeldMoney, Minimum, Shortfall
from schemas.engagement import Prorate
from tests.second.agreed import part_of
from tests.second.case import Case
from tests.second.exact import fraction
from tests.second.fees import Fee, fee_of_units, rounded
from tests.second.money import Rounded
from tests.second.stretch import days_of


def counted(row: Minimum, shown: list[Rounded], fees: list[Fee]) -> int:
    """What of an invoice a minimum looks at."""
    total = sum(line.net for line in shown if line.line.kind == "fee")
    if row.counts.expenses:
        total += sum(line.net for line in shown if line.line.kind != "fee")
    if row.counts.agreed_fees:
        total += sum(fee.net for fee in fees if fee.kind != "deposit")
    return total


def rows_in(case: Case, minimum_id: str) -> list[Minimum]:
    """The rows of a minimum that are valid on some day of the period, by date; the last one says what counts."""
    rows = [row for row in case.contract.minimum if row.id == minimum_id]
    found = [row for row in rows if covered_days(case, row)]
    return sorted(found, key=lambda row: row.date_from or date.min)


def covered_days(case: Case, row: Minimum) -> list[date]:
    """The days of the period on which contract and minimum are valid."""
    return [day for day in days_of(case.period) if case.contract.covers(day) and row.covers(day)]


def least(case: Case, rows: list[Minimum]) -> int:
    """The minimum of the period: that of its last row, or each row's share of days where the contract prorates."""
    prorate = rows[-1].prorate or case.contract.prorate
    if prorate is Prorate.NONE:
        return rounded(case, fraction(rows[-1].amount))
    total = Fraction(0)
    for row in rows:
        total += fraction(row.amount) * part_of(case, prorate, case.period, covered_days(case, row))
    return rounded(case, total)


def open_shortfalls(case: Case, minimum_id: str, over: list[int]) -> list[int]:
    """What of a carried minimum is billed in the last of these periods; `over` is what each had above its least.

    What a later period has more makes up the oldest first; what waited long enough, or to the end, is billed.
    """
    waiting: list[tuple[int, int]] = []
    billed: list[int] = []
    periods = case.periods()
    for number, (period, more) in enumerate(zip(periods, over, strict=True)):
        still: list[tuple[int, int]] = []
        spare = more
        for since, missing in waiting:
            paid = min(missing, max(spare, 0))
            spare -= paid
            still.append((since, missing - paid))
        waiting = [*still, (number, -more)] if more < 0 else still
        rows = [row for row in case.contract.minimum if row.id == minimum_id]
        last_day = max(row.date_to or date.max for row in rows)
        ends = last_day <= period.end or (case.contract.date_to or date.max) <= period.end
        patience = rows[0].carry_periods or 0
        due = [one for one in waiting if one[1] and (ends or number - one[0] >= patience)]
        waiting = [one for one in waiting if one not in due]
        billed = [missing for _, missing in due]
    return billed


def deposit_use(asked: int, since: int, nets: list[int]) -> list[int]:
    """What each invoice takes from a deposit that was asked for on the invoice `since`; none becomes negative."""
    left, used = asked, []
    for number, net in enumerate(nets):
        taken = min(left, max(net, 0)) if number > since else 0
        used.append(taken)
        left -= taken
    return used


def true_ups(case: Case, shown: list[Rounded], fees: list[Fee]) -> list[Fee]:
    """What is missing to the minimum, where a shortfall is billed at once."""
    found: list[Fee] = []
    last = case.period.end - timedelta(days=1)
    for minimum_id in sorted({row.id for row in case.contract.minimum}):
        rows = rows_in(case, minimum_id)
        if rows and rows[-1].shortfall is Shortfall.BILL:
            missing = least(case, rows) - counted(rows[-1], shown, fees)
            found += [fee_of_units("minimum_true_up", missing, last, rows[-1].service_item)] if missing > 0 else []
    return found


def held_money(case: Case, held: HeldMoney, gross: list[int]) -> list[tuple[int, int, int, int]]:
    """Money there, applied, left, and requested, for each of the invoices so far, which were of these amounts."""
    found: list[tuple[int, int, int, int]] = []
    balance, already = 0, date.min
    for period, amount in zip(case.periods(), gross, strict=True):
        written = case.invoice_date if period == case.period else period.end - timedelta(days=1)
        arrived = [(row.on, row.amount) for row in held.received]
        arrived += [(one.on, one.amount) for one in case.payments if one.held_id == held.id]
        received = sum(rounded(case, fraction(amount)) for on, amount in arrived if already < on <= written)
        already = written
        before = balance + received
        applied = max(min(before, amount), 0)
        if period != case.period and period.start in case.drawn:
            applied = rounded(case, fraction(case.drawn[period.start].get(held.id, 0)))
        balance, asked = before - applied, 0
        if held.threshold is not None and held.target is not None and balance < rounded(case, fraction(held.threshold)):
            asked = rounded(case, fraction(held.target)) - balance
        found.append((before, applied, balance, asked))
    return found
