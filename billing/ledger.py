"""The ledger: every second of current work in exactly one bucket, with its reason (billing-domain 2.1; BD-72)."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from billing.contract import Contract
from billing.currency import SAME, Exchange
from billing.entries import BillingEntry
from billing.exact import units_of
from billing.portions import Placed
from billing.rating import RatedPart
from billing.results import LedgerRow, Unbilled
from schemas.draft import Bucket
from schemas.entry import EntryKind
from schemas.period import Period

_BUCKET_RANK = {bucket: rank for rank, bucket in enumerate(Bucket)}


class Ledger(NamedTuple):
    """The rows of a period, single placements, and the seconds they must add up to."""

    rows: tuple[LedgerRow, ...]
    unbilled: tuple[Unbilled, ...]
    worked_seconds: int
    carried_in_seconds: int
    rounding_delta_seconds: int


class _Row:
    """One bucket and reason while it is summed up."""

    __slots__ = ("entries", "seconds", "value")

    def __init__(self) -> None:
        self.seconds = 0
        self.entries: set[str] = set()
        self.value: Fraction | None = Fraction(0)


def ledger_of(
    exchange: Exchange,
    period: Period,
    parts: Sequence[RatedPart],
    placed: Sequence[Placed],
    billed_units: int,
) -> Ledger:
    """Sum a period up. Time carried into it from before stands beside its own worked seconds."""
    contract = exchange.contract
    rows: dict[tuple[Bucket, str], _Row] = {}
    billed = _Row()
    worked = carried_in = delta = 0
    for part in parts:
        portion = part.portion
        if portion.counted_day in period:
            billed.seconds += portion.worked_seconds
            billed.entries.add(portion.entry.entry_id)
            delta += portion.delta_seconds
            if portion.day < period.start:
                carried_in += portion.worked_seconds
            else:
                worked += portion.worked_seconds
    if billed.entries:
        billed.value = Fraction(billed_units, 10**contract.places)
        rows[(Bucket.BILLED, "")] = billed
    inside = [one for one in placed if one.counted_day in period]
    for one in inside:
        row = rows.setdefault((one.bucket, one.reason), _Row())
        row.seconds += one.worked_seconds
        row.entries.add(one.entry.entry_id)
        price = _price(exchange, one)
        row.value = None if row.value is None or price is None else row.value + price
        delta += one.delta_seconds
        if one.day < period.start:
            carried_in += one.worked_seconds
        else:
            worked += one.worked_seconds
    ordered = sorted(rows.items(), key=lambda item: (_BUCKET_RANK[item[0][0]], item[0][1]))
    return Ledger(
        tuple(_ledger_row(contract, bucket, reason, row) for (bucket, reason), row in ordered),
        _unbilled(inside),
        worked,
        carried_in,
        delta,
    )


def _ledger_row(contract: Contract, bucket: Bucket, reason: str, row: _Row) -> LedgerRow:
    rounding = contract.document.rounding.money_rounding
    value = None if row.value is None else units_of(row.value, contract.places, rounding)
    return LedgerRow(bucket, reason, row.seconds, len(row.entries), value)


def _price(exchange: Exchange, one: Placed) -> Fraction | None:
    """What the seconds would have cost at their plain rate; None when no rate is known."""
    if one.worked_seconds == 0 and one.delta_seconds == 0 and one.entry.kind is EntryKind.TIME:
        return Fraction(0)
    if one.terms is None or one.terms.rate is None:
        return None
    rate = one.terms.rate
    conversion = SAME if rate.currency == exchange.contract.currency else exchange.fee(rate.currency, one.day)
    if conversion is None:
        return None
    price = Fraction(rate.rate) * Fraction(conversion.factor)
    return price * Fraction(one.worked_seconds + one.delta_seconds, 3600)


def _unbilled(inside: Iterable[Placed]) -> tuple[Unbilled, ...]:
    """One placement for each entry, bucket and reason, sorted."""
    found: dict[tuple[str, int, str], Unbilled] = {}
    for one in inside:
        key = (one.entry.entry_id, _BUCKET_RANK[one.bucket], one.reason)
        known = found.get(key)
        found[key] = Unbilled(
            one.entry,
            one.bucket,
            one.reason,
            one.detail,
            one.worked_seconds + (known.seconds if known else 0),
            one.delta_seconds + (known.delta_seconds if known else 0),
        )
    return tuple(found[key] for key in sorted(found))


def assert_conserved(
    entries: Iterable[BillingEntry], parts: Sequence[RatedPart], placed: Sequence[Placed], ledger: Ledger
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
    assert total == ledger.worked_seconds + ledger.carried_in_seconds, "the ledger does not add up"
