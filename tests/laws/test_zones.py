"""Every IANA zone that changed its clock in the last five years: days, premiums and caps around each change."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import settings

from billing.entries import BillingEntry
from schemas.contract import ContractDocument
from schemas.entry import EntryKind
from schemas.inputs import Category
from schemas.period import Period
from tests.second.case import Case
from tests.second.comparing import compare
from tests.second.firms import generate

FIRST = datetime(2021, 11, 1, tzinfo=UTC)
LAST = datetime(2026, 11, 1, tzinfo=UTC)


@lru_cache
def changes_of(name: str) -> tuple[datetime, ...]:
    """The instants at which a zone changed its offset, found by halving the days between two offsets."""
    zone, found = ZoneInfo(name), []
    day = FIRST
    while day < LAST:
        low, high = day, day + timedelta(days=1)
        if low.astimezone(zone).utcoffset() != high.astimezone(zone).utcoffset():
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) / 2
                same = middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            found.append(high.replace(second=0, microsecond=0))
        day += timedelta(days=1)
    return tuple(found)


def case_around(name: str, change: datetime) -> Case:
    """Work of many hours over a change, some from the night before, under a contract that looks at days and clocks."""
    local = change.astimezone(ZoneInfo(name)).date()
    period = Period(start=local - timedelta(days=2), end=local + timedelta(days=3))
    clauses: dict[str, object] = {
        "id": "c-1",
        "client": "acme",
        "currency": "USD",
        "zone": name,
        "rates": [{"rate": "100"}],
    }
    clauses |= {"day_attribution": "split", "premiums": [{"id": "early", "factor": "1.5", "inside": "05:00-07:00"}]}
    clauses |= {"caps": [{"id": "day", "window": "day", "hours": "20.5", "pool": "all", "overflow": "write_down"}]}
    base = generate(1)
    entry = replace(base.entries[0], kind=EntryKind.TIME, person_id="ana", category=Category.BILLABLE, confidence=None)
    entry = replace(entry, holds=(), written_off="", released=frozenset(), work_date=None, tags=())
    starts = [change - timedelta(hours=9), change - timedelta(minutes=30), change, change + timedelta(seconds=1)]
    entries = tuple(worked(entry, number, start) for number, start in enumerate(starts))
    return replace(base, contract=ContractDocument.model_validate(clauses), entries=entries, period=period, rates=())


def worked(entry: BillingEntry, number: int, start: datetime) -> BillingEntry:
    """Seven hours from an instant on, and some seconds."""
    name = f"e{number}"
    return replace(entry, entry_id=name, source_entry_id=name, start=start, worked_seconds=7 * 3600 + 59 * number)


@pytest.mark.parametrize("part", range(8))
def test_days_around_a_change_of_the_clock(part: int) -> None:
    """Both calculations agree on days, premiums and daily caps, whatever the clock does; the latest changes first."""
    each = max(1, settings().max_examples // 50)
    names = sorted(available_timezones())[part::8]
    wrong = [
        f"{name} {change}: {found[:3]}"
        for name in names
        for change in changes_of(name)[-each:]
        if (found := compare(case_around(name, change)))
    ]
    assert wrong == []


def test_there_are_changes_to_look_at() -> None:
    """Berlin changes twice a year, Apia stopped in 2021, Tokyo never did in these years."""
    assert len(changes_of("Europe/Berlin")) == 10
    assert changes_of("Asia/Tokyo") == ()
