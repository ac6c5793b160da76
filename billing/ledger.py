"""The ledger: every second of current work in exactly one bucket, with its reason (billing-domain 2.1; BD-72)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from billing.currency import SAME, Exchange
from billing.entries import BillingEntry
from billing.exact import units_of
from billing.portions import Placed
from billing.rating import RatedPart
from billing.results import LedgerRow, Unbilled
from billing.terms import Terms
from schemas.draft import Bucket
from schemas.entry import EntryKind
from schemas.period import Period

_BUCKET_RANK = {bucket: rank for rank, bucket in enumerate(Bucket)}


class Ledger(NamedTuple):
    """The rows of a period, single placements, and the seconds that came from before it."""

    rows: tuple[LedgerRow, ...]
    unbilled: tuple[Unbilled, ...]
    carried_in_seconds: int
    rounding_delta_seconds: int


@dataclass(slots=True)
class _Row:
    """One bucket and reason while it is summed up; `priced` holds billable seconds by terms, by date if converted."""

    seconds: int = 0
    entries: set[str] = field(default_factory=set)
    priced: dict[tuple[Terms, date | None], int] = field(default_factory=dict)
    is_value_known: bool = True


def ledger_of(
    exchange: Exchange, period: Period, parts: Sequence[RatedPart], placed: Sequence[Placed], billed_units: int
) -> Ledger:
    """Sum a period up. Time carried into it from before stands beside its own worked seconds."""
    rows: dict[tuple[Bucket, str], _Row] = {}
    billed = _Row()
    carried_in = delta = 0
    first, end = period.start, period.end
    own_currency = exchange.contract.currency
    for part in parts:
        portion = part.portion
        if first <= portion.counted_day < end:
            billed.seconds += portion.worked_seconds
            billed.entries.add(portion.entry.entry_id)
            delta += portion.delta_seconds
            if portion.day < first:
                carried_in += portion.worked_seconds
    inside = [one for one in placed if first <= one.counted_day < end]
    for one in inside:
        row = rows.get((one.bucket, one.reason))
        if row is None:
            row = rows[one.bucket, one.reason] = _Row()
        row.seconds += one.worked_seconds
        row.entries.add(one.entry.entry_id)
        delta += one.delta_seconds
        if one.day < first:
            carried_in += one.worked_seconds
        if one.worked_seconds or one.delta_seconds or one.entry.kind is not EntryKind.TIME:
            _price(own_currency, row, one)
    found = [_ledger_row(exchange, bucket, reason, row) for (bucket, reason), row in rows.items()]
    if billed.entries:
        found.append(LedgerRow(Bucket.BILLED, "", billed.seconds, len(billed.entries), billed_units))
    found.sort(key=lambda row: (_BUCKET_RANK[row.bucket], row.reason))
    return Ledger(tuple(found), _unbilled(inside), carried_in, delta)


def _price(own_currency: str, row: _Row, one: Placed) -> None:
    """Remember what the seconds would have cost at their plain rate; without a known rate the row has no value."""
    if one.terms is None or one.terms.rate is None:
        row.is_value_known = False
        return
    key = (one.terms, None if one.terms.rate.currency == own_currency else one.day)
    row.priced[key] = row.priced.get(key, 0) + one.worked_seconds + one.delta_seconds


def _ledger_row(exchange: Exchange, bucket: Bucket, reason: str, row: _Row) -> LedgerRow:
    value = Fraction(0)
    for (terms, day), seconds in row.priced.items():
        assert terms.rate is not None, "only priced seconds are remembered"
        conversion = SAME if day is None else exchange.fee(terms.rate.currency, day)
        if conversion is None:
            return LedgerRow(bucket, reason, row.seconds, len(row.entries), None)
        value += Fraction(terms.rate.rate) * Fraction(conversion.factor) * Fraction(seconds, 3600)
    contract = exchange.contract
    units = units_of(value, contract.places, contract.document.rounding.money_rounding)
    return LedgerRow(bucket, reason, row.seconds, len(row.entries), units if row.is_value_known else None)


def _unbilled(inside: Iterable[Placed]) -> tuple[Unbilled, ...]:
    """One placement for each entry, bucket and reason, sorted."""
    found: dict[tuple[str, int, str], Unbilled] = {}
    for one in inside:
        key = (one.entry.entry_id, _BUCKET_RANK[one.bucket], one.reason)
        seconds, delta, detail = one.worked_seconds, one.delta_seconds, one.detail
        known = found.get(key)
        if known is not None:
            seconds, delta = seconds + known.seconds, delta + known.delta_seconds
            if one.bucket is Bucket.RETAINER:
                # Each draw names its own balance before and after.
                detail = f"{known.detail}; {detail}"
        found[key] = Unbilled(one.entry, one.bucket, one.reason, detail, seconds, delta)
    return tuple([found[key] for key in sorted(found)])


def assert_conserved(
    entries: Iterable[BillingEntry],
    worked_seconds: int,
    parts: Sequence[RatedPart],
    placed: Sequence[Placed],
    ledger: Ledger,
) -> None:
    """The law: each entry's seconds are all somewhere, none twice, and the ledger adds up. A breach is our mistake."""
    seconds: dict[str, int] = {}
    for part in parts:
        portion = part.portion
        seconds[portion.entry.entry_id] = seconds.get(portion.entry.entry_id, 0) + portion.worked_seconds
    for one in placed:
        seconds[one.entry.entry_id] = seconds.get(one.entry.entry_id, 0) + one.worked_seconds
    for entry in entries:
        if entry.kind is EntryKind.TIME:
            assert seconds.get(entry.entry_id) == entry.worked_seconds, f"seconds of entry {entry.entry_id} are lost"
    total = sum(row.seconds for row in ledger.rows)
    assert total == worked_seconds + ledger.carried_in_seconds, "the ledger does not add up"
