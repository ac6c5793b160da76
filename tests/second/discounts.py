"""Step 10: discounts on lines, then on the invoice, spread over the lines they apply to (BD-48)."""

from datetime import date, timedelta
from fractions import Fraction

from schemas.charges import Discount, DiscountLevel, DiscountShown
from tests.second.case import Case
from tests.second.exact import fraction, shares, units_of, whole
from tests.second.fees import Fee, rounded
from tests.second.lines import Charge, Line
from tests.second.rates import meets


def meets_charge(discount: Discount, charge: Charge) -> bool:
    """Whether a discount looks at time or an expense; a percentage has the date of the work."""
    entry = charge.one.entry
    if not is_dated(discount, charge.one.day):
        return False
    if charge.kind == "fee":
        return discount.counts.time and meets(
            (discount.service_items, discount.projects, discount.tasks, discount.people, discount.roles),
            (entry.service_item, entry.project_id, entry.task, entry.person_id, charge.one.role),
        )
    return discount.counts.expenses and meets(
        (discount.expense_categories, discount.projects), (entry.expense_category, entry.project_id)
    )


def is_dated(discount: Discount, day: date) -> bool:
    """Whether a percentage is valid on the day of what it reduces; a fixed amount asks for the period's last day."""
    return discount.percent is None or discount.covers(day)


def meets_fee(discount: Discount, fee: Fee) -> bool:
    """Whether it looks at an agreed fee; deposits are never reduced."""
    lists = meets((discount.service_items, discount.projects), (fee.service_item, fee.project))
    return discount.counts.agreed_fees and fee.kind != "deposit" and lists and is_dated(discount, fee.day)


def in_turn(case: Case) -> list[Discount]:
    """Those on lines first, then those on the invoice, each kind in the order of the contract."""
    return sorted(case.contract.discounts, key=lambda row: row.level is DiscountLevel.INVOICE)


def apply_discounts(case: Case, lines: list[Line], fees: list[Fee]) -> None:
    """Each over what the earlier ones left."""
    rows = in_turn(case)
    for discount in rows:
        own = [[charge for charge in line.charges if meets_charge(discount, charge)] for line in lines]
        exact = [shown_part(case, line, charges) for line, charges in zip(lines, own, strict=True)]
        mine = [fee for fee in fees if meets_fee(discount, fee)]
        exact += [Fraction(fee.net) for fee in mine]
        taken = taken_of(case, discount, exact)
        is_apart = discount.show is DiscountShown.SEPARATE
        for units_taken, line, charges in zip(taken, lines, own, strict=False):
            take(case, charges, units_taken, is_apart=is_apart)
            if is_apart and units_taken:
                line.apart[discount.id] = line.apart.get(discount.id, 0) + units_taken
        for units_taken, fee in zip(taken[len(own) :], mine, strict=True):
            fee.left -= units_taken
            if is_apart:
                fee.apart += units_taken
                fee.apart_of[discount.id] = fee.apart_of.get(discount.id, 0) + units_taken
            else:
                fee.discount += units_taken


def discount_earlier(case: Case, charges: list[Charge], fees: list[Fee]) -> None:
    """What earlier invoices were reduced by, exactly: limits on money count them with their discounts."""
    unit = units_of(Fraction(1), case.contract.currency)
    for discount in in_turn(case):
        mine = [charge for charge in charges if meets_charge(discount, charge)]
        agreed = [fee for fee in fees if meets_fee(discount, fee)]
        if discount.percent is not None:
            left = 1 - fraction(discount.percent) / 100
            for charge in mine:
                charge.amount *= left
            for fee in agreed:
                fee.left *= left
            continue
        days = [*(one.one.counted for one in mine), *(fee.day for fee in agreed)]
        for start in dict.fromkeys(case.period_of(day).start for day in days):
            period = case.period_of(start)
            own = [charge for charge in mine if charge.one.counted in period]
            fixed = [fee for fee in agreed if fee.day in period]
            base = sum((units(case, one) for one in own), Fraction(0)) + sum((one.left for one in fixed), Fraction(0))
            if base <= 0 or not discount.covers(period.end - timedelta(days=1)):
                continue
            left = 1 - min(fraction(discount.amount or 0) * unit, base) / base
            for charge in own:
                charge.amount *= left
            for fee in fixed:
                fee.left *= left


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
    """What each line loses, in whole units; nothing of a sum that is not above zero."""
    unit = units_of(Fraction(1), case.contract.currency)
    if discount.level is DiscountLevel.LINE:
        return [rounded(case, one / unit * fraction(discount.percent or 0) / 100) for one in exact]
    base = sum(exact, Fraction(0))
    if base <= 0:
        return [0] * len(exact)
    if discount.amount is None:
        return shares(rounded(case, base / unit * fraction(discount.percent or 0) / 100), exact)
    is_valid = discount.covers(case.period.end - timedelta(days=1))
    return shares(min(rounded(case, fraction(discount.amount)), whole(base)) if is_valid else 0, exact)


def take(case: Case, charges: list[Charge], taken: int, *, is_apart: bool) -> None:
    """Take units from charges in proportion to their amounts."""
    base = sum((charge.amount for charge in charges), Fraction(0))
    unit = units_of(Fraction(1), case.contract.currency)
    for charge in charges:
        own = Fraction(taken) * charge.amount / base if base else Fraction(0)
        charge.taken += own
        charge.amount -= own / unit
        charge.apart += own / unit if is_apart else Fraction(0)
