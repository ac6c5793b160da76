"""The ledger: every second of current work in exactly one bucket, with its reason (billing-domain 2.1; BD-72)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from operator import attrgetter
from typing import Final, NamedTuple

from billing.currency import SAME, Exchange
from billing.entries import BillingEntry
from billing.exact import fraction_of, units_of
from billing.portions import Placed, Portion, made
from billing.rating import RatedPart
from billing.results import LedgerRow, Unbilled
from billing.terms import Terms
from schemas.draft import Bucket
from schemas.entry import EntryKind
from schemas.period import Period

# What every entry is asked; members of an enum are looked up slowly.
_TIME: Final = EntryKind.TIME

BUCKET_RANK = {bucket: rank for rank, bucket in enumerate(Bucket)}


class Ledger(NamedTuple):
    """The rows of a period, single placements, and the seconds that came from before it."""

    rows: tuple[LedgerRow, ...]
    unbilled: tuple[Unbilled, ...]
    carried_in_seconds: int
    rounding_delta_seconds: int


Reason = tuple[Bucket, str]
"""A bucket with the reason for it."""


@dataclass(slots=True, eq=False)
class Tally:
    """What placements of one bucket and reason come to; `valued` are their seconds by what prices them.

    `valued` is None where one of them has no known rate. Tallies of different entries add up.
    """

    seconds: int = 0
    entries: int = 0
    delta_seconds: int = 0
    carried_in_seconds: int = 0
    valued: dict[tuple[Terms, date | None], int] | None = field(default_factory=dict)

    def add(self, other: "Tally") -> None:
        """Count what another tally counts, too."""
        self.seconds += other.seconds
        self.entries += other.entries
        self.delta_seconds += other.delta_seconds
        self.carried_in_seconds += other.carried_in_seconds
        if self.valued is None or other.valued is None:
            self.valued = None
            return
        for key, seconds in other.valued.items():
            self.valued[key] = self.valued.get(key, 0) + seconds


def ledger_of(
    exchange: Exchange, period: Period, parts: Sequence[RatedPart], placed: Sequence[Placed], billed_units: int
) -> Ledger:
    """Sum a period up. Time carried into it from before stands beside its own worked seconds."""
    first = period.start
    on_lines = _on_lines(period, parts)
    tallies: dict[Reason, Tally] = {}
    unbilled: list[Unbilled] = []
    for reason, members in sorted(by_reason(period, placed).items(), key=_order):
        singles = singles_of(reason, members)
        tallies[reason] = tally_of(exchange.contract.currency, first, members, len(singles))
        unbilled += singles
    # They stand by bucket and reason, and a sort leaves equals as they are.
    unbilled.sort(key=attrgetter("entry.entry_id"))
    return ledger_from(exchange, on_lines, billed_units, tallies, unbilled)


def _on_lines(period: Period, parts: Sequence[RatedPart]) -> Tally:
    """What the parts of a period come to."""
    first, end = period.start, period.end
    seconds = deltas = carried_in = 0
    entry_ids: set[str] = set()
    for (_, entry, _, day, counted_day, _, worked_seconds, delta_seconds, _), _ in parts:
        if first <= counted_day < end:
            seconds += worked_seconds
            deltas += delta_seconds
            entry_ids.add(entry.entry_id)
            if day < first:
                carried_in += worked_seconds
    return Tally(seconds, len(entry_ids), deltas, carried_in)


def ledger_from(
    exchange: Exchange,
    on_lines: Tally,
    billed_units: int,
    tallies: Mapping[Reason, Tally],
    unbilled: Sequence[Unbilled],
) -> Ledger:
    """The ledger of what is on lines, and of what is not by bucket and reason."""
    rows = [
        LedgerRow(bucket, reason, one.seconds, one.entries, _value(exchange, one.valued))
        for (bucket, reason), one in tallies.items()
    ]
    if on_lines.entries:
        rows.append(LedgerRow(Bucket.BILLED, "", on_lines.seconds, on_lines.entries, billed_units))
    rows.sort(key=lambda row: (BUCKET_RANK[row.bucket], row.reason))
    delta = on_lines.delta_seconds + sum(one.delta_seconds for one in tallies.values())
    carried_in = on_lines.carried_in_seconds + sum(one.carried_in_seconds for one in tallies.values())
    return Ledger(tuple(rows), tuple(unbilled), carried_in, delta)


def tally_of(currency: str, first: date, members: Sequence[Placed], entries: int) -> Tally:
    """Placements of one bucket and reason, of so many entries, in a period that starts on a date."""
    seconds = deltas = carried_in = 0
    valued: dict[tuple[Terms, date | None], int] | None = {}
    for entry, day, _, _, _, _, worked_seconds, delta_seconds, terms in members:
        seconds += worked_seconds
        deltas += delta_seconds
        if day < first:
            carried_in += worked_seconds
        size = worked_seconds + delta_seconds
        if valued is None or (not (worked_seconds or delta_seconds) and entry.kind is _TIME):
            continue
        if terms is None or terms.rate is None:
            valued = None
            continue
        key = (terms, None if terms.rate.currency == currency else day)
        valued[key] = valued.get(key, 0) + size
    return Tally(seconds, entries, deltas, carried_in, valued)


def _order(item: tuple[Reason, list[Placed]]) -> tuple[int, str]:
    (bucket, reason), _ = item
    return BUCKET_RANK[bucket], reason


def by_reason(period: Period, placed: Sequence[Placed]) -> dict[Reason, list[Placed]]:
    """The placements of a period by bucket and reason."""
    found: dict[Reason, list[Placed]] = {}
    first, end = period.start, period.end
    for one in placed:
        if first <= one.counted_day < end:
            key = (one.bucket, one.reason)
            members = found.get(key)
            if members is None:
                members = found[key] = []
            members.append(one)
    return found


def singles_of(of: Reason, members: Sequence[Placed]) -> list[Unbilled]:
    """One placement for each entry."""
    bucket, reason = of
    if len({one.entry.entry_id for one in members}) == len(members):
        return [
            made(Unbilled, (entry, bucket, reason, detail, worked, delta))
            for entry, _, _, _, _, detail, worked, delta, _ in members
        ]
    found: dict[str, Unbilled] = {}
    for one in members:
        entry = one.entry
        known = found.get(entry.entry_id)
        detail, seconds, delta = one.detail, one.worked_seconds, one.delta_seconds
        if known is not None:
            # Each draw from a balance names what was there before and after; of other reasons one detail says it.
            detail = f"{known.detail}; {detail}" if bucket is Bucket.RETAINER else detail
            seconds, delta = known.seconds + seconds, known.delta_seconds + delta
        found[entry.entry_id] = made(Unbilled, (entry, bucket, reason, detail, seconds, delta))
    return list(found.values())


def _value(exchange: Exchange, seconds: Mapping[tuple[Terms, date | None], int] | None) -> int | None:
    """What the seconds would have cost at their plain rate; None where one of them has no known rate."""
    if seconds is None:
        return None
    value = Fraction(0)
    for (terms, day), size in seconds.items():
        assert terms.rate is not None, "only priced seconds are remembered"
        conversion = SAME if day is None else exchange.fee(terms.rate.currency, day)
        if conversion is None:
            return None
        value += fraction_of(terms.rate.rate) * fraction_of(conversion.factor) * Fraction(size, 3600)
    contract = exchange.contract
    return units_of(value, contract.places, contract.document.rounding.money_rounding)


def assert_adds_up(worked_seconds: int, ledger: Ledger) -> None:
    """The law in sum: what was worked, and carried in, is in the ledger. A breach is our mistake."""
    total = sum(row.seconds for row in ledger.rows)
    assert total == worked_seconds + ledger.carried_in_seconds, "the ledger does not add up"


def assert_conserved(entries: Sequence[BillingEntry], live: Iterable[Portion], placed: Iterable[Placed]) -> None:
    """The law for each entry: its seconds are all somewhere, and none of them twice. A breach is our mistake."""
    pieces: list[Portion | Placed] = [*live, *placed]
    # Most entries are in one piece, so few of them must be added up.
    seconds = {one.entry.entry_id: one.worked_seconds for one in pieces}
    if len(seconds) < len(pieces):
        seconds = {}
        for one in pieces:
            entry_id = one.entry.entry_id
            seconds[entry_id] = seconds.get(entry_id, 0) + one.worked_seconds
    lost = [one for one in entries if seconds.get(one.entry_id) != one.worked_seconds and one.kind is _TIME]
    assert not lost, f"seconds of entry {lost[0].entry_id} are lost"
