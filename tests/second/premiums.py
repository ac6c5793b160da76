"""Premiums minute by minute: which of them meet the local clock, and what they make of a price (BD-18, BD-78)."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from schemas.clauses import Premium, PremiumStacking, clock_span
from tests.second.case import Case
from tests.second.exact import fraction
from tests.second.rates import entry_lists, meets, premium_lists
from tests.second.stretch import Stretch, local_clock, local_day

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class Moment:
    """Time of one kind: the premiums that count, and the factor they make."""

    one: Stretch
    premiums: tuple[str, ...]
    factor: Fraction


def met(case: Case, one: Stretch, day: date, clock: int | None) -> tuple[Premium, ...]:
    """The premiums that a second meets on a local date, at a local time if it has one."""
    found = []
    for premium in case.contract.premiums:
        if not premium.covers(day) or not meets(premium_lists(premium), entry_lists(one)):
            continue
        if premium.weekdays and WEEKDAYS[day.weekday()] not in premium.weekdays:
            continue
        if premium.holidays and day not in case.contract.holidays:
            continue
        if premium.is_timed:
            assert clock is not None
            first, end = clock_span(premium.inside or premium.outside)
            if (first <= clock < end) != bool(premium.inside):
                continue
        found.append(premium)
    return tuple(found)


def counting(case: Case, premiums: tuple[Premium, ...]) -> tuple[tuple[str, ...], Fraction]:
    """The highest premium, or all of them and their product where the contract compounds."""
    if case.contract.premium_stacking is PremiumStacking.HIGHEST:
        premiums = tuple(sorted(premiums, key=lambda premium: -premium.factor))[:1]
    product = Fraction(1)
    for premium in premiums:
        product *= fraction(premium.factor)
    return tuple(premium.id for premium in premiums), product


def moments(case: Case, one: Stretch) -> list[Moment]:
    """Cut time where the premiums change; a delta has those of the end."""
    if one.entry.start is None or not case.contract.premiums:
        return [Moment(one, *counting(case, met(case, one, one.day, None)))]
    zone = ZoneInfo(case.contract.zone)
    found: list[Moment] = []
    first, left = one.first, one.worked
    while left or not found:
        at = one.entry.start + timedelta(seconds=first)
        if not left and one.entry.worked_seconds and first:
            at -= timedelta(seconds=1)
        seconds = min(left, 60 - at.second)
        names, factor = counting(case, met(case, one, local_day(at, zone), local_clock(at, zone)))
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
