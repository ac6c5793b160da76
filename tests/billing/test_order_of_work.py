"""The order in which work counts, where it decides who gets the last hours of a cap."""

from dataclasses import replace

from billing.testing import Billed, open_desk

DAY = {"id": "day", "window": "day", "hours": "4", "pool": "person", "overflow": "carry_forward"}
WEEK = {"id": "week", "window": "week", "hours": "7", "pool": "all", "overflow": "write_down"}


def hours_of(billed: Billed) -> dict[str, str]:
    """Billed hours by entry."""
    found: dict[str, int] = {}
    for line in billed.body.lines:
        for source in line.sources:
            found[source.entry_id] = found.get(source.entry_id, 0) + source.worked_seconds
    return {name: f"{seconds / 3600:.2f}" for name, seconds in found.items()}


def test_work_without_a_time_counts_from_the_midnight_of_its_own_zone() -> None:
    """New York, 3 March: its midnight is five hours behind that of UTC, and after work of the evening before."""
    cap = {"id": "all", "window": "contract", "hours": "2", "pool": "all", "overflow": "write_down"}
    desk = open_desk(rates=[{"rate": "100"}], caps=[cap], also={"zone": "America/New_York", "from": "2025-03-01"})
    [dated] = desk.entries("entry  date  worked\ndated  2025-03-03  2.00")
    [evening] = desk.entries("entry  start  worked\nevening  2025-03-02 23:30  2.00")
    assert hours_of(desk.bill([dated, evening])) == {"evening": "2.00"}


def test_carried_time_of_an_approved_document_keeps_its_place_before_all_other() -> None:
    """Monday's two hours too many are on an invoice already: the week gives them room before Bo's work of Tuesday."""
    desk = open_desk(rates=[{"rate": "100"}], caps=[DAY, WEEK], also={"from": "2025-03-01"})
    old, new = desk.entries("""
        entry  person  start             worked
        old    ana     2025-03-03 09:00  6.00
        new    bo      2025-03-04 09:00  3.00
    """)
    assert hours_of(desk.bill([old, new])) == {"old": "4.00", "new": "3.00"}
    assert hours_of(desk.bill([replace(old, billed_on="INV-1"), new])) == {"new": "1.00"}


def test_carried_time_of_late_work_stays_behind_all_that_was_in_time() -> None:
    """Ana's six hours came late: the seven of the week go to the others first, and none are left to carry."""
    desk = open_desk(rates=[{"rate": "100"}], caps=[DAY, WEEK], also={"from": "2025-03-01"})
    late, bo, cy = desk.entries("""
        entry  person  start             worked
        late   ana     2025-03-03 09:00  6.00
        bo     bo      2025-03-05 09:00  4.00
        cy     cy      2025-03-06 09:00  3.00
    """)
    assert hours_of(desk.bill([late, bo, cy])) == {"late": "6.00", "bo": "1.00"}
    assert hours_of(desk.bill([replace(late, rank=1), bo, cy])) == {"bo": "4.00", "cy": "3.00"}
