"""The minimum commitment: what a period lacks of it is billed, or carried until it is made up (step 12; BD-49).

What counts are the lines as they are billed, after discounts and amount caps.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple

from billing.agreed import AgreedPart, lump
from billing.carried import OpenShortfall
from billing.contract import Contract
from billing.exact import decimal_of, units_of
from billing.settled import SettledLine
from billing.spans import share_of
from schemas.charges import Counts, Minimum, Shortfall
from schemas.draft import LineKind
from schemas.engagement import Prorate
from schemas.period import Period

_EXPENSES = frozenset({LineKind.EXPENSE, LineKind.MARKUP})
_AGREED = frozenset(
    {
        LineKind.RETAINER_FEE,
        LineKind.FIXED_FEE,
        LineKind.MILESTONE,
        LineKind.RECURRING_FEE,
        LineKind.USAGE_FEE,
    }
)


class TrueUp(NamedTuple):
    """Parts that lift a period to its minimum, and the shortfalls that stay open behind it."""

    parts: list[AgreedPart]
    shortfalls: tuple[OpenShortfall, ...]


def counted_units(counts: Counts, lines: Iterable[SettledLine]) -> int:
    """What lines add to a minimum."""
    return sum(line.net_units for line in lines if _counts(counts, line.line.key.kind))


def _counts(counts: Counts, kind: LineKind) -> bool:
    if kind is LineKind.FEE:
        return counts.time
    return counts.expenses if kind in _EXPENSES else counts.agreed_fees and kind in _AGREED


def true_up(
    contract: Contract, period: Period, lines: Sequence[SettledLine], before: Sequence[OpenShortfall]
) -> TrueUp:
    """Compare a period with its minimums; `before` are the shortfalls that earlier periods left open."""
    last = period.end - timedelta(days=1)
    parts: list[AgreedPart] = []
    open_after: list[OpenShortfall] = []
    for minimum_id in sorted({row.id for row in contract.document.minimum}):
        rows = _rows_in(contract, period, minimum_id)
        if not rows:
            continue
        row = rows[-1]
        missing = required_units(contract, period, rows) - counted_units(row.counts, lines)
        if row.shortfall is Shortfall.BILL:
            if missing > 0:
                parts.append(_part(contract, row, last, missing, ""))
            continue
        still_open = _made_up((one for one in before if one.minimum_id == row.id), -missing)
        if missing > 0:
            assert row.carry_periods is not None, "validated with the contract"
            still_open.append(OpenShortfall(row.id, period.text, missing, row.carry_periods + 1))
        for one in still_open:
            aged = one._replace(periods_left=one.periods_left - 1)
            if aged.periods_left == 0 or _is_last(contract, row, period):
                parts.append(_part(contract, row, last, aged.units, aged.period))
            else:
                open_after.append(aged)
    return TrueUp(parts, tuple(open_after))


def _rows_in(contract: Contract, period: Period, minimum_id: str) -> list[Minimum]:
    """The rows of a minimum that are valid in a period while the contract is; the last one says what counts."""
    document = contract.document
    first = max(period.start, document.date_from or period.start)
    end = min(period.end, document.date_to or period.end)
    rows = [row for row in document.minimum if row.id == minimum_id]
    valid = [row for row in rows if max(first, row.date_from or first) < min(end, row.date_to or end)]
    return sorted(valid, key=lambda row: row.date_from or date.min)


def required_units(contract: Contract, period: Period, rows: Sequence[Minimum]) -> int:
    """The minimum of a period: that of the last valid row, or with proration the shares of all of them."""
    document = contract.document
    total = Fraction(0)
    for row in rows:
        prorate = document.prorate if row.prorate is None else row.prorate
        if prorate is Prorate.NONE and row is not rows[-1]:
            continue
        first = max(one for one in (period.start, row.date_from, document.date_from) if one is not None)
        end = min(one for one in (period.end, row.date_to, document.date_to) if one is not None)
        share = share_of(contract, prorate, period, first, end)
        total += Fraction(row.amount) * share.covered / share.days
    return units_of(total, contract.places, document.rounding.money_rounding)


def _is_last(contract: Contract, row: Minimum, period: Period) -> bool:
    """Whether nothing can make a shortfall up any more: contract or minimum end with this period."""
    rows = [one for one in contract.document.minimum if one.id == row.id]
    goes_on = any(one.date_to is None or one.date_to > period.end for one in rows)
    ends = contract.document.date_to
    return not goes_on or (ends is not None and ends <= period.end)


def _made_up(shortfalls: Iterable[OpenShortfall], surplus: int) -> list[OpenShortfall]:
    """What is open when a surplus has made up the oldest first."""
    found = []
    for one in shortfalls:
        units = min(one.units, max(surplus, 0))
        surplus -= units
        if one.units > units:
            found.append(one._replace(units=one.units - units))
    return found


def _part(contract: Contract, row: Minimum, day: date, units: int, period: str) -> AgreedPart:
    amount = Fraction(units, 10**contract.places)
    missing = f"{decimal_of(units, contract.places):f} {contract.currency}"
    origin = f"minimum {row.id} {row.span_text}: {row.amount:f} per {row.every.value}, counts {row.counts.value}"
    return AgreedPart(
        LineKind.MINIMUM_TRUE_UP,
        row.id,
        period or day.isoformat(),
        day,
        f"{row.title}, shortfall of {period}" if period else f"{row.title}, shortfall",
        amount,
        *lump(contract, amount),
        origin=origin,
        steps=(f"{missing} below the minimum",),
        service_item=row.service_item,
    )
