"""Late work under `remaining_capacity`: which later work comes before it, and that all other changes no byte."""

from dataclasses import replace
from datetime import date

import pytest

from billing.contract import needed_dates
from billing.entries import LATE_RANK, BillingEntry
from billing.invoice import compute_invoice, to_body
from billing.testing import open_desk
from schemas.period import parse_period
from tests.billing.march import HOUR, march, work

LATE_POLICY = {"late_policy": "remaining_capacity"}
MARCH, AUGUST = parse_period("2025-03"), parse_period("2025-08")
CAP = {"id": "c", "pool": "all", "hours": 5, "overflow": "write_down"}
WEEK = CAP | {"window": "week"}


@pytest.mark.parametrize(
    ("clauses", "until"),
    [
        ({"caps": [WEEK]}, date(2025, 4, 7)),
        ({"caps": [CAP | {"window": "day"}]}, date(2025, 4, 1)),
        ({"caps": [CAP | {"window": "month"}]}, date(2025, 4, 1)),
        ({"caps": [CAP | {"window": "contract"}]}, date.max),
        ({"caps": [CAP | {"window": "project"}], "to": "2025-06-01"}, date(2025, 6, 1)),
        (
            {"caps": [CAP | {"window": "dates", "window_from": "2025-03-10", "window_to": "2025-04-20"}]},
            date(2025, 4, 20),
        ),
        ({"amount_caps": [{"id": "n", "window": "week", "amount": "10", "counts": "fees"}]}, date(2025, 4, 7)),
        ({"tiers": [{"id": "t", "reset": "contract", "bands": [{"rate": "90"}]}]}, date.max),
        ({"tiers": [{"id": "t", "bands": [{"rate": "90"}]}]}, date(2025, 4, 1)),
    ],
)
def test_later_work_counts_as_far_as_a_window_goes_on(clauses: dict[str, object], until: date) -> None:
    """March 2025 ends on a Monday; by the other policy nothing behind it counts."""
    plain = {"from": "2025-01-01", **clauses}
    assert needed_dates(open_desk(also=plain | LATE_POLICY).contract, MARCH)[1] == until
    assert needed_dates(open_desk(also=plain).contract, MARCH)[1] == date(2025, 4, 1)


def test_a_week_that_ends_with_its_month_goes_on_no_further() -> None:
    """August 2025 ends on a Sunday."""
    assert needed_dates(open_desk(also=LATE_POLICY, caps=[WEEK]).contract, AUGUST)[1] == date(2025, 9, 1)


def tuesday(number: int, rank: int, day: int = 1) -> BillingEntry:
    """Four hours of April under another rank."""
    entry = work(number, 3, 9, 4 * HOUR)
    assert entry.start is not None
    return replace(entry, start=entry.start.replace(month=4, day=day), rank=rank)


def test_only_what_stands_on_a_document_takes_room() -> None:
    """Of a week of five hours Monday gets one when four of Tuesday stand; all other later work changes no byte."""
    monday = replace(work(1, 31, 9, 5 * HOUR), rank=LATE_RANK)
    request = march([monday], caps=[WEEK], **LATE_POLICY)
    alone = to_body(compute_invoice(request))
    for other in (tuesday(2, LATE_RANK), tuesday(2, 0), tuesday(2, 1, day=7)):
        assert to_body(compute_invoice(replace(request, entries=[monday, other]))) == alone
    beside = to_body(compute_invoice(replace(request, entries=[monday, tuesday(2, 1)])))
    assert (alone.lines[0].seconds, beside.lines[0].seconds) == (5 * HOUR, HOUR)
    assert beside.worked_seconds == 5 * HOUR


def test_the_pieces_of_late_work_keep_their_order_beside_later_work() -> None:
    """One hour fits, four are above the cap at its own price."""
    monday = replace(work(1, 31, 9, 5 * HOUR), rank=LATE_RANK)
    row = WEEK | {"overflow": "overage_rate", "overage_rate": "7.00"}
    body = to_body(compute_invoice(march([monday, tuesday(2, 1)], caps=[row], **LATE_POLICY)))
    assert sorted(line.seconds for line in body.lines) == [HOUR, 4 * HOUR]


def test_later_work_draws_nothing_from_the_periods_balance() -> None:
    """A balance that rolls over keeps the nine hours that March leaves of it for what is worked in April."""
    monday = replace(work(1, 31, 9, HOUR), rank=LATE_RANK)
    care = {"id": "care", "hours": 10, "fee": "1", "rollover": "max_hours", "rollover_hours": 40, "rollover_periods": 2}
    body = to_body(compute_invoice(march([monday, tuesday(2, 1)], caps=[WEEK], retainers=[care], **LATE_POLICY)))
    (account,) = body.retainers
    assert [int(account.used_granted_seconds), int(account.rolled_out_seconds)] == [HOUR, 9 * HOUR]
    assert [int(account.used_rolled_in_seconds), int(account.beyond_seconds)] == [0, 0]


def test_later_work_counts_as_billed_on_a_limit_on_money() -> None:
    """Also where the balance could have paid for it: whether it will is known when its own period is computed."""
    monday = replace(work(1, 31, 9, 5 * HOUR), rank=LATE_RANK)
    care = {"id": "care", "hours": 10, "fee": "1", "service_items": ["Care"]}
    care |= {"rollover": "max_hours", "rollover_hours": 40, "rollover_periods": 2}
    limit = {"id": "n", "window": "contract", "amount": "500", "counts": "fees"}
    later = replace(tuesday(2, 1), service_item="Care")
    request = march([monday, later], rates=[{"rate": "100"}], amount_caps=[limit], retainers=[care], **LATE_POLICY)
    assert [f"{line.amount:f}" for line in to_body(compute_invoice(request)).lines if line.seconds] == ["100.00"]
