"""Late work in a followed invoice: the days behind it are allotted again only where something else becomes of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from billing.allocate import Windows
from billing.entries import BillingEntry
from billing.followed_days import Day, Days
from billing.followed_states import State
from billing.following import FollowedInvoice
from billing.invoice import InvoiceRequest
from schemas.inputs import Category
from tests.billing.march import CARE, HOUR, WEEK, march, same_bodies, work

MONDAY_TO_FRIDAY = [work(day, day, 9, HOUR) for day in range(3, 8)]
LATE = work(20, 4, 15, HOUR)
SHORT = work(20, 4, 15, HOUR // 4)
FREE = work(20, 4, 15, HOUR, category=Category.NON_BILLABLE)
BUILD = {"fixed_cover": [{"id": "build", "takes": "decided"}]}
COVERED = work(5, 5, 9, HOUR, category=Category.PROJECT)
BEFORE, BEHIND = work(3, 3, 9, HOUR), work(6, 6, 9, HOUR)
OWING = {**CARE, "hours": 1, "allow_deficit": True, "overage_rate": "90"}


class Watched(Days):
    """Days that note which of them were allotted, and of which the hour caps were asked."""

    def __init__(self, request: InvoiceRequest) -> None:
        super().__init__(request.contract, request.directory, request.period)
        self.anew: list[int] = []
        self.capped: list[int] = []

    def _allot(self, day: date, one: Day, state: State, windows: Windows | None) -> None:
        self.anew.append(day.day)
        super()._allot(day, one, state, windows)

    def _cap(self, one: Day, windows: Windows) -> None:
        self.capped.append(self.anew[-1])
        super()._cap(one, windows)


def watched(request: InvoiceRequest, *steps: Sequence[BillingEntry]) -> Watched:
    """The days after some steps; they note what the last one did."""
    days = Watched(request)
    for entries in steps:
        days.anew.clear()
        days.capped.clear()
        days.take(entries)
        days.allot()
    return days


def anew(request: InvoiceRequest, *steps: Sequence[BillingEntry]) -> list[int]:
    """The days of the month that the last step allotted again."""
    return watched(request, *steps).anew


def cap(hours: str, **values: object) -> dict[str, object]:
    """Clauses with a cap of so many hours a week."""
    return {"caps": [{**WEEK, "hours": Decimal(hours), **values}]}


def lowered(hours: str) -> dict[str, object]:
    """Clauses with a cap of four hours a week, and of fewer from Thursday on."""
    return {"caps": [{**WEEK, "hours": 4, "to": "2025-03-06"}, {**WEEK, "hours": Decimal(hours), "from": "2025-03-06"}]}


@pytest.mark.parametrize(
    ("clauses", "late", "days"),
    [
        pytest.param({}, LATE, [4], id="nothing depends on what was before"),
        pytest.param(cap("40"), LATE, [4], id="all fits before and after"),
        pytest.param(cap("6"), LATE, [4], id="all fits to the second"),
        pytest.param(cap("5.99"), LATE, [4, 7], id="the last day does not fit any more"),
        pytest.param(cap("1"), LATE, [4], id="nothing fitted, nothing fits"),
        pytest.param(cap("3"), LATE, [4, 5], id="what fitted on one day does not, and what did not, still does not"),
        pytest.param(cap("3.5"), SHORT, [4, 6], id="the day that is cut at the limit is cut elsewhere"),
        pytest.param(cap("3", window="month"), FREE, [], id="what is not billed takes no room"),
        pytest.param(lowered("2"), LATE, [4], id="more was used than a lower limit allows, and still is"),
        pytest.param(lowered("3"), LATE, [4], id="a lower limit was reached to the second, and is passed"),
        pytest.param({"retainers": [{**CARE, "hours": 1}]}, LATE, [4], id="the hours were gone before"),
        pytest.param({"retainers": [{**CARE, "hours": 2}]}, LATE, [4], id="they are gone after the same day"),
        pytest.param({"retainers": [{**CARE, "hours": 3}]}, LATE, [4, 5], id="they are gone a day earlier"),
        pytest.param({"retainers": [CARE]}, FREE, [], id="as much is left as before"),
        pytest.param({"retainers": [OWING]}, LATE, [4, 5, 6, 7], id="more is owed on each day"),
        pytest.param({**cap("1"), "retainers": [CARE]}, LATE, [4], id="a cap keeps it from the balance"),
    ],
)
def test_a_day_stands_when_the_same_becomes_of_its_work(
    clauses: Mapping[str, object], late: BillingEntry, days: list[int]
) -> None:
    """And the body is that of a computation from nothing, when the entry comes and when it leaves again."""
    request, more = march(MONDAY_TO_FRIDAY, **clauses), [*MONDAY_TO_FRIDAY, late]
    assert anew(request, MONDAY_TO_FRIDAY, more) == days
    same_bodies(FollowedInvoice(), request, MONDAY_TO_FRIDAY, more, MONDAY_TO_FRIDAY)


@pytest.mark.parametrize(
    ("clauses", "allotted", "capped"),
    [
        pytest.param({**cap("40"), "retainers": [OWING]}, [4, 5, 6, 7], [4], id="all fits before and after"),
        pytest.param(
            {**cap("5.5"), "retainers": [OWING]}, [4, 5, 6, 7], [4, 7], id="the last day does not fit any more"
        ),
        pytest.param({"retainers": [OWING]}, [4, 5, 6, 7], [4], id="there is no cap"),
    ],
)
def test_the_caps_of_a_day_stand_where_only_its_draws_are_others(
    clauses: Mapping[str, object], allotted: list[int], capped: list[int]
) -> None:
    """What stays within its caps is not held against them again because a balance has another reading before it."""
    request, more = march(MONDAY_TO_FRIDAY, **clauses), [*MONDAY_TO_FRIDAY, LATE]
    days = watched(request, MONDAY_TO_FRIDAY, more)
    assert (days.anew, days.capped) == (allotted, capped)
    same_bodies(FollowedInvoice(), request, MONDAY_TO_FRIDAY, more, MONDAY_TO_FRIDAY)


def test_days_that_stood_go_on_from_what_is_before_them_now() -> None:
    """Two late entries: the second finds the state that the first one left, also on days that stood."""
    clauses = {**cap("6.5"), "retainers": [{**CARE, "hours": 2}], "tiers": [{"id": "t", "bands": [{"rate": "90"}]}]}
    request, first = march(MONDAY_TO_FRIDAY, **clauses), [*MONDAY_TO_FRIDAY, LATE]
    second = [*first, replace(LATE, entry_id="e21", content="content-21", source_entry_id="21")]
    same_bodies(FollowedInvoice(), request, MONDAY_TO_FRIDAY, first, second, first, MONDAY_TO_FRIDAY)
    assert anew(request, MONDAY_TO_FRIDAY, first, second) == [4, 7]


def test_a_change_of_the_limit_within_a_week_is_said() -> None:
    """The limit of a window is that of the last day that asked it, whoever was allotted again."""
    rows = [{**WEEK, "to": "2025-03-06"}, {**WEEK, "hours": 4, "from": "2025-03-06"}]
    request = march(MONDAY_TO_FRIDAY, caps=rows)
    same_bodies(FollowedInvoice(), request, MONDAY_TO_FRIDAY, [*MONDAY_TO_FRIDAY, LATE], MONDAY_TO_FRIDAY[:3])


def test_a_day_whose_work_asks_nothing_stands() -> None:
    """A fixed fee pays for it, so the window is what it was before."""
    request, first = march([], **BUILD, **cap("3")), [BEFORE, COVERED]
    assert anew(request, first, [*first, LATE]) == [4]
    same_bodies(FollowedInvoice(), request, first, [*first, LATE], first)


def test_a_day_that_asks_nothing_hands_on_no_limit() -> None:
    """The limit that Thursday's work had found is gone with that work, and the week has that of Monday."""
    request, free = march([], **BUILD, **lowered("2")), work(7, 7, 9, HOUR, category=Category.PROJECT)
    same_bodies(FollowedInvoice(), request, [BEFORE, BEHIND, free], [BEFORE, free], [free])
