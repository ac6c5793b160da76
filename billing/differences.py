"""What differs between two sets of invoices for the same work, by line and by reason: the answer of a what-if.

Each entry's difference is told by what became of its time (cap, retainer, rounding) and of its price; the reasons add
up to the difference of the nets, to the smallest unit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from billing.exact import units_of
from billing.results import Invoice, Line
from schemas.draft import LineKind
from schemas.entry import EntryKind
from schemas.money import MoneyRounding

RATE = "rate"
INCREMENTS = "increments"
MOVED = "another contract"
REDUCTIONS = "discounts and amount caps"
LINE_ROUNDING = "line rounding"
LineName = tuple[LineKind, str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class ReasonChange:
    """What one reason changes: smallest units of money, billable seconds, and how many entries it touches."""

    reason: str
    units: int
    seconds: int
    entries: int


@dataclass(frozen=True, slots=True)
class LineChange:
    """A line that differs; a line that is not there has no units. `reasons` are those of its entries."""

    kind: LineKind
    text: str
    before_units: int
    after_units: int
    before_seconds: int
    after_seconds: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Two sets of invoices of one client in one currency."""

    before_net_units: int
    after_net_units: int
    before_tax_units: int
    after_tax_units: int
    lines: tuple[LineChange, ...]
    reasons: tuple[ReasonChange, ...]


@dataclass(slots=True)
class _Stand:
    """What became of one entry: money and billable seconds on lines, prices, and its seconds off lines by reason."""

    units: int = 0
    seconds: int = 0
    delta_seconds: int = 0
    is_reduced: bool = False
    prices: set[tuple[Decimal, str]] = field(default_factory=set)
    elsewhere: dict[tuple[str, str], int] = field(default_factory=dict)


@dataclass(slots=True)
class _Total:
    units: int = 0
    seconds: int = 0
    entries: set[str] = field(default_factory=set)


def compare(before: Sequence[Invoice], after: Sequence[Invoice]) -> Difference:
    """Compare two sets of invoices; the order in either does not matter."""
    stands = (_stands(before), _stands(after))
    totals: dict[str, _Total] = {}
    reasons: dict[str, set[str]] = {}
    for entry_id in sorted({*stands[0], *stands[1]}):
        for reason, units, seconds in _reasons(stands[0].get(entry_id), stands[1].get(entry_id)):
            total = totals.setdefault(reason, _Total())
            total.units += units
            total.seconds += seconds
            total.entries.add(entry_id)
            reasons.setdefault(entry_id, set()).add(reason)
    _count_other_lines(totals, before, -1)
    _count_other_lines(totals, after, 1)
    changes = [
        ReasonChange(reason, total.units, total.seconds, len(total.entries))
        for reason, total in totals.items()
        if total.units or total.seconds or total.entries
    ]
    found = Difference(
        before_net_units=sum(one.net_units for one in before),
        after_net_units=sum(one.net_units for one in after),
        before_tax_units=sum(one.tax_units for one in before),
        after_tax_units=sum(one.tax_units for one in after),
        lines=_line_changes(before, after, reasons),
        reasons=tuple(sorted(changes, key=lambda one: (-abs(one.units), one.reason))),
    )
    told = sum(one.units for one in found.reasons)
    assert told == found.after_net_units - found.before_net_units, "the reasons do not add up to the difference"
    return found


def _stands(invoices: Iterable[Invoice]) -> dict[str, _Stand]:
    found: dict[str, _Stand] = {}
    for invoice in invoices:
        for line in invoice.lines:
            for charge in line.charges if line.kind is LineKind.FEE else ():
                for source in charge.sources:
                    stand = found.setdefault(source.entry.entry_id, _Stand())
                    stand.units += source.units
                    stand.seconds += source.worked_seconds + source.delta_seconds
                    stand.delta_seconds += source.delta_seconds
                    stand.is_reduced = stand.is_reduced or line.adjustment_units != 0
                    stand.prices.add((charge.unit_price, charge.rate_origin))
        # What is no time tells its reason by the kind of its line, or has no money here.
        for one in (one for one in invoice.unbilled if one.entry.kind is EntryKind.TIME):
            stand = found.setdefault(one.entry.entry_id, _Stand())
            place = (one.bucket.value, one.reason)
            stand.elsewhere[place] = stand.elsewhere.get(place, 0) + one.seconds
    return found


def _reasons(before: _Stand | None, after: _Stand | None) -> list[tuple[str, int, int]]:
    """The reasons why an entry costs something else, with money and billable seconds of each."""
    if before is None or after is None:
        one, sign = (after, 1) if before is None else (before, -1)
        assert one is not None, "one of the two sides has the entry"
        return [(MOVED, sign * one.units, sign * one.seconds)]
    difference, seconds = after.units - before.units, after.seconds - before.seconds
    moved = _moved(before.elsewhere, after.elsewhere)
    if not moved and before.delta_seconds != after.delta_seconds:
        moved = INCREMENTS
    changed_price = {price for price, _ in before.prices} != {price for price, _ in after.prices}
    if moved and changed_price and before.seconds and after.seconds:
        of_time = _scaled(before.units, after.seconds, before.seconds) - before.units
        return [(moved, of_time, seconds), (RATE, difference - of_time, 0)]
    if moved:
        return [(moved, difference, seconds)]
    if not difference:
        return []
    if changed_price:
        return [(RATE, difference, seconds)]
    return [(REDUCTIONS if before.is_reduced or after.is_reduced else LINE_ROUNDING, difference, seconds)]


def _moved(before: Mapping[tuple[str, str], int], after: Mapping[tuple[str, str], int]) -> str:
    """The reason off the lines (else its bucket) whose seconds changed most; empty when none did."""
    changes = {place: after.get(place, 0) - before.get(place, 0) for place in {*before, *after}}
    changed = [place for place in sorted(changes) if changes[place]]
    if not changed:
        return ""
    bucket, reason = max(changed, key=lambda place: abs(changes[place]))
    return reason or bucket


def _scaled(units: int, seconds: int, of_seconds: int) -> int:
    return units_of(Fraction(units * seconds, of_seconds), 0, MoneyRounding.HALF_UP)


def _count_other_lines(totals: dict[str, _Total], invoices: Iterable[Invoice], sign: int) -> None:
    """Lines that are not made of worked time tell their reason by their kind."""
    for invoice in invoices:
        for line in invoice.lines:
            told = sum(source.units for charge in line.charges for source in charge.sources)
            units = line.units - told if line.kind is LineKind.FEE else line.units
            if units:
                reason = LINE_ROUNDING if line.kind is LineKind.FEE else line.kind.value
                totals.setdefault(reason, _Total()).units += sign * units


def _line_changes(
    before: Iterable[Invoice], after: Iterable[Invoice], reasons: Mapping[str, set[str]]
) -> tuple[LineChange, ...]:
    sides = (_lines(before), _lines(after))
    found = []
    for name in sorted({*sides[0], *sides[1]}, key=lambda one: (list(LineKind).index(one[0]), *one[1:])):
        one, other = sides[0].get(name, ()), sides[1].get(name, ())
        entries = {
            source.entry.entry_id for line in (*one, *other) for charge in line.charges for source in charge.sources
        }
        units = (sum(line.units for line in one), sum(line.units for line in other))
        seconds = (sum(line.seconds for line in one), sum(line.seconds for line in other))
        if units[0] == units[1] and seconds[0] == seconds[1]:
            continue
        why = {reason for entry_id in entries for reason in reasons.get(entry_id, ())}
        if name[0] is not LineKind.FEE:
            why.add(name[0].value)
        found.append(LineChange(name[0], name[1], *units, *seconds, tuple(sorted(why))))
    return tuple(found)


def _lines(invoices: Iterable[Invoice]) -> dict[LineName, tuple[Line, ...]]:
    found: dict[LineName, tuple[Line, ...]] = {}
    for invoice in invoices:
        for line in invoice.lines:
            name = (line.kind, line.text, line.project_id, line.service_item, line.person_id, line.role)
            found[name] = (*found.get(name, ()), line)
    return found
