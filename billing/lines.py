"""Step 13: parts become lines and charges, with quantity, price and the exact amount before amount caps.

BD-08, BD-50, BD-45. Amounts are exact here; `billing.settle` rounds each line once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from billing.agreed import AgreedPart
from billing.contract import Contract
from billing.entries import OrderKey
from billing.exact import exact_or_shown, fraction_of, product, shown, units_of
from billing.expenses import ExpensePart
from billing.grouping import LineGroup, line_group
from billing.portions import Package, made
from billing.rating import Price, RatedPart
from billing.taxes import Taxed, tax_index
from schemas.clauses import AmountBasis, GroupBy, RollupRates, ShowMarkup, TaxedKind
from schemas.draft import LineKind
from schemas.period import Period

SHOWN_DECIMALS = 4
"""Decimals of a quantity that does not end, and of an average price, for reading."""

_HOURS_KEPT = 4096


class LineKey(NamedTuple):
    """What separates a line from the next; `unit_price` is None where several prices share a line."""

    kind: LineKind
    group: LineGroup
    tax_index: int
    unit_price: Decimal | None
    variant: str


class Kind(NamedTuple):
    """What the parts of a charge are that are alike in everything but their time: one kind of work, one price.

    Positions in work order, worked seconds and rounding of all of them.
    """

    positions: list[int]
    worked_seconds: int
    delta_seconds: int


@dataclass(slots=True)
class OpenCharge:
    """A charge while its line is made: positions of its parts, seconds, exact amount before caps, kinds of work."""

    key: Price
    positions: list[int] = field(default_factory=list)
    seconds: int = 0
    gross: Fraction = Fraction(0)
    kinds: list[Kind] = field(default_factory=list)


@dataclass(slots=True)
class OpenLine:
    """A line while it is made: `seconds` are the billable ones of all charges. It is final once it is measured."""

    key: LineKey
    first: OrderKey
    charges: dict[Price, OpenCharge] = field(default_factory=dict)
    quantity: Decimal = Decimal(0)
    unit_price: Decimal = Decimal(0)
    unit: str = "hour"
    gross_units: int = 0
    expense_code: str = ""
    agreed: AgreedPart | None = None
    package: Package | None = None
    seconds: int = 0

    @property
    def gross(self) -> Fraction:
        """The exact amount before caps."""
        if len(self.charges) == 1:
            return next(iter(self.charges.values())).gross
        return sum((charge.gross for charge in self.charges.values()), Fraction(0))


def open_fee_lines(contract: Contract, period: Period, parts: Sequence[RatedPart]) -> list[OpenLine]:
    """Group the parts of the period into lines, by position; parts of other periods are passed over."""
    lines: dict[LineKey, OpenLine] = {}
    taxes: dict[tuple[str, str], int] = {}
    rates = {rollup.id: rollup.rates for rollup in contract.document.lines.rollups}
    for positions in _alike(contract, period, parts):
        portion, price = parts[positions[0]]
        entry = portion.entry
        taxed = (entry.service_item, entry.project_id)
        tax = taxes.get(taxed)
        if tax is None:
            tax = taxes[taxed] = tax_index(contract, period, Taxed(TaxedKind.FEE, *taxed, ""))
        package = None if portion.price is None else portion.price.package
        if package is None:
            group = line_group(contract, portion)
        else:
            # A package has one price for all who share it; only task codes and tax keep its time apart.
            group = LineGroup(utbms_task=entry.utbms_task, utbms_activity=entry.utbms_activity)
        joined = group.rollup_id != "" and rates[group.rollup_id] is not RollupRates.PRESERVE
        key = LineKey(LineKind.FEE, group, tax, None if joined else price.unit_price, "" if joined else price.variant)
        line = lines.get(key)
        if line is None:
            line = lines[key] = OpenLine(key, portion.order, package=package)
        charge = line.charges.get(price)
        if charge is None:
            charge = line.charges[price] = OpenCharge(price)
        line.seconds += _take_in(charge, positions, parts)
    return list(lines.values())


def _alike(contract: Contract, period: Period, parts: Sequence[RatedPart]) -> Iterable[list[int]]:
    """The positions of parts that certainly share a charge, so that its key is made only once for all of them.

    Terms are one object for one person, project and item; where lines depend on more than the kind of work, only the
    parts of one entry on one day are alike.
    """
    grouping = contract.document.lines
    is_by_kind = not grouping.rollups and not {GroupBy.DATE, GroupBy.ENTRY} & set(grouping.group_by)
    first, end = period.start, period.end
    known: dict[tuple[object, ...], list[int]] = {}
    for position, (portion, price) in enumerate(parts):
        entry = portion.entry
        if not first <= portion.counted_day < end or entry.billed_on:
            continue
        if is_by_kind:
            alike: tuple[object, ...] = (portion.terms, id(price), entry.task, entry.utbms_task, entry.utbms_activity)
        else:
            alike = (portion.terms, id(price), portion.day, entry.entry_id)
        members = known.get(alike)
        if members is None:
            known[alike] = [position]
        else:
            members.append(position)
    return known.values()


def _take_in(charge: OpenCharge, positions: list[int], parts: Sequence[RatedPart]) -> int:
    """Add one more kind of work to a charge; its billable seconds."""
    portions = [parts[position].portion for position in positions]
    worked, delta = sum([one.worked_seconds for one in portions]), sum([one.delta_seconds for one in portions])
    charge.kinds.append(made(Kind, (positions, worked, delta)))
    charge.positions = sorted([*charge.positions, *positions]) if charge.positions else positions
    charge.seconds += worked + delta
    return worked + delta


def measure_fee_line(contract: Contract, line: OpenLine) -> None:
    """Set quantity, price and exact amounts of a fee line from its seconds (BD-08, BD-50)."""
    if line.package is not None:
        _measure_packages(contract, line, line.package)
        return
    rounding = contract.document.rounding
    decimals = SHOWN_DECIMALS if rounding.quantity_decimals is None else rounding.quantity_decimals
    is_displayed = rounding.amount_basis is AmountBasis.DISPLAYED
    for charge in line.charges.values():
        price = fraction_of(charge.key.unit_price)
        charge.gross = Fraction(price.numerator * charge.seconds, price.denominator * 3600)
    if is_displayed:
        _charge_what_is_shown(line, decimals)
    seconds = line.seconds
    if is_displayed:
        line.quantity = shown(Fraction(seconds, 3600), decimals)
    else:
        line.quantity = hours_of(seconds, max(decimals, SHOWN_DECIMALS))
    line.gross_units = units_of(line.gross, contract.places, rounding.money_rounding)
    if line.key.unit_price is not None:
        line.unit_price = line.key.unit_price
    else:
        # Whoever multiplies what is shown must come to the amount.
        _price_together(contract, line, Fraction(line.quantity) if is_displayed else Fraction(seconds, 3600))


def _charge_what_is_shown(line: OpenLine, decimals: int) -> None:
    """What is shown is what is charged; charges of one price share the shown quantity by their seconds."""
    by_price: dict[Decimal, list[OpenCharge]] = {}
    for charge in line.charges.values():
        by_price.setdefault(charge.key.unit_price, []).append(charge)
    for price, charges in by_price.items():
        seconds = sum(charge.seconds for charge in charges)
        total = Fraction(price) * Fraction(shown(Fraction(seconds, 3600), decimals))
        for charge in charges if seconds else ():
            charge.gross = total * charge.seconds / seconds


def _measure_packages(contract: Contract, line: OpenLine, package: Package) -> None:
    """Started packages are charged whole; lines that share them share the amount by their seconds (BD-23)."""
    total = Fraction(package.price) * package.count
    for charge in line.charges.values():
        charge.gross = total * Fraction(charge.seconds, package.seconds) if package.seconds else Fraction(0)
    line.gross_units = units_of(line.gross, contract.places, contract.document.rounding.money_rounding)
    line.quantity, line.unit, line.unit_price = Decimal(package.count), "unit", package.price
    if line.seconds != package.seconds:
        amount = Fraction(line.gross_units, 10**contract.places)
        line.quantity, line.unit, line.unit_price = Decimal(1), "lump", shown(amount, contract.places)


@lru_cache(maxsize=_HOURS_KEPT)
def hours_of(seconds: int, decimals: int) -> Decimal:
    """Seconds as hours: exact if they end within so many decimals, else rounded for reading."""
    return exact_or_shown(Fraction(seconds, 3600), decimals)


def _price_together(contract: Contract, line: OpenLine, hours: Fraction) -> None:
    """The price of a line that joins work of several prices."""
    rollups = {rollup.id: rollup for rollup in contract.document.lines.rollups}
    amount = Fraction(line.gross_units, 10**contract.places)
    if rollups[line.key.group.rollup_id].rates is RollupRates.LUMP:
        line.quantity, line.unit, line.unit_price = Decimal(1), "lump", shown(amount, contract.places)
    else:
        line.unit_price = shown(amount / hours, SHOWN_DECIMALS) if hours else Decimal(0)


def open_expense_lines(contract: Contract, period: Period, parts: Sequence[ExpensePart], first: int) -> list[OpenLine]:
    """A line for each expense of the period, and mark-up lines where the contract shows mark-up.

    The cost of part `n` has the position `first + 2n`, its separate mark-up the next one.
    """
    lines: list[OpenLine] = []
    markups: dict[int, OpenLine] = {}
    is_separate = contract.document.expenses.show_markup is ShowMarkup.SEPARATE
    for number, part in enumerate(parts):
        entry = part.entry
        if part.day not in period or entry.billed_on:
            continue
        tax = tax_index(
            contract, period, Taxed(TaxedKind.EXPENSE, entry.service_item, entry.project_id, entry.expense_category)
        )
        position = first + 2 * number
        lines.append(_expense_line(contract, part, tax, position))
        if is_separate and part.markup:
            key = LineKey(LineKind.MARKUP, LineGroup(), tax, None, "")
            line = markups.setdefault(tax, OpenLine(key, part.order, unit="unit"))
            origin = f"mark-up {part.percent.normalize():f} %"
            charge_key = Price(Decimal(0), "", origin, "")
            charge = line.charges.setdefault(charge_key, OpenCharge(charge_key))
            charge.positions.append(position + 1)
            charge.gross += part.markup
    for line in markups.values():
        line.quantity = Decimal(1)
        line.gross_units = units_of(line.gross, contract.places, contract.document.rounding.money_rounding)
        line.unit_price = shown(Fraction(line.gross_units, 10**contract.places), contract.places)
    return [*lines, *markups.values()]


def expense_amounts(contract: Contract, part: ExpensePart) -> tuple[Fraction, Fraction]:
    """The exact amount of an expense line, and of the mark-up that is shown separately."""
    if contract.document.expenses.show_markup is ShowMarkup.SEPARATE:
        return part.cost, part.markup
    return part.cost + part.markup, Fraction(0)


def _expense_line(contract: Contract, part: ExpensePart, tax: int, position: int) -> OpenLine:
    amount, _ = expense_amounts(contract, part)
    units = units_of(amount, contract.places, contract.document.rounding.money_rounding)
    quantity, price = Decimal(1), shown(Fraction(units, 10**contract.places), contract.places)
    if part.quantity is not None and part.unit_cost is not None:
        is_separate = contract.document.expenses.show_markup is ShowMarkup.SEPARATE
        factor = Decimal(1) if is_separate else 1 + part.percent / 100
        quantity, price = part.quantity, product(part.unit_cost, factor)
    group = LineGroup(entry_id=part.entry.entry_id, project_id=part.entry.project_id)
    origin = f"cost {part.entry.expense_category or 'expense'}"
    if part.percent and amount != part.cost:
        origin += f", mark-up {part.percent.normalize():f} %"
    charge_key = Price(price, "", origin, part.conversion)
    charge = OpenCharge(charge_key, [position], 0, amount)
    line = OpenLine(LineKey(LineKind.EXPENSE, group, tax, price, ""), part.order, {charge_key: charge})
    line.quantity, line.unit_price, line.unit, line.gross_units = quantity, price, "unit", units
    line.expense_code = part.utbms_code
    return line


def open_agreed_lines(contract: Contract, period: Period, parts: Sequence[AgreedPart], first: int) -> list[OpenLine]:
    """A line for each agreed fee of the period; part `n` has the position `first + n`."""
    found = []
    for number, part in enumerate(parts):
        is_billed = bool(part.entries) and all(entry.billed_on for entry in part.entries)
        if part.day in period and not is_billed:
            tax = tax_index(contract, period, Taxed(TaxedKind.FEE, part.service_item, part.project_id, ""))
            found.append(agreed_line(contract, part, tax, first + number))
    return found


def agreed_line(contract: Contract, part: AgreedPart, tax: int, position: int) -> OpenLine:
    """The line of one agreed fee: one charge at its exact amount."""
    group = LineGroup(entry_id=f"{part.clause_id} {part.key}", project_id=part.project_id)
    charge_key = Price(part.unit_price, "", part.origin, "")
    charge = OpenCharge(charge_key, [position], 0, part.amount)
    line = OpenLine(LineKey(part.kind, group, tax, None, ""), part.order(contract), {charge_key: charge})
    line.quantity, line.unit, line.unit_price, line.agreed = part.quantity, part.unit, part.unit_price, part
    line.gross_units = units_of(part.amount, contract.places, contract.document.rounding.money_rounding)
    return line
