"""Every part of an invoice as an amount that discounts and amount caps look at (billing-domain steps 10 and 11).

Parts are named by their position: time first, then cost and mark-up of each expense, then agreed fees.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from billing.agreed import AgreedPart
from billing.contract import Contract, MoneyCap
from billing.entries import OrderKey
from billing.expenses import ExpensePart
from billing.lines import OpenCharge, OpenLine, expense_amounts
from billing.rating import RatedPart
from billing.taxes import Taxed, rule_of, tax_index
from schemas.charges import Counts
from schemas.clauses import TaxedKind
from schemas.period import Period


class ItemKind(Enum):
    """What an amount is for."""

    TIME = auto()
    EXPENSE = auto()
    AGREED = auto()
    ADVANCE = auto()


class MoneyItem(NamedTuple):
    """An exact amount before discounts; `caps` are the ids of the amount caps that count it.

    `counted_day` decides windows and periods, `work_day` which dated row is valid. `line` is the index of its line,
    None for what belongs to an earlier period and only keeps its room.
    """

    kind: ItemKind
    order: tuple[OrderKey, int]
    counted_day: date
    work_day: date
    project_id: str
    service_item: str
    task: str
    person_id: str
    role: str
    category: str
    entry_id: str
    amount: Fraction
    caps: frozenset[str]
    line: int | None
    tax: Fraction

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


def money_items(parts: Parts, lines: Sequence[OpenLine]) -> list[MoneyItem]:
    """All parts as amounts, by position. Work before the period keeps its room, at its exact price."""
    on_line = {
        position: (index, charge)
        for index, line in enumerate(lines)
        for charge in line.charges.values()
        for position in charge.positions
    }
    tax_of = _tax_rates(parts, lines)
    items = [_time(parts, position, on_line.get(position), tax_of) for position in range(len(parts.fees))]
    for expense in parts.expenses:
        items += _expense(parts, expense, len(items), on_line, tax_of)
    for part in parts.agreed:
        place = on_line.get(len(items))
        items.append(_agreed(parts, part, None if place is None else place[0], tax_of))
    return items


TaxOf = Callable[[int | None, date, Taxed], Fraction]


def _tax_rates(parts: Parts, lines: Sequence[OpenLine]) -> TaxOf:
    """Looks up the tax of a line, or of what was due in an earlier period; 0 while no cap asks for it."""
    contract = parts.contract
    if not any(cap.rows[0].includes_tax for cap in contract.money_caps):
        return lambda line, day, taxed: Fraction(0)

    def of(line: int | None, day: date, taxed: Taxed) -> Fraction:
        index = tax_index(contract, contract.period_of(day), taxed) if line is None else lines[line].key.tax_index
        return Fraction(rule_of(contract, index).percent) / 100

    return of


def _time(parts: Parts, position: int, place: tuple[int, OpenCharge] | None, tax_of: TaxOf) -> MoneyItem:
    part = parts.fees[position]
    portion, entry = part.portion, part.portion.entry
    line = None if place is None else place[0]
    if place is None:
        amount = Fraction(part.unit_price) * Fraction(portion.billable_seconds, 3600)
    else:
        amount = parts.amount(place[1], position)
    return MoneyItem(
        ItemKind.TIME,
        (portion.order, portion.offset_seconds),
        portion.counted_day,
        portion.day,
        entry.project_id,
        entry.service_item,
        entry.task,
        entry.person_id,
        portion.terms.role,
        "",
        entry.entry_id,
        amount,
        frozenset(cap.id for cap in portion.terms.money_caps if cap.counts.time),
        line,
        tax_of(line, portion.counted_day, Taxed(TaxedKind.FEE, entry.service_item, entry.project_id, "")),
    )


def _expense(
    parts: Parts, part: ExpensePart, first: int, on_line: dict[int, tuple[int, OpenCharge]], tax_of: TaxOf
) -> list[MoneyItem]:
    entry = part.entry
    counted = frozenset(cap.id for cap in parts.contract.money_caps if _counts_expense(cap, part))
    taxed = Taxed(TaxedKind.EXPENSE, entry.service_item, entry.project_id, entry.expense_category)
    found = []
    for number, amount in enumerate(expense_amounts(parts.contract, part)):
        place = on_line.get(first + number)
        line = None if place is None else place[0]
        found.append(
            MoneyItem(
                ItemKind.EXPENSE,
                (part.order, first + number),
                part.day,
                part.day,
                entry.project_id,
                entry.service_item,
                entry.task,
                entry.person_id,
                "",
                entry.expense_category,
                entry.entry_id,
                amount,
                counted,
                line,
                tax_of(line, part.day, taxed),
            )
        )
    return found


def _agreed(parts: Parts, part: AgreedPart, line: int | None, tax_of: TaxOf) -> MoneyItem:
    counted = frozenset(cap.id for cap in parts.contract.money_caps if _counts_agreed(cap, part))
    return MoneyItem(
        ItemKind.AGREED if part.counts else ItemKind.ADVANCE,
        (part.order(parts.contract), 0),
        part.day,
        part.day,
        part.project_id,
        part.service_item,
        "",
        "",
        "",
        "",
        f"{part.kind.value} {part.clause_id} {part.key}",
        part.amount,
        counted,
        line,
        tax_of(line, part.day, Taxed(TaxedKind.FEE, part.service_item, part.project_id, "")),
    )


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
