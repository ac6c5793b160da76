"""Time across days: carried forward by caps (BD-25), over days without them, and split at midnight."""

from dataclasses import replace

from tests.billing.tables import check, read_story


def test_time_is_carried_over_a_gap_between_the_rows_of_a_cap() -> None:
    """Days without the cap have no free hours; the next window of it takes what waits."""
    check("""
    contract:
        from: 2025-03-01
        rates: [{rate: 100.00}]
        caps:
          - {id: day, window: day, pool: all, hours: 4, overflow: carry_forward, to: 2025-03-11}
          - {id: day, window: day, pool: all, hours: 4, overflow: carry_forward, from: 2025-03-13}
    work:
        date        worked
        2025-03-10  6.00
        2025-03-13  1.00
    ledger 2025-03:
        bucket  reason  hours
        billed  -       7.00
    """)


def test_carried_time_of_several_people_meets_a_wider_cap_in_the_order_of_the_work() -> None:
    """Ana's eight hours before Bo's wait for the next day together; the week takes the older ones first."""
    check("""
    contract:
        from: 2025-03-01
        rates: [{rate: 100.00}]
        lines: {group_by: [person]}
        caps:
          - {id: day, window: day, pool: person, hours: 2, overflow: carry_forward}
          - {id: week, window: week, pool: all, hours: 7, overflow: write_down}
    work:
        entry  person  start             worked
        a1     ana     2025-03-10 09:00  3.00
        a2     ana     2025-03-10 12:00  1.00
        b      bo      2025-03-10 14:00  4.00
    lines 2025-03:
        text           hours
        Services, Ana  4.00
        Services, Bo   3.00
    placements 2025-03:
        entry  bucket        reason    hours
        b      written_down  cap:week  1.00
    """)


def test_late_work_is_carried_into_the_first_free_window_after_its_own() -> None:
    """With `remaining_capacity` late work counts last; the free hours right behind its day are still its own."""
    story = read_story("""
    contract:
        from: 2025-02-01
        rates: [{rate: 100.00}]
        caps: [{id: day, window: day, pool: all, hours: 4, overflow: carry_forward}]
    work:
        entry   date        worked
        late    2025-02-26  5.00
        timely  2025-03-03  6.00
    """)
    late, timely = story.desk.entries(story.sections["work"])
    entries = [replace(late, rank=1), timely]
    assert [story.desk.bill(entries, month).net for month in ("2025-02", "2025-03")] == ["500.00", "600.00"]


def test_a_split_at_midnight_takes_no_seconds_of_whole_minutes() -> None:
    """An increment that ignores seconds looks at the entry (BD-07), so 2 h are 2 h whatever second midnight cuts."""
    check("""
    contract:
        from: 2025-03-01
        day_attribution: split
        rates: [{rate: 60.00}]
        increments: [{minutes: 0, scope: period, ignore_seconds: true}]
    work:
        start                worked
        2025-03-03 22:59:59  2:00:00
        2025-03-05 09:00     0:01:59
    invoices:
        period   net
        2025-03  121.00
    """)


def test_time_that_a_month_cannot_pay_for_waits_for_the_last_day_of_the_next() -> None:
    """BD-25: what a month has free is known when it has ended, also where each week has its own invoice."""
    check("""
    contract:
        from: 2025-03-01
        rates: [{rate: 100.00}]
        caps: [{id: month, window: month, pool: all, hours: 40, overflow: carry_forward}]
    work:
        date        worked
        2025-03-03  42.00
        2025-04-01  3.00
    invoices:
        period    billed
        2025-W10  40.00
        2025-W14  3.00
        2025-W15  0
        2025-W18  2.00
        2025-04   5.00
    """)


def test_carried_time_has_the_price_of_the_month_that_pays_for_it() -> None:
    """BD-20, BD-25: the two hours of March are the third hour of April's tier, not March's fifth."""
    check("""
    contract:
        from: 2025-03-01
        rates: [{rate: 100.00}]
        caps: [{id: month, window: month, pool: all, hours: 4, overflow: carry_forward}]
        tiers: [{id: dev, mode: volume, bands: [{up_to: 3, rate: 150.00}, {rate: 130.00}]}]
    work:
        date        worked
        2025-03-03  6.00
        2025-04-01  1.00
    invoices:
        period   billed  net
        2025-03  4.00    520.00
        2025-04  3.00    450.00
    """)
