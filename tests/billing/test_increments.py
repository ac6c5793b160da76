"""Time increments: groups A and M of the worked examples, BD-04 and BD-75 among them."""

import pytest

from billing.increments import lay_delta, round_seconds, rule_text
from billing.testing import open_desk, seconds_of
from schemas.clauses import IncrementRule

FOUR_ENTRIES = """
    date        worked  item
    2025-03-03  3m      Development
    2025-03-03  14m     Development
    2025-03-03  31m     Development
    2025-03-03  66m     Development
"""


def billable_minutes(worked: list[int], **rule: object) -> list[int]:
    """Billable minutes of entries that are rounded one by one."""
    found = IncrementRule.model_validate(rule)
    return [round_seconds(one * 60, found) // 60 for one in worked]


def test_six_minutes_up_per_entry_shows_its_delta_beside_the_hours() -> None:
    """BD-01: 114 minutes become 126; the delta is a quantity of its own in the ledger, not hidden in an entry."""
    billed = open_desk(rates=[{"rate": "200.00"}], increments=[{"minutes": 6}]).bill(FOUR_ENTRIES)
    billed.expect_lines("""
        hours  price   amount  delta
        2.10   200.00  420.00  3 4 5 0
    """)
    billed.expect_ledger("""
        bucket  reason  hours
        billed  -       1.90
    """)
    assert billed.body.rounding_delta_seconds == 12 * 60
    assert billable_minutes([3, 14, 31, 66], minutes=6) == [6, 18, 36, 66]


def test_nearest_sends_a_tie_up() -> None:
    """BD-02: three minutes are half an increment and go up, fourteen go down to twelve."""
    assert billable_minutes([3, 14, 31, 66], minutes=6, mode="nearest") == [6, 12, 30, 66]
    billed = open_desk(rates=[{"rate": "200.00"}], increments=[{"minutes": 6, "mode": "nearest"}]).bill(FOUR_ENTRIES)
    assert billed.net == "380.00"


def test_a_day_group_is_of_one_person_project_item_and_date() -> None:
    """BD-04: three groups of half an hour; the delta lies on the last entry of each group."""
    desk = open_desk(
        rates=[{"rate": "60.00"}],
        increments=[{"minutes": 30, "scope": "day"}],
        lines={"group_by": ["project", "date"]},
    )
    billed = desk.bill("""
        start             worked  project
        2025-03-03 09:00  7m      alpha
        2025-03-03 10:00  7m      beta
        2025-03-03 11:00  7m      alpha
        2025-03-04 09:00  7m      beta
    """)
    billed.expect_lines("""
        project_id  date        hours  delta
        alpha       2025-03-03  0.50   0 16
        beta        2025-03-03  0.50   23
        beta        2025-03-04  0.50   23
    """)
    per_entry = open_desk(rates=[{"rate": "60.00"}], increments=[{"minutes": 30}])
    assert per_entry.bill("date  worked\n" + "2025-03-03  7m\n" * 4).net == "120.00"


def test_the_minimum_comes_after_the_rounding() -> None:
    """BD-05: a minimum is not rounded to the increment, and nothing worked stays nothing without a line."""
    assert billable_minutes([4, 13, 15, 0], minutes=6, minimum_minutes=15) == [15, 18, 18, 0]
    billed = open_desk(rates=[{"rate": "60"}], increments=[{"minutes": 6, "minimum_minutes": 15}]).bill("""
        date        worked
        2025-03-03  0m
    """)
    assert billed.body.lines == ()
    billed.expect_placements("""
        entry  bucket  reason       hours
        e01    billed  zero_length  0.00
    """)


def test_one_second_costs_an_increment_unless_seconds_are_ignored() -> None:
    """BD-07: 00:06:01 is two increments of six minutes, or one when the contract ignores seconds."""
    entry = """
        start             worked
        2025-03-03 09:00  0:06:01
    """
    exact = open_desk(rates=[{"rate": "100"}], increments=[{"minutes": 6}]).bill(entry)
    lenient = open_desk(rates=[{"rate": "100"}], increments=[{"minutes": 6, "ignore_seconds": True}]).bill(entry)
    assert (exact.body.lines[0].seconds, lenient.body.lines[0].seconds) == (720, 360)
    assert "seconds ignored" in lenient.body.lines[0].charges[0].steps[0]


def test_down_may_round_an_entry_to_nothing_and_it_stays_billed() -> None:
    """BD-75: 108 minutes of 114; the entry of three minutes is on the line with a delta of minus three."""
    billed = open_desk(rates=[{"rate": "200.00"}], increments=[{"minutes": 6, "mode": "down"}]).bill(FOUR_ENTRIES)
    billed.expect_lines("""
        hours  amount  delta
        1.80   360.00  -3 -2 -1 0
    """)
    assert billed.body.rounding_delta_seconds == -6 * 60


@pytest.mark.parametrize(
    ("scope", "hours", "net"), [("entry", "1.75", "210.00"), ("line", "1.25", "150.00"), ("period", "1.50", "180.00")]
)
def test_line_and_period_are_scopes_of_their_own(scope: str, hours: str, net: str) -> None:
    """BD-75: the same four entries as groups of an entry, a line or a period."""
    desk = open_desk(
        rates=[{"rate": "120.00"}],
        increments=[{"minutes": 15, "scope": scope}],
        lines={"group_by": ["service_item"]},
    )
    billed = desk.bill("""
        start             person  item         worked
        2025-03-03 09:00  ana     Development  20m
        2025-03-04 09:00  ana     Development  20m
        2025-03-04 10:00  ana     Meetings     10m
        2025-03-04 09:30  bo      Development  20m
    """)
    assert billed.net == net
    assert sum(line.seconds for line in billed.body.lines) == seconds_of(hours)


def test_a_line_that_is_rounded_away_is_no_line_but_stays_in_the_ledger() -> None:
    """BD-75: three minutes at six minutes down are billed with nothing, visibly."""
    billed = open_desk(rates=[{"rate": "200"}], increments=[{"minutes": 6, "mode": "down"}]).bill("""
        date        worked
        2025-03-03  3m
    """)
    assert billed.body.lines == ()
    billed.expect_ledger("""
        bucket  reason           hours
        billed  rounded_to_zero  0.05
    """)


@pytest.mark.parametrize(
    ("worked", "delta", "laid"),
    [
        ([600, 600], 300, [0, 300]),
        ([600, 180], -300, [-120, -180]),
        ([600, 180], -180, [0, -180]),
        ([], 0, []),
    ],
)
def test_a_negative_delta_takes_only_what_was_worked(worked: list[int], delta: int, laid: list[int]) -> None:
    """The end of a group is removed; when the last entry is shorter than the delta, the one before gives the rest."""
    assert lay_delta(worked, delta) == laid


def test_increments_change_by_date() -> None:
    """A rule of a row counts on its work dates only."""
    desk = open_desk(
        rates=[{"rate": "60"}], increments=[{"minutes": 6, "to": "2025-03-10"}, {"minutes": 15, "from": "2025-03-10"}]
    )
    billed = desk.bill("""
        date        worked
        2025-03-09  1m
        2025-03-10  1m
    """)
    assert [source.delta_seconds for source in billed.body.lines[0].sources] == [5 * 60, 14 * 60]


def test_what_is_tolerated_ends_with_its_last_second() -> None:
    """BD-06: six minutes up with two tolerated: 120 seconds over are dropped, 121 are not, and work never vanishes."""
    rule = IncrementRule(minutes=6, tolerance_minutes=2)
    assert [round_seconds(360 + over, rule) for over in (0, 1, 119, 120, 121, 359)] == [360, 360, 360, 360, 720, 720]
    assert [round_seconds(one, rule) for one in (0, 1, 120)] == [0, 360, 360]


@pytest.mark.parametrize(
    ("rule", "seconds", "text"),
    [
        ({"minutes": 0}, 241, "no increment"),
        ({"minutes": 0, "minimum_minutes": 5}, 300, "no increment, at least 5 min"),
        ({"minutes": 0, "ignore_seconds": True}, 240, "no increment, seconds ignored"),
        ({"minutes": 1}, 300, "1 min up per entry"),
        ({"minutes": 1, "mode": "down"}, 240, "1 min down per entry"),
        ({"minutes": 6, "minimum_minutes": 15}, 900, "6 min up per entry, at least 15 min"),
        ({"minutes": 6, "tolerance_minutes": 2}, 360, "6 min up per entry, 2 min tolerated"),
    ],
)
def test_a_rule_bills_what_its_words_say(rule: dict[str, object], seconds: int, text: str) -> None:
    """Four minutes and a second under each kind of rule, and how a person reads the rule."""
    found = IncrementRule.model_validate(rule)
    assert rule_text(found) == text
    billed = open_desk(rates=[{"rate": "3600"}], increments=[rule]).bill("date  worked\n2025-03-03  0:04:01")
    assert billed.net == f"{seconds}.00"
