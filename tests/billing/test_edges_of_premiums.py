"""Edges of premiums: limits inside an hour, the hour that comes twice and the one that is missing, the last second."""

from datetime import date

import pytest

from billing.explained import Explanations
from billing.gather import on_one_day
from billing.invoice import trace_invoice
from billing.nodes import NodeKind
from billing.portions import Portion
from billing.premiums import cut_by_premiums
from billing.terms import rulebook
from billing.testing import open_desk

EVENING = {"id": "evening", "factor": "1.5", "outside": "09:00-18:00"}


@pytest.mark.parametrize(
    ("inside", "start", "worked", "hours"),
    [
        pytest.param("02:00-03:00", "2025-10-26 01:00", "4.00", "2.00", id="an hour that comes twice"),
        pytest.param("02:30-04:00", "2025-10-26 01:00", "5.00", "2.00", id="begins twice"),
        pytest.param("01:00-02:30", "2025-10-26 01:00", "5.00", "2.00", id="ends twice"),
        pytest.param("02:30-06:00", "2025-10-26T00:59:59Z", "1.00", "0.50", id="begins a second before it is set back"),
        pytest.param("02:00-03:00", "2025-03-30 01:00", "4.00", "0", id="an hour that is missing"),
        pytest.param("02:30-04:00", "2025-03-30 01:00", "4.00", "1.00", id="begins in what is missing"),
        pytest.param("01:00-02:30", "2025-03-30 01:00", "4.00", "1.00", id="ends in what is missing"),
        pytest.param("09:30-10:15", "2025-03-03 09:00", "2.00", "0.75", id="between full hours"),
        pytest.param("09:00-10:00", "2025-03-03 09:00:30", "2.00", "3570 s", id="seconds after the hour"),
    ],
)
def test_the_local_clock_says_which_time_is_multiplied(inside: str, start: str, worked: str, hours: str) -> None:
    """BD-18: what the clock on the wall shows counts, also in the nights in which it is set back or forward."""
    premium = {"id": "p", "factor": "2", "inside": inside}
    desk = open_desk(rates=[{"rate": "10"}], premiums=[premium], zone="Europe/Berlin")
    billed = desk.bill(f"start  worked\n{start}  {worked}", start[:7])
    found = sum(line.seconds for line in billed.body.lines if line.unit_price == 20)
    assert found == (int(hours[:-2]) if hours.endswith(" s") else int(float(hours) * 3600))
    assert sum(line.seconds for line in billed.body.lines) == int(float(worked) * 3600)


def test_a_cut_without_effect_keeps_the_rounding() -> None:
    """BD-34: evening before and behind midnight is one piece of time with its ten minutes of rounding."""
    desk = open_desk(rates=[{"rate": "10"}], premiums=[EVENING], increments=[{"minutes": 15}])
    desk.bill("start  worked\n2025-03-03 23:00  1:50").expect_lines("""
        text                                     hours  delta  amount
        Services, Ana (senior) (evening x 1.5)   2.00   10     30.00
    """)


def test_all_premiums_that_count_are_named() -> None:
    """BD-78: a compound price names each of its factors."""
    rush = {"id": "rush", "name": "Rush", "factor": "2.0", "tags": ["rush"]}
    desk = open_desk(rates=[{"rate": "10"}], premiums=[EVENING, rush], premium_stacking="compound")
    desk.bill("start  worked  tags\n2025-03-03 19:00  1.00  rush").expect_lines("""
        text                                              hours  amount
        Services, Ana (senior) (evening x 1.5, Rush x 2)  1.00   30.00
    """)


@pytest.mark.parametrize(
    ("start", "net"),
    [
        pytest.param("2025-03-03 17:49:48", "48.00", id="the last worked second is the last of the day"),
        pytest.param("2025-03-03 17:49:49", "72.00", id="the last worked second is the first of the evening"),
    ],
)
def test_rounding_that_no_balance_pays_for_belongs_to_the_last_worked_second(start: str, net: str) -> None:
    """BD-34: a balance of 612 seconds pays for what was worked; 288 of rounding have the factor of the end of work."""
    desk = open_desk(
        rates=[{"rate": "600"}],
        premiums=[EVENING],
        increments=[{"minutes": 15}],
        retainers=[{"id": "care", "hours": "0.17", "fee": "0"}],
    )
    assert desk.bill(f"start  worked\n{start}  0:10:12").net == net


def test_hours_above_a_cap_have_the_price_that_was_agreed_for_them() -> None:
    """An overage rate is the price of the hour, whatever the clock shows; below the cap the evening counts."""
    cap = {"id": "day", "window": "day", "hours": 1, "pool": "all", "overflow": "overage_rate", "overage_rate": "80"}
    desk = open_desk(rates=[{"rate": "100"}], premiums=[EVENING], caps=[cap])
    assert desk.bill("start  worked\n2025-03-03 19:00  2.00").net == "230.00"


def test_time_of_a_tier_names_no_other_rate_on_either_side_of_a_premium() -> None:
    """BD-21: what is cut at 18:00 has the tier's price on both sides; the clause of the usual rate is about neither."""
    tier = {"id": "plan", "service_items": ["Plan"], "premiums_apply": True, "bands": [{"rate": "100"}]}
    rates = [{"rate": "90", "clause": "usual"}]
    billed = open_desk(rates=rates, tiers=[tier], premiums=[EVENING]).bill("""
        start             item  worked
        2025-03-03 17:00  Plan  2.00
    """)
    assert billed.net == "250.00"
    lines = Explanations(trace_invoice(billed.invoice.request)).lines()
    rested = [one for line in lines for charge in line.below for one in charge.below if one.kind is NodeKind.RATE]
    assert [one.facts.get("clause") for one in rested] == [None, None]


def test_an_entry_without_time_has_the_clock_of_its_start() -> None:
    """BD-75: the rounding of a day lies with its last entry, here one of no seconds just before the evening."""
    increment = {"minutes": 15, "scope": "day"}
    desk = open_desk(rates=[{"rate": "60"}], premiums=[EVENING], increments=[increment])
    assert desk.bill("start  worked\n2025-03-03 17:00:00  10m\n2025-03-03 17:59:59  0m").net == "15.00"


def test_a_delta_that_was_cut_off_goes_with_the_second_before_it() -> None:
    """BD-34: behind the last second of the day stands rounding alone; the evening has not begun for it."""
    desk = open_desk(rates=[{"rate": "10"}], premiums=[EVENING])
    (entry,) = desk.entries("start  worked\n2025-03-03 17:59:59  0:00:01")
    book = rulebook(desk.contract, desk.directory)
    (whole,) = [one for one in [on_one_day(book, entry, date(2025, 3, 3))] if isinstance(one, Portion)]
    behind = whole._replace(offset_seconds=1, worked_seconds=0, delta_seconds=359)
    (met,) = cut_by_premiums(desk.contract, behind, whole.terms.premiums)
    assert (met.portion.delta_seconds, met.premiums) == (359, [])
