"""Findings: what a person should know about an invoice although nothing is wrong with its sums."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from billing.contract import Contract
from billing.exact import decimal_of, shown
from billing.explain import hours_text
from billing.finish import Finished
from billing.rating import RatedPart
from billing.results import LedgerRow, Note
from billing.settled import SettledLine
from billing.terms import Terms
from schemas.draft import Bucket, LineKind
from schemas.period import Period


def notes_of(
    contract: Contract, period: Period, parts: Sequence[RatedPart], settled: Iterable[SettledLine]
) -> tuple[Note, ...]:
    """All findings, in a fixed order."""
    notes = [
        Note("contract_incomplete", f"Cap {cap_id} does not say who shares it: person, role or all.")
        for cap_id in contract.incomplete_caps
    ]
    notes += _amount_caps(contract, settled)
    notes += _blended_variance(contract, period, parts)
    return tuple(notes)


def _amount_caps(contract: Contract, settled: Iterable[SettledLine]) -> list[Note]:
    taken: dict[str, Fraction] = {}
    for line in settled:
        for charge in line.charges:
            for cap_id, amount in charge.taken.items():
                taken[cap_id] = taken.get(cap_id, Fraction(0)) + amount
    return [
        Note("amount_cap_reached", f"Cap {cap_id} takes {shown(amount, contract.places):f} {contract.currency}.")
        for cap_id, amount in sorted(taken.items())
    ]


def _blended_variance(contract: Contract, period: Period, parts: Sequence[RatedPart]) -> list[Note]:
    """What blended time would have cost at the standard rates; reported, never invoiced (BD-17)."""
    seconds: dict[Terms, int] = {}
    for part in parts if contract.document.blended else ():
        portion = part.portion
        rate = portion.terms.rate
        if portion.counted_day in period and rate is not None and rate.standard is not None and not portion.price:
            seconds[portion.terms] = seconds.get(portion.terms, 0) + portion.billable_seconds
    standard = blended = Fraction(0)
    total = 0
    for terms, amount in seconds.items():
        rate = terms.rate
        if rate is None or rate.standard is None or rate.standard.currency != rate.currency:
            continue
        standard += Fraction(rate.standard.row.rate) * Fraction(amount, 3600)
        blended += Fraction(rate.rate) * Fraction(amount, 3600)
        total += amount
    if not total:
        return []
    effective = shown(standard / Fraction(total, 3600), contract.places)
    text = (
        f"{hours_text(total)} at blended rates: standard value {shown(standard, contract.places):f}, "
        f"variance {shown(blended - standard, contract.places):f}, effective standard rate {effective:f}."
    )
    return [Note("blended_variance", text)]


def money_notes(
    contract: Contract, finished: Finished, ledger: Sequence[LedgerRow], passed: Mapping[str, Fraction]
) -> tuple[Note, ...]:
    """What a person should know about limits and minimums, and about an invoice that gives money back."""
    notes: list[Note] = []
    for cap_id, above in sorted(passed.items()):
        too_much = shown(above, contract.places)
        text = f"Agreed fees are {too_much:f} {contract.currency} above the limit of cap {cap_id}."
        notes.append(Note("amount_cap_passed", text))
    for one in finished.carried.shortfalls:
        amount = decimal_of(one.units, contract.places)
        text = f"{amount:f} {contract.currency} of minimum {one.minimum_id} in {one.period} are carried."
        notes.append(Note("shortfall_carried", text))
    held = sum(row.seconds for row in ledger if row.bucket is Bucket.HELD)
    if held and any(line.line.key.kind is LineKind.MINIMUM_TRUE_UP for line in finished.lines):
        text = f"The minimum was billed while {hours_text(held)} are held; releasing them lowers what it lacks."
        notes.append(Note("minimum_with_held_time", text))
    net = sum(line.units for line in finished.lines)
    if net < 0:
        amount = decimal_of(-net, contract.places)
        text = f"Corrections and reductions exceed the charges by {amount:f} {contract.currency}."
        notes.append(Note("negative_invoice", text))
    return tuple(notes)
