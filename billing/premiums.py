"""Premiums: after-hours and other multipliers of the rate, cut at local times (BD-18, BD-78)."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from billing.contract import Contract
from billing.entries import BillingEntry
from billing.exact import product
from billing.increments import lay_delta
from billing.portions import Portion, cut, longer
from schemas.clauses import Premium, PremiumStacking, Weekday, clock_span
from schemas.entry import SECONDS_OF_A_DAY

_WEEKDAYS = tuple(Weekday)
_ONE = Decimal(1)


class Premiumed(NamedTuple):
    """A portion with the factor its rate is multiplied with; `label` names the premiums, empty for none."""

    portion: Portion
    factor: Decimal
    label: str


class Met(NamedTuple):
    """A portion with all premiums whose conditions its time meets."""

    portion: Portion
    premiums: list[Premium]


def with_premiums(contract: Contract, portion: Portion) -> list[Premiumed]:
    """Cut a portion at the limits of the premiums that may meet it, and stack what multiplies its rate."""
    met = cut_by_premiums(contract, portion, portion.terms.premiums)
    return _joined([_stacked(contract, *one) for one in met])


def cut_by_premiums(contract: Contract, portion: Portion, candidates: Sequence[Premium]) -> list[Met]:
    """A portion cut where one of the premiums begins or ends.

    A rounding delta goes with the last worked second before it, and takes nothing that was not worked.
    """
    tags = portion.entry.tags
    premiums = [one for one in candidates if not one.tags or any(tag in tags for tag in one.tags)]
    if not premiums:
        return [Met(portion, [])]
    start = portion.entry.start
    if start is None:
        # Where the time of day would count the work is held; elsewhere nobody can say that it was at night.
        known = [one for one in premiums if not one.is_timed]
        return [Met(portion, [one for one in known if _date_fits(contract, one, portion.day)])]
    found: list[Met] = []
    rest = portion
    for until in _limits(contract, portion.entry, premiums, portion.offset_seconds):
        inside_seconds = until - rest.offset_seconds
        if inside_seconds >= rest.worked_seconds:
            break
        inside, rest = cut(rest, inside_seconds, 0)
        found.append(_matched(contract, inside, premiums, start))
    found.append(_matched(contract, rest, premiums, start))
    return _with_delta(found, portion.delta_seconds)


def _with_delta(found: list[Met], delta_seconds: int) -> list[Met]:
    deltas = lay_delta([part.portion.worked_seconds for part in found], delta_seconds)
    return [
        part._replace(portion=part.portion._replace(delta_seconds=delta))
        for part, delta in zip(found, deltas, strict=True)
    ]


def _matched(contract: Contract, portion: Portion, premiums: list[Premium], start: datetime) -> Met:
    # A portion that is all delta stands behind the last worked second, so that second decides.
    offset = portion.offset_seconds if portion.worked_seconds else max(portion.offset_seconds - 1, 0)
    local = (start.astimezone(UTC) + timedelta(seconds=offset)).astimezone(contract.zone)
    second = local.hour * 3600 + local.minute * 60 + local.second
    return Met(
        portion, [one for one in premiums if _date_fits(contract, one, local.date()) and _time_fits(one, second)]
    )


def could_meet(contract: Contract, premium: Premium, entry: BillingEntry, day: date) -> bool:
    """Whether a premium could meet work of a local date at some time of the day, as far as tags and date say."""
    has_tags = not premium.tags or any(tag in premium.tags for tag in entry.tags)
    return has_tags and _date_fits(contract, premium, day)


def _date_fits(contract: Contract, premium: Premium, day: date) -> bool:
    if not premium.weekdays and not premium.holidays:
        return True
    return _WEEKDAYS[day.weekday()] in premium.weekdays or (premium.holidays and day in contract.holidays)


def _time_fits(premium: Premium, second: int) -> bool:
    if premium.inside:
        first, last = clock_span(premium.inside)
        return first <= second < last
    if premium.outside:
        first, last = clock_span(premium.outside)
        return not first <= second < last
    return True


def label_of(premium: Premium) -> str:
    """How a price names a premium: `late x 1.5`."""
    return f"{premium.name or premium.id} x {premium.factor.normalize():f}"


def _stacked(contract: Contract, portion: Portion, matched: list[Premium]) -> Premiumed:
    if not matched:
        return Premiumed(portion, _ONE, "")
    if contract.document.premium_stacking is PremiumStacking.HIGHEST:
        # Of equal factors the first in the contract is named.
        matched = [max(matched, key=lambda one: one.factor)]
    factor = product(*(one.factor for one in matched))
    label = ", ".join(label_of(one) for one in matched)
    return Premiumed(portion, factor, label)


def _limits(contract: Contract, entry: BillingEntry, premiums: list[Premium], after_seconds: int) -> list[int]:
    """Offsets from the start of the entry at which a premium can begin or end.

    These are clock limits and local midnights, and the moment at which the clock is set back or forward.
    """
    assert entry.start is not None, "only entries with a time are cut"
    start = entry.start.astimezone(UTC)
    seconds = {0}
    for one in premiums:
        if one.is_timed:
            seconds.update(second % SECONDS_OF_A_DAY for second in clock_span(one.inside or one.outside))
    day = start.astimezone(contract.zone).date()
    last = (start + timedelta(seconds=entry.worked_seconds)).astimezone(contract.zone).date()
    found: set[int] = set()
    while day <= last:
        for second in seconds:
            for fold in (0, 1):
                local = datetime(
                    day.year, day.month, day.day, second // 3600, second // 60 % 60, tzinfo=contract.zone, fold=fold
                )
                found.add(int((local.astimezone(UTC) - start).total_seconds()))
        day += timedelta(days=1)
    found.add(_clock_change(contract, start, entry.worked_seconds))
    return sorted(offset for offset in found if offset > after_seconds)


def _clock_change(contract: Contract, start: datetime, worked_seconds: int) -> int:
    """The offset at which the local clock is set back or forward during the work; 0 when it is not."""

    def shift(offset: int) -> timedelta | None:
        return (start + timedelta(seconds=offset)).astimezone(contract.zone).utcoffset()

    if shift(0) == shift(worked_seconds):
        return 0
    before, after = 0, worked_seconds
    while after - before > 1:
        middle = (before + after) // 2
        if shift(middle) == shift(0):
            before = middle
        else:
            after = middle
    return after


def _joined(parts: list[Premiumed]) -> list[Premiumed]:
    """Neighbours with the same factor as one, so that a cut without effect leaves no trace."""
    joined = [parts[0]]
    for part in parts[1:]:
        before = joined[-1]
        if (before.factor, before.label) == (part.factor, part.label):
            joined[-1] = before._replace(portion=longer(before.portion, part.portion))
        else:
            joined.append(part)
    return joined
