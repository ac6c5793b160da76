"""Expenses and currencies: the expenses of group G, group I of the worked examples, and BD-79."""

import pytest

from billing.testing import open_desk

MARKUPS = [{"percent": "10"}, {"category": "mileage", "percent": "0"}]
EXPENSES = """
    kind     date        text      expense   amount  quantity  price
    expense  2025-03-03  Hotel     hotel     412.37  -         -
    expense  2025-03-04  Software  software  99.00   -         -
    expense  2025-03-05  Mileage   mileage   -       186       0.30
"""


def test_markup_is_included_in_each_expense_line() -> None:
    """BD-45: hotel and software with 10 %, mileage without."""
    billed = open_desk(expenses={"markups": MARKUPS}).bill(EXPENSES)
    billed.expect_lines("""
        kind     text      quantity  price   amount
        expense  Hotel     1         453.61  453.61
        expense  Software  1         108.90  108.90
        expense  Mileage   186       0.30    55.80
    """)
    assert billed.net == "618.31"
    assert billed.body.buckets == ()


def test_a_foreign_expense_is_converted_marked_up_and_rounded_once() -> None:
    """BD-46: 86.45 x 1.2734 x 1.10 is 121.09; the rate of the expense date counts, whatever the fees use."""
    desk = open_desk(
        expenses={"markups": MARKUPS},
        exchange_rates="""
            base  quote  on          rate
            GBP   USD    2025-03-10  1.2734
            GBP   USD    2025-04-01  1.3000
        """,
    )
    billed = desk.bill("""
        kind     date        expense  amount  currency
        expense  2025-03-10  hotel    86.45   GBP
    """)
    assert billed.net == "121.09"
    assert "converted: USD per GBP 1.2734 on 2025-03-10 (ECB)" in billed.body.lines[0].charges[0].steps


def test_expenses_that_cannot_be_billed_are_held_or_named() -> None:
    """No amount, no currency, no rate, an unpaid category, no decision: each has its reason and nothing is dropped."""
    desk = open_desk(expenses={"not_billable": ["meals"]})
    desk.bill("""
        kind     date        expense  amount  currency  category
        expense  2025-03-03  hotel    -       USD       billable
        expense  2025-03-03  hotel    10.00   -         billable
        expense  2025-03-03  hotel    10.00   CHF       billable
        expense  2025-03-03  meals    10.00   USD       billable
        expense  2025-03-03  hotel    10.00   USD       -
        expense  2025-03-03  hotel    10.00   USD       project
    """).expect_placements("""
        entry  bucket        reason
        e01    held          amount_missing
        e02    held          currency_missing
        e03    held          exchange_rate_missing
        e04    non_billable  expense_category
        e05    held          undecided
        e06    held          category_without_engagement
    """)


USD_RATES = """
    base  quote  on          rate
    USD   EUR    2025-03-10  0.9200
    USD   EUR    2025-03-24  0.9300
    USD   EUR    2025-03-31  0.9135
"""
WORK = """
    date        worked
    2025-03-10  4.00
    2025-03-24  6.00
"""


@pytest.mark.parametrize(
    ("exchange", "net"),
    [
        ({"fx_date": "invoice"}, "1370.25"),
        ({"fx_date": "work"}, "1389.00"),
        ({"fx_date": "contract_rate", "contract_rates": [{"base": "USD", "rate": "0.9250"}]}, "1387.50"),
    ],
)
def test_the_contract_names_the_day_whose_rate_converts(exchange: dict[str, object], net: str) -> None:
    """BD-55: a rate card in dollars, an invoice in euro; rate, date and source are in the explanation."""
    desk = open_desk(
        currency="EUR",
        rates=[{"rate": "150.00", "currency": "USD"}],
        exchange=exchange,
        exchange_rates=USD_RATES,
        invoice_date="2025-03-31",
    )
    billed = desk.bill(WORK)
    assert billed.net == net
    assert any(step.startswith("converted: EUR per USD 0.9") for step in billed.body.lines[0].charges[0].steps)


def test_converted_lines_govern_the_total() -> None:
    """BD-56: 30.45 + 30.45 + 30.46; the converted sum of 91.35 is not used."""
    billed = open_desk(
        people="ana one, bo two, cy three",
        currency="EUR",
        rates=[
            {"role": "one", "rate": "33.33", "currency": "USD"},
            {"role": "two", "rate": "33.33", "currency": "USD"},
            {"role": "three", "rate": "33.34", "currency": "USD"},
        ],
        exchange_rates=USD_RATES,
        invoice_date="2025-03-31",
    ).bill("date  person  worked\n2025-03-03  ana  1.00\n2025-03-03  bo  1.00\n2025-03-03  cy  1.00")
    billed.expect_lines("amount\n30.45\n30.45\n30.46")
    assert billed.net == "91.36"


@pytest.mark.parametrize(("fx_date", "net"), [("period_end", "1377.00"), ("invoice", "1370.25")])
def test_the_rate_of_the_period_end_is_that_of_its_last_day(fx_date: str, net: str) -> None:
    """BD-79: 0.9180 on 31 March or 0.9135 on the invoice date 3 April."""
    desk = open_desk(
        currency="EUR",
        rates=[{"rate": "150.00", "currency": "USD"}],
        exchange={"fx_date": fx_date},
        exchange_rates="""
            base  quote  on          rate
            USD   EUR    2025-03-31  0.9180
            USD   EUR    2025-04-03  0.9135
        """,
        invoice_date="2025-04-03",
    )
    assert desk.bill("date  worked\n2025-03-05  10.00").net == net


def test_a_missing_rate_holds_the_time() -> None:
    """No rate on the day, or two sources that differ: held, never converted by a neighbour's rate."""
    for rates in (
        "base  quote  on  rate\nUSD  EUR  2025-03-28  0.91",
        "base  quote  on  rate  source\nUSD  EUR  2025-04-01  0.91  ECB\nUSD  EUR  2025-04-01  0.92  bank",
    ):
        desk = open_desk(currency="EUR", rates=[{"rate": "150", "currency": "USD"}], exchange_rates=rates)
        desk.bill("date  worked\n2025-03-05  1.00").expect_placements("""
            entry  bucket  reason                 detail
            e01    held    exchange_rate_missing  EUR per USD (invoice)
        """)


def test_the_contract_may_name_a_source_and_allow_a_weekend() -> None:
    """With a named source the other does not count; `fallback_days` takes the newest rate before."""
    rates = "base  quote  on  rate  source\nUSD  EUR  2025-03-28  0.91  ECB\nUSD  EUR  2025-03-30  0.95  bank"
    desk = open_desk(
        currency="EUR",
        rates=[{"rate": "100", "currency": "USD"}],
        exchange={"rate_source": "ECB", "fallback_days": 5},
        exchange_rates=rates,
    )
    assert desk.bill("date  worked\n2025-03-05  1.00").net == "91.00"
