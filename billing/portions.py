"""Portions: stretches of one entry's worked time that share a fate, from classification to the line."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from billing.entries import BillingEntry, OrderKey
from billing.terms import Terms
from schemas.draft import Bucket

made = tuple.__new__
"""Makes a named tuple of all its members at a fraction of the cost of calling its class; for what each entry needs."""


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

    def at(self, price: SetPrice) -> "Portion":
        """The same time at a price that a rule sets."""
        order, entry, terms, day, counted_day, offset, worked, delta, _ = self
        return made(Portion, (order, entry, terms, day, counted_day, offset, worked, delta, price))


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
    order, entry, terms, day, counted_day, offset, worked, delta, price = portion
    common = (order, entry, terms, day, counted_day)
    inside = Portion(*common, offset, worked_inside, delta_inside, price)
    return inside, Portion(*common, offset + worked_inside, worked - worked_inside, delta - delta_inside, price)


def longer(portion: Portion, more: Portion) -> Portion:
    """A portion that lasts for the seconds of another one, too."""
    worked, delta = portion.worked_seconds + more.worked_seconds, portion.delta_seconds + more.delta_seconds
    return portion._replace(worked_seconds=worked, delta_seconds=delta)


def placed_as(portion: Portion, bucket: Bucket, reason: str, detail: str = "") -> Placed:
    """A portion that gets no line, with its bucket and the reason."""
    _, entry, terms, day, counted_day, _, worked, delta, _ = portion
    return made(Placed, (entry, day, counted_day, bucket, reason, detail, worked, delta, terms))
