"""Step 9, first part: prices that depend on how many hours there were. Bands, volume, packages (BD-19..23).

A tier counts billable hours in work-time order, after hour caps and retainers; hours that an overage rate prices are
no part of it. Each of its hours has the price of its band, and an entry that crosses a limit is cut there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from operator import itemgetter
from typing import Final, NamedTuple

from billing.contract import Contract
from billing.cover import has_tags
from billing.exact import exact_or_shown, shown
from billing.portions import Package, Portion, SetPrice, cut
from billing.results import Note
from schemas.engagement import Tier, TierMode, TierReset
from schemas.period import Period


class Tiered(NamedTuple):
    """Portions in work order, those of a tier with their price, and what a person should know."""

    live: list[Portion]
    notes: list[Note]


class _Band(NamedTuple):
    """A price for the hours of a window up to and including so many seconds; the last band is open."""

    up_to_seconds: int | None
    rate: Decimal
    price: SetPrice


@dataclass(slots=True, eq=False)
class _Window:
    """A tier in one span: what it counted before the period, has counted so far, and counts in all."""

    tier_id: str
    before: int = 0
    used: int = 0
    total: int = 0
    bands: dict[int, list[_Band]] = field(default_factory=dict)
    packages: SetPrice | None = None


def apply_tiers(contract: Contract, live: list[Portion], period: Period) -> Tiered:
    """Price the portions that a tier prices; the others stay as they are."""
    if not contract.document.tiers:
        return Tiered(live, [])
    windows: dict[tuple[str, date], _Window] = {}
    priced: list[Portion] = []
    # All are counted before the first is priced: prices depend on the whole, and say where they stand in it.
    for portion, counted in zip(live, _count(contract, period, windows, live), strict=True):
        if counted is None:
            priced.append(portion)
            continue
        tier, window = counted
        mode = tier.mode
        if mode is _GRADUATED:
            _graduated(priced, window.bands.get(id(tier)) or _bands(contract, window, tier), window, portion)
        elif mode is TierMode.VOLUME:
            band = _band_at(_bands(contract, window, tier), window.total)
            priced.append(portion.at(band.price))
        else:
            assert mode is TierMode.BLOCK, "there are three modes"
            priced.append(portion.at(_packages(contract, window, tier)))
    return Tiered(priced, _cliffs(contract, windows, period))


# What every portion is asked; members of an enum are looked up slowly.
_GRADUATED: Final = TierMode.GRADUATED


def tier_of(portion: Portion) -> Tier | None:
    """The tier that prices a portion: that of its work, unless its tags or a price from before say otherwise."""
    tier = portion.terms.tier
    if tier is None or portion.price is not None or (tier.tags and not has_tags(tier, portion.entry)):
        return None
    return tier


_Counted = tuple[Tier, _Window]
"""The tier of a portion and its window, which counts it."""


def _count(
    contract: Contract, period: Period, windows: dict[tuple[str, date], _Window], live: Sequence[Portion]
) -> list[_Counted | None]:
    """Count all portions in the windows of their tiers; None for those without one."""
    found: list[_Counted | None] = []
    known: dict[tuple[int, date], _Counted] = {}
    asks_for_tags = any(row.tags for row in contract.document.tiers)
    start, end = period.start, period.end
    for portion in live:
        _, _, terms, _, day, _, worked_seconds, delta_seconds, price = portion
        tier = tier_of(portion) if asks_for_tags else terms.tier
        if tier is None or price is not None:
            found.append(None)
            continue
        counted = known.get((id(tier), day))
        if counted is None:
            counted = known[id(tier), day] = tier, _window_of(contract, period, windows, tier, day)
        size = worked_seconds + delta_seconds
        if day < end:
            # What midnight splits off into the next period is counted there.
            counted[1].total += size
        if day < start:
            counted[1].before += size
        found.append(counted)
    return found


def _window_of(
    contract: Contract, period: Period, windows: dict[tuple[str, date], _Window], tier: Tier, day: date
) -> _Window:
    """The window of a tier that holds a date."""
    if tier.reset is TierReset.CONTRACT:
        span = date.min
    else:
        span = period.start if period.start <= day < period.end else contract.period_of(day).start
    window = windows.get((tier.id, span))
    if window is None:
        window = windows[tier.id, span] = _Window(tier.id)
    return window


def _graduated(priced: list[Portion], bands: Sequence[_Band], window: _Window, portion: Portion) -> None:
    """Fill the bands in work order; a portion is cut at each limit it crosses, its rounding delta last."""
    for limit, _, price in bands:
        size = portion.worked_seconds + portion.delta_seconds
        if limit is None or window.used + size <= limit:
            window.used += size
            priced.append(portion.at(price))
            return
        room = limit - window.used
        if room > 0:
            worked = min(room, portion.worked_seconds)
            inside, portion = cut(portion, worked, room - worked)
            window.used += room
            priced.append(inside.at(price))


def _band_at(bands: Sequence[_Band], seconds: int) -> _Band:
    """The band that so many hours reach; a limit belongs to the band below it (BD-20)."""
    return next(band for band in bands if band.up_to_seconds is None or seconds <= band.up_to_seconds)


def _bands(contract: Contract, window: _Window, tier: Tier) -> list[_Band]:
    """The bands of a tier's row as prices, with the position of the window as it was before and is after."""
    found = window.bands.get(id(tier))
    if found is not None:
        return found
    found = window.bands[id(tier)] = []
    lower = "0.00"
    position = f"position {_hours(window.before)} h -> {_hours(window.total)} h"
    for band in tier.bands:
        limit = None if band.up_to is None else int(band.up_to * 3600)
        upper = "" if limit is None else f" to {_hours(limit)}"
        which = f"hours from {lower}{upper}" if tier.mode is TierMode.GRADUATED else f"all hours, up to {upper[4:]}"
        which = "all hours, beyond the last limit" if limit is None and tier.mode is TierMode.VOLUME else which
        origin = f"tier {tier.id}, {which}: {band.rate:f} {contract.currency} ({position})"
        found.append(_Band(limit, band.rate, SetPrice(band.rate, "", origin, bool(tier.premiums_apply))))
        lower = upper[4:]
    return found


def _packages(contract: Contract, window: _Window, tier: Tier) -> SetPrice:
    """The packages that the period starts; those that earlier hours of the window started are charged already."""
    if window.packages is None:
        assert tier.block_hours is not None, "validated with the contract"
        assert tier.block_price is not None, "validated with the contract"
        size = int(tier.block_hours * 3600)
        count = -(-window.total // size) + (-window.before // size)
        name = tier.name or tier.id
        package = Package(tier.id, name, count, size, tier.block_price, window.total - window.before)
        origin = (
            f"tier {tier.id}: packages of {_hours(size)} h at {tier.block_price:f} {contract.currency}, "
            f"{count} started (position {_hours(window.before)} h -> {_hours(window.total)} h)"
        )
        window.packages = SetPrice(tier.block_price, name, origin, package=package)
    return window.packages


def _cliffs(contract: Contract, windows: dict[tuple[str, date], _Window], period: Period) -> list[Note]:
    """Volume prices at which less work would have cost more; billed as agreed, and said (BD-20)."""
    notes = []
    volume = {row.id for row in contract.document.tiers if row.mode is TierMode.VOLUME}
    for (tier_id, span), window in sorted(windows.items()):
        for bands in window.bands.values() if tier_id in volume and span == period.start else ():
            amount = _band_at(bands, window.total).rate * window.total
            full = [(one.rate * one.up_to_seconds, one.up_to_seconds) for one in bands if one.up_to_seconds is not None]
            dearer = [(cost, limit) for cost, limit in full if limit < window.total and cost > amount]
            if dearer:
                cost, limit = max(dearer, key=itemgetter(0))
                more = shown(Fraction(cost - amount) / 3600, contract.places)
                text = (
                    f"Tier {tier_id}: {_hours(window.total)} h cost {more:f} {contract.currency} "
                    f"less than {_hours(limit)} h would have."
                )
                notes.append(Note("volume_cliff", text))
    return notes


def _hours(seconds: int) -> str:
    return f"{exact_or_shown(Fraction(seconds, 3600), 4):f}"
