"""Lines are rounded up to a cent more than they are; what an amount cap counts stays below its limit (step 14, BD-28).

The rate is 0.10 an hour, so a quarter of an hour is 0.025 and its line 0.03. The cents that are too much leave the
latest work first, as many of an entry as it has, then those of the work before it.
"""

from decimal import Decimal

import pytest

from billing.testing import open_desk

QUARTER = "time  15m  -"
MEAL = "expense  -  0.05"
"""With its mark-up of a half it is 0.075, and its line 0.08."""
VAT = {"taxes": [{"category": "S", "percent": "20"}]}
TWO_RATES = {"taxes": [{"kinds": ["expense"], "category": "R", "percent": "7"}, {"category": "S", "percent": "20"}]}
BY_LINE = {"tax_rounding": "line"}
CARE = {"recurring_fees": [{"id": "care", "amount": "0.11", "every": "month", "billed_at": "start"}]}
APART = {"discounts": [{"id": "d", "percent": "20", "counts": "everything", "show": "separate"}]}
DEARER = {"rates": [{"rate": "2.01"}]}
"""Ten minutes are 0.335, and their line 0.34."""


@pytest.mark.parametrize(
    ("clauses", "limit", "work", "amounts"),
    [
        pytest.param({}, "0.15", [QUARTER] * 5, "3 3 3 3 3", id="exactly at the limit nothing is taken"),
        pytest.param({}, "0.14", [QUARTER] * 5, "3 3 3 3 2", id="the latest loses a cent"),
        pytest.param({}, "0.13", [QUARTER] * 5, "3 3 3 3 1", id="and another"),
        pytest.param({}, "0.11", [*[QUARTER] * 4, "time  3m  -"], "3 3 3 2 0", id="a cent of the last, one before it"),
        pytest.param({}, "0.08", [*[QUARTER] * 3, "time  1m  -"], "3 3 2 0", id="the last is below a cent"),
        pytest.param({}, "0.20", [QUARTER, MEAL, QUARTER, MEAL], "3 3 8 6", id="expenses are work of their day"),
        pytest.param({}, "0.20", [QUARTER, MEAL, MEAL, QUARTER], "3 1 8 8", id="whatever stands behind them"),
        pytest.param(VAT, "0.11", [QUARTER] * 3, "3 3 3", id="tax on the sum: 0.09 and 0.02"),
        pytest.param(VAT | BY_LINE, "0.12", [QUARTER] * 3, "3 3 3", id="tax by line: three times 0.03 and 0.01"),
        pytest.param(VAT | BY_LINE, "0.11", [QUARTER] * 3, "3 3 2", id="a cent less of the line, and of its tax"),
        pytest.param(
            TWO_RATES | CARE, "0.31", [QUARTER, MEAL, QUARTER, QUARTER], "3 3 1 11 8", id="beside a fee with its tax"
        ),
        pytest.param(
            TWO_RATES | APART | DEARER,
            "1.03",
            [MEAL, *["time  10m  -"] * 3],
            "34 34 32 8 -1 -21",
            id="a discount on a line of its own makes room, with its tax",
        ),
    ],
)
def test_rounding_lifts_nothing_above_a_limit(
    clauses: dict[str, object], limit: str, work: list[str], amounts: str
) -> None:
    """The cents of each line: time by day, agreed fees, expenses by day; with a tax the limit is meant with it."""
    nte = {
        "id": "nte",
        "window": "contract",
        "amount": limit,
        "counts": "everything",
        "includes_tax": "taxes" in clauses,
    }
    also = {"from": "2025-03-01", "rates": [{"rate": "0.10"}], "lines": {"group_by": ["date"]}} | clauses
    desk = open_desk(expenses={"markups": [{"percent": "50"}]}, amount_caps=[nte], also=also)
    rows = [f"2025-03-{day:02d}  {row}" for day, row in enumerate(work, start=3)]
    body = desk.bill("\n".join(["date  kind  worked  amount", *rows])).body
    assert " ".join(str(int(line.amount * 100)) for line in body.lines) == amounts
    assert body.gross <= Decimal(limit)


def test_a_full_limit_has_no_cent_for_the_tax_of_what_refunds_made_room_for() -> None:
    """A fee fills the limit. Refunds of 0.05 let an expense of 0.05 in; its tax by line is a cent, theirs are none."""
    nte = {"id": "nte", "window": "contract", "amount": "0.55", "counts": "everything", "includes_tax": True}
    fee = {"id": "care", "amount": "0.50", "every": "month", "billed_at": "start"}
    desk = open_desk(
        amount_caps=[nte],
        recurring_fees=[fee],
        taxes=[{"category": "S", "percent": "10"}],
        tax_rounding="line",
        also={"from": "2025-03-01"},
    )
    work = "kind  date  amount\nexpense  2025-03-03  -0.02\nexpense  2025-03-04  -0.03\nexpense  2025-03-05  0.05"
    body = desk.bill(work).body
    assert [f"{line.amount:f}" for line in body.lines] == ["0.50", "-0.02", "-0.03", "0.04"]
    assert f"{body.gross:f}" == "0.54"
