"""Work beside a tier: lines of packages among lines of entries, and what tags decide before anything is rounded."""

import pytest

from tests.billing.tables import check


def test_lines_of_packages_stand_beside_lines_of_single_entries() -> None:
    """A package has one line for all who share it, also where every other entry has its own (BD-23)."""
    check("""
    contract:
        from: 2025-03-01
        rates: [{rate: 100.00}]
        lines: {group_by: [entry]}
        tiers: [{id: pack, mode: block, block_hours: 4, block_price: 450.00, tags: [upkeep]}]
    work:
        entry   date        worked  tags
        first   2025-03-03  1.00    -
        shared  2025-03-04  2.00    upkeep
        other   2025-03-05  1.00    upkeep
        last    2025-03-06  1.00    -
    lines 2025-03:
        hours  amount
        3.00   450.00
        1.00   100.00
        1.00   100.00
    """)


TAGGED = """
    contract:
        from: 2025-03-01
        premiums: [{{id: late, factor: 1.5, outside: "09:00-18:00"{premium}}}]
        rates: [{{rate: 100.00}}]
        tiers: [{{id: t, bands: [{{rate: 80.00}}], premiums_apply: false, tags: [upkeep]}}]
    work:
        entry  date        worked  tags
        e1     2025-03-03  1.00    {tags}
    placements 2025-03:
        {placements}
"""
HELD = "entry  bucket  reason\n        e1     held    premium_time_missing"


@pytest.mark.parametrize(
    ("premium", "tags", "net"),
    [
        ("", "upkeep", "80.00"),
        ("", "-", "held"),
        (", tags: [emergency]", "-", "100.00"),
        (", tags: [emergency]", "emergency", "held"),
        (", weekdays: [sunday]", "-", "100.00"),
        (", weekdays: [monday]", "-", "held"),
    ],
)
def test_only_a_premium_that_could_meet_an_entry_asks_for_its_time(premium: str, tags: str, net: str) -> None:
    """3 March 2025 is a Monday. What tags, date or a tier decide is decided without the time of day."""
    told = TAGGED.format(premium=premium, tags=tags, placements=HELD) if net == "held" else None
    plain = TAGGED.format(premium=premium, tags=tags, placements="").replace("placements 2025-03:", "invoices:")
    check(told or f"{plain.rstrip()}\n        period   net\n        2025-03  {net}\n")


def test_work_that_no_tag_brings_to_a_tier_is_held_before_it_is_rounded() -> None:
    """A day of 7 billed and 7 held minutes is rounded to 15 for the billed ones alone: held work has no part in it."""
    check("""
    contract:
        from: 2025-03-01
        increments: [{minutes: 15, scope: day}]
        tiers: [{id: t, bands: [{rate: 60.00}], tags: [upkeep]}]
    work:
        entry  date        worked   tags
        e1     2025-03-03  0:07:00  upkeep
        e2     2025-03-03  0:07:00  -
    lines 2025-03:
        amount  delta
        15.00   8
    placements 2025-03:
        entry  bucket  reason        delta
        e2     held    rate_missing  0
    """)


def test_a_package_is_charged_whole_where_midnight_splits_the_last_entry_of_a_period() -> None:
    """BD-23: the package that January starts is January's; what the clock moves into February finds it open."""
    check("""
    contract:
        from: 2025-01-01
        day_attribution: split
        tiers: [{id: pack, mode: block, reset: contract, block_hours: 10, block_price: 450.00}]
    work:
        start             worked
        2025-01-31 22:30  2.00
    invoices:
        period   billed  net
        2025-01  1.50    450.00
        2025-02  0.50    0.00
    """)
