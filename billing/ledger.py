"""The ledger: every second of current work in exactly one bucket, with its reason (billing-domain 2.1; BD-72)."""

from collections import defaultdict
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
    entries: int = 0
    priced: dict[tuple[Terms, date | None], int] = field(default_factory=dict)
    is_value_known: bool = True


def ledger_of(
    exchange: Exchange, period: Period, parts: Sequence[RatedPart], placed: Sequence[Placed], billed_units: int
) -> Ledger:
    """Sum a period up. Time carried into it from before stands beside its own worked seconds."""
    rows: dict[tuple[Bucket, str], _Row] = {}
    billed_entries: set[str] = set()
    billed_seconds = 0
    carried_in = delta = 0
    first, end = period.start, period.end
    own_currency = exchange.contract.currency
    for part in parts:
        portion = part.portion
        if first <= portion.counted_day < end:
            billed_seconds += portion.worked_seconds
            billed_entries.add(portion.entry.entry_id)
            delta += portion.delta_seconds
            if portion.day < first:
                carried_in += portion.worked_seconds
    found: dict[tuple[str, int, str], Unbilled] = {}
    for one in placed:
        if not first <= one.counted_day < end:
            continue
        row = rows.get((one.bucket, one.reason))
        if row is None:
            row = rows[one.bucket, one.reason] = _Row()
        row.seconds += one.worked_seconds
        row.entries += _note(found, one)
        delta += one.delta_seconds
        if one.day < first:
            carried_in += one.worked_seconds
        if one.worked_seconds or one.delta_seconds or one.entry.kind is not EntryKind.TIME:
            _price(own_currency, row, one)
    summed = [_ledger_row(exchange, bucket, reason, row) for (bucket, reason), row in rows.items()]
    if billed_entries:
        summed.append(LedgerRow(Bucket.BILLED, "", billed_seconds, len(billed_entries), billed_units))
    summed.sort(key=lambda row: (_BUCKET_RANK[row.bucket], row.reason))
    return Ledger(tuple(summed), tuple([found[key] for key in sorted(found)]), carried_in, delta)


def _note(found: dict[tuple[str, int, str], Unbilled], one: Placed) -> int:
    """Add a placement to that of its entry, bucket and reason; how many such placements are new, none or one."""
    key = (one.entry.entry_id, _BUCKET_RANK[one.bucket], one.reason)
    known = found.get(key)
    if known is None:
        found[key] = Unbilled(one.entry, one.bucket, one.reason, one.detail, one.worked_seconds, one.delta_seconds)
        return 1
    # Each draw from a balance names what was there before and after; of other reasons one detail says it.
    detail = f"{known.detail}; {one.detail}" if one.bucket is Bucket.RETAINER else one.detail
    seconds, delta = known.seconds + one.worked_seconds, known.delta_seconds + one.delta_seconds
    found[key] = Unbilled(one.entry, one.bucket, one.reason, detail, seconds, delta)
    return 0


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
            return LedgerRow(bucket, reason, row.seconds, row.entries, None)
        value += Fraction(terms.rate.rate) * Fraction(conversion.factor) * Fraction(seconds, 3600)
    contract = exchange.contract
    units = units_of(value, contract.places, contract.document.rounding.money_rounding)
    return LedgerRow(bucket, reason, row.seconds, row.entries, units if row.is_value_known else None)


def assert_conserved(
    entries: Iterable[BillingEntry],
    worked_seconds: int,
    parts: Sequence[RatedPart],
    placed: Sequence[Placed],
    ledger: Ledger,
) -> None:
    """The law: each entry's seconds are all somewhere, none twice, and the ledger adds up. A breach is our mistake."""
    seconds: defaultdict[str, int] = defaultdict(int)
    for part in parts:
        portion = part.portion
        seconds[portion.entry.entry_id] += portion.worked_seconds
    for one in placed:
        seconds[one.entry.entry_id] += one.worked_seconds
    for entry in entries:
        if entry.kind is EntryKind.TIME:
            assert seconds.get(entry.entry_id) == entry.worked_seconds, f"seconds of entry {entry.entry_id} are lost"
    total = sum(row.seconds for row in ledger.rows)
    assert total == worked_seconds + ledger.carried_in_seconds, "the ledger does not add up"
