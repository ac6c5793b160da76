"""Step 10: discounts on lines, then on the invoice, spread over the lines they apply to (BD-48)."""

from datetime import timedelta
from fractions import Fraction

from schemas.charges import Discount, DiscountLevel
from tests.second.case import Case
from tests.second.exact import fraction, shares, units_of, whole
from tests.second.fees import Fee, rounded
from tests.second.lines import Charge, Line
from tests.second.money import round_line
from tests.second.rates import meets


def meets_charge(discount: Discount, charge: Charge) -> bool:
    """Whether a discount looks at time or an expense."""
    entry = charge.one.entry
    if charge.kind == "fee":
        return discount.counts.time and meets(
            (discount.service_items, discount.projects, discount.tasks, discount.people, discount.roles),
            (entry.service_item, entry.project_id, entry.task, entry.person_id, charge.one.role),
        )
    return discount.counts.expenses and meets(
        (discount.expense_categories, discount.projects), (entry.expense_category, entry.project_id)
    )


def meets_fee(discount: Discount, fee: Fee) -> bool:
    """Whether it looks at an agreed fee; deposits are never reduced."""
    lists = meets((discount.service_items, discount.projects), (fee.service_item, fee.project))
    person = discount.tasks or discount.people or discount.roles
    return discount.counts.agreed_fees and fee.kind != "deposit" and lists and not person


def apply_discounts(case: Case, lines: list[Line], fees: list[Fee]) -> None:
    """Those on lines first, then those on the invoice, each over what the earlier ones left."""
    valid = [row for row in case.contract.discounts if row.covers(case.period.end - timedelta(days=1))]
    for line in lines:
        if any(meets_charge(discount, charge) for discount in valid for charge in line.charges):
            as_rounded(case, line)
    for discount in sorted(valid, key=lambda row: row.level is DiscountLevel.INVOICE):
        own = [[charge for charge in line.charges if meets_charge(discount, charge)] for line in lines]
        exact = [shown_part(case, line, charges) for line, charges in zip(lines, own, strict=True)]
        mine = [fee for fee in fees if meets_fee(discount, fee)]
        exact += [Fraction(fee.units - fee.discount) for fee in mine]
        taken = taken_of(case, discount, exact)
        for units_taken, charges in zip(taken, own, strict=False):
            take(case, charges, units_taken)
        for units_taken, fee in zip(taken[len(own) :], mine, strict=True):
            fee.discount += units_taken


def as_rounded(case: Case, line: Line) -> None:
    """A discount looks at the amounts that the client sees: from here on the rounded line counts."""
    exact = sum((units(case, charge) for charge in line.charges), Fraction(0))
    shown = round_line(case, line).units
    for charge in line.charges if exact else ():
        charge.amount *= shown / exact


def shown_part(case: Case, line: Line, charges: list[Charge]) -> Fraction:
    """The rounded amount of these charges of a line, less what earlier discounts took of them."""
    mode = case.contract.rounding.money_rounding
    gross = sum((units_of(charge.gross, case.contract.currency) for charge in charges), Fraction(0))
    taken = sum((charge.taken for charge in charges), Fraction(0))
    is_whole = len(charges) == len(line.charges)
    return whole(gross, mode) - taken if is_whole else Fraction(whole(gross - taken, mode))


def units(case: Case, charge: Charge) -> Fraction:
    """The exact amount in smallest units."""
    return units_of(charge.amount, case.contract.currency)


def taken_of(case: Case, discount: Discount, exact: list[Fraction]) -> list[int]:
    """What each line loses, in whole units."""
    unit = units_of(Fraction(1), case.contract.currency)
    if discount.level is DiscountLevel.LINE:
        return [rounded(case, one / unit * fraction(discount.percent or 0) / 100) for one in exact]
    base = sum(exact, Fraction(0))
    if discount.amount is None:
        return shares(rounded(case, base / unit * fraction(discount.percent or 0) / 100), exact)
    return shares(min(rounded(case, fraction(discount.amount)), whole(base)), exact)


def take(case: Case, charges: list[Charge], taken: int) -> None:
    """Take units from charges in proportion to their amounts."""
    base = sum((charge.amount for charge in charges), Fraction(0))
    unit = units_of(Fraction(1), case.contract.currency)
    for charge in charges:
        own = Fraction(taken) * charge.amount / base if base else Fraction(0)
        charge.taken += own
        charge.amount -= own / unit
