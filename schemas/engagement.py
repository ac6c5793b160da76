"""The clauses that hold time together: retainers, prepaid blocks, tiers, and the work that a fixed fee covers.

What a sentence of an agreement leaves open is asked for here: a clause that can be read in two ways is refused with
the question that must be answered (billing-domain section 7).
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from schemas.dated import Agreed, AmountNotNegative, DatedRow, Identifier, refuse_overlaps
from schemas.values import DecimalText, LocalDate, Value

AmountAboveZero = Annotated[DecimalText, Field(gt=0)]


class Takes(StrEnum):
    """Which work an engagement takes: all billable work in its scope, or only what was decided to be its own."""

    ALL = "all"
    DECIDED = "decided"


class WorkScope(Value):
    """The work a clause speaks about; every stated list must have the entry's own, an empty one means all."""

    roles: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    service_items: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class BurnWeight(Agreed):
    """Work that burns more, or less, than its time from a balance (BD-39).

    An entry has one of the named items, tasks or tags, or the hour falls under the named premium; of several weights
    that meet the same time the highest counts.
    """

    factor: AmountAboveZero
    service_items: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    premium: str = ""

    @model_validator(mode="after")
    def _has_a_condition(self) -> Self:
        if not (self.service_items or self.tasks or self.tags or self.premium):
            raise ValueError("a weight needs a condition: service_items, tasks, tags or premium")
        return self

    @field_validator("factor")
    @classmethod
    def _at_most_hundredths(cls, factor: Decimal) -> Decimal:
        if factor * 100 % 1:
            raise ValueError(f"a weight has at most two decimals: {factor}")
        return factor


def _whole_seconds(hours: Decimal) -> Decimal:
    if hours * 3600 % 1:
        raise ValueError(f"hours must be a whole number of seconds: {hours} h")
    return hours


class Rollover(StrEnum):
    """What happens at the end of a period to the hours that were not used."""

    NONE = "none"
    MAX_HOURS = "max_hours"
    ALL = "all"


class RetainerOrder(StrEnum):
    """Which hours are used first: those that expire first, then the oldest; or the newest (BD-36, BD-77)."""

    FIRST_EXPIRING = "first_expiring"
    NEWEST_FIRST = "newest_first"


class SurplusAtEnd(StrEnum):
    """What happens to hours that are left when the engagement ends."""

    LAPSE = "lapse"
    CREDIT = "credit"


class Prorate(StrEnum):
    """How a period that the contract covers only in part is charged (BD-41, BD-76)."""

    NONE = "none"
    CALENDAR_DAYS = "calendar_days"
    WORKDAYS = "workdays"


class Retainer(WorkScope, DatedRow):
    """Hours that a fee buys for each period, with what becomes of the rest and of the hours beyond (BD-35..42).

    Rows of one id are one retainer whose terms change at the beginning of one of its periods. Without `overage_rate`
    and deficit the hours beyond are billed at the contract's rates and tiers. At the end of the contract, or of the
    retainer, a deficit is billed at `overage_rate`; a surplus lapses, or is credited at `credit_rate`.
    """

    id: Identifier
    name: str = ""
    takes: Takes = Takes.ALL
    every: Literal["month", "week"] = "month"
    hours: AmountAboveZero
    fee: AmountNotNegative
    rollover: Rollover = Rollover.NONE
    rollover_hours: AmountAboveZero | None = None
    rollover_periods: int | None = Field(default=None, ge=1, le=120)
    rollover_until: LocalDate | None = None
    rollover_forever: bool = False
    overage_rate: AmountNotNegative | None = None
    allow_deficit: bool = False
    surplus_at_end: SurplusAtEnd = SurplusAtEnd.LAPSE
    credit_rate: AmountNotNegative | None = None
    weights: tuple[BurnWeight, ...] = ()

    @field_validator("hours", "rollover_hours")
    @classmethod
    def _hours_are_whole_seconds(cls, hours: Decimal | None) -> Decimal | None:
        return None if hours is None else _whole_seconds(hours)

    @model_validator(mode="after")
    def _rollover_is_clear(self) -> Self:
        limits = [self.rollover_periods is not None, self.rollover_until is not None, self.rollover_forever]
        if self.rollover is Rollover.NONE:
            if any(limits) or self.rollover_hours is not None:
                raise ValueError("rollover_* settings belong to rollover 'max_hours' or 'all'")
            return self
        if (self.rollover is Rollover.MAX_HOURS) != (self.rollover_hours is not None):
            raise ValueError("unused hours roll over: how many? rollover 'max_hours' and rollover_hours go together")
        if sum(limits) != 1:
            raise ValueError(
                "unused hours roll over: how long? state one of rollover_periods, rollover_until "
                "(last day of use) or rollover_forever"
            )
        return self

    @model_validator(mode="after")
    def _end_is_clear(self) -> Self:
        if (self.surplus_at_end is SurplusAtEnd.CREDIT) != (self.credit_rate is not None):
            raise ValueError("surplus_at_end 'credit' and a credit_rate belong together: what is an unused hour worth?")
        if self.allow_deficit and self.overage_rate is None:
            raise ValueError(
                "allow_deficit carries the hours beyond: at which overage_rate is a deficit billed at the end?"
            )
        return self


class PrepaidBlock(WorkScope, Agreed):
    """Hours bought once, used from `purchased` up to and including `expires` (BD-36, BD-37, BD-77).

    `price` is what the block cost; its use earns that price hour by hour. The block is invoiced when it is sold: by
    this contract's invoice of the purchase date with `sale: on_invoice`, otherwise it was billed elsewhere.
    What is left at the end of the contract lapses, or is credited at the block's price per hour.
    """

    id: Identifier
    name: str = ""
    takes: Takes = Takes.ALL
    hours: AmountAboveZero
    purchased: LocalDate
    expires: LocalDate | None = None
    price: AmountNotNegative | None = None
    sale: Literal["elsewhere", "on_invoice"] = "elsewhere"
    overage_rate: AmountNotNegative | None = None
    surplus_at_end: SurplusAtEnd = SurplusAtEnd.LAPSE
    weights: tuple[BurnWeight, ...] = ()

    @field_validator("hours")
    @classmethod
    def _hours_are_whole_seconds(cls, hours: Decimal) -> Decimal:
        return _whole_seconds(hours)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.expires is not None and self.expires < self.purchased:
            raise ValueError(f"a block expires on or after its purchase: {self.purchased}..{self.expires}")
        if self.price is None and (self.sale == "on_invoice" or self.surplus_at_end is SurplusAtEnd.CREDIT):
            raise ValueError("what does the block cost? sale 'on_invoice' and surplus_at_end 'credit' need its price")
        return self


class TierMode(StrEnum):
    """Each band at its own rate, the whole quantity at the band reached, or started packages (BD-19, BD-20, BD-23)."""

    GRADUATED = "graduated"
    VOLUME = "volume"
    BLOCK = "block"


class TierReset(StrEnum):
    """Whether a tier counts anew in each billing period or over the contract (BD-22)."""

    PERIOD = "period"
    CONTRACT = "contract"


class TierBand(Agreed):
    """A price of an hour up to and including so many hours; the last band is open."""

    up_to: AmountAboveZero | None = None
    rate: AmountNotNegative

    @field_validator("up_to")
    @classmethod
    def _limit_is_whole_seconds(cls, hours: Decimal | None) -> Decimal | None:
        return None if hours is None else _whole_seconds(hours)


class Tier(WorkScope, DatedRow):
    """Prices of an hour that depend on how many hours there were. They replace the other rates of the work in scope.

    Mode `block` sells packages of `block_hours` at `block_price`; a started one is charged whole. Rows of one id are
    one tier whose prices change; the row of the work date counts. Whether premiums multiply the prices must be stated
    when the contract has premiums.
    """

    id: Identifier
    name: str = ""
    mode: TierMode = TierMode.GRADUATED
    reset: TierReset = TierReset.PERIOD
    bands: tuple[TierBand, ...] = ()
    block_hours: AmountAboveZero | None = None
    block_price: AmountNotNegative | None = None
    premiums_apply: bool | None = None

    @field_validator("block_hours")
    @classmethod
    def _block_is_whole_seconds(cls, hours: Decimal | None) -> Decimal | None:
        return None if hours is None else _whole_seconds(hours)

    @model_validator(mode="after")
    def _prices_are_clear(self) -> Self:
        is_block = self.mode is TierMode.BLOCK
        stated = (self.block_hours is not None, self.block_price is not None)
        if any(one != is_block for one in stated) or is_block == bool(self.bands):
            raise ValueError("mode 'block' has block_hours and block_price; the other modes have bands")
        if is_block and self.premiums_apply:
            raise ValueError("a package has one price, so premiums cannot multiply it; say premiums_apply: false")
        limits = [band.up_to for band in self.bands]
        rising = [limit for limit in limits[:-1] if limit is not None]
        if self.bands and (len(rising) != len(limits) - 1 or limits[-1] is not None or rising != sorted(set(rising))):
            raise ValueError("bands have rising limits up_to, and the last one is open: what does an hour beyond cost?")
        if self.mode is TierMode.VOLUME and self.reset is TierReset.CONTRACT:
            raise ValueError(
                "a volume price over the whole contract would change the price of hours that are billed already; "
                "use mode 'graduated' or reset 'period'"
            )
        return self


class FixedCover(WorkScope, DatedRow):
    """Work that a fixed fee pays for: its time is covered and has no price (BD-43, step 6)."""

    id: Identifier
    name: str = ""
    takes: Takes = Takes.ALL


def scopes_meet(one: WorkScope, other: WorkScope) -> bool:
    """Whether some work can be in both scopes; tags never separate, because an entry may have several."""
    pairs = (
        (one.roles, other.roles),
        (one.people, other.people),
        (one.service_items, other.service_items),
        (one.projects, other.projects),
        (one.tasks, other.tasks),
    )
    return all(not left or not right or set(left) & set(right) for left, right in pairs)


def refuse_unclear(
    retainers: Sequence[Retainer],
    blocks: Sequence[PrepaidBlock],
    tiers: Sequence[Tier],
    fixed_cover: Sequence[FixedCover],
    contract_from: date | None,
) -> None:
    """Raise ValueError when the engagements of one contract contradict each other or leave a question open."""
    _refuse_shared_ids(retainers, blocks, tiers, fixed_cover)
    for retainer in retainers:
        if retainer.date_from is None and contract_from is None:
            raise ValueError(f"retainer {retainer.id} needs 'from', here or in the contract: when is its first period?")
    refuse_overlaps(retainers, lambda row: (row.id,), "retainer")
    refuse_overlaps(tiers, lambda row: (row.id,), "tier")
    _refuse_changed(retainers)
    _refuse_two_tiers(tiers, contract_from)
    _refuse_two_prices(retainers, blocks, tiers)


def _refuse_shared_ids(
    *groups: Sequence[Retainer] | Sequence[PrepaidBlock] | Sequence[Tier] | Sequence[FixedCover],
) -> None:
    seen: dict[str, int] = {}
    for number, group in enumerate(groups):
        for one in group:
            if seen.setdefault(one.id, number) != number:
                raise ValueError(f"two engagements of different kinds have the id {one.id!r}")
    for kind, rows in (("block", groups[1]), ("fixed cover", groups[3])):
        ids = [one.id for one in rows]
        if len(set(ids)) != len(ids):
            raise ValueError(f"two rows of kind {kind} have one id")


def _refuse_changed(retainers: Sequence[Retainer]) -> None:
    """Rows of one retainer change its hours and prices, at the beginning of a period, not what its periods are."""
    first: dict[str, Retainer] = {}
    for row in sorted(retainers, key=lambda row: row.date_from or date.min):
        before = first.setdefault(row.id, row)
        if before is row:
            continue
        if before.every != row.every:
            raise ValueError(f"the rows of retainer {row.id!r} have different periods; use another id")
        day = row.date_from
        if day is not None and (day.day != 1 if row.every == "month" else day.weekday() != 0):
            raise ValueError(f"retainer {row.id!r} changes on {day}; its terms change at the beginning of a period")


def _refuse_two_tiers(tiers: Sequence[Tier], contract_from: date | None) -> None:
    shapes: dict[str, tuple[TierMode, TierReset]] = {}
    for index, tier in enumerate(tiers):
        if shapes.setdefault(tier.id, (tier.mode, tier.reset)) != (tier.mode, tier.reset):
            raise ValueError(f"the rows of tier {tier.id!r} differ in mode or reset; use another id")
        if tier.reset is TierReset.CONTRACT and contract_from is None:
            raise ValueError(f"tier {tier.id} counts over the contract, so the contract needs 'from'")
        for other in tiers[index + 1 :]:
            if other.id != tier.id and scopes_meet(tier, other):
                raise ValueError(f"which tier prices an hour that is in the scope of both {tier.id} and {other.id}?")


def _refuse_two_prices(retainers: Iterable[Retainer], blocks: Iterable[PrepaidBlock], tiers: Sequence[Tier]) -> None:
    """Two clauses must not price the same hour beyond the balances."""
    priced: list[tuple[str, WorkScope, Decimal, date | None, date | None]] = [
        (f"retainer {one.id}", one, one.overage_rate, one.date_from, one.date_to)
        for one in retainers
        if one.overage_rate is not None and not one.allow_deficit
    ]
    priced += [
        (f"block {one.id}", one, one.overage_rate, one.purchased, None)
        for one in blocks
        if one.overage_rate is not None
    ]
    for index, (name, scope, rate, start, end) in enumerate(priced):
        for other_name, other, other_rate, other_start, other_end in priced[index + 1 :]:
            apart = (end is not None and other_start is not None and end <= other_start) or (
                other_end is not None and start is not None and other_end <= start
            )
            if rate != other_rate and not apart and scopes_meet(scope, other):
                raise ValueError(f"which overage_rate counts when both are used up: that of {name} or of {other_name}?")
        for tier in tiers:
            if scopes_meet(scope, tier):
                raise ValueError(
                    f"the overage_rate of {name} and tier {tier.id} both price the hours beyond; keep one of them"
                )
