"""Steps 12 and 16: the minimum true-up (BD-49), and money that is held for the client (BD-40)."""

from datetime import date, timedelta
from fractions import Fraction

from schemas.charges import HeldMoney, Minimum, Shortfall
from schemas.engagement import Prorate
from tests.second.case import Case
from tests.second.exact import fraction
from tests.second.fees import Fee, rounded, weight
from tests.second.money import Rounded
from tests.second.stretch import days_of


def counted(row: Minimum, shown: list[Rounded], fees: list[Fee]) -> int:
    """What of an invoice a minimum looks at."""
    total = sum(line.units for line in shown if line.line.kind == "fee")
    if row.counts.expenses:
        total += sum(line.units for line in shown if line.line.kind != "fee")
    if row.counts.agreed_fees:
        total += sum(fee.units - fee.discount for fee in fees if fee.kind != "deposit")
    return total


def least(case: Case, row: Minimum) -> int:
    """The minimum of the period; one that is covered in part has its share where the contract prorates."""
    prorate = row.prorate or case.contract.prorate
    amount = fraction(row.amount)
    covered = [day for day in days_of(case.period) if case.contract.covers(day) and row.covers(day)]
    if prorate is not Prorate.NONE:
        every = weight(days_of(case.period), prorate, case.contract.holidays)
        amount *= Fraction(weight(covered, prorate, case.contract.holidays), every) if every else 0
    return rounded(case, amount) if covered else 0


def open_shortfalls(case: Case, row: Minimum, over: list[int]) -> list[int]:
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
        ends = not case.contract.covers(period.end) or not row.covers(period.end)
        due = [one for one in waiting if one[1] and (ends or number - one[0] >= (row.carry_periods or 0))]
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
    for row in case.contract.minimum:
        if row.shortfall is Shortfall.BILL and row.covers(case.period.end - timedelta(days=1)):
            missing = least(case, row) - counted(row, shown, fees)
            found += [Fee("minimum_true_up", missing, row.service_item)] if missing > 0 else []
    return found


def held_money(case: Case, held: HeldMoney, gross: list[int]) -> list[tuple[int, int, int, int]]:
    """Money there, applied, left, and requested, for each of the invoices so far, which were of these amounts."""
    found: list[tuple[int, int, int, int]] = []
    balance, already = 0, date.min
    for period, amount in zip(case.periods(), gross, strict=True):
        written = case.invoice_date if period == case.period else period.end - timedelta(days=1)
        received = sum(rounded(case, fraction(row.amount)) for row in held.received if already < row.on <= written)
        already = written
        before = balance + received
        applied = min(before, max(amount, 0))
        balance, asked = before - applied, 0
        if held.threshold is not None and held.target is not None and balance < rounded(case, fraction(held.threshold)):
            asked = rounded(case, fraction(held.target)) - balance
        found.append((before, applied, balance, asked))
    return found
