"""What the second calculator is asked, and the facts in which its answer and the product's are compared."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from billing.carried import Received
from billing.currency import Rate
from billing.entries import BillingEntry
from schemas.clauses import ClosePeriod
from schemas.contract import ContractDocument
from schemas.directory import DirectoryDocument
from schemas.period import Period, month_of, week_of

Source = tuple[str, int, int, int]
"""Entry, worked seconds, delta seconds, smallest units of money."""

Fact = tuple[object, ...]
"""A line, a tax row or a balance, as a plain tuple that can be counted and printed."""


@dataclass(frozen=True)
class Case:
    """One firm, one contract, one period: everything an invoice follows from.

    `drawn` and `written` say of approved documents of earlier periods, by the period's first date, what they took from
    held money and when they were written.
    """

    contract: ContractDocument
    directory: DirectoryDocument
    entries: tuple[BillingEntry, ...]
    rates: tuple[Rate, ...]
    period: Period
    invoice_date: date
    payments: tuple[Received, ...] = ()
    drawn: Mapping[date, Mapping[str, Decimal]] = field(default_factory=dict)
    written: Mapping[date, date] = field(default_factory=dict)

    def period_of(self, day: date) -> Period:
        """The billing period that holds a day."""
        if day in self.period:
            return self.period
        return month_of(day) if self.contract.close.every is ClosePeriod.MONTH else week_of(day)

    def periods(self) -> list[Period]:
        """All billing periods from the first entry, or the contract's start, to the one that is billed."""
        first = min([self.contract.date_from or self.period.start, self.period.start])
        found = [self.period]
        while found[0].start > first:
            found.insert(0, self.period_of(found[0].start - timedelta(days=1)))
        return found


@dataclass
class Facts:
    """An invoice in plain numbers; money in smallest units."""

    lines: Counter[Fact] = field(default_factory=Counter)
    taxes: Counter[Fact] = field(default_factory=Counter)
    totals: dict[str, int] = field(default_factory=dict)
    buckets: Counter[tuple[str, str]] = field(default_factory=Counter)
    placed: dict[tuple[str, str, str], tuple[int, int]] = field(default_factory=dict)

    def place(self, entry_id: str, bucket: str, reason: str, worked: int, delta: int) -> None:
        """Count seconds of an entry that are not on a line."""
        if worked or delta:
            before = self.placed.get((entry_id, bucket, reason), (0, 0))
            self.placed[entry_id, bucket, reason] = (before[0] + worked, before[1] + delta)


def line_fact(kind: str, seconds: int, adjustment: int, units: int, sources: list[Source]) -> Fact:
    """A line in comparable form: its sources name it, whatever its texts are."""
    return (kind, seconds, adjustment, units, tuple(sorted(sources)))


def differences(first: Facts, second: Facts) -> list[str]:
    """What one invoice says and the other does not, in words; `-` is the product, `+` the second calculator."""
    found = [f"- line {fact}" for fact in (first.lines - second.lines).elements()]
    found += [f"+ line {fact}" for fact in (second.lines - first.lines).elements()]
    found += [f"- tax {fact}" for fact in (first.taxes - second.taxes).elements()]
    found += [f"+ tax {fact}" for fact in (second.taxes - first.taxes).elements()]
    for what, left, right in (
        ("total", first.totals, second.totals),
        ("bucket", first.buckets, second.buckets),
        ("placed", first.placed, second.placed),
    ):
        for key in sorted({*left, *right}, key=str):
            if left.get(key) != right.get(key):
                found.append(f"{what} {key}: - {left.get(key)} + {right.get(key)}")
    return found
