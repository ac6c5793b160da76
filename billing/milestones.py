"""Milestones and deposits: a fixed price in parts, each billed once (BD-43, BD-44), less what was invoiced before.

A completion is an entry of kind `milestone`; told again, by the same source or another, it changes nothing.
"""

from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from billing.agreed import Agreed, AgreedPart, lump, of_kind
from billing.attribute import work_date_of
from billing.contract import Contract
from billing.entries import BillingEntry, work_order
from billing.events import event_verdict_of
from billing.exact import decimal_of, units_of
from billing.portions import Placed
from schemas.charges import Deposit, DepositDeduction, Milestone, MilestoneDue, MilestonePlan
from schemas.draft import Bucket, LineKind
from schemas.entry import EntryKind


class Due(NamedTuple):
    """When a milestone became billable, and by which entry; none when its date says so."""

    day: date
    entry: BillingEntry | None


def milestones(contract: Contract, entries: Iterable[BillingEntry], first: date, end: date) -> Agreed:
    """Milestones, deposits and their deduction that count on a date `[first, end)`; entries are those before `end`."""
    completed, placed = _completions(contract, entries)
    due: dict[tuple[str, str], Due] = {}
    parts: list[AgreedPart] = []
    for plan in contract.document.milestones:
        for one, units in zip(plan.parts, plan_units(contract, plan), strict=True):
            found = Due(one.on, None) if one.on is not None else completed.get((plan.id, one.id))
            if found is not None and found.day < end:
                due[plan.id, one.id] = found
                if first <= found.day:
                    parts.append(_milestone(contract, plan, one, units, found))
    for deposit in contract.document.deposits:
        parts += _deposit(contract, deposit, due, first, end)
    return Agreed(parts, placed)


def plan_units(contract: Contract, plan: MilestonePlan) -> list[int]:
    """The price of each milestone: its rounded share, and for the last one what the others leave (BD-44)."""
    shares = sum(one.share or 0 for one in plan.parts)
    found: list[int] = []
    for one in plan.parts[:-1]:
        found.append(_rounded(contract, _share(plan, one, shares)))
    return [*found, _rounded(contract, Fraction(plan.total)) - sum(found)]


def _share(plan: MilestonePlan, one: Milestone, shares: int) -> Fraction:
    if one.amount is not None:
        return Fraction(one.amount)
    if one.percent is not None:
        return Fraction(plan.total) * Fraction(one.percent) / 100
    return Fraction(plan.total) * (one.share or 0) / shares


def deposit_units(contract: Contract, deposit: Deposit) -> int:
    """The amount of a deposit; a percentage is one of its plan's total."""
    if deposit.amount is not None:
        return _rounded(contract, Fraction(deposit.amount))
    plan = next(one for one in contract.document.milestones if one.id == deposit.plan)
    assert deposit.percent is not None, "validated with the contract"
    return _rounded(contract, Fraction(plan.total) * Fraction(deposit.percent) / 100)


def _rounded(contract: Contract, amount: Fraction) -> int:
    return units_of(amount, contract.places, contract.document.rounding.money_rounding)


def _milestone(contract: Contract, plan: MilestonePlan, one: Milestone, units: int, due: Due) -> AgreedPart:
    amount = Fraction(units, 10**contract.places)
    if one.percent is not None:
        share = f"{one.percent.normalize():f} % of {plan.total:f}"
    else:
        share = f"a part of {plan.total:f}"
    how = f"due on {due.day}" if due.entry is None else f"completed on {due.day}"
    return AgreedPart(
        LineKind.MILESTONE,
        plan.id,
        one.id,
        due.day,
        f"{plan.title}: {one.title}",
        amount,
        *lump(contract, amount),
        origin=f"milestone {one.id} of {plan.id}: {share}",
        steps=(how,),
        service_item=plan.service_item,
        project_id=plan.project,
        entries=() if due.entry is None else (due.entry,),
        weights=() if due.entry is None else (Fraction(1),),
    )


def _deposit(
    contract: Contract, deposit: Deposit, due: dict[tuple[str, str], Due], first: date, end: date
) -> list[AgreedPart]:
    """The deposit on its date, and its deduction with its milestone; asked for too late, it is not asked for at all."""
    amount = Fraction(deposit_units(contract, deposit), 10**contract.places)
    plan = next((one for one in contract.document.milestones if one.id == deposit.plan), None)
    closing = None
    if deposit.deduct_from is DepositDeduction.MILESTONE and plan is not None:
        closing = due.get((plan.id, deposit.milestone or plan.parts[-1].id))
        if closing is not None and closing.day < deposit.on:
            return []
    found = []
    if first <= deposit.on < end:
        found.append(_deposit_part(contract, deposit, "asked", deposit.on, deposit.title, amount))
    if closing is not None and first <= closing.day:
        text = f"{deposit.title} of {deposit.on}, deducted"
        found.append(_deposit_part(contract, deposit, "deducted", closing.day, text, -amount))
    return found


def _deposit_part(contract: Contract, deposit: Deposit, key: str, day: date, text: str, amount: Fraction) -> AgreedPart:
    return AgreedPart(
        LineKind.DEPOSIT,
        deposit.id,
        key,
        day,
        text,
        amount,
        *lump(contract, amount),
        origin=f"deposit {deposit.id}",
        service_item=deposit.service_item,
        project_id=deposit.project,
        counts=False,
    )


def deducted_from_invoice(contract: Contract, deposit: Deposit, day: date, units: int) -> AgreedPart:
    """What one invoice deducts of a deposit that is used up by the next invoices."""
    amount = -Fraction(units, 10**contract.places)
    left = decimal_of(deposit_units(contract, deposit), contract.places)
    part = _deposit_part(
        contract, deposit, f"deducted {day}", day, f"{deposit.title} of {deposit.on}, deducted", amount
    )
    return part._replace(steps=(f"from a deposit of {left:f} {contract.currency}",))


def _completions(
    contract: Contract, entries: Iterable[BillingEntry]
) -> tuple[dict[tuple[str, str], Due], list[Placed]]:
    """The first completion of each milestone in work order; all others are told why they count for nothing."""
    found: dict[tuple[str, str], Due] = {}
    placed: list[Placed] = []
    told = of_kind(entries, EntryKind.MILESTONE)
    for entry in sorted(told, key=lambda one: work_order(one, contract.zone)):
        day = work_date_of(contract.zone, entry)
        refused = event_verdict_of(contract, entry, day)
        if refused is not None:
            placed.append(Placed(entry, day, day, refused.bucket, refused.reason, refused.detail, 0))
            continue
        named = _named(contract, entry)
        if named is None:
            what = entry.task or entry.service_item or "no task"
            placed.append(Placed(entry, day, day, Bucket.HELD, "milestone_unknown", what, 0))
            continue
        plan, one = named
        known = found.get((plan.id, one.id))
        if one.due is MilestoneDue.DATE:
            placed.append(Placed(entry, day, day, Bucket.NON_BILLABLE, "milestone_by_date", one.id, 0))
        elif known is not None and known.entry is not None:
            placed.append(Placed(entry, day, day, Bucket.NON_BILLABLE, "milestone_repeated", known.entry.entry_id, 0))
        else:
            found[plan.id, one.id] = Due(day, entry)
    return found, placed


def _named(contract: Contract, entry: BillingEntry) -> tuple[MilestonePlan, Milestone] | None:
    """The milestone whose id or name the entry says; a plan for the entry's project goes before one for all."""
    word = _plain(entry.task or entry.service_item)
    plans = [plan for plan in contract.document.milestones if plan.project in ("", entry.project_id)]
    for plan in sorted(plans, key=lambda plan: plan.project == ""):
        for one in plan.parts:
            if word in (_plain(one.id), _plain(one.title)):
                return plan, one
    return None


def _plain(text: str) -> str:
    """Words as they are compared, however they are spaced and written."""
    return " ".join(text.split()).casefold()
