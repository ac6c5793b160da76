"""Steps 2 to 4: what an entry is, whose contract it meets, and on which local day it lies."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from billing.entries import BillingEntry
from schemas.clauses import DayAttribution
from schemas.entry import EntryKind
from schemas.inputs import Category
from tests.second.case import Case
from tests.second.cover import has_engagement, is_covered, needs_rate
from tests.second.rates import problem_of, role_on
from tests.second.stretch import Stretch, local_day, midnight


@dataclass
class Sorted:
    """What may still be billed, and what has its bucket already."""

    live: list[Stretch] = field(default_factory=list)
    placed: list[tuple[Stretch, str, str]] = field(default_factory=list)


def days_of_entry(case: Case, entry: BillingEntry) -> list[Stretch]:
    """Step 4: all on the day of the start, or each day's own part (BD-14, BD-60)."""
    zone = ZoneInfo(case.contract.zone)
    rank = 0 if entry.billed_on else 1 + entry.rank
    if entry.start is None:
        assert entry.work_date is not None
        order = (rank, midnight(entry.work_date, zone), 0, entry.source, entry.source_entry_id)
        return [Stretch(entry, order, entry.work_date, entry.work_date, 0, entry.worked_seconds)]
    order = (rank, entry.start, 0, entry.source, entry.source_entry_id)
    day = local_day(entry.start, zone)
    if case.contract.day_attribution is DayAttribution.START or entry.kind is not EntryKind.TIME:
        return [Stretch(entry, order, day, day, 0, entry.worked_seconds)]
    found, first, at = [], 0, entry.start
    while True:
        until = midnight(day + timedelta(days=1), zone)
        seconds = min(entry.worked_seconds - first, int((until - at).total_seconds()))
        found.append(Stretch(entry, order, day, day, first, seconds))
        first, at, day = first + seconds, until, day + timedelta(days=1)
        if first == entry.worked_seconds:
            return found


def with_role(case: Case, one: Stretch) -> Stretch:
    """The same time with the role of its person on its day."""
    return replace(one, role=role_on(case, one.entry.person_id, one.day))


def bucket_of(case: Case, one: Stretch) -> tuple[str, str]:
    """Step 2: a person's word, a doubt, the decision; step 3: the contract of its day.

    ("", "") when nothing speaks against it.
    """
    entry, contract = one.entry, case.contract
    doubts = [hold.reason for hold in entry.holds if hold.reason not in entry.released]
    if entry.written_off:
        return "written_off", "written_off"
    if doubts:
        return "held", doubts[0]
    if entry.category is None:
        return "held", "undecided"
    if entry.confidence is not None and entry.confidence < contract.decide.confidence_min:
        return "held", "low_confidence"
    if entry.category is Category.NON_BILLABLE:
        return "non_billable", "non_billable"
    if not contract.covers(one.day) or (contract.project and entry.project_id != contract.project):
        return "held", "contract_missing"
    problem = problem_of(case, one, priced=not needs_rate(case, one)) if entry.kind is EntryKind.TIME else ""
    if problem == "premium_time_missing" and is_covered(case, one):
        problem = ""
    first_of_all = problem in ("person_unknown", "contract_incomplete", "rate_missing")
    if entry.category is not Category.BILLABLE and not first_of_all and not has_engagement(case, one):
        return "held", "category_without_engagement"
    return ("held", problem) if problem else ("", "")


def sort_time(case: Case) -> Sorted:
    """All time up to the end of the period."""
    found = Sorted()
    for entry in case.entries:
        if entry.kind is not EntryKind.TIME:
            continue
        parts = days_of_entry(case, entry)
        # What speaks against one day of an entry speaks against all of it.
        verdicts = [bucket_of(case, with_role(case, part)) for part in parts]
        bucket, reason = next((verdict for verdict in verdicts if verdict[0]), ("", ""))
        for part in parts if parts[0].day < case.period.end else ():
            one = with_role(case, part)
            if bucket:
                found.placed.append((one, bucket, reason))
            else:
                found.live.append(one)
    return found
