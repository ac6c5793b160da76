"""Settled lines as the client sees them: text, date, order (billing-domain section 3, step 13)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache, partial
from typing import Final, NamedTuple

from billing.allocate import WindowId
from billing.contract import Contract
from billing.directory import Directory
from billing.entries import BillingEntry
from billing.explain import charge_steps
from billing.lines import SHOWN_DECIMALS, OpenLine, hours_of
from billing.rating import RatedPart
from billing.results import Line, LineCharge
from billing.settled import SettledCharge, SettledLine
from billing.taxes import tax_text
from schemas.clauses import GroupBy, RollupRates
from schemas.draft import LineKind

_KINDS = (
    LineKind.FEE,
    LineKind.RETAINER_FEE,
    LineKind.FIXED_FEE,
    LineKind.MILESTONE,
    LineKind.RECURRING_FEE,
    LineKind.USAGE_FEE,
    LineKind.MINIMUM_TRUE_UP,
    LineKind.EXPENSE,
    LineKind.MARKUP,
    LineKind.DISCOUNT,
    LineKind.DEPOSIT,
)
_KIND_RANK = {kind: rank for rank, kind in enumerate(_KINDS)}

_PRICES_KEPT = 4096

# What every line is asked; members of an enum are looked up slowly.
_FEE: Final = LineKind.FEE


class Facts(NamedTuple):
    """What texts and explanations are made of."""

    contract: Contract
    directory: Directory
    fees: Sequence[RatedPart]
    cap_texts: Mapping[WindowId, str]


def in_line_order(facts: Facts, settled: Iterable[SettledLine]) -> list[SettledLine]:
    """The order of the invoice: time by group, other fees by date, expenses, discounts, deposits."""
    return sorted(settled, key=lambda one: _order(facts, one.line))


def present(facts: Facts, in_order: Iterable[SettledLine]) -> tuple[Line, ...]:
    """All lines as the client sees them, in the order they are given."""
    return tuple(_line(facts, one) for one in in_order)


def _order(facts: Facts, line: OpenLine) -> tuple[object, ...]:
    kind, group, tax_index, price, variant = line.key
    if kind is not _FEE:
        return (_KIND_RANK[kind], line.first, tax_index)
    # Lines of single entries are in work order, behind those of packages; a roll-up's id sorts before both.
    chronological = (1, line.first) if group.entry_id else (0,)
    project_name = facts.directory.project_name(group.project_id)
    highest_first = 0 if price is None else -price
    named = (group.date, project_name, *group[2:7], *group[8:])
    return (_KIND_RANK[kind], group.rollup_id, *chronological, *named, highest_first, variant, tax_index)


def _line(facts: Facts, one: SettledLine) -> Line:
    line = one.line
    kind, group, tax_index, _, _ = line.key
    entries, roles = _kinds_of_work(facts, one) if kind is _FEE else (_entries(one), [])
    agreed = line.agreed
    return Line(
        key=_identity(facts, line),
        kind=kind,
        text=_text(facts, line, entries, roles),
        date=_last_day(one) if agreed is None else agreed.day,
        project_id=_only([entry.project_id for entry in entries]) if agreed is None else agreed.project_id,
        service_item=_only([entry.service_item for entry in entries]) if agreed is None else agreed.service_item,
        person_id=_only([entry.person_id for entry in entries]),
        role=_only(roles),
        seconds=line.seconds,
        quantity=line.quantity,
        unit=line.unit,
        unit_price=line.unit_price,
        units=one.units,
        adjustment_units=one.units - line.gross_units,
        discount_units=-one.discount_units,
        tax_index=tax_index,
        utbms_task=group.utbms_task,
        utbms_activity=group.utbms_activity,
        expense_code=line.expense_code,
        charges=tuple([_charge(facts, line, charge) for charge in one.charges]),
    )


def _entries(one: SettledLine) -> list[BillingEntry]:
    """The entries of a line."""
    return [source.entry for charge in one.charges for source in charge.sources]


def _last_day(one: SettledLine) -> date:
    """The last work date of a line; carried time counts on the date of the window that pays for it."""
    return max([source.counted_day for charge in one.charges for source in charge.sources])


def _only(values: Sequence[str]) -> str:
    """The value all have in common; empty when they differ."""
    return values[0] if values and values.count(values[0]) == len(values) else ""


def _kinds_of_work(facts: Facts, one: SettledLine) -> tuple[list[BillingEntry], list[str]]:
    """An entry of each kind of work on a line, in work order, and all roles: what is alike need not be looked at."""
    firsts = [kind.positions[0] for charge in one.charges for kind in charge.charge.kinds]
    firsts.sort()
    portions = [facts.fees[position].portion for position in firsts]
    return [portion.entry for portion in portions], [portion.terms.role for portion in portions]


def _identity(facts: Facts, line: OpenLine) -> tuple[str, ...]:
    """What the line is, in words that do not change with the order of rules or rows in the contract."""
    kind, group, tax_index, price, variant = line.key
    price_text = "" if price is None or kind is not _FEE else _plain(price)
    return (kind.value, *group, tax_text(facts.contract, tax_index), price_text, variant)


@lru_cache(maxsize=_PRICES_KEPT)
def _plain(price: Decimal) -> str:
    """A price without zeros that say nothing, so that equal prices have one text."""
    return f"{price.normalize():f}"


def _text(facts: Facts, line: OpenLine, entries: Sequence[BillingEntry], roles: Sequence[str]) -> str:
    kind, group = line.key.kind, line.key.group
    if line.agreed is not None:
        return line.agreed.text
    if kind is LineKind.MARKUP:
        return "Mark-up on expenses"
    if kind is LineKind.EXPENSE:
        entry = entries[0]
        return entry.description or entry.expense_category or "Expense"
    rollup = next((one for one in facts.contract.document.lines.rollups if one.id == group.rollup_id), None)
    if rollup is not None:
        is_by_role = rollup.rates is RollupRates.PRESERVE and group.role
        text = f"{rollup.text} ({group.role})" if is_by_role else rollup.text
    elif group.entry_id:
        text = entries[0].description or entries[0].service_item or "Services"
    else:
        text = _group_text(facts, line, entries, roles)
    return f"{text} ({line.key.variant})" if line.key.variant else text


def _group_text(facts: Facts, line: OpenLine, entries: Sequence[BillingEntry], roles: Sequence[str]) -> str:
    group = line.key.group
    by = facts.contract.document.lines.group_by
    item = _only([entry.service_item for entry in entries]) or "Services"
    role = _only(roles) if GroupBy.ROLE in by else ""
    person = facts.directory.person_name(group.person_id) if group.person_id else ""
    who = f"{person} ({role})" if person and role else person or role
    project = facts.directory.project_name(group.project_id) if group.project_id else ""
    return ", ".join(one for one in (project, item, group.task, group.date, who) if one)


def _charge(facts: Facts, line: OpenLine, one: SettledCharge) -> LineCharge:
    opened = one.charge
    key, seconds = opened.key, opened.seconds
    is_fee = line.key.kind is _FEE
    rate = facts.fees[opened.positions[0]].portion.terms.rate if is_fee else None
    is_whole_line = len(line.charges) == 1 and line.unit != "lump"
    return LineCharge(
        seconds=seconds,
        quantity=line.quantity if is_whole_line else hours_of(seconds, SHOWN_DECIMALS),
        unit_price=key.unit_price if is_fee else line.unit_price,
        units=one.units,
        rate_origin=key.origin,
        lost=() if rate is None else rate.lost,
        sources=tuple(one.sources),
        tell=partial(charge_steps, facts.contract, line, one, facts.fees, facts.cap_texts),
    )
