"""Entries that are billed without being work: when a completion or a count is not billed, and what it is told."""

from dataclasses import replace

import pytest

from billing.entries import Hold
from billing.testing import open_desk

PLAN: dict[str, object] = {
    "id": "site",
    "total": "600.00",
    "parts": [
        {"id": "m1", "share": 1, "due": "acceptance", "name": "Go live"},
        {"id": "m2", "share": 2, "due": "acceptance"},
        {"id": "m3", "share": 3, "due": "acceptance"},
    ],
}
CALLS: dict[str, object] = {"id": "api", "meter": "calls", "price": "1.00"}
REASONS = """
    entry  kind    date        project  task  expense  quantity  category      written_off  held     released
    a      {kind}  2025-03-03  alpha    m1    calls    1         billable      a gift       -        -
    b      {kind}  2025-03-04  alpha    m1    calls    2         billable      -            on_hold  -
    c      {kind}  2025-03-05  alpha    m1    calls    4         non_billable  -            -        -
    d      {kind}  2025-03-06  beta     m1    calls    8         billable      -            -        -
    e      {kind}  2025-03-07  alpha    m1    calls    32        -             -            -        -
    f      {kind}  2025-03-08  alpha    m2    calls    64        billable      -            on_hold  on_hold
"""


@pytest.mark.parametrize(("kind", "net"), [("milestone", "300.00"), ("usage", "96.00")])
def test_an_event_that_is_not_billed_says_why(kind: str, net: str) -> None:
    """Each reason with its bucket and detail; those that are billed need no decision, and a person may release one."""
    desk = open_desk(milestones=[PLAN], usage_fees=[CALLS], also={"project": "alpha", "from": "2025-01-01"})
    entries = desk.entries(REASONS.format(kind=kind))
    held = replace(entries[1], holds=(Hold("on_hold", "Ana asks the client"),))
    billed = desk.bill([entries[0], held, *entries[2:]])
    billed.expect_placements("""
        entry  bucket        reason            detail
        a      written_off   written_off       a gift
        b      held          on_hold           Ana asks the client
        c      non_billable  non_billable      -
        d      held          contract_missing  contract c-1
    """)
    assert billed.net == net


def test_a_completion_that_fits_nothing_is_told_what_it_said() -> None:
    """Its task before its service item; whatever one of them lacks, those behind it are looked at."""
    billed = open_desk(milestones=[PLAN]).bill("""
        entry  kind       date        task  item     written_off
        a      milestone  2025-03-03  m9    m2       -
        b      milestone  2025-03-04  -     Landing  -
        c      milestone  2025-03-05  -     -        -
        d      milestone  2025-03-06  m2    -        a gift
        e      milestone  2025-03-07  m1    -        -
        f      milestone  2025-03-08  -     M3       -
    """)
    billed.expect_placements("""
        entry  bucket       reason             detail
        a      held         milestone_unknown  m9
        b      held         milestone_unknown  Landing
        c      held         milestone_unknown  no task
        d      written_off  written_off        a gift
    """)
    assert [(line.text, f"{line.amount:f}") for line in billed.body.lines] == [
        ("site: Go live", "100.00"),
        ("site: m3", "300.00"),
    ]


@pytest.mark.parametrize(
    ("task", "net"), [("Go live", "100.00"), ("Go  live", "100.00"), (" go\tLIVE", "100.00"), ("Golive", "0.00")]
)
def test_blanks_and_capitals_of_a_name_do_not_matter(task: str, net: str) -> None:
    """A source that doubles a blank names the same milestone; one without it names another."""
    desk = open_desk(milestones=[PLAN])
    [entry] = desk.entries("kind  date\nmilestone  2025-03-03")
    assert desk.bill([replace(entry, task=task)]).net == net


@pytest.mark.parametrize("task", ["Hand over", "hand  over"])
def test_blanks_of_the_contracts_own_name_do_not_matter_either(task: str) -> None:
    """A title that was typed with two blanks can still be said."""
    plan = PLAN | {"parts": [{"id": "m1", "share": 1, "due": "acceptance", "name": "Hand  over"}]}
    desk = open_desk(milestones=[plan])
    [entry] = desk.entries("kind  date\nmilestone  2025-03-03")
    assert desk.bill([replace(entry, task=task)]).net == "600.00"


@pytest.mark.parametrize(
    ("on", "amounts"),
    [("2025-03-31", ["40.00", "80.00"]), ("2025-04-01", ["120.00"]), ("2025-03-01", ["40.00", "80.00"])],
)
def test_a_milestone_of_the_next_period_takes_no_room_in_this_one(on: str, amounts: list[str]) -> None:
    """A limit of 120.00 over the contract: 80.00 on 31 March leave 40.00 for work, 80.00 on 1 April all of it."""
    plan = {"id": "site", "total": "80.00", "parts": [{"id": "m1", "share": 1, "due": "date", "on": on}]}
    limit = {"id": "n", "window": "contract", "amount": "120.00", "counts": "all_fees"}
    desk = open_desk(rates=[{"rate": "100"}], milestones=[plan], amount_caps=[limit], also={"from": "2025-03-01"})
    lines = desk.bill("date  worked\n2025-03-03  2.00").body.lines
    assert [f"{line.amount:f}" for line in lines] == amounts
