"""Steps 9 and 13: time with its price becomes charges, charges of one kind become a line."""

import re
from dataclasses import dataclass, field
from fractions import Fraction

from schemas.clauses import GroupBy, Rollup, RollupRates, TaxedKind
from tests.second.case import Case
from tests.second.exact import whole
from tests.second.premiums import Moment, moments
from tests.second.rates import blended_of, candidates, price_of
from tests.second.stretch import Stretch
from tests.second.taxes import tax_index
from tests.second.tiers import band_time


@dataclass
class Charge:
    """Time at one price, or an expense. `amount` is exact and what caps and discounts leave of `gross`.

    `taken` is what discounts took in smallest units, `apart` what those of them took that stand on lines of their own,
    `capped` whether a limit on money took something.
    """

    one: Stretch
    price: Fraction
    gross: Fraction
    key: tuple[object, ...]
    kind: str = "fee"
    tax: int = 0
    category: str = ""
    amount: Fraction = Fraction(0)
    inner: tuple[object, ...] = ()
    taken: Fraction = Fraction(0)
    apart: Fraction = Fraction(0)
    capped: bool = False

    def __post_init__(self) -> None:
        self.amount = self.gross


@dataclass
class Line:
    """Charges of one key, in work-time order; `apart` is what discounts took that stand on lines of their own."""

    key: tuple[object, ...]
    kind: str
    charges: list[Charge] = field(default_factory=list)
    apart: dict[str, int] = field(default_factory=dict)

    @property
    def seconds(self) -> int:
        """Billable time on the line."""
        return sum(charge.one.billable for charge in self.charges) if self.kind == "fee" else 0


def rollup_of(case: Case, one: Stretch) -> Rollup | None:
    """The first roll-up that names something the entry has (BD-50)."""
    entry = one.entry
    for rollup in case.contract.lines.rollups:
        named = set(rollup.tags) & set(entry.tags)
        single = (
            (rollup.service_items, entry.service_item),
            (rollup.tasks, entry.task),
            (rollup.projects, entry.project_id),
        )
        said = set(re.findall(r"\w+", entry.description.casefold())) & set(rollup.words)
        if named or said or any(own in names for names, own in single):
            return rollup
    return None


def line_key(case: Case, one: Stretch, price: Fraction, marks: tuple[str, ...]) -> tuple[object, ...]:
    """What separates this time from other time on an invoice; price and tax always do, but in an average or a sum."""
    rollup = rollup_of(case, one)
    priced = (price, marks) if rollup is None or rollup.rates is RollupRates.PRESERVE else ()
    return (*grouping_key(case, one), tax_index(case, TaxedKind.FEE, one.entry, one.counted), *priced)


def grouping_key(case: Case, one: Stretch) -> tuple[object, ...]:
    """What the contract groups by, before there is a price: also the key of the increment scope `line` (BD-75)."""
    entry = one.entry
    always = (entry.utbms_task, entry.utbms_activity)
    rollup = rollup_of(case, one)
    if rollup is not None:
        return ("rollup", rollup.id, *always, one.role if rollup.rates is RollupRates.PRESERVE else "")
    own: dict[GroupBy, object] = {
        GroupBy.PROJECT: entry.project_id,
        GroupBy.SERVICE_ITEM: entry.service_item,
        GroupBy.TASK: entry.task,
        GroupBy.PERSON: entry.person_id,
        GroupBy.ROLE: one.role,
        GroupBy.DATE: one.day,
        GroupBy.ENTRY: entry.entry_id,
    }
    return (*(own[name] for name in case.contract.lines.group_by), *always)


def rate_time(case: Case, live: list[Stretch], unpriced: list[tuple[Stretch, str, str]]) -> list[Charge]:
    """Every stretch at its price: premiums multiply the rate, never an overage rate."""
    banded, rest = band_time(case, live)
    found: list[Charge] = []
    for band in banded:
        if band.package is not None:
            found.append(package_charge(case, band.one, band.package))
            continue
        pieces = moments(case, band.one) if band.multiplied else [Moment(band.one, (), Fraction(1))]
        for moment in pieces:
            found.append(charge_of(case, moment.one, band.rate * moment.factor, (band.one.over, *moment.premiums)))
    for one in rest:
        if one.overage is not None:
            found.append(charge_of(case, one, one.overage, (one.over,)))
            continue
        price = price_of(case, one)
        if price is None:
            known = candidates(case, one) or blended_of(case, one.role, one.day)
            unpriced.append((one, "held", "exchange_rate_missing" if known else "rate_missing"))
            continue
        if not price.multiplied:
            found.append(charge_of(case, one, price.rate, (one.over,)))
            continue
        for moment in moments(case, one):
            found.append(charge_of(case, moment.one, price.rate * moment.factor, (one.over, *moment.premiums)))
    return sorted(found, key=lambda charge: (charge.one.order, charge.one.first))


def charge_of(case: Case, one: Stretch, price: Fraction, marks: tuple[str, ...]) -> Charge:
    """One rated amount: seconds x price, not rounded."""
    key = (case.period_of(one.counted).start, *line_key(case, one, price, marks))
    charge = Charge(
        one, price, price * one.billable / 3600, key, tax=tax_index(case, TaxedKind.FEE, one.entry, one.counted)
    )
    charge.inner = (price, marks)
    return charge


def package_charge(case: Case, one: Stretch, amount: Fraction) -> Charge:
    """Time that shares a price for packages: only tax and task codes keep it apart on an invoice."""
    tax = tax_index(case, TaxedKind.FEE, one.entry, one.counted)
    key = (case.period_of(one.counted).start, "package", one.entry.utbms_task, one.entry.utbms_activity, tax)
    return Charge(one, Fraction(0), amount, key, tax=tax, inner=("package",))


def lines_of(charges: list[Charge]) -> list[Line]:
    """Group charges, lines in the order of their first work."""
    found: dict[tuple[object, ...], Line] = {}
    for charge in charges:
        found.setdefault((charge.kind, *charge.key), Line(charge.key, charge.kind)).charges.append(charge)
    return list(found.values())


def show_quantities(case: Case, lines: list[Line]) -> None:
    """With basis `displayed` the shown quantity is what is multiplied (BD-08); earlier periods count exactly."""
    decimals = case.contract.rounding.quantity_decimals
    if case.contract.rounding.amount_basis == "exact" or decimals is None:
        return
    for line in lines:
        if line.kind != "fee" or line.key[0] != case.period.start:
            continue
        # A line shows one quantity for each price, whatever made the price.
        for price in dict.fromkeys(charge.inner[0] for charge in line.charges if charge.inner != ("package",)):
            members = [charge for charge in line.charges if charge.inner[0] == price]
            seconds = sum(charge.one.billable for charge in members)
            shown = Fraction(whole(Fraction(seconds, 3600) * 10**decimals), 10**decimals)
            for charge in members:
                charge.gross = charge.amount = (
                    charge.price * shown * charge.one.billable / seconds if seconds else Fraction(0)
                )
