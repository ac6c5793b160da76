"""Portions: stretches of one entry's worked time that share a fate, from classification to the line."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from billing.entries import BillingEntry, OrderKey
from billing.terms import Terms
from schemas.draft import Bucket


@dataclass(frozen=True, slots=True, eq=False)
class Package:
    """Hours sold in packages: how many were started, what one holds and costs, and the hours they were charged for."""

    id: str
    name: str
    count: int
    package_seconds: int
    price: Decimal
    seconds: int


@dataclass(frozen=True, slots=True, eq=False)
class SetPrice:
    """A price of an hour, in the contract's currency, that a rule sets instead of the rate: overage, or a tier's band.

    `label` is what the line says of it, empty for nothing; `is_multiplied` whether premiums multiply it.
    """

    rate: Decimal
    label: str
    origin: str
    is_multiplied: bool = False
    package: Package | None = None


class Portion(NamedTuple):
    """Worked seconds `[offset, offset + worked)` of an entry with the rounding delta behind them.

    `day` is the local work date and decides the rate; `counted_day` is the date of the window that pays for it and
    differs only for carried time. `price` is set where a rule prices the time instead of its rate. A named tuple,
    because a close makes ten thousands of them.
    """

    order: OrderKey
    entry: BillingEntry
    terms: Terms
    day: date
    counted_day: date
    offset_seconds: int
    worked_seconds: int
    delta_seconds: int
    price: SetPrice | None = None

    @property
    def billable_seconds(self) -> int:
        """Worked seconds with their rounding delta."""
        return self.worked_seconds + self.delta_seconds


class Placed(NamedTuple):
    """Seconds that are not billed now, with the bucket and the reason; `terms` values them where a rate is known.

    `counted_day` decides the period whose ledger holds them, as for portions.
    """

    entry: BillingEntry
    day: date
    counted_day: date
    bucket: Bucket
    reason: str
    detail: str
    worked_seconds: int
    delta_seconds: int = 0
    terms: Terms | None = None


def portion_order(portion: Portion) -> tuple[OrderKey, int]:
    """The order in which portions count."""
    return portion.order, portion.offset_seconds


def cut(portion: Portion, worked_inside: int, delta_inside: int) -> tuple[Portion, Portion]:
    """Two portions of one: the first with so many worked seconds and so much delta, the rest behind it."""
    inside = portion._replace(worked_seconds=worked_inside, delta_seconds=delta_inside)
    rest = portion._replace(
        offset_seconds=portion.offset_seconds + worked_inside,
        worked_seconds=portion.worked_seconds - worked_inside,
        delta_seconds=portion.delta_seconds - delta_inside,
    )
    return inside, rest


def placed_as(portion: Portion, bucket: Bucket, reason: str, detail: str = "") -> Placed:
    """A portion that gets no line, with its bucket and the reason."""
    worked, delta = portion.worked_seconds, portion.delta_seconds
    return Placed(portion.entry, portion.day, portion.counted_day, bucket, reason, detail, worked, delta, portion.terms)
