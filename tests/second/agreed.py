"""Step 12: fees that stand beside the hours, one amount each (BD-41, BD-43, BD-44, BD-47, BD-76)."""

from datetime import date, timedelta
from fractions import Fraction

from billing.entries import BillingEntry
from schemas.charges import (
    BilledAt,
    Deposit,
    DepositDeduction,
    Every,
    Milestone,
    MilestoneDue,
    MilestonePlan,
    PartialPackage,
    RecurringFee,
    UsageFee,
    UsageReset,
)
from schemas.engagement import Prorate
from schemas.entry import EntryKind
from schemas.period import Period, month_of, week_of
from tests.second.case import Case
from tests.second.exact import fraction
from tests.second.fees import Fee, fee_of, fee_of_units, rounded, weight
from tests.second.sorting import bucket_of, days_of_entry
from tests.second.stretch import days_of


def agreed_fees(case: Case) -> list[Fee]:
    """All of them for the period."""
    contract = case.contract
    found = [
        fee_of(case, "fixed_fee", fraction(one.amount), one.on, one.service_item, one.project)
        for one in contract.fixed_fees
        if one.on in case.period
    ]
    for plan in contract.milestones:
        found += plan_fees(case, plan)
    for deposit in contract.deposits:
        if deposit.on in case.period:
            units = deposit_units(case, deposit)
            found.append(fee_of_units("deposit", units, deposit.on, deposit.service_item, deposit.project))
    for fee_id in dict.fromkeys(row.id for row in contract.recurring_fees):
        found += recurring(case, [row for row in contract.recurring_fees if row.id == fee_id])
    for row in contract.usage_fees:
        if row.covers(case.period.end - timedelta(days=1)):
            counted = usage_entries(case, row)
            days = [day for day, _ in counted if day in case.period]
            if days:
                amount = usage(case, row, counted)
                found.append(fee_of(case, "usage_fee", amount, max(days), row.service_item, row.project))
    return found


def events(case: Case, kind: EntryKind) -> list[tuple[date, BillingEntry]]:
    """The entries of a kind that nothing speaks against, by their day."""
    found = []
    for entry in case.entries:
        if entry.kind is kind:
            one = days_of_entry(case, entry)[0]
            if bucket_of(case, one) == ("", ""):
                found.append((one.day, entry))
    return sorted(found, key=lambda pair: (pair[0], pair[1].entry_id))


def part_units(case: Case, plan: MilestonePlan) -> list[int]:
    """Each part rounded, the last one what is left (BD-44)."""
    total = rounded(case, fraction(plan.total))
    found: list[int] = []
    for part in plan.parts[:-1]:
        if part.amount is not None:
            found.append(rounded(case, fraction(part.amount)))
        elif part.percent is not None:
            found.append(rounded(case, fraction(plan.total) * fraction(part.percent) / 100))
        else:
            all_shares = sum(one.share or 0 for one in plan.parts)
            found.append(rounded(case, fraction(plan.total) * Fraction(part.share or 0, all_shares)))
    return [*found, total - sum(found)]


def due_day(case: Case, plan: MilestonePlan, part: Milestone) -> date | None:
    """The date of a part, or the day it was first said to be complete."""
    if part.due is MilestoneDue.DATE:
        return part.on
    names = {part.id.casefold(), part.title.casefold()}
    for day, entry in events(case, EntryKind.MILESTONE):
        said = (entry.task or entry.service_item).strip().casefold()
        if said in names and plan.project in ("", entry.project_id):
            return day
    return None


def plan_fees(case: Case, plan: MilestonePlan) -> list[Fee]:
    """The parts that are due in the period, less the deposits that are deducted from them (BD-43)."""
    found: list[Fee] = []
    for part, units in zip(plan.parts, part_units(case, plan), strict=True):
        day = due_day(case, plan, part)
        if day is None or day not in case.period:
            continue
        found.append(fee_of_units("milestone", units, day, plan.service_item, plan.project))
        for deposit in case.contract.deposits:
            mine = deposit.plan == plan.id and (deposit.milestone or plan.parts[-1].id) == part.id
            if mine and deposit.deduct_from is DepositDeduction.MILESTONE:
                deducted = -deposit_units(case, deposit)
                found.append(fee_of_units("deposit", deducted, day, deposit.service_item, deposit.project))
    return found


def deposit_units(case: Case, deposit: Deposit) -> int:
    """The amount, or the percent of the plan's price."""
    if deposit.amount is not None:
        return rounded(case, fraction(deposit.amount))
    plan = next(one for one in case.contract.milestones if one.id == deposit.plan)
    return rounded(case, fraction(plan.total) * fraction(deposit.percent or 0) / 100)


def span_of(every: Every, day: date) -> Period:
    """The week, month, quarter or year of the calendar that holds a day."""
    if every is Every.WEEK:
        return week_of(day)
    if every is Every.MONTH:
        return month_of(day)
    months = 3 if every is Every.QUARTER else 12
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    last = first
    for _ in range(months):
        last = month_of(last).end
    return Period(start=first, end=last)


def recurring(case: Case, rows: list[RecurringFee]) -> list[Fee]:
    """The spans whose first covered day, or last day, lies in the period."""
    found: list[Fee] = []
    spans = dict.fromkeys(span_of(rows[0].every, day) for day in days_of(case.period))
    for span in spans:
        covered = [day for day in days_of(span) if case.contract.covers(day) and any(row.covers(day) for row in rows)]
        if not covered:
            continue
        first = next(row for row in rows if row.covers(covered[0]))
        billed_on = covered[0] if first.billed_at is BilledAt.START else covered[-1]
        if billed_on not in case.period:
            continue
        prorate = first.prorate or case.contract.prorate
        for row in [first] if prorate is Prorate.NONE else rows:
            amount = fraction(row.amount)
            if prorate is not Prorate.NONE:
                amount *= part_of(case, prorate, span, [day for day in covered if row.covers(day)])
            found.append(fee_of(case, "recurring_fee", amount, billed_on, row.service_item, row.project))
    return found


def part_of(case: Case, prorate: Prorate, span: Period, covered: list[date]) -> Fraction:
    """Covered days of all days of a span; a span without any workday is shared by its days."""
    holidays = case.contract.holidays
    every = weight(days_of(span), prorate, holidays)
    if not every:
        return Fraction(len(covered), len(days_of(span)))
    return Fraction(weight(covered, prorate, holidays), every)


def usage_entries(case: Case, row: UsageFee) -> list[tuple[date, Fraction]]:
    """The units of its meter up to the end of the period."""
    return [
        (day, fraction(entry.quantity or 0))
        for day, entry in events(case, EntryKind.USAGE)
        if (entry.expense_category or entry.service_item) == row.meter and day < case.period.end
    ]


def usage(case: Case, row: UsageFee, counted: list[tuple[date, Fraction]]) -> Fraction:
    """Units over the included ones, in packages (BD-47)."""
    now = sum((units for day, units in counted if day in case.period), Fraction(0))
    before = sum((units for day, units in counted if day < case.period.start), Fraction(0))
    if row.reset is UsageReset.PERIOD:
        return usage_price(row, now)
    return usage_price(row, before + now) - usage_price(row, before)


def usage_price(row: UsageFee, units: Fraction) -> Fraction:
    """What so many units cost."""
    packages = max(Fraction(0), units - fraction(row.included_units)) / fraction(row.package_units)
    if row.partial_package is PartialPackage.FULL:
        packages = Fraction(-((-packages).__floor__()))
    return packages * fraction(row.price)
