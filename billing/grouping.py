"""Which line time belongs to, apart from its price: roll-ups and the contract's grouping (billing-domain step 13)."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from billing.contract import Contract
from billing.entries import BillingEntry
from billing.portions import Portion
from schemas.clauses import GroupBy, Rollup, RollupRates

_PATTERNS_KEPT = 512

# What every kind of work is asked; members of an enum are looked up slowly.
_DATE: Final = GroupBy.DATE
_PROJECT: Final = GroupBy.PROJECT
_SERVICE_ITEM: Final = GroupBy.SERVICE_ITEM
_TASK: Final = GroupBy.TASK
_PERSON: Final = GroupBy.PERSON
_ROLE: Final = GroupBy.ROLE
_ENTRY: Final = GroupBy.ENTRY


class LineGroup(NamedTuple):
    """What the time of one line has in common; empty where the contract does not separate."""

    rollup_id: str = ""
    date: str = ""
    project_id: str = ""
    service_item: str = ""
    task: str = ""
    person_id: str = ""
    role: str = ""
    entry_id: str = ""
    utbms_task: str = ""
    utbms_activity: str = ""


def line_group(contract: Contract, portion: Portion) -> LineGroup:
    """The group of a portion. A roll-up joins what the contract would separate; task codes never share a line."""
    entry = portion.entry
    lines = contract.document.lines
    rollup = rollup_of(lines.rollups, entry) if lines.rollups else None
    if rollup is not None:
        role = portion.terms.role if rollup.rates is RollupRates.PRESERVE else ""
        return LineGroup(rollup.id, role=role, utbms_task=entry.utbms_task, utbms_activity=entry.utbms_activity)
    by = lines.group_by
    return LineGroup(
        "",
        portion.day.isoformat() if _DATE in by else "",
        entry.project_id if _PROJECT in by else "",
        entry.service_item if _SERVICE_ITEM in by else "",
        entry.task if _TASK in by else "",
        entry.person_id if _PERSON in by else "",
        portion.terms.role if _ROLE in by else "",
        entry.entry_id if _ENTRY in by else "",
        entry.utbms_task,
        entry.utbms_activity,
    )


def rollup_of(rollups: tuple[Rollup, ...], entry: BillingEntry) -> Rollup | None:
    """The first roll-up that an entry belongs to."""
    return next((rollup for rollup in rollups if _matches(rollup, entry)), None)


def _matches(rollup: Rollup, entry: BillingEntry) -> bool:
    return (
        any(tag in rollup.tags for tag in entry.tags)
        or (entry.service_item != "" and entry.service_item in rollup.service_items)
        or (entry.task != "" and entry.task in rollup.tasks)
        or (entry.project_id != "" and entry.project_id in rollup.projects)
        or (bool(rollup.words) and _pattern(rollup.words).search(entry.description) is not None)
    )


@lru_cache(maxsize=_PATTERNS_KEPT)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    """Any of the words or phrases, whole and without case."""
    return re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in words), re.IGNORECASE)
