"""Time zones, clock changes and period edges: group J of the worked examples."""

from datetime import UTC, date, datetime

import pytest

from billing.attribute import days_of, work_date_of
from billing.testing import open_desk
from schemas.clauses import DayAttribution


def elapsed(start: str, end: str) -> int:
    """Elapsed seconds between two instants."""
    return int((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())


@pytest.mark.parametrize(
    ("zone", "start", "end", "hours"),
    [
        ("Europe/Berlin", "2025-03-30 01:30+01:00", "2025-03-30 03:30+02:00", "1.00"),
        ("America/New_York", "2025-03-09 01:00-05:00", "2025-03-09 04:00-04:00", "2.00"),
    ],
)
def test_the_spring_change_takes_an_hour_that_nobody_worked(zone: str, start: str, end: str, hours: str) -> None:
    """BD-57: elapsed time is billed, and a split at midnight keeps it."""
    worked = f"0:00:{elapsed(start, end)}"
    for attribution in ("start", "split"):
        desk = open_desk(rates=[{"rate": "100"}], zone=zone, day_attribution=attribution)
        desk.bill(f"start  worked\n{start}  {worked}").expect_lines(f"hours\n{hours}")


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2025-10-26 01:30+02:00", "2025-10-26 03:30+01:00", "3.00"),
        ("2025-10-26 02:30+02:00", "2025-10-26 02:30+01:00", "1.00"),
    ],
)
def test_the_autumn_change_gives_an_hour_back(start: str, end: str, hours: str) -> None:
    """BD-58: the repeated hour is worked twice."""
    desk = open_desk(rates=[{"rate": "100"}], zone="Europe/Berlin")
    billed = desk.bill(f"start  worked\n{start}  0:00:{elapsed(start, end)}", "2025-10")
    billed.expect_lines(f"hours\n{hours}")


def test_an_ambiguous_local_time_is_held() -> None:
    """BD-58: the connector could not tell which of the two hours it was; billing keeps the entry visible."""
    desk = open_desk(rates=[{"rate": "100"}], zone="Europe/Berlin")
    desk.bill("start  worked  held\n2025-10-26 02:30+01:00  1.00  ambiguous_local_time", "2025-10").expect_placements(
        "entry  bucket  reason  hours\ne01  held  ambiguous_local_time  1.00"
    )


@pytest.mark.parametrize(
    ("zone", "month", "day"),
    [("Europe/Berlin", "2025-04", date(2025, 4, 1)), ("America/New_York", "2025-03", date(2025, 3, 31))],
)
def test_the_contracts_zone_decides_the_period(zone: str, month: str, day: date) -> None:
    """BD-59: one instant, two invoices; a bare work date is used as it is."""
    desk = open_desk(rates=[{"rate": "100"}], zone=zone)
    entries = desk.entries("start  worked\n2025-03-31T22:30:00Z  1.00")
    assert work_date_of(desk.contract.zone, entries[0]) == day
    for period in ("2025-03", "2025-04"):
        assert desk.bill(entries, period).net == ("100.00" if period == month else "0.00")
    assert desk.bill("date  worked\n2025-03-31  1.00", "2025-03").net == "100.00"


@pytest.mark.parametrize(
    ("attribution", "march", "april"), [("start", "360.00", "0.00"), ("split", "120.00", "240.00")]
)
def test_an_entry_across_the_month_end_is_attributed_as_the_contract_says(
    attribution: str, march: str, april: str
) -> None:
    """BD-60: three hours from 23:00 on the last day; midnight belongs to April."""
    desk = open_desk(rates=[{"rate": "120.00"}], zone="Europe/Berlin", day_attribution=attribution)
    entries = "start  worked\n2025-03-31 23:00  3.00"
    found = {period: desk.bill(entries, period) for period in ("2025-03", "2025-04")}
    assert (found["2025-03"].net, found["2025-04"].net) == (march, april)
    assert sum(one.body.worked_seconds for one in found.values()) == 3 * 3600


def test_an_increment_rounds_an_entry_whole_although_it_is_split() -> None:
    """BD-60: 130 minutes over midnight are 135 at a quarter of an hour; the delta lies in the second day."""
    desk = open_desk(rates=[{"rate": "120"}], day_attribution="split", increments=[{"minutes": 15}])
    entries = "start  worked\n2025-03-31 23:00  130m"
    assert (desk.bill(entries, "2025-03").net, desk.bill(entries, "2025-04").net) == ("120.00", "150.00")


def test_a_split_covers_every_second_of_several_days() -> None:
    """Parts follow each other without gap, by local midnights."""
    desk = open_desk(zone="Europe/Berlin")
    [entry] = desk.entries("start  worked\n2025-03-29 22:00  50.00")
    parts = days_of(entry, date(2025, 3, 29), desk.contract.zone, DayAttribution.SPLIT)
    assert [(part.day.day, part.worked_seconds // 3600) for part in parts] == [(29, 2), (30, 23), (31, 24), (1, 1)]
    assert entry.start == datetime(2025, 3, 29, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "attribution", "parts"),
    [
        pytest.param("start  worked\n2025-03-03 22:00  2.00", "split", [(3, 0, 7200)], id="up to midnight"),
        pytest.param(
            "start  worked\n2025-03-03 22:00  2:00:01", "split", [(3, 0, 7200), (4, 7200, 1)], id="a second beyond"
        ),
        pytest.param("start  worked\n2025-03-03 22:00  3.00", "start", [(3, 0, 10800)], id="not split"),
        pytest.param("date  worked\n2025-03-03  25.00", "split", [(3, 0, 90000)], id="without a time of day"),
    ],
)
def test_the_parts_of_an_entry_begin_where_the_one_before_ends(
    row: str, attribution: str, parts: list[tuple[int, int, int]]
) -> None:
    """Day, offset and seconds: from the first second of the entry on, and no part is empty."""
    desk = open_desk()
    [entry] = desk.entries(row)
    found = days_of(entry, date(2025, 3, 3), desk.contract.zone, DayAttribution(attribution))
    assert [(part.day.day, part.offset_seconds, part.worked_seconds) for part in found] == parts
