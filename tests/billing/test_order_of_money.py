"""The order in which amounts and hours meet a limit: fees of a day, and time that was carried."""

import pytest

from billing.testing import open_desk
from tests.billing.tables import check

LIMIT = {"id": "nte", "window": "contract", "amount": "150.00", "counts": "everything"}
SETUP = {"id": "setup", "amount": "100.00", "on": "2025-03-05"}


def test_a_fee_of_the_next_month_takes_no_room_from_the_work_of_this_one() -> None:
    """Fees that a limit counts take their room before all work, but a fee of 1 April is not of March."""
    april = SETUP | {"on": "2025-04-01"}
    desk = open_desk(rates=[{"rate": "100.00"}], amount_caps=[LIMIT], fixed_fees=[april])
    assert desk.bill("date  worked\n2025-03-03  1.00").net == "100.00"


def test_a_cent_that_two_fees_could_give_is_given_by_the_earlier_one() -> None:
    """A discount of one cent on two fees of 50.00: the order of their days decides, not that of their kinds."""
    desk = open_desk(
        fixed_fees=[SETUP | {"amount": "50.00"}],
        recurring_fees=[{"id": "care", "amount": "50.00", "every": "month", "billed_at": "start"}],
        discounts=[{"id": "d", "amount": "0.01", "counts": "everything"}],
        also={"from": "2025-03-01"},
    )
    desk.bill("date  worked").expect_lines("""
        kind           date        amount
        fixed_fee      2025-03-05  50.00
        recurring_fee  2025-03-01  49.99
    """)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize(
    ("work", "placed"),
    [
        pytest.param("late  2025-03-11 23:30  1.00", "mon", id="behind all work of the day"),
        pytest.param("next  2025-03-12 00:00  1.00", "next", id="before work at the next midnight"),
        pytest.param("next  2025-03-12 23:00  1.00", "next", id="before work of the next day"),
    ],
)
def test_carried_time_counts_at_the_end_of_the_day_that_takes_it(zone: str, work: str, placed: str) -> None:
    """Two hours of Monday are carried into Tuesday; the week has an hour less than all, and takes it from the last."""
    check(f"""
    contract:
        zone: {zone}
        from: 2025-03-01
        rates: [{{rate: 100.00}}]
        caps:
          - {{id: day, window: day, pool: all, hours: 4, overflow: carry_forward}}
          - {{id: week, window: week, pool: all, hours: 7, overflow: write_down}}
    work:
        entry  start             worked
        mon    2025-03-10 09:00  6.00
        tue    2025-03-11 09:00  1.00
        {work}
    placements 2025-03:
        entry  bucket        reason    hours
        {placed}    written_down  cap:week  1.00
    """)


def test_carried_time_that_fits_to_the_second_leaves_nothing_behind() -> None:
    """Two hours wait for a day with two hours left: no empty rest is carried on."""
    desk = open_desk(
        rates=[{"rate": "100.00"}],
        caps=[{"id": "day", "window": "day", "pool": "all", "hours": "4", "overflow": "carry_forward"}],
        also={"from": "2025-03-10"},
    )
    work = "entry  date  worked\nmon  2025-03-10  6.00\ntue  2025-03-11  2.00"
    for period in ("2025-03-10..2025-03-12", "2025-03-10..2025-03-17"):
        billed = desk.bill(work, period)
        billed.expect_ledger("bucket  reason  hours  entries\nbilled  -  8.00  2")
        assert billed.body.placements == ()
        [line] = billed.body.lines
        assert [(one.entry_id, one.worked_seconds // 3600) for one in line.sources] == [
            ("mon", 4),
            ("tue", 2),
            ("mon", 2),
        ]


def test_what_waits_when_the_contract_ends_finds_no_room_in_its_own_week() -> None:
    """The limit of the work date counts: ten hours since Wednesday are not for Monday's four, which stay carried."""
    check("""
    contract:
        from: 2025-03-03
        to: 2025-03-10
        rates: [{rate: 100.00}]
        caps:
          - {id: week, window: week, pool: all, hours: 2, overflow: carry_forward, to: 2025-03-05}
          - {id: week, window: week, pool: all, hours: 10, overflow: carry_forward, from: 2025-03-05}
    work:
        entry  date        worked
        mon    2025-03-03  4.00
    ledger 2025-03:
        bucket   reason    hours
        billed   -         2.00
        carried  cap:week  2.00
    """)


def test_time_is_carried_beside_an_entry_whose_terms_change_at_midnight() -> None:
    """Two parts of one entry have one place in the order of work, whatever their rates are."""
    check("""
    contract:
        from: 2025-03-01
        day_attribution: split
        rates: [{rate: 100.00, to: 2025-03-12}, {rate: 110.00, from: 2025-03-12}]
        caps: [{id: day, window: day, pool: all, hours: 4, overflow: carry_forward}]
    work:
        entry  start             worked
        mon    2025-03-10 09:00  6.00
        tue    2025-03-11 23:00  2.00
    lines 2025-03:
        price   hours  amount
        110.00  1.00   110.00
        100.00  7.00   700.00
    """)


@pytest.mark.parametrize("seconds", [1, 2, 3599])
def test_a_second_above_a_full_cap_is_written_down(seconds: int) -> None:
    """However short it is, work above the limit is on no line."""
    cap = {"id": "day", "window": "day", "hours": "1", "pool": "all", "overflow": "write_down"}
    billed = open_desk(rates=[{"rate": "3600"}], caps=[cap]).bill(
        f"start  worked\n2025-03-03T09:00  1.00\n2025-03-03T12:00  0:00:{seconds}"
    )
    assert billed.net == "3600.00"
    assert [(one.entry_id, one.reason, one.seconds) for one in billed.body.placements] == [("e02", "cap:day", seconds)]
