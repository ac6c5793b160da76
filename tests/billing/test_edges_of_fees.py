"""Edges of minimums, recurring fees, limits of money and their forecast: one cent, one day, one row too many."""

from datetime import date
from fractions import Fraction

import pytest

from billing.invoice import trace_invoice
from billing.money_forecast import amount_cap_forecasts
from billing.testing import open_desk
from tests.billing.tables import check

MINIMUMS = """
    contract:
        from: 2025-01-01
        rates: [{{rate: 100.00}}]
        {clauses}
        minimum:
          {rows}
    work:
        date        worked  kind     amount  expense
        2025-01-10  0.90    time     -       -
        2025-02-10  0.95    time     -       -
        2025-03-10  1.04    time     -       -
        2025-04-10  1.00    time     -       -
        2025-04-11  -       expense  -300.00  refund
    invoices:
        period   net
        {nets}
"""


@pytest.mark.parametrize(
    ("clauses", "rows", "nets"),
    [
        pytest.param(
            "",
            [
                "{id: a, to: 2025-02-01, amount: 500.00, every: month, counts: fees, shortfall: bill}",
                "{id: b, amount: 104.01, every: month, counts: fees, shortfall: bill}",
                "{id: c, amount: 105.00, every: month, counts: fees, shortfall: bill}",
            ],
            {"2025-02": "114.01", "2025-03": "105.01"},
            id="each of several counts, and one cent is billed",
        ),
        pytest.param(
            "",
            [
                "{to: 2025-03-01, amount: 310.00, every: month, counts: fees, shortfall: bill}",
                "{from: 2025-03-01, amount: 620.00, every: month, counts: fees, shortfall: bill}",
            ],
            {"2025-02": "310.00", "2025-03": "620.00"},
            id="a row that begins on the next day is not that of the month",
        ),
        pytest.param(
            "to: 2025-03-11",
            [
                "{to: 2025-03-11, amount: 310.00, every: month, counts: fees, shortfall: bill}",
                "{from: 2025-03-11, amount: 620.00, every: month, counts: fees, shortfall: bill}",
            ],
            {"2025-02": "310.00", "2025-03": "310.00"},
            id="a row that begins when the contract ends is not that of the month",
        ),
        pytest.param(
            "",
            ["{to: 2025-04-01, amount: 50.00, every: month, counts: everything, shortfall: bill}"],
            {"2025-03": "104.00", "2025-04": "-200.00"},
            id="a minimum that has ended asks for no refund",
        ),
        pytest.param(
            "",
            ["{to: 2025-03-01, amount: 95.01, every: month, counts: fees, shortfall: carry, carry_periods: 6}"],
            {"2025-01": "90.00", "2025-02": "100.02", "2025-03": "104.00"},
            id="what is carried is billed with the minimum's last month, be it a cent",
        ),
        pytest.param(
            "",
            ["{amount: 100.00, every: month, counts: fees, shortfall: carry, carry_periods: 2}"],
            {"2025-01": "90.00", "2025-02": "95.00", "2025-03": "110.00", "2025-04": "-195.00"},
            id="four that are more make up four of ten, and nothing of five",
        ),
    ],
)
def test_a_minimum_asks_for_what_is_missing(clauses: str, rows: list[str], nets: dict[str, str]) -> None:
    """BD-49: work of 90.00, 95.00, 104.00 and 100.00, a refund in April, and what each invoice comes to."""
    shown = "\n        ".join(f"{period}  {net}" for period, net in nets.items())
    listed = "\n          ".join(f"- {row}" for row in rows)
    check(MINIMUMS.format(clauses=clauses, rows=listed, nets=shown))


@pytest.mark.parametrize(
    ("fees", "also", "lines"),
    [
        pytest.param(
            [{"every": "quarter", "billed_at": "start", "from": "2025-02-01"}],
            {},
            {"2025-01": [], "2025-02": ["2025-02-01 care, 2025-Q1 90.00"]},
            id="begins on the first day of the next invoice",
        ),
        pytest.param(
            [{"every": "month", "billed_at": "end", "to": "2025-06-01"}],
            {"to": "2026-01-01"},
            {"2025-02": ["2025-02-28 care, 2025-02 90.00"]},
            id="ends long after the month",
        ),
        pytest.param(
            [
                {"every": "month", "billed_at": "end", "to": "2025-03-01"},
                {"every": "month", "billed_at": "end", "from": "2025-03-01"},
            ],
            {"prorate": "calendar_days"},
            {"2025-02": ["2025-02-28 care, 2025-02 90.00"], "2025-03": ["2025-03-31 care, 2025-03 90.00"]},
            id="changes with the month",
        ),
    ],
)
def test_a_recurring_fee_is_on_one_invoice(
    fees: list[dict[str, str]], also: dict[str, object], lines: dict[str, list[str]]
) -> None:
    """BD-41: each span once, on the invoice of the day on which it is billed, and no line of nothing."""
    rows = [{"id": "care", "amount": "90.00"} | fee for fee in fees]
    desk = open_desk(recurring_fees=rows, also={"from": "2025-01-01"} | also)
    found = {period: desk.bill([], period).body.lines for period in lines}
    assert {
        period: [f"{one.date} {one.text} {one.amount:f}" for one in some] for period, some in found.items()
    } == lines


@pytest.mark.parametrize(
    ("clauses", "rate", "table", "net"),
    [
        pytest.param(
            {
                "taxes": [
                    {"category": "S", "percent": "10", "to": "2025-02-01"},
                    {"category": "S", "percent": "20", "from": "2025-02-01"},
                ],
                "amount_caps": [
                    {"id": "n", "window": "contract", "amount": "500.00", "counts": "fees", "includes_tax": True}
                ],
            },
            "100.00",
            "date  worked\n2025-01-10  1.00\n2025-02-10  1.00\n2025-03-10  5.00",
            "225.00",
            id="each month has its tax",
        ),
        pytest.param(
            {
                "expenses": {"markups": [{"percent": "10"}]},
                "amount_caps": [{"id": "n", "window": "contract", "amount": "1000.00", "counts": "fees_and_expenses"}],
            },
            "36.00",
            "kind  date  worked  amount\nexpense  2025-01-10  -  412.37\ntime  2025-03-10  20.00  -",
            "546.39",
            id="what an earlier expense cost is not rounded",
        ),
        pytest.param(
            {
                "rounding": {"amount_basis": "displayed", "quantity_decimals": 1},
                "amount_caps": [{"id": "n", "window": "month", "amount": "107.00", "counts": "fees"}],
            },
            "100.00",
            "date  worked\n2025-03-10  1:03",
            "107.00",
            id="the quantity as shown is what the limit meets",
        ),
        pytest.param(
            {
                "fixed_fees": [{"id": "f", "amount": "60.00", "on": "2025-03-03", "project": "shop"}],
                "amount_caps": [{"id": "n", "window": "task", "amount": "100.00", "counts": "all_fees"}],
            },
            "10.00",
            "date  worked  project  task\n2025-03-10  10.00  shop  -\n2025-03-10  10.00  shop  build",
            "200.00",
            id="an agreed fee takes its room where there is no task",
        ),
        pytest.param(
            {
                "taxes": [{"category": "S", "percent": "19"}],
                "amount_caps": [
                    {"id": "n", "window": "month", "amount": "100.03", "counts": "fees", "includes_tax": True}
                ],
            },
            "36.00",
            "date  worked\n2025-03-10  3.00",
            "84.06",
            id="a limit with tax is used up to the cent, whatever the rate",
        ),
        pytest.param(
            {
                "taxes": [{"category": "S", "percent": "19"}],
                "amount_caps": [
                    {"id": "n", "window": "month", "amount": "100.03", "counts": "fees", "includes_tax": True}
                ],
            },
            "35.00",
            "date  worked\n2025-03-10  3.00",
            "84.06",
            id="and of another rate",
        ),
    ],
)
def test_a_limit_of_money_leaves_what_it_has_room_for(
    clauses: dict[str, object], rate: str, table: str, net: str
) -> None:
    """BD-27, BD-28: to the cent, and with all that was charged before."""
    assert open_desk(rates=[{"rate": rate}], also={"from": "2025-01-01"} | clauses).bill(table).net == net


def test_agreed_fees_above_a_limit_are_told() -> None:
    """BD-27: they are never reduced; the finding says how much too much they are."""
    billed = open_desk(
        fixed_fees=[{"id": "f", "amount": "160.00", "on": "2025-03-03"}],
        amount_caps=[{"id": "n", "window": "month", "amount": "100.00", "counts": "all_fees"}],
    ).bill([])
    assert [(one.code, one.text) for one in billed.body.findings] == [
        ("amount_cap_passed", "Agreed fees are 60.00 USD above the limit of cap n.")
    ]


def test_an_invoice_that_gives_money_back_says_how_much() -> None:
    """A refund of 300.00 beside 100.00 of work; held time and a minimum that nothing lacks are no finding."""
    billed = open_desk(
        rates=[{"rate": "100.00"}],
        minimum=[{"amount": "50.00", "every": "month", "counts": "fees", "shortfall": "bill"}],
    ).bill("""
        kind     date        worked  amount   held
        time     2025-03-03  1.00    -        -
        time     2025-03-04  1.00    -        on_hold
        expense  2025-03-04  -       -300.00  -
    """)
    assert [(one.code, one.text) for one in billed.body.findings] == [
        ("negative_invoice", "Corrections and reductions exceed the charges by 200.00 USD.")
    ]


def test_a_forecast_of_money_counts_what_the_contract_has_charged() -> None:
    """BD-27: from the first day of a limit up to the last of the period, each day with its own amount."""
    desk = open_desk(
        rates=[{"rate": "100.00"}],
        amount_caps=[
            {
                "id": "n",
                "window": "dates",
                "window_from": "2025-02-10",
                "window_to": "2025-05-01",
                "amount": "5000.00",
                "counts": "everything",
            },
        ],
        milestones=[{"id": "m", "total": "7.00", "parts": [{"id": "done", "share": 1, "due": "acceptance"}]}],
        also={"from": "2025-01-01"},
    )
    billed = desk.bill("""
        kind       date        worked  amount  task
        expense    2025-02-09  -       1.00    -
        expense    2025-02-10  -       20.00   -
        milestone  2025-02-03  -       -       done
        time       2025-03-03  1.00    -       -
        time       2025-03-31  4.00    -       -
        expense    2025-03-31  -       30.00   -
        expense    2025-04-01  -       500.00  -
        milestone  2025-03-03  -       -       done
    """)
    [one] = amount_cap_forecasts(trace_invoice(billed.invoice.request), date(2025, 3, 4))
    assert (one.forecast.used, one.forecast.workdays) == (Fraction(550), Fraction(16))
    assert one.forecast.pace == Fraction(120, 16)


def test_a_refund_of_all_leaves_no_pace() -> None:
    """100.00 on one day and 100.00 back on the day after tomorrow: nothing is used, so nothing goes on."""
    desk = open_desk(amount_caps=[{"id": "n", "window": "month", "amount": "50.00", "counts": "expenses"}])
    billed = desk.bill("kind  date  amount\nexpense  2025-03-03  40.00\nexpense  2025-03-06  -40.00")
    [one] = amount_cap_forecasts(trace_invoice(billed.invoice.request), date(2025, 3, 4))
    assert (one.forecast.used, one.forecast.pace) == (Fraction(0), Fraction(0))


def test_a_minimum_that_ended_before_the_contract_began_asks_for_nothing() -> None:
    """BD-49: a row is one of the month only while the contract is valid, too."""
    row = {"to": "2025-03-11", "amount": "310.00", "every": "month", "counts": "fees", "shortfall": "bill"}
    assert open_desk(minimum=[row], also={"from": "2025-03-11"}).bill([]).net == "0.00"
