"""What a line is: what keeps it apart from the next, and quantity, unit and price where no hour is simply sold."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from billing.entries import BillingEntry
from billing.testing import Desk, open_desk

PACKS: dict[str, object] = {"id": "packs", "mode": "block", "block_hours": 5, "block_price": "500.00"}
UPKEEP: dict[str, object] = {"id": "upkeep", "text": "Upkeep", "words": ["upkeep"]}


@pytest.mark.parametrize(
    ("group_by", "key"),
    [
        ([], ("fee", "", "", "", "", "", "", "", "", "L110", "A101")),
        (["date"], ("fee", "", "2025-03-03", "", "", "", "", "", "", "L110", "A101")),
        (["project"], ("fee", "", "", "alpha", "", "", "", "", "", "L110", "A101")),
        (["service_item"], ("fee", "", "", "", "Advice", "", "", "", "", "L110", "A101")),
        (["task"], ("fee", "", "", "", "", "brief", "", "", "", "L110", "A101")),
        (["person"], ("fee", "", "", "", "", "", "ana", "", "", "L110", "A101")),
        (["role"], ("fee", "", "", "", "", "", "", "senior", "", "L110", "A101")),
        (["entry"], ("fee", "", "", "", "", "", "", "", "e01", "L110", "A101")),
    ],
)
def test_a_line_is_named_by_what_its_time_has_in_common(group_by: list[str], key: tuple[str, ...]) -> None:
    """Its id is made of these words, so it stays the same for good; what the contract does not separate is empty."""
    desk = open_desk(rates=[{"rate": "100"}], lines={"group_by": group_by})
    table = "date  project  item  task  utbms  worked\n2025-03-03  alpha  Advice  brief  L110  1.00"
    [entry] = desk.entries(table)
    [line] = desk.bill([replace(entry, utbms_activity="A101")]).invoice.lines
    assert line.key == (*key, "O 0 The contract states no tax.", "100", "")


def with_activities(desk: Desk, activities: Sequence[str]) -> list[BillingEntry]:
    """An hour of upkeep with each activity of a legal matter."""
    rows = "\n".join("2025-03-03  L110  upkeep  1.00" for _ in activities)
    entries = desk.entries(f"date  utbms  text  worked\n{rows}")
    return [replace(entry, utbms_activity=one) for entry, one in zip(entries, activities, strict=True)]


@pytest.mark.parametrize(
    "clauses",
    [
        pytest.param({}, id="plain"),
        pytest.param({"tiers": [PACKS]}, id="packages"),
        pytest.param({"lines": {"rollups": [UPKEEP]}}, id="a roll-up of each role"),
        pytest.param({"lines": {"rollups": [UPKEEP | {"rates": "lump"}]}}, id="a roll-up in one sum"),
    ],
)
def test_activities_never_share_a_line(clauses: dict[str, object]) -> None:
    """Who checks the bill of a legal matter wants each activity by itself, whatever the contract joins."""
    desk = open_desk(rates=[{"rate": "100"}], also=clauses)
    lines = desk.bill(with_activities(desk, ["A101", "A102", "A101"])).body.lines
    assert sorted((line.utbms_activity, line.seconds // 3600) for line in lines) == [("A101", 2), ("A102", 1)]


@pytest.mark.parametrize(
    ("rule", "joined"),
    [
        ({"projects": ["alpha"]}, ["p"]),
        ({"service_items": ["Upkeep"]}, ["i"]),
        ({"tasks": ["fix"]}, ["t"]),
        ({"projects": ["alpha"], "tasks": ["fix"]}, ["p", "t"]),
        ({"projects": [""], "service_items": [""], "tasks": ["", "fix"]}, ["t"]),
    ],
)
def test_a_rollup_takes_what_is_named_and_never_what_has_no_name(rule: dict[str, object], joined: list[str]) -> None:
    """Any of its conditions is enough; an empty name in the contract is not the entry's missing one."""
    desk = open_desk(
        rates=[{"rate": "100"}], lines={"group_by": ["entry"], "rollups": [{"id": "r", "text": "Joined"} | rule]}
    )
    billed = desk.bill("""
        entry  date        project  item    task  worked
        none   2025-03-03  -        -       -     1.00
        p      2025-03-03  alpha    -       -     1.00
        i      2025-03-03  -        Upkeep  -     1.00
        t      2025-03-03  -        -       fix   1.00
    """)
    found = [source.entry_id for line in billed.body.lines if "Joined" in line.text for source in line.sources]
    assert sorted(found) == joined


def test_lines_that_share_packages_share_their_price() -> None:
    """BD-23: six hours start two packages of 500.00; two thirds of them are one line, none a whole package."""
    desk = open_desk(rates=[{"rate": "1"}], tiers=[PACKS])
    desk.bill("date  utbms  worked\n2025-03-03  L110  4.00\n2025-03-04  L120  2.00").expect_lines("""
        quantity  unit  price   amount
        1         lump  666.67  666.67
        1         lump  333.33  333.33
    """)
    desk.bill("date  worked\n2025-03-03  4.00\n2025-03-04  2.00").expect_lines("""
        quantity  unit  price   amount
        2         unit  500.00  1000.00
    """)


@pytest.mark.parametrize(
    ("show", "lines"),
    [("included", [("60", "0.33", "19.80")]), ("separate", [("60", "0.30", "18.00"), ("1", "1.80", "1.80")])],
)
def test_the_price_of_a_unit_has_its_mark_up(show: str, lines: list[tuple[str, ...]]) -> None:
    """BD-45: sixty miles at 0.30 with 10 %: each mile costs 0.33, or the mark-up stands apart."""
    desk = open_desk(expenses={"show_markup": show, "markups": [{"percent": "10"}]})
    billed = desk.bill("kind  date  expense  quantity  price\nexpense  2025-03-05  mileage  60  0.30")
    found = [(one.quantity, one.unit_price, one.amount) for one in billed.body.lines]
    assert found == [tuple(map(Decimal, line)) for line in lines]


def test_the_price_of_a_foreign_unit_is_converted() -> None:
    """BD-46: ten miles at 0.40 pounds are ten at 0.50 dollars."""
    desk = open_desk(exchange_rates="base  quote  on  rate\nGBP  USD  2025-03-05  1.25")
    billed = desk.bill("kind  date  quantity  price  currency\nexpense  2025-03-05  10  0.40  GBP")
    [line] = billed.body.lines
    assert (f"{line.quantity:f}", f"{line.unit_price:.2f}", f"{line.amount:f}") == ("10", "0.50", "5.00")


@pytest.mark.parametrize(
    ("category", "origin"), [("taxi", "cost taxi, mark-up 10 %"), ("-", "cost expense, mark-up 10 %")]
)
def test_the_origin_of_a_cost_names_its_category(category: str, origin: str) -> None:
    """What a person reads as the reason of an expense's amount."""
    desk = open_desk(expenses={"markups": [{"percent": "10.0"}]})
    billed = desk.bill(f"kind  date  expense  amount\nexpense  2025-03-05  {category}  5.00")
    assert [line.charges[0].rate_origin for line in billed.body.lines] == [origin]


def test_fees_have_no_expense_category() -> None:
    """A tax rule for what has none is that of work, of agreed fees and of what is missing of a minimum."""
    taxes = [{"expense_categories": [""], "category": "AA", "percent": "5"}, {"category": "S", "percent": "20"}]
    desk = open_desk(
        rates=[{"rate": "100"}],
        taxes=taxes,
        recurring_fees=[{"id": "care", "amount": "10.00", "every": "month", "billed_at": "end"}],
        minimum=[{"amount": "150.00", "every": "month", "counts": "fees", "shortfall": "bill"}],
    )
    billed = desk.bill(
        "kind  date  worked  expense  amount\ntime  2025-03-03  1.00  -  -\nexpense  2025-03-04  -  taxi  7"
    )
    billed.expect_lines("""
        kind             tax_category  amount
        fee              AA            100.00
        recurring_fee    AA            10.00
        minimum_true_up  AA            50.00
        expense          S             7.00
    """)
