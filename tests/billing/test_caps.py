"""Caps and not-to-exceed: group E of the worked examples."""

from decimal import Decimal

import pytest

from billing.testing import Desk, open_desk
from schemas.draft import Bucket

SENIOR = [{"role": "senior", "rate": "160.00"}]


def role_week(**changes: object) -> dict[str, object]:
    """The cap of the examples: seniors together, 40 hours in an ISO week, the rest written down."""
    base: dict[str, object] = {
        "id": "role-week",
        "window": "week",
        "hours": "40",
        "roles": ["senior"],
        "pool": "role",
        "overflow": "write_down",
    }
    return base | changes


def desk_of(*caps: dict[str, object], **clauses: object) -> Desk:
    """A desk with caps, at 160.00 for seniors."""
    return open_desk(also={"rates": SENIOR, "caps": list(caps)} | clauses)


WEEK = """
    entry  start             worked
    mon    2025-03-03 09:00  9.00
    tue    2025-03-04 09:00  9.00
    wed    2025-03-05 09:00  9.00
    thu    2025-03-06 09:00  9.00
    fri    2025-03-07 09:00  7.00
"""


def test_friday_is_split_where_the_week_is_full() -> None:
    """BD-24: four hours of Friday are billed, three are written down with their value."""
    billed = desk_of(role_week()).bill(WEEK)
    assert billed.net == "6400.00"
    billed.expect_ledger("""
        bucket        reason         hours  value
        billed        -              40.00  6400.00
        written_down  cap:role-week  3.00   480.00
    """)
    billed.expect_placements("""
        entry  bucket        reason         hours
        fri    written_down  cap:role-week  3.00
    """)
    steps = billed.body.lines[0].charges[0].steps
    assert "cap role-week (senior) 2025-W10: 40.00 h of 40.00 h used, 3.00 h over" in steps


def test_carried_time_never_lifts_a_week_above_its_own_cap() -> None:
    """BD-25: a week of 39 hours takes one of the three carried hours, two stay carried."""
    desk = desk_of(role_week(overflow="carry_forward"), **{"from": "2025-03-03"})
    entries = WEEK + "    next   2025-03-10 09:00  39.00\n"
    billed = desk.bill(entries, "2025-W11")
    assert billed.net == "6400.00"
    assert (billed.body.worked_seconds, billed.body.carried_in_seconds) == (39 * 3600, 3600)
    both = desk.bill(entries, "2025-03-03..2025-03-17")
    both.expect_ledger("""
        bucket   reason         hours
        billed   -              80.00
        carried  cap:role-week  2.00
    """)
    third = desk.bill(entries, "2025-W12")
    third.expect_ledger("bucket  reason  hours\nbilled  -  2.00")
    assert third.body.carried_in_seconds == 2 * 3600


def test_carried_time_is_billed_in_the_period_in_which_its_window_ends() -> None:
    """BD-25: hours above the last week of March wait in its ledger and are paid by the week that ends in April."""
    desk = desk_of(role_week(overflow="carry_forward"), **{"from": "2025-03-24"})
    entries = """
        entry  start             worked
        a      2025-03-24 09:00  42.00
        b      2025-03-31 09:00  5.00
        c      2025-04-02 09:00  34.00
    """
    desk.bill(entries, "2025-03").expect_ledger("""
        bucket   reason         hours
        billed   -              45.00
        carried  cap:role-week  2.00
    """)
    april = desk.bill(entries, "2025-04")
    april.expect_ledger("bucket  reason  hours\nbilled  -  36.00")
    assert april.body.carried_in_seconds == 2 * 3600


def test_a_forgotten_entry_reorders_the_split_but_not_the_amount() -> None:
    """BD-26: two more hours on Wednesday move the split of Friday; any order of entries gives the same bytes."""
    desk = desk_of(role_week())
    entries = desk.entries(WEEK + "    late   2025-03-05 19:00  2.00\n")
    billed = desk.bill(entries)
    assert billed.net == "6400.00"
    billed.expect_placements("entry  bucket  reason  hours\nfri  written_down  cap:role-week  5.00")
    assert desk.bill(entries[::-1]).body == billed.body


def test_an_amount_cap_reduces_the_price_and_invents_no_quantity() -> None:
    """BD-28: three hours stay three hours at 140.00, with a line adjustment of -86.67."""
    desk = open_desk(
        rates=[{"rate": "140.00"}],
        amount_caps=[{"id": "nte", "window": "contract", "amount": "333.33", "counts": "fees"}],
    )
    billed = desk.bill("date  worked\n2025-03-03  3.00")
    billed.expect_lines("""
        quantity  price   adjustment  amount
        3.00      140.00  -86.67      333.33
    """)
    billed.expect_ledger("bucket  reason  hours\nbilled  -  3.00")


def test_an_amount_cap_takes_the_latest_work_first_and_leaves_its_line() -> None:
    """BD-27: an entry wholly beyond the amount cap stays on a line with the amount 0.00."""
    desk = open_desk(
        rates=[{"rate": "100.00"}],
        lines={"group_by": ["entry"]},
        amount_caps=[{"id": "nte", "window": "contract", "amount": "150.00", "counts": "fees_and_expenses"}],
    )
    billed = desk.bill("""
        kind     date        worked  amount
        time     2025-03-03  1.00    -
        time     2025-03-04  1.00    -
        time     2025-03-05  1.00    -
        expense  2025-03-06  -       20.00
    """)
    billed.expect_lines("""
        kind     adjustment  amount
        fee      0.00        100.00
        fee      -50.00      50.00
        fee      -100.00     0.00
        expense  -20.00      0.00
    """)


def test_work_before_the_period_keeps_its_room_under_an_amount_cap() -> None:
    """BD-27: a cap over the contract counts what earlier periods were worth, as far as nothing was issued."""
    desk = open_desk(
        rates=[{"rate": "100.00"}],
        amount_caps=[{"id": "nte", "window": "contract", "amount": "250.00", "counts": "fees"}],
    )
    entries = "date  worked\n2025-02-10  2.00\n2025-03-10  2.00"
    assert (desk.bill(entries, "2025-02").net, desk.bill(entries, "2025-03").net) == ("200.00", "50.00")


def test_rounding_of_lines_never_lifts_a_capped_total() -> None:
    """BD-28: three lines of 3.335 would round to 10.02; what the cap counts stays at 10.01."""
    desk = open_desk(
        rates=[{"rate": "20.01"}],
        lines={"group_by": ["date"]},
        amount_caps=[{"id": "nte", "window": "contract", "amount": "10.01", "counts": "fees"}],
    )
    billed = desk.bill("date  worked\n2025-03-03  10m\n2025-03-04  10m\n2025-03-05  10m")
    assert billed.net == "10.01"
    assert sum((source.amount for line in billed.body.lines for source in line.sources), Decimal(0)) == billed.body.net


MONTH_END = """
    entry  start             worked
    mon    2025-09-29 09:00  9.00
    tue    2025-09-30 09:00  9.00
    wed    2025-10-01 09:00  9.00
    thu    2025-10-02 09:00  9.00
    fri    2025-10-03 09:00  8.00
"""


@pytest.mark.parametrize(
    ("mode", "september", "october"),
    [
        ("whole_week", ("2880.00", "0.00"), ("3520.00", "4.00")),
        ("prorate_by_workday", ("2560.00", "2.00"), ("3840.00", "2.00")),
    ],
)
def test_a_week_across_the_month_end_is_one_window_or_two_by_workdays(
    mode: str, september: tuple[str, str], october: tuple[str, str]
) -> None:
    """BD-30, BD-31: the cap counter goes across the close, or each month has its share of the workdays."""
    desk = desk_of(role_week(week_cap_at_month_end=mode))
    for period, (net, over) in (("2025-09", september), ("2025-10", october)):
        billed = desk.bill(MONTH_END, period)
        assert billed.net == net
        assert billed.seconds_in(Bucket.WRITTEN_DOWN) == Decimal(over) * 3600


def test_holidays_are_no_workdays_of_a_prorated_week() -> None:
    """BD-31: with 3 October free, September has two of four workdays and 20 hours."""
    desk = desk_of(role_week(week_cap_at_month_end="prorate_by_workday"), holidays=["2025-10-03"])
    entries = MONTH_END.replace("9.00", "11.00")
    assert desk.bill(entries, "2025-09").net == "3200.00"
    assert desk.bill(entries, "2025-10").net == "3200.00"


def test_a_week_belongs_to_its_iso_year() -> None:
    """BD-32: 31 December 2024 and the first days of 2025 share the window 2025-W01."""
    billed = desk_of(role_week()).bill(
        """
        start             worked
        2024-12-31 09:00  8.00
        2025-01-01 09:00  17.00
        2025-01-04 09:00  17.00
    """,
        "2024-12-01..2025-02-01",
    )
    billed.expect_ledger("""
        bucket        reason         hours
        billed        -              40.00
        written_down  cap:role-week  2.00
    """)
    assert any("2025-W01" in step for step in billed.body.lines[0].charges[0].steps)


TWO_SENIORS = """
    entry  person  start             worked
    a1     ana     2025-03-03 09:00  10.00
    b1     bo      2025-03-03 10:00  10.00
    a2     ana     2025-03-04 09:00  10.00
    b2     bo      2025-03-04 10:00  10.00
    a3     ana     2025-03-05 09:00  10.00
    b3     bo      2025-03-05 10:00  10.00
"""


@pytest.mark.parametrize(("pool", "net"), [("person", "9600.00"), ("role", "6400.00"), ("all", "6400.00")])
def test_a_cap_is_shared_as_its_pool_says(pool: str, net: str) -> None:
    """BD-33: each senior has 40 hours, or all have 40 together, filled in work-time order across people."""
    billed = desk_of(role_week(pool=pool)).bill(TWO_SENIORS)
    assert billed.net == net
    if pool != "person":
        assert [one.entry_id for one in billed.body.placements] == ["a3", "b3"]


def test_a_cap_without_a_pool_holds_the_contracts_entries() -> None:
    """BD-33: the sentence is ambiguous, so nothing is billed until somebody answers; other time is placed as ever."""
    billed = desk_of(role_week(pool=None)).bill(TWO_SENIORS + "    x  bo  2025-03-06 10:00  1.00\n")
    assert billed.net == "0.00"
    billed.expect_ledger("bucket  reason  hours\nheld  contract_incomplete  61.00")
    assert [finding.code for finding in billed.body.findings] == ["contract_incomplete"]


@pytest.mark.parametrize(("basis", "net", "over"), [("billable", "240.00", "0.33"), ("worked", "300.00", "0.00")])
def test_a_cap_counts_rounded_time_unless_told_otherwise(basis: str, net: str, over: str) -> None:
    """BD-34: 50, 50 and 20 minutes at a quarter of an hour against two hours a day; the delta is cut last."""
    desk = open_desk(
        rates=[{"rate": "120.00"}],
        increments=[{"minutes": 15}],
        caps=[{"id": "day", "window": "day", "hours": "2", "pool": "all", "overflow": "write_down", "basis": basis}],
    )
    billed = desk.bill("""
        start             worked
        2025-03-03 09:00  50m
        2025-03-03 10:00  50m
        2025-03-03 11:00  20m
    """)
    assert billed.net == net
    assert billed.body.rounding_delta_seconds == 30 * 60
    if basis == "billable":
        assert (billed.seconds_in(Bucket.BILLED), billed.seconds_in(Bucket.WRITTEN_DOWN)) == (6000, 1200)
        billed.expect_placements("entry  bucket  delta\ne03  written_down  10")
    else:
        assert billed.seconds_in(Bucket.WRITTEN_DOWN) == 0


def test_a_cut_inside_the_rounding_delta_keeps_every_second() -> None:
    """BD-34: a room between worked and billable time is met by the worked seconds first."""
    desk = open_desk(
        rates=[{"rate": "60"}],
        increments=[{"minutes": 15}],
        caps=[{"id": "day", "window": "day", "hours": "0.2", "pool": "all", "overflow": "write_down"}],
    )
    billed = desk.bill("start  worked\n2025-03-03 09:00  10m")
    billed.expect_lines("hours  amount  delta\n0.20  12.00  2")
    billed.expect_ledger("""
        bucket        reason   hours
        billed        -        600 s
        written_down  cap:day  0.00
    """)


@pytest.mark.parametrize(
    ("window", "extra", "over"),
    [
        ("entry", {}, "2.00"),
        ("task", {}, "2.00"),
        ("project", {}, "6.00"),
        ("contract", {}, "7.00"),
        ("month", {}, "5.00"),
        ("dates", {"window_from": "2025-03-04", "window_to": "2025-03-06"}, "4.00"),
    ],
)
def test_a_cap_counts_in_its_window(window: str, extra: dict[str, object], over: str) -> None:
    """Two hours in each window; what is outside explicit dates is not capped."""
    cap = {"id": "c", "window": window, "hours": "2", "pool": "all", "overflow": "write_down"} | extra
    billed = open_desk(rates=[{"rate": "100"}], caps=[cap], also={"from": "2025-02-28"}).bill("""
        start             worked  project  task
        2025-02-28 09:00  2.00    alpha    plan
        2025-03-03 09:00  1.00    beta     plan
        2025-03-04 09:00  3.00    alpha    build
        2025-03-05 09:00  3.00    alpha    -
    """)
    assert billed.seconds_in(Bucket.WRITTEN_DOWN) == Decimal(over) * 3600


def test_a_cap_that_changes_by_date_counts_each_limit_from_its_date_on() -> None:
    """From Wednesday on the week has 20 hours instead of 40; what was used before stays used."""
    changed = [role_week(to="2025-03-05"), role_week(hours="20") | {"from": "2025-03-05"}]
    billed = desk_of(*changed).bill(WEEK)
    billed.expect_ledger("bucket  reason  hours\nbilled  -  20.00\nwritten_down  cap:role-week  23.00")


def test_an_overage_rate_has_a_line_of_its_own() -> None:
    """BD-25: the hours above the cap say so."""
    billed = desk_of(role_week(overflow="overage_rate", overage_rate="120.00")).bill(WEEK)
    billed.expect_lines("""
        text                                          hours  price   amount
        Services, Ana (senior)                        40.00  160.00  6400.00
        Services, Ana (senior) (above cap role-week)  3.00   120.00  360.00
    """)


def test_work_of_a_person_without_role_is_held_when_a_cap_asks_for_it() -> None:
    """Whether the hours count cannot be known, so they are not billed."""
    desk = open_desk(people="kim", rates=[{"rate": "100"}], caps=[role_week()])
    desk.bill("person  date  worked\nkim  2025-03-03  1.00").expect_placements("""
        entry  bucket  reason        detail
        e01    held    role_missing  Kim has no role on the day of the work
    """)


def test_a_limit_inside_of_the_rounding_leaves_no_room_behind_it() -> None:
    """BD-34: fifty minutes fill fifty-four with four of their ten minutes of rounding; nothing fits afterwards."""
    cap = {"id": "day", "window": "day", "hours": "0.9", "pool": "all", "overflow": "write_down"}
    desk = open_desk(rates=[{"rate": "60"}], increments=[{"minutes": 15}], caps=[cap])
    billed = desk.bill("""
        date        worked
        2025-03-03  0:50
        2025-03-03  0:10
    """)
    assert billed.net == "54.00"
