"""Time that a cap carries forward: over days without the cap, and in the order of the work under wider caps (BD-25)."""

from tests.billing.tables import check


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
