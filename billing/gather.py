"""Steps 2 to 5: classify the entries, attribute them to days, look up their terms, round them; nothing is lost."""

from collections.abc import Iterable
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

from billing.attribute import DayPart, days_of
from billing.classify import WITHOUT_ENGAGEMENT, verdict_of
from billing.contract import Contract
from billing.cover import could_weigh, cover_of, draws_of, has_tags
from billing.entries import BillingEntry, work_order
from billing.grouping import line_group
from billing.increments import RuleSays, counted_seconds, lay_delta, round_seconds, what_rule_says
from billing.portions import Placed, Portion, made
from billing.premiums import could_meet
from billing.terms import Rulebook, Terms
from schemas.clauses import DayAttribution, IncrementScope
from schemas.draft import Bucket
from schemas.entry import EntryKind
from schemas.inputs import Category
from schemas.period import Period

NOT_WORK = (EntryKind.EXPENSE, EntryKind.MILESTONE, EntryKind.USAGE)
"""What is billed without being time; other modules take it."""

_WORK_ORDER = itemgetter(Portion._fields.index("order"))

# What every entry is asked; members of an enum are looked up slowly.
_TIME: Final = EntryKind.TIME
_BILLABLE: Final = Category.BILLABLE

Refusal = tuple[Bucket, str, str]
"""Why work is not billed: bucket, reason, detail."""


Dated = tuple[BillingEntry, date]
"""An entry with its local work date."""


class Gathered(NamedTuple):
    """Billable portions in work order, what is placed already, and all seconds worked in the period."""

    live: list[Portion]
    placed: list[Placed]
    worked_seconds: int


def gather(book: Rulebook, dated: Iterable[Dated], period: Period) -> Gathered:
    """Turn time entries of any order, each with its work date, into portions and placements."""
    live: list[Portion] = []
    placed: list[Placed] = []
    if book.contract.document.day_attribution is DayAttribution.SPLIT:
        worked_seconds = _gather_split(book, dated, period, live, placed)
    else:
        worked_seconds = _gather_whole(book, dated, period, live, placed)
    # Starts alone are compared quickly, and leave little to do for the order that knows everything. The parts of one
    # entry are made in their order, and a sort leaves equals as they are.
    live.sort(key=_start_of)
    live.sort(key=_WORK_ORDER)
    return Gathered(_round_groups(book, live, period), placed, worked_seconds)


def _start_of(portion: Portion) -> datetime:
    return portion[0][1]


def _gather_whole(
    book: Rulebook, dated: Iterable[Dated], period: Period, live: list[Portion], placed: list[Placed]
) -> int:
    """Entries whose seconds all belong to one date; the seconds that were worked in the period."""
    worked_seconds = 0
    first, end = period.start, period.end
    for entry, day in dated:
        kind = entry.kind
        if kind is not _TIME and kind in NOT_WORK:
            continue
        if first <= day < end:
            worked_seconds += entry.worked_seconds
        found = on_one_day(book, entry, day)
        if isinstance(found, Portion):
            live.append(found)
        else:
            placed.append(found)
    return worked_seconds


def _gather_split(
    book: Rulebook, dated: Iterable[Dated], period: Period, live: list[Portion], placed: list[Placed]
) -> int:
    """Entries that are cut at midnight; the seconds that were worked in the period."""
    zone = book.contract.zone
    worked_seconds = 0
    first, end = period.start, period.end
    for entry, day in dated:
        if entry.kind in NOT_WORK:
            continue
        days = days_of(entry, day, zone, DayAttribution.SPLIT)
        worked_seconds += sum([part.worked_seconds for part in days if first <= part.day < end])
        refused, terms = billable_terms(book, entry, days)
        if refused is not None:
            bucket, reason, detail = refused
            placed += [Placed(entry, part.day, part.day, bucket, reason, detail, part.worked_seconds) for part in days]
        elif entry.worked_seconds == 0:
            placed.append(Placed(entry, day, day, Bucket.BILLED, "zero_length", "", 0))
        else:
            live += portions_of(book, entry, days, terms)
    return worked_seconds


def on_one_day(book: Rulebook, entry: BillingEntry, day: date) -> Portion | Placed:
    """An entry whose seconds all belong to one date, as `billable_terms` and `portions_of` make it."""
    worked_seconds = entry.worked_seconds
    refused: Refusal | None = verdict_of(entry, book.confidence_min)
    if refused is not None:
        return Placed(entry, day, day, *refused, worked_seconds)
    terms = book.terms(entry.person_id, entry.project_id, entry.service_item, entry.task, day)
    if not terms.is_plain or entry.category is not _BILLABLE:
        refused = _refused_by_terms(book.contract, terms, entry, day)
        if refused is not None:
            return Placed(entry, day, day, *refused, worked_seconds)
    if worked_seconds == 0:
        return Placed(entry, day, day, Bucket.BILLED, "zero_length", "", 0)
    rounding = terms.rounding
    delta_seconds = 0 if rounding is None else rounding.delta(worked_seconds)
    order = work_order(entry, book.contract.zone)
    return made(Portion, (order, entry, terms, day, day, 0, worked_seconds, delta_seconds, None))


def billable_terms(
    book: Rulebook, entry: BillingEntry, days: tuple[DayPart, ...]
) -> tuple[Refusal | None, tuple[Terms, ...]]:
    """The terms of each day of a billable entry, or why it is not billed; an entry is held as a whole."""
    verdict = verdict_of(entry, book.confidence_min)
    if verdict is not None:
        return verdict, ()
    found = []
    for part in days:
        terms = book.terms(entry.person_id, entry.project_id, entry.service_item, entry.task, part.day)
        if not terms.is_plain or entry.category is not Category.BILLABLE:
            refused = _refused_by_terms(book.contract, terms, entry, part.day)
            if refused is not None:
                return refused, ()
        found.append(terms)
    return None, tuple(found)


def _refused_by_terms(contract: Contract, terms: Terms, entry: BillingEntry, day: date) -> Refusal | None:
    """Why these terms do not bill this entry: their own hold, nothing that prices it, no time of day for a premium."""
    if terms.hold is not None:
        return Bucket.HELD, terms.hold.reason, terms.hold.detail
    if terms.covers and cover_of(terms, entry) is not None:
        return None
    draws = draws_of(terms, entry)
    if entry.category is not Category.BILLABLE and not draws:
        return Bucket.HELD, WITHOUT_ENGAGEMENT, str(entry.category)
    tier = terms.tier if terms.tier is not None and has_tags(terms.tier, entry) else None
    if terms.unpriced is not None and not draws and tier is None:
        return Bucket.HELD, terms.unpriced.reason, terms.unpriced.detail
    weighing = [one for one in draws if terms.burning and could_weigh(contract, one, day)]
    weighed = {weight.premium for one in weighing for weight in one.row.weights}
    asking = [premium for premium in terms.burning if premium.id in weighed]
    if tier is None or tier.premiums_apply:
        asking += [premium for premium in terms.premiums if premium.is_timed]
    if entry.start is None and any(could_meet(contract, premium, entry, day) for premium in asking):
        return Bucket.HELD, "premium_time_missing", "a premium asks for the time of day"
    return None


def portions_of(
    book: Rulebook, entry: BillingEntry, days: tuple[DayPart, ...], terms: tuple[Terms, ...]
) -> list[Portion]:
    """The portions of one billable entry. With scope `entry` they carry their deltas: its days are rounded together as
    long as one rule holds for them.
    """
    order = work_order(entry, book.contract.zone)
    deltas: list[int] = []
    for _, members in groupby(zip(days, terms, strict=True), key=_rule_of_day):
        parts = list(members)
        worked, rounding = [part.worked_seconds for part, _ in parts], parts[0][1].rounding
        deltas += lay_delta(worked, 0 if rounding is None else rounding.delta(sum(worked)))
    return [
        Portion(order, entry, one, part.day, part.day, part.offset_seconds, part.worked_seconds, delta)
        for part, one, delta in zip(days, terms, deltas, strict=True)
    ]


def _rule_of_day(one: tuple[DayPart, Terms]) -> RuleSays:
    return what_rule_says(one[1].increment)


def _round_groups(book: Rulebook, live: list[Portion], period: Period) -> list[Portion]:
    """Round what has a wider scope than the entry: the delta goes to the end of the group (BD-04, BD-75)."""
    groups: dict[tuple[object, ...], list[int]] = {}
    if all(rule.scope is IncrementScope.ENTRY for rule in book.contract.document.increments):
        return live
    for index, portion in enumerate(live):
        if portion.terms.increment.scope is not IncrementScope.ENTRY:
            groups.setdefault(_group_key(book, portion, period), []).append(index)
    for members in groups.values():
        rule = live[members[0]].terms.increment
        worked = [live[index].worked_seconds for index in members]
        of_entries: dict[str, int] = {}
        for index, seconds in zip(members, worked, strict=True):
            # Parts of a split entry are no entries: what ignores seconds looks at them together (BD-07).
            entry_id = live[index].entry.entry_id
            of_entries[entry_id] = of_entries.get(entry_id, 0) + seconds
        counted = sum(counted_seconds(seconds, rule) for seconds in of_entries.values())
        deltas = lay_delta(worked, round_seconds(counted, rule) - sum(worked))
        for index, delta in zip(members, deltas, strict=True):
            live[index] = live[index]._replace(delta_seconds=delta)
    return live


def _group_key(book: Rulebook, portion: Portion, period: Period) -> tuple[object, ...]:
    rule, entry = portion.terms.increment, portion.entry
    who = (what_rule_says(rule), entry.person_id, entry.project_id, entry.service_item)
    if rule.scope is IncrementScope.DAY:
        return (*who, portion.day)
    span = period.start if portion.day in period else book.contract.period_of(portion.day).start
    if rule.scope is IncrementScope.PERIOD:
        return (*who, span)
    return (what_rule_says(rule), span, *line_group(book.contract, portion))
