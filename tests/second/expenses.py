"""Step 12: expenses at cost with mark-up, in their own day's currency rate, rounded once (BD-45, BD-46)."""

from dataclasses import replace
from fractions import Fraction

from schemas.clauses import ShowMarkup, TaxedKind
from schemas.entry import EntryKind
from tests.second.case import Case
from tests.second.exact import fraction
from tests.second.lines import Charge
from tests.second.rates import exchange
from tests.second.sorting import days_of_entry
from tests.second.stretch import Stretch
from tests.second.taxes import tax_index


def cost_of(case: Case, one: Stretch) -> Fraction | None:
    """What an expense cost, in the contract's currency, not rounded."""
    entry = one.entry
    amount = fraction(entry.amount) if entry.amount is not None else None
    if amount is None and entry.quantity is not None and entry.unit_price is not None:
        amount = fraction(entry.quantity) * fraction(entry.unit_price)
    rate = exchange(case, entry.currency, one.day) if entry.currency else None
    return None if amount is None or rate is None else amount * rate


def markup_of(case: Case, one: Stretch) -> Fraction:
    """The percentage of the category on the expense date, else that of all categories."""
    rows = [row for row in case.contract.expenses.markups if row.covers(one.day)]
    own = [row for row in rows if row.category and row.category == one.entry.expense_category]
    general = [row for row in rows if not row.category]
    return fraction((own + general)[0].percent) if own + general else Fraction(0)


def expense_charges(case: Case) -> list[Charge]:
    """Every expense that is billed, by its day."""
    found: list[Charge] = []
    for entry in sorted(case.entries, key=lambda entry: (entry.source, entry.source_entry_id)):
        if entry.kind is not EntryKind.EXPENSE or entry.category is None or entry.written_off:
            continue
        (one,) = days_of_entry(case, entry)
        if one.day >= case.period.end or not is_billed(case, one):
            continue
        found += charges_of(case, one)
    return sorted(found, key=lambda charge: charge.one.order)


def is_billed(case: Case, one: Stretch) -> bool:
    """Whether nothing speaks against the expense."""
    entry, contract = one.entry, case.contract
    doubts = [hold for hold in entry.holds if hold.reason not in entry.released]
    sure = entry.confidence is None or entry.confidence >= contract.decide.confidence_min
    covered = contract.covers(one.day) and contract.project in ("", entry.project_id)
    paid = entry.expense_category not in contract.expenses.not_billable
    return not doubts and sure and covered and paid and entry.category == "billable" and cost_of(case, one) is not None


def charges_of(case: Case, one: Stretch) -> list[Charge]:
    """The expense with its mark-up inside, or both apart."""
    cost, percent = cost_of(case, one), markup_of(case, one)
    assert cost is not None
    period, tax = case.period_of(one.day).start, tax_index(case, TaxedKind.EXPENSE, one.entry, one.day)
    own = (period, one.entry.entry_id)
    category = one.entry.expense_category
    if case.contract.expenses.show_markup is ShowMarkup.INCLUDED:
        return [Charge(one, Fraction(0), cost * (1 + percent / 100), own, "expense", tax, category)]
    found = [Charge(one, Fraction(0), cost, own, "expense", tax, category)]
    if percent:
        after = replace(one, order=(*one.order, "markup"))
        found.append(
            Charge(
                after,
                Fraction(0),
                cost * percent / 100,
                (period, "markup", tax),
                "markup",
                tax,
                category,
                inner=(percent,),
            )
        )
    return found
