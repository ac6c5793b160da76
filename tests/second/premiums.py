"""Premiums minute by minute: which of them meet the local clock, and what they make of a price (BD-18, BD-78)."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from schemas.clauses import Premium, PremiumStacking, clock_span
from tests.second.case import Case
from tests.second.exact import fraction
from tests.second.rates import chooses, entry_lists, meets, premium_lists
from tests.second.stretch import Stretch, local_clock, local_day

Only = frozenset[str] | None


@dataclass(frozen=True)
class Moment:
    """Time of one kind: the premiums that count, and the factor they make."""

    one: Stretch
    premiums: tuple[str, ...]
    factor: Fraction


def about(case: Case, one: Stretch, only: Only) -> list[Premium]:
    """The premiums of the work date that look at such work, whatever the clock shows."""
    named = [premium for premium in case.contract.premiums if only is None or premium.id in only]
    return [one_of for one_of in named if one_of.covers(one.day) and meets(premium_lists(one_of), entry_lists(one))]


def met(case: Case, premiums: list[Premium], day: date, clock: int | None) -> tuple[Premium, ...]:
    """Those that a second meets on a local date, at a local time if it has one."""
    found = []
    for premium in premiums:
        if not chooses(case, premium, day):
            continue
        if premium.is_timed:
            if clock is None:
                continue  # It is held wherever that would count.
            first, end = clock_span(premium.inside or premium.outside)
            if (first <= clock < end) != bool(premium.inside):
                continue
        found.append(premium)
    return tuple(found)


def counting(case: Case, only: Only, premiums: tuple[Premium, ...]) -> tuple[tuple[str, ...], Fraction]:
    """The highest premium, or all of them and their product where the contract compounds."""
    if only is None and case.contract.premium_stacking is PremiumStacking.HIGHEST:
        premiums = tuple(sorted(premiums, key=lambda premium: -premium.factor))[:1]
    product = Fraction(1)
    for premium in premiums:
        product *= fraction(premium.factor)
    return tuple(premium.id for premium in premiums), product


def moments(case: Case, one: Stretch, only: Only = None) -> list[Moment]:
    """Cut time where the premiums change; a delta has those of the end. With `only` all that are met of these count."""
    premiums = about(case, one, only)
    looks = any(premium.is_timed or premium.weekdays or premium.holidays for premium in premiums)
    if one.entry.start is None or not looks:
        return [Moment(one, *counting(case, only, met(case, premiums, one.day, None)))]
    zone = ZoneInfo(case.contract.zone)
    found: list[Moment] = []
    first, left = one.first, one.worked
    while left or not found:
        at = one.entry.start + timedelta(seconds=first)
        if not left and one.entry.worked_seconds and first:
            at -= timedelta(seconds=1)
        seconds = min(left, 60 - at.second)
        names, factor = counting(case, only, met(case, premiums, local_day(at, zone), local_clock(at, zone)))
        if found and found[-1].premiums == names:
            found[-1] = replace(found[-1], one=replace(found[-1].one, worked=found[-1].one.worked + seconds))
        else:
            piece = replace(one, first=first, worked=seconds, delta=0)
            found.append(Moment(piece, names, factor))
        first, left = first + seconds, left - seconds
    return _with_delta(found, one.delta)


def _with_delta(found: list[Moment], delta: int) -> list[Moment]:
    """Give the delta to the end; one that takes time away takes it from the last seconds."""
    done: list[Moment] = []
    for moment in reversed(found):
        own = delta if delta > 0 else -min(-delta, moment.one.worked)
        done.insert(0, replace(moment, one=replace(moment.one, delta=own)))
        delta -= own
    return done
