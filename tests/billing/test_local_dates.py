"""Local dates of instants: the short way over a UTC day says what the zone says, whatever its clocks do."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from billing.attribute import work_date_of
from billing.entries import BillingEntry
from schemas.entry import EntryKind
from schemas.inputs import Category


def entry_at(start: datetime) -> BillingEntry:
    """Some work that starts at an instant."""
    return BillingEntry(
        entry_id="one", content="", premise="", source="", source_entry_id="one", kind=EntryKind.TIME, person_id="",
        project_id="", task="", service_item="", tags=(), description="", start=start, end=None, work_date=None,
        worked_seconds=60, category=Category.BILLABLE,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "first"),
    [
        ("Europe/Berlin", date(2025, 3, 28)),  # forward at two
        ("Europe/Berlin", date(2025, 10, 24)),  # back at three
        ("America/Toronto", date(2005, 10, 28)),
        ("America/St_Johns", date(2006, 10, 27)),  # back at one past midnight: a date comes twice
        ("America/Havana", date(2025, 3, 7)),  # midnight does not exist
        ("America/Asuncion", date(2024, 3, 22)),  # back at midnight
        ("Pacific/Apia", date(2011, 12, 28)),  # a whole day does not exist
        ("Asia/Kathmandu", date(2025, 1, 1)),
        ("Australia/Lord_Howe", date(2025, 4, 4)),  # half an hour
        ("Pacific/Kiritimati", date(2024, 12, 30)),
        ("Etc/GMT+12", date(2024, 12, 30)),
        ("UTC", date(2024, 12, 30)),
    ],
)
def test_the_local_date_of_each_quarter_hour_and_its_neighbours_is_that_of_the_zone(zone: str, first: date) -> None:
    """Around a change of clocks, every quarter of an hour and one second beside it has the zone's date."""
    local = ZoneInfo(zone)
    begin = datetime(first.year, first.month, first.day, tzinfo=UTC)
    for quarter in range(5 * 96):
        for beside in (-1, 0, 1):
            instant = begin + timedelta(minutes=15 * quarter, seconds=beside)
            assert work_date_of(local, entry_at(instant)) == instant.astimezone(local).date()


def test_an_instant_in_another_zone_has_the_same_date() -> None:
    """The zone in which an instant is written does not matter, only the contract's does."""
    start = datetime(2025, 6, 1, 0, 30, tzinfo=ZoneInfo("Asia/Tokyo"))
    assert work_date_of(ZoneInfo("Europe/Berlin"), entry_at(start)) == date(2025, 5, 31)
