"""Every part of an invoice as an amount that discounts and amount caps look at (billing-domain steps 10 and 11).

Parts are named by their position: time first, then cost and mark-up of each expense, then agreed fees. Amounts are
whole grains, a part of the smallest unit so small that all of them are whole numbers: exact, and fast to add up.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import NamedTuple

from billing.agreed import AgreedPart
from billing.contract import Contract, MoneyCap
from billing.entries import OrderKey
from billing.exact import spread_units
from billing.expenses import ExpensePart
from billing.lines import OpenCharge, OpenLine, expense_amounts
from billing.portions import made
from billing.rating import Price, RatedPart
from billing.taxes import Taxed, rule_of, tax_index
from billing.terms import Terms
from schemas.charges import Counts
from schemas.clauses import TaxedKind
from schemas.period import Period

_SHARE_GRAINS = 10**12
"""How finely a line or a discount is shared by its parts, and a limit with tax divided: far below any rounding."""


class ItemKind(Enum):
    """What an amount is for."""

    TIME = auto()
    EXPENSE = auto()
    AGREED = auto()
    ADVANCE = auto()


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """What rules ask of an amount, shared by all that are alike; `caps` are ids of amount caps that count it."""

    kind: ItemKind
    project_id: str
    service_item: str
    task: str
    person_id: str
    role: str
    category: str
    caps: frozenset[str]

    def counts_in(self, counts: Counts) -> bool:
        """Whether a clause that counts so looks at this amount."""
        match self.kind:
            case ItemKind.TIME:
                return counts.time
            case ItemKind.EXPENSE:
                return counts.expenses
            case ItemKind.AGREED:
                return counts.agreed_fees
            case ItemKind.ADVANCE:
                return False


class MoneyItem(NamedTuple):
    """An amount before discounts: `counted_day` decides windows and periods, `work_day` which dated row is valid.

    `order` and `offset` are its place in work order; `line` is the index of its line, None for what belongs to an
    earlier period and only keeps its room.
    """

    subject: Subject
    order: OrderKey
    offset: int
    counted_day: date
    work_day: date
    entry_id: str
    grains: int
    line: int | None


@dataclass(frozen=True, eq=False)
class Parts:
    """All priced parts of a request, addressed by one range of positions."""

    contract: Contract
    period: Period
    fees: Sequence[RatedPart]
    expenses: Sequence[ExpensePart]
    agreed: Sequence[AgreedPart]

    @cached_property
    def first_expense(self) -> int:
        """The position of the first expense's cost; its mark-up follows."""
        return len(self.fees)

    @cached_property
    def first_agreed(self) -> int:
        """The position of the first agreed fee."""
        return len(self.fees) + 2 * len(self.expenses)

    def amount(self, charge: OpenCharge, position: int) -> Fraction:
        """The exact amount of one part of a charge before discounts and caps."""
        if position >= self.first_agreed:
            return self.agreed[position - self.first_agreed].amount
        if position >= self.first_expense:
            number, is_markup = divmod(position - self.first_expense, 2)
            return expense_amounts(self.contract, self.expenses[number])[is_markup]
        if not charge.seconds:
            return Fraction(0)
        return charge.gross * Fraction(self.fees[position].portion.billable_seconds, charge.seconds)


class Money(NamedTuple):
    """All amounts by position; `grains_per_unit` of them are one smallest unit of the currency."""

    items: list[MoneyItem]
    grains_per_unit: int
    tax_of: "TaxOf"


TaxOf = Callable[[MoneyItem], Fraction]
"""The tax of an item, as a part of its amount."""


def money_items(parts: Parts, lines: Sequence[OpenLine]) -> Money:
    """All parts as amounts. Work before the period keeps its room, at its exact price."""
    contract = parts.contract
    scale = _scale(parts, lines)
    line_of: list[int | None] = [None] * (parts.first_agreed + len(parts.agreed))
    for index, opened in enumerate(lines):
        for charge in opened.charges.values():
            for position in charge.positions:
                line_of[position] = index
    items = _time_items(parts, line_of, _time_grains(parts, lines, scale))
    for expense in parts.expenses:
        subject = _expense_subject(contract, expense)
        for amount in expense_amounts(contract, expense):
            place, days = (expense.order, len(items)), (expense.day, expense.day)
            line = line_of[len(items)]
            items.append(MoneyItem(subject, *place, *days, expense.entry.entry_id, int(amount * scale), line))
    for part in parts.agreed:
        place, days = (part.order(contract), 0), (part.day, part.day)
        name = f"{part.kind.value} {part.clause_id} {part.key}"
        grains, line = int(part.amount * scale), line_of[len(items)]
        items.append(MoneyItem(_agreed_subject(contract, part), *place, *days, name, grains, line))
    return Money(items, scale // 10**contract.places, _tax_rates(parts, lines))


def _scale(parts: Parts, lines: Sequence[OpenLine]) -> int:
    """Grains of one whole of the currency: every amount and limit is a whole number of them."""
    document = parts.contract.document
    scale = 10**parts.contract.places * _SHARE_GRAINS
    amounts = [amount for part in parts.expenses for amount in expense_amounts(parts.contract, part)]
    amounts += [part.amount for part in parts.agreed]
    amounts += [Fraction(cap.amount) for cap in document.amount_caps]
    amounts += [Fraction(price) / 3600 for price in {price.unit_price for price in _prices(parts)}]
    amounts += [charge.gross for line in lines for charge in line.charges.values()]
    return lcm(scale, *{amount.denominator for amount in amounts})


def _prices(parts: Parts) -> Collection[Price]:
    """The prices of time, each once; what is priced alike shares one object."""
    return {id(part.price): part.price for part in parts.fees}.values()


def _time_grains(parts: Parts, lines: Sequence[OpenLine], scale: int) -> list[int]:
    """The amount of each part of time. Where a charge is not its seconds times its price, it is shared by seconds."""
    different = _prices(parts)
    prices = {price.unit_price: int(Fraction(price.unit_price) * scale / 3600) for price in different}
    of_price = {id(price): prices[price.unit_price] for price in different}
    grains = [of_price[id(price)] * (one.worked_seconds + one.delta_seconds) for one, price in parts.fees]
    for line in lines:
        for charge in line.charges.values():
            total = int(charge.gross * scale)
            if charge.seconds and total != prices[charge.key.unit_price] * charge.seconds:
                seconds = [parts.fees[one].portion.billable_seconds for one in charge.positions]
                for position, share in zip(charge.positions, spread_units(total, seconds), strict=True):
                    grains[position] = share
    return grains


def _time_items(parts: Parts, line_of: Sequence[int | None], grains: list[int]) -> list[MoneyItem]:
    """Terms are one object for one person, project and item, so with the task they say what an amount is about."""
    subjects: dict[tuple[Terms, str], Subject] = {}
    items: list[MoneyItem] = []
    for (portion, _), amount, line in zip(parts.fees, grains, line_of, strict=False):
        order, entry, terms, day, counted_day, offset, _, _, _ = portion
        subject = subjects.get((terms, entry.task))
        if subject is None:
            subject = subjects[terms, entry.task] = Subject(
                ItemKind.TIME,
                entry.project_id,
                entry.service_item,
                entry.task,
                entry.person_id,
                terms.role,
                "",
                frozenset(cap.id for cap in terms.money_caps if cap.counts.time),
            )
        items.append(made(MoneyItem, (subject, order, offset, counted_day, day, entry.entry_id, amount, line)))
    return items


def _tax_rates(parts: Parts, lines: Sequence[OpenLine]) -> TaxOf:
    """Looks up the tax of an item's line, or of what was due in an earlier period."""

    def of(item: MoneyItem) -> Fraction:
        subject, contract = item.subject, parts.contract
        if item.line is not None:
            return Fraction(rule_of(contract, lines[item.line].key.tax_index).percent) / 100
        kind = TaxedKind.EXPENSE if subject.kind is ItemKind.EXPENSE else TaxedKind.FEE
        taxed = Taxed(kind, subject.service_item, subject.project_id, subject.category)
        index = tax_index(contract, contract.period_of(item.counted_day), taxed)
        return Fraction(rule_of(contract, index).percent) / 100

    return of


def _expense_subject(contract: Contract, part: ExpensePart) -> Subject:
    entry = part.entry
    counted = frozenset(cap.id for cap in contract.money_caps if _counts_expense(cap, part))
    item, category = entry.service_item, entry.expense_category
    return Subject(ItemKind.EXPENSE, entry.project_id, item, entry.task, entry.person_id, "", category, counted)


def _agreed_subject(contract: Contract, part: AgreedPart) -> Subject:
    counted = frozenset(cap.id for cap in contract.money_caps if _counts_agreed(cap, part))
    kind = ItemKind.AGREED if part.counts else ItemKind.ADVANCE
    return Subject(kind, part.project_id, part.service_item, "", "", "", "", counted)


def _counts_expense(cap: MoneyCap, part: ExpensePart) -> bool:
    row = cap.row_on(part.day)
    if row is None or not cap.counts.expenses:
        return False
    people = not row.people or part.entry.person_id in row.people
    return people and _in_window(cap, part.entry.project_id, part.day)


def _counts_agreed(cap: MoneyCap, part: AgreedPart) -> bool:
    is_counted = cap.row_on(part.day) is not None and cap.counts.agreed_fees and part.counts
    return is_counted and _in_window(cap, part.project_id, part.day)


def _in_window(cap: MoneyCap, project_id: str, day: date) -> bool:
    row = cap.row_on(day)
    assert row is not None, "looked at before"
    return (
        (not row.projects or project_id in row.projects)
        and (row.window_from is None or row.window_from <= day)
        and (row.window_to is None or day < row.window_to)
    )
