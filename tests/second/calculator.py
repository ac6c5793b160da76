"""The whole invoice, step by step in the order of the rules (section 3), with nothing but fractions and patience."""

from collections import Counter

from schemas.entry import EntryKind
from tests.second.caps import apply_caps
from tests.second.case import Case, Facts, line_fact
from tests.second.expenses import expense_charges
from tests.second.increments import round_time
from tests.second.lines import Charge, lines_of, rate_time, show_quantities
from tests.second.money import Rounded, apply_amount_caps, keep_limits, parts_of, round_line
from tests.second.sorting import sort_time
from tests.second.stretch import Stretch
from tests.second.taxes import tax_facts


def calculate(case: Case) -> Facts:
    """The facts of the invoice of a case."""
    facts = Facts()
    sorted_time = sort_time(case)
    rounded = [one for one in round_time(case, sorted_time.live) if one.worked or one.delta]
    capped = apply_caps(case, rounded)
    charges = [*rate_time(case, capped.live, capped.placed), *expense_charges(case)]
    lines = lines_of(charges)
    show_quantities(case, lines)
    apply_amount_caps(case, charges)
    present = [round_line(case, line) for line in lines if line.key[0] == case.period.start]
    for one, bucket, reason in [*sorted_time.placed, *capped.placed]:
        if one.counted in case.period:
            facts.place(one.entry.entry_id, bucket, reason, one.worked, one.delta)
    _lines(case, facts, present, charges)
    _count(case, facts, sorted_time.live + [one for one, _, _ in sorted_time.placed])
    return facts


def _lines(case: Case, facts: Facts, present: list[Rounded], charges: list[Charge]) -> None:
    """Lines, their tax and the totals; what stands on an earlier document is only counted."""
    shown: list[Rounded] = []
    for rounded in present:
        for charge in [one for one in rounded.line.charges if one.one.entry.billed_on and rounded.line.kind == "fee"]:
            one = charge.one
            facts.place(one.entry.entry_id, "billed", "billed_before", one.worked, one.delta)
        own = [one for one in rounded.line.charges if not one.one.entry.billed_on]
        if not own:
            continue
        rounded.line.charges = own
        again = round_line(case, rounded.line)
        if again.line.kind == "fee" and again.line.seconds == 0:
            for charge in own:
                one = charge.one
                facts.place(one.entry.entry_id, "billed", "rounded_to_zero", one.worked, one.delta)
            continue
        shown.append(again)
    parts = [parts_of(rounded.line, rounded.units) for rounded in shown]
    keep_limits(case, charges, [part for of_line in parts for part in of_line])
    for rounded, of_line in zip(shown, parts, strict=True):
        sources = [part.fact for part in of_line]
        kept = sum(part.units for part in of_line)
        rounded.adjustment += kept - rounded.units
        rounded.units = kept
        facts.lines[line_fact(rounded.line.kind, rounded.line.seconds, rounded.adjustment, rounded.units, sources)] += 1
        for entry_id, worked, _, _ in sources:
            if rounded.line.kind == "fee" and entry_id:
                facts.buckets["billed", ""] += worked
    facts.taxes, tax = tax_facts(case, shown)
    net = sum(rounded.units for rounded in shown)
    facts.totals |= {"net": net, "tax": tax, "gross": net + tax, "due": net + tax}


def _count(case: Case, facts: Facts, all_time: list[Stretch]) -> None:
    """The ledger: what was worked in the period, and where it is (BD-72)."""
    facts.totals["worked"] = sum(one.worked for one in all_time if one.day in case.period)
    for (_, bucket, reason), (worked, _) in facts.placed.items():
        facts.buckets[bucket, reason] += worked
    facts.buckets = Counter({key: seconds for key, seconds in facts.buckets.items() if seconds})
    assert all(one.entry.kind is EntryKind.TIME for one in all_time)
