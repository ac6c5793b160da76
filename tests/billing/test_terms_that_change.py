"""Terms that change between two pieces of work on one line, or between two invoices under one limit."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from billing.currency import Rate
from tests.billing.tables import check, read_story


def test_a_percentage_that_changes_in_the_month_takes_from_each_entry_its_own() -> None:
    """The percentage is that of the work date (BD-48): the shares of one line follow it, not the seconds alone."""
    check("""
    contract:
        from: 2025-03-01
        rates: [{rate: 100.00}]
        discounts:
          - {id: d, percent: 10, counts: fees, to: 2025-03-16}
          - {id: d, percent: 50, counts: fees, from: 2025-03-16}
    work:
        date        worked
        2025-03-10  2.00
        2025-03-20  2.00
    lines 2025-03:
        hours  discount  amount  shares
        4.00   -120.00   280.00  180.00 100.00
    """)


def test_a_discount_on_a_line_of_its_own_leaves_less_for_the_next_one() -> None:
    """Each discount takes of what the one before left: here 50.00 of 100.00 and 50.00, not of the hours alike."""
    check("""
    contract:
        from: 2025-03-01
        rates: [{rate: 100.00}]
        discounts:
          - {id: apart, percent: 50, counts: fees, show: separate, from: 2025-03-16}
          - {id: d, amount: 60, counts: fees}
    work:
        date        worked
        2025-03-10  1.00
        2025-03-20  1.00
    lines 2025-03:
        kind      hours  discount  amount  shares
        fee       2.00   -60.00    140.00  60.00 80.00
        discount  0.00   0         -50.00  -
    """)


LIMITED = """
    contract:
        from: 2025-02-01
        currency: EUR
        invoice_date: 2025-04-03
        rates: [{{rate: 100.00, currency: USD}}]
        exchange: {{fx_date: {fx_date}, contract_rates: [{{base: USD, rate: 0.50}}]}}
        amount_caps: [{{id: nte, window: contract, amount: 1000.00, counts: fees, includes_tax: false}}]
    rates:
        base  quote  on          rate
        USD   EUR    2025-02-10  0.80
        USD   EUR    2025-02-28  0.80
        USD   EUR    2025-03-10  0.50
        USD   EUR    2025-03-31  0.50
        USD   EUR    2025-04-03  0.50
    work:
        date        worked
        2025-02-10  8.00
        2025-03-10  9.00
    invoices:
        period   net
        2025-03  {net}
"""


@pytest.mark.parametrize(
    ("fx_date", "net"),
    [("period_end", "360.00"), ("invoice", "360.00"), ("work", "360.00"), ("contract_rate", "450.00")],
)
def test_a_limit_counts_an_earlier_invoice_at_the_rate_of_that_invoice(fx_date: str, net: str) -> None:
    """BD-55, BD-27: February took 640.00 of 1,000.00 and a later rate never changes it, so March has 360.00."""
    check(LIMITED.format(fx_date=fx_date, net=net))


def test_a_limit_counts_an_approved_invoice_at_the_rate_of_its_own_date() -> None:
    """The caller names the dates of approved documents; what is not approved counts from the end of its period."""
    story = read_story(LIMITED.format(fx_date="invoice", net=""))
    rates = (*story.desk.rates, Rate("USD", "EUR", date(2025, 3, 4), Decimal("0.90"), "test"))
    desk = replace(story.desk, rates=rates, written={date(2025, 2, 1): date(2025, 3, 4)})
    assert desk.bill(story.sections["work"], "2025-03").net == "280.00"


@pytest.mark.parametrize("rows", [("2025-03-03", "2025-03-20"), ("2025-03-20", "2025-03-03")])
@pytest.mark.parametrize(("bound", "held"), [("from", "2025-03-03"), ("to", "2025-03-20")])
def test_a_contract_begins_and_ends_in_the_month(bound: str, held: str, rows: tuple[str, str]) -> None:
    """Work outside of the contract is held, whichever entry is looked at first."""
    first, second = rows
    story = check(f"""
    contract:
        {bound}: 2025-03-10
        rates: [{{rate: 100.00}}]
    work:
        entry      date        worked
        {first}  {first}  1.00
        {second}  {second}  1.00
    placements 2025-03:
        entry     bucket  reason            hours
        {held}  held    contract_missing  1.00
    """)
    assert story.bill("2025-03").net == "100.00"
