"""The end of step 12, which depends on all other lines: discounts shown apart, the minimum, deposits to deduct."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import NamedTuple

from billing.agreed import Agreed, AgreedPart, fixed_fees, in_order, lump
from billing.carried import Carried
from billing.contract import Contract, counted_from
from billing.entries import BillingEntry
from billing.lines import agreed_line
from billing.milestones import deducted_from_invoice, deposit_units, milestones
from billing.minimums import true_up
from billing.portions import Placed
from billing.recurring import recurring_fees
from billing.results import Line
from billing.settled import SettledCharge, SettledLine
from billing.taxes import Taxed, tax_index
from billing.usage import usage_fees
from schemas.charges import DepositDeduction
from schemas.clauses import TaxedKind
from schemas.draft import Bucket, LineKind
from schemas.period import Period


class Finished(NamedTuple):
    """All lines of an invoice, and what it hands to the next one apart from held money."""

    lines: list[SettledLine]
    carried: Carried


def agreed_fees(
    contract: Contract, entries: Sequence[BillingEntry], period: Period, retainer_fees: Sequence[AgreedPart]
) -> Agreed:
    """Fees beside the hours, of the period and of the time before it that amount caps look at."""
    first = counted_from(contract, period)
    if first < period.start:
        # The invoice of the contract's first period bills all of that period, so it counts on later ones, too.
        first = contract.period_of(first).start
    done = milestones(contract, entries, first, period.end)
    used = usage_fees(contract, entries, period, first)
    once = fixed_fees(contract, first, period.end)
    again = recurring_fees(contract, first, period.end)
    before = [
        Placed(entry, part.day, part.day, Bucket.BILLED, "billed_before", entry.billed_on, 0)
        for part in done.parts
        for entry in part.entries
        if entry.billed_on
    ]
    parts = in_order([*done.parts, *used.parts, *once, *again, *retainer_fees])
    return Agreed(parts, [*done.placed, *used.placed, *before])


def finish(contract: Contract, period: Period, settled: Sequence[SettledLine], carried: Carried) -> Finished:
    """Add the lines that follow from the others; the amounts of those do not change any more."""
    lifted = true_up(contract, period, settled, carried.shortfalls)
    lines = [*settled, *_separate_discounts(contract, period, settled)]
    lines += [_settled(contract, period, part) for part in lifted.parts]
    deductions, deducted = _deductions(contract, period, sum(line.units for line in lines), carried)
    lines += [_settled(contract, period, part) for part in deductions]
    return Finished(lines, replace(carried, shortfalls=lifted.shortfalls, deducted=deducted))


def _settled(contract: Contract, period: Period, part: AgreedPart) -> SettledLine:
    tax = tax_index(contract, period, Taxed(TaxedKind.FEE, part.service_item, part.project_id, ""))
    return _settled_at(contract, part, tax)


def _settled_at(contract: Contract, part: AgreedPart, tax: int) -> SettledLine:
    line = agreed_line(contract, part, tax, 0)
    charges = [SettledCharge(charge, line.gross_units) for charge in line.charges.values()]
    return SettledLine(line, line.gross_units, charges)


def _separate_discounts(contract: Contract, period: Period, settled: Sequence[SettledLine]) -> list[SettledLine]:
    """One line for each discount that is shown apart and each tax of the lines that it reduces."""
    units: dict[tuple[str, int], int] = {}
    for line in settled:
        for discount_id, taken in line.separate_units.items():
            key = (discount_id, line.line.key.tax_index)
            units[key] = units.get(key, 0) + taken
    names = {row.id: row.name or row.id for row in contract.document.discounts}
    found = []
    for (discount_id, tax), taken in sorted(units.items()):
        amount = -Fraction(taken, 10**contract.places)
        last_day = period.end - timedelta(days=1)
        name, origin = names[discount_id], f"discount {discount_id}"
        quantity, unit, price = lump(contract, amount)
        part = AgreedPart(
            LineKind.DISCOUNT, discount_id, "", last_day, name, amount, quantity, unit, price, origin, counts=False
        )
        found.append(_settled_at(contract, part, tax))
    return found


def _deductions(
    contract: Contract, period: Period, net_units: int, carried: Carried
) -> tuple[list[AgreedPart], dict[str, int]]:
    """Deposits invoiced before the period, as far as this invoice has something to deduct them from."""
    deducted = dict(carried.deducted)
    parts: list[AgreedPart] = []
    last_day = period.end - timedelta(days=1)
    for deposit in sorted(contract.document.deposits, key=lambda one: (one.on, one.id)):
        if deposit.deduct_from is not DepositDeduction.NEXT_INVOICES or deposit.on >= period.start:
            continue
        left = deposit_units(contract, deposit) - deducted.get(deposit.id, 0)
        units = min(left, max(net_units, 0))
        if units:
            parts.append(deducted_from_invoice(contract, deposit, last_day, units))
            deducted[deposit.id] = deducted.get(deposit.id, 0) + units
            net_units -= units
    return parts, deducted


def assert_money_conserved(lines: Sequence[Line], expected_units: int) -> None:
    """The law: lines are the sum of their charges, charges that of their sources, and nothing is lost in between.

    `expected_units` is what settling left of all lines. A breach is our mistake.
    """
    for line in lines:
        charged = sum(charge.units for charge in line.charges)
        assert line.units == charged, f"line {line.text!r} is not the sum of its charges"
        for charge in line.charges:
            shares = sum(source.units for source in charge.sources)
            assert not charge.sources or charge.units == shares, f"a charge of {line.text!r} is not that of its sources"
    assert sum(line.units for line in lines) == expected_units, "money is lost between the rules and the lines"
