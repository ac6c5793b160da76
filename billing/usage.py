"""Usage fees: counted units, some included, the rest in packages of which a started one costs all or its part (BD-47).

What stands on an approved document was counted first, so later units never change what they cost.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from billing.agreed import Agreed, AgreedPart, of_kind
from billing.attribute import work_date_of
from billing.contract import Contract
from billing.entries import BillingEntry, work_order
from billing.events import event_verdict_of
from billing.exact import exact_or_shown, shown
from billing.portions import Placed
from schemas.charges import PartialPackage, UsageFee, UsageReset
from schemas.draft import Bucket, LineKind
from schemas.entry import EntryKind
from schemas.period import Period

_SHOWN_DECIMALS = 4


class _Counted(NamedTuple):
    """An entry with the day it counts on and its units."""

    day: date
    units: Decimal
    entry: BillingEntry


def usage_fees(contract: Contract, entries: Iterable[BillingEntry], period: Period, first: date) -> Agreed:
    """The usage fees of the period, and of the periods from `first` on before it."""
    counted, placed = _counted(contract, entries)
    parts: list[AgreedPart] = []
    for fee_id in sorted({row.id for row in contract.document.usage_fees}):
        rows = [row for row in contract.document.usage_fees if row.id == fee_id]
        mine = [one for one in counted if _fee_of(contract, one.entry, one.day, rows)]
        for span in _periods(contract, mine, period, first):
            row = next((row for row in rows if row.covers(span.end - timedelta(days=1))), None) or rows[-1]
            parts += _fee(contract, row, mine, span)
    return Agreed(parts, placed)


def _periods(contract: Contract, mine: list[_Counted], period: Period, first: date) -> list[Period]:
    """The billing periods in which something was counted; days of the asked period belong to no other."""
    found: dict[date, Period] = {}
    for one in mine:
        if one.day >= first:
            span = contract.period_of(one.day)
            known = period if one.day in period else Period(start=span.start, end=min(span.end, period.start))
            found[known.start] = known
    return [found[start] for start in sorted(found)]


def _counted(contract: Contract, entries: Iterable[BillingEntry]) -> tuple[list[_Counted], list[Placed]]:
    found: list[_Counted] = []
    placed: list[Placed] = []
    for entry in sorted(of_kind(entries, EntryKind.USAGE), key=lambda one: work_order(one, contract.zone)):
        day = work_date_of(contract.zone, entry)
        refused = event_verdict_of(contract, entry, day)
        if refused is not None:
            placed.append(Placed(entry, day, day, refused.bucket, refused.reason, refused.detail, 0))
        elif _fee_of(contract, entry, day, contract.document.usage_fees) is None:
            meter = entry.expense_category or entry.service_item or "no meter"
            placed.append(Placed(entry, day, day, Bucket.HELD, "usage_without_fee", meter, 0))
        elif entry.quantity is None:
            placed.append(Placed(entry, day, day, Bucket.HELD, "quantity_missing", "", 0))
        else:
            found.append(_Counted(day, entry.quantity, entry))
            if entry.billed_on:
                placed.append(Placed(entry, day, day, Bucket.BILLED, "billed_before", entry.billed_on, 0))
    return found, placed


def _fee_of(contract: Contract, entry: BillingEntry, day: date, rows: Iterable[UsageFee]) -> UsageFee | None:
    meter = entry.expense_category or entry.service_item
    return next((row for row in rows if row.meter == meter and row.covers(day)), None)


def _fee(contract: Contract, row: UsageFee, mine: list[_Counted], span: Period) -> list[AgreedPart]:
    """The fee of one period: what its units add to the packages of those counted before."""
    inside = [one for one in mine if one.day in span]
    fresh = [one for one in inside if not one.entry.billed_on]
    if not fresh:
        return []
    before = sum((one.units for one in inside if one.entry.billed_on), Decimal(0))
    if row.reset is UsageReset.CONTRACT:
        before += sum((one.units for one in mine if one.day < span.start), Decimal(0))
    units = sum((one.units for one in fresh), Decimal(0))
    packages = _packages(row, before + units) - _packages(row, before)
    amount = packages * Fraction(row.price)
    steps = [f"{units:f} {row.unit} counted, {row.included_units:f} included"]
    if before:
        steps.append(f"{before:f} {row.unit} counted before")
    size = f"{row.package_units:f} {row.unit}"
    steps.append(f"packages of {size}: {exact_or_shown(packages, _SHOWN_DECIMALS):f} x {row.price:f}")
    whole = packages.denominator == 1
    return [
        AgreedPart(
            LineKind.USAGE_FEE,
            row.id,
            span.start.isoformat(),
            max(one.day for one in fresh),
            f"{row.title}: {units:f} {row.unit}",
            amount,
            shown(packages, 0) if whole else exact_or_shown(packages, _SHOWN_DECIMALS),
            row.unit if row.package_units == 1 else f"package of {size}",
            row.price,
            origin=f"usage fee {row.id} {row.span_text}: {row.price:f} per {size}",
            steps=tuple(steps),
            service_item=row.service_item,
            project_id=row.project,
            entries=tuple(one.entry for one in fresh),
            weights=tuple(Fraction(one.units) for one in fresh),
        )
    ]


def _packages(row: UsageFee, units: Decimal) -> Fraction:
    """Packages above the included units; below them there are none."""
    over = max(Fraction(units) - Fraction(row.included_units), Fraction(0)) / Fraction(row.package_units)
    return Fraction(ceil(over)) if row.partial_package is PartialPackage.FULL else over
