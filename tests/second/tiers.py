"""Step 9: prices that depend on how many hours there were (BD-19 to BD-22)."""

from dataclasses import dataclass, replace
from fractions import Fraction

from schemas.engagement import Tier, TierMode, TierReset
from tests.second.case import Case
from tests.second.exact import fraction
from tests.second.rates import tier_of
from tests.second.stretch import Stretch, cut


@dataclass(frozen=True)
class Banded:
    """Time with the price of its band; `package` is its part of the price of packages that it shares."""

    one: Stretch
    rate: Fraction
    multiplied: bool
    mark: str
    package: Fraction | None = None


def band_time(case: Case, live: list[Stretch]) -> tuple[list[Banded], list[Stretch]]:
    """What has a tier's price, in work-time order, and the rest; time at an overage rate has its price already."""
    banded: list[Banded] = []
    rest: list[Stretch] = []
    before: dict[object, int] = {}
    work = sorted(live, key=lambda one: (one.order, one.first))
    for one in work:
        tier = tier_of(case, one)
        if tier is None or one.overage is not None:
            rest.append(one)
            continue
        key = (tier.id, case.period_of(one.counted).start if tier.reset is TierReset.PERIOD else "")
        if tier.mode is TierMode.BLOCK:
            banded.append(Banded(one, Fraction(0), False, tier.id, package_part(case, tier, one, work)))
            continue
        if tier.mode is TierMode.VOLUME:
            own = [other for other in work if other.overage is None and tier_of(case, other) is not None]
            same = [other for other in own if case.period_of(other.counted) == case.period_of(one.counted)]
            reached = sum(other.billable for other in same if getattr(tier_of(case, other), "id", "") == tier.id)
            if one.counted >= case.period.end:
                reached = 0  # What the next period will reach is not known yet; only its room under a limit counts.
            banded.append(Banded(one, rate_at(tier, reached), bool(tier.premiums_apply), tier.id))
            continue
        banded += graduated(tier, one, before.get(key, 0))
        before[key] = before.get(key, 0) + one.billable
    return banded, rest


def package_part(case: Case, tier: Tier, one: Stretch, work: list[Stretch]) -> Fraction:
    """What an entry has of the packages that its period starts, by seconds (BD-23)."""
    size = fraction(tier.block_hours or 0) * 3600
    period = case.period_of(one.counted)
    own = [other for other in work if other.overage is None and getattr(tier_of(case, other), "id", "") == tier.id]
    inside = sum(other.billable for other in own if case.period_of(other.counted) == period)
    before = 0
    if tier.reset is TierReset.CONTRACT:
        before = sum(other.billable for other in own if other.counted < period.start)
    started = -(-(before + inside) // size) - -(-before // size)
    return fraction(tier.block_price or 0) * started * one.billable / inside if inside else Fraction(0)


def rate_at(tier: Tier, seconds: int) -> Fraction:
    """The price of the band that a quantity reaches; a limit belongs to the band below it (BD-20)."""
    for band in tier.bands:
        if band.up_to is None or seconds <= fraction(band.up_to) * 3600:
            return fraction(band.rate)
    raise AssertionError("the last band is open")


def graduated(tier: Tier, one: Stretch, before: int) -> list[Banded]:
    """Cut time where a band ends (BD-21)."""
    found: list[Banded] = []
    rest: Stretch | None = one
    for band in tier.bands:
        if rest is None:
            break
        if band.up_to is not None and before > fraction(band.up_to) * 3600:
            continue
        room = rest.billable if band.up_to is None else max(0, int(fraction(band.up_to) * 3600) - before)
        inside, rest = (rest, None) if band.up_to is None else cut(rest, room, by_worked=False)
        if inside is not None:
            before += inside.billable
            found.append(Banded(inside, fraction(band.rate), bool(tier.premiums_apply), f"{tier.id} {band.up_to}"))
    return [replace(band, one=band.one) for band in found]
