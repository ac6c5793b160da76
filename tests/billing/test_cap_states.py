"""How full each hour cap was before and after a stretch of time, as explanations tell it."""

import pytest

from billing.cap_states import cap_histories
from billing.invoice import trace_invoice
from billing.testing import Desk, open_desk

WEEK = {"id": "week", "window": "week", "pool": "all", "overflow": "write_down"}
TALK = {"id": "talk", "window": "month", "pool": "all", "overflow": "write_down", "service_items": ["Talk"]}


def states(desk: Desk, work: str) -> list[str]:
    """Entry, second at which the stretch begins, cap, and minutes before and after."""
    histories = cap_histories(trace_invoice(desk.bill(work).invoice.request))
    return sorted(
        f"{entry_id} {offset}: {state.cap.id} {state.before_seconds / 60:g} -> {state.after_seconds / 60:g}"
        for (entry_id, offset, *_), found in histories.items()
        for state in found
    )


def test_time_above_a_limit_that_grows_was_never_counted() -> None:
    """Two hours until Wednesday, four from then on: Monday's third hour took none of what Thursday has."""
    rows = [WEEK | {"hours": "2", "to": "2025-03-05"}, WEEK | {"hours": "4", "from": "2025-03-05"}]
    found = states(
        open_desk(rates=[{"rate": "1"}], caps=rows), "entry  date  worked\na  2025-03-03  3.00\nb  2025-03-06  1.00"
    )
    assert found == ["a 0: week 0 -> 120", "b 0: week 120 -> 180"]


@pytest.mark.parametrize(("basis", "counted"), [("billable", 180), ("worked", 170)])
def test_a_cap_has_counted_what_a_wider_one_took(basis: str, counted: int) -> None:
    """2:50 of talk are three hours, of which the month pays two; the week counted them all before the plan."""
    caps = [WEEK | {"hours": "40", "basis": basis}, TALK | {"hours": "2"}]
    desk = open_desk(rates=[{"rate": "1"}], caps=caps, increments=[{"minutes": 15}])
    work = "entry  date  worked  item\na  2025-03-03  2:50  Talk\nb  2025-03-04  1:00  Plan"
    assert states(desk, work) == [
        "a 0: talk 0 -> 120",
        "a 0: week 0 -> 120",
        f"b 0: week {counted} -> {counted + 60}",
    ]


def test_rounding_above_one_cap_stands_beside_work_above_another() -> None:
    """The day pays 2:30 and sells the rounding behind it; the month, which counts work alone, pays one hour."""
    day = {"id": "day", "window": "day", "pool": "all", "hours": "2.5", "overflow": "overage_rate", "overage_rate": "2"}
    caps = [day, WEEK | {"hours": "40"}, TALK | {"hours": "1", "basis": "worked"}]
    desk = open_desk(rates=[{"rate": "1"}], caps=caps, increments=[{"minutes": 60}])
    assert states(desk, "entry  date  worked  item\na  2025-03-03  2:30  Talk") == [
        "a 0: day 0 -> 60",
        "a 0: talk 0 -> 60",
        "a 0: week 0 -> 60",
        "a 9000: talk 60 -> 60",
        "a 9000: week 60 -> 90",
    ]
