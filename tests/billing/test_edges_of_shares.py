"""Edges of shares: who draws, until which day, what is beyond a balance, and what each entry has of a line."""

import pytest

from tests.billing.tables import check


def test_a_block_pays_on_its_last_day_although_another_begins_on_it() -> None:
    """BD-37: up to and including the day on which it expires, whatever else happens on that day."""
    check("""
    contract:
        rates: [{rate: 150.00}]
        retainer_order: first_expiring
        prepaid_blocks:
          - {id: a, hours: 10, purchased: 2025-03-01, expires: 2025-03-15}
          - {id: b, hours: 10, purchased: 2025-03-15}
    work:
        date        worked
        2025-03-15  4.00
        2025-03-16  1.00
    placements 2025-03:
        entry  bucket    reason   hours
        e01    retainer  block:a  4.00
        e02    retainer  block:b  1.00
    balances:
        period   id  used  lapsed
        2025-03  a   4.00  6.00
        2025-03  b   1.00  0
    """)


@pytest.mark.parametrize(
    ("weights", "beyond"),
    [
        pytest.param("", "2.00", id="plain"),
        pytest.param(", weights: [{factor: 2, tags: [rush]}]", "3.00", id="an hour in a rush is two"),
    ],
)
def test_what_is_beyond_a_balance_adds_up_as_it_would_have_been_used(weights: str, beyond: str) -> None:
    """BD-39: all work that finds no hours, rounded as it is billed and weighed as it would have been drawn."""
    story = """
    contract:
        rates: [{rate: 150.00}]
        increments: [{minutes: 30}]
        prepaid_blocks: [{id: pack, hours: 2, purchased: 2025-03-01WEIGHTS}]
    work:
        date        worked  tags
        2025-03-03  2.00    -
        2025-03-04  0:50    -
        2025-03-05  1.00    rush
    invoices:
        period   net
        2025-03  300.00
    balances:
        period   used  beyond
        2025-03  2.00  BEYOND
    """
    check(story.replace("WEIGHTS", weights).replace("BEYOND", beyond))


@pytest.mark.parametrize(
    ("clause", "placements"),
    [
        ("tags: [desk]", ("e01  retainer  retainer:care", "e03  held  category_without_engagement")),
        ("takes: decided", ("e03  retainer  retainer:care",)),
        ("takes: all", tuple(f"e0{number}  retainer  retainer:care" for number in (1, 2, 3))),
    ],
)
def test_a_retainer_draws_its_own_work_only(clause: str, placements: tuple[str, ...]) -> None:
    """BD-35: the tags that it names, or what was decided to be its own; the same kind of work beside it is billed."""
    rows = "\n        ".join(placements)
    check(f"""
    contract:
        rates: [{{rate: 150.00}}]
        retainers: [{{id: care, hours: 10, fee: 0, {clause}}}]
    work:
        date        worked  tags  category
        2025-03-03  1.00    desk  billable
        2025-03-04  1.00    -     billable
        2025-03-05  1.00    -     retainer
    placements 2025-03:
        entry  bucket  reason
        {rows}
    """)


def test_cents_are_shared_by_what_is_billed() -> None:
    """BD-52: an entry that was rounded up has its part by the rounded time; BD-72: so has the value of what is not."""
    check("""
    contract:
        rates: [{rate: 100.00}]
        increments: [{minutes: 15}]
        caps: [{id: week, window: week, pool: all, hours: 2, overflow: write_down}]
    work:
        date        worked
        2025-03-03  0:46
        2025-03-04  1.00
        2025-03-05  0:50
    lines 2025-03:
        hours  shares         amount
        2.00   100.00 100.00  200.00
    ledger 2025-03:
        bucket        reason    hours   value
        billed        -         6360 s  200.00
        written_down  cap:week  3000 s  100.00
    """)


def test_a_milestone_has_no_time() -> None:
    """BD-43: its line names the entry that completed it, with its amount and not one second."""
    story = check("""
    contract:
        milestones: [{id: portal, name: Portal, total: 900.00, parts: [{id: m1, percent: 100, due: acceptance}]}]
    work:
        date        kind       task
        2025-03-05  milestone  m1
    lines 2025-03:
        kind       hours  shares  amount
        milestone  0.00   900.00  900.00
    """)
    (source,) = story.bill("2025-03").body.lines[0].sources
    assert (source.worked_seconds, source.delta_seconds) == (0, 0)
    assert source.work_date.isoformat() == "2025-03-05"


def test_a_deposit_stands_where_it_belongs_and_waits_for_no_other() -> None:
    """BD-44: on the project that it names; the next invoice deducts it although another one waits for a milestone."""
    check("""
    contract:
        rates: [{rate: 100.00}]
        milestones: [{id: portal, total: 900.00, parts: [{id: m1, percent: 100, due: acceptance}]}]
        deposits:
          - {id: early, plan: portal, amount: 50.00, on: 2025-01-05, deduct_from: milestone}
          - {id: late, amount: 30.00, on: 2025-01-10, deduct_from: next_invoices, project: site, service_item: design}
    work:
        date        worked
        2025-03-05  1.00
    invoices:
        period   net
        2025-01  80.00
        2025-03  70.00
    lines 2025-01:
        kind     project_id  service_item  amount
        deposit  -           -             50.00
        deposit  site        design        30.00
    """)


def test_what_nobody_can_bill_is_held_with_its_reason() -> None:
    """Step 2: a kind of entry that these rules do not know, and money that was decided to be a retainer's."""
    check("""
    contract:
        rates: [{rate: 100.00}]
    work:
        date        kind     worked  amount  category
        2025-03-05  unknown  1.00    -       billable
        2025-03-06  expense  -       10.00   retainer
    placements 2025-03:
        entry  bucket  reason                       detail    hours
        e01    held    kind_not_billed              unknown   1.00
        e02    held    category_without_engagement  retainer  0.00
    """)
