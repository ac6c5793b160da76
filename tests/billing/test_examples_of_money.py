"""Worked examples of group G and of expenses, taxes and converted lines, each as one story."""

import pytest

from tests.billing.tables import check

PORTAL = """
    contract:
        from: 2025-01-01
        fixed_cover: [{id: portal, projects: [portal]}]
        milestones:
          - id: portal
            name: Portal
            total: 48000.00
            project: portal
            parts:
              - {id: m1, percent: 30, due: acceptance}
              - {id: m2, percent: 40, due: acceptance}
              - {id: m3, percent: 30, due: acceptance}
        deposits: [{id: signing, plan: portal, percent: 10, on: 2025-01-15, deduct_from: milestone}]
    work:
        entry  date        kind       project  task  worked
        w      2025-02-10  time       portal   -     40.00
        a      2025-02-20  milestone  portal   m1    0.00
        b      2025-02-21  milestone  portal   m1    0.00
        c      2025-03-20  milestone  portal   m2    0.00
        d      2025-04-20  milestone  portal   m3    0.00
"""


def test_milestones_with_a_deposit() -> None:
    """BD-43: the deposit is deducted from the last milestone; a second completion changes nothing; time is covered."""
    check(
        PORTAL
        + """
    invoices:
        period   net       fixed_fee
        2025-01  4800.00   0
        2025-02  14400.00  40.00
        2025-03  19200.00  0
        2025-04  9600.00   0
        """
    )


def test_shares_that_do_not_divide() -> None:
    """BD-44: each milestone is its rounded share, the last one is the rest."""
    check("""
    contract:
        from: 2025-01-01
        milestones:
          - id: build
            total: 10000.00
            parts:
              - {id: one, share: 1, due: date, on: 2025-01-31}
              - {id: two, share: 1, due: date, on: 2025-02-28}
              - {id: three, share: 1, due: date, on: 2025-03-31}
    work:
        date        worked
    invoices:
        period   net
        2025-01  3333.33
        2025-02  3333.33
        2025-03  3333.34
    """)


@pytest.mark.parametrize(
    ("show", "lines"),
    [
        (
            "included",
            """
        kind     amount
        expense  453.61
        expense  108.90
        expense  55.80
            """,
        ),
        (
            "separate",
            """
        kind     amount
        expense  412.37
        expense  99.00
        expense  55.80
        markup   51.14
            """,
        ),
    ],
)
def test_mark_up_inside_or_beside_the_expenses(show: str, lines: str) -> None:
    """BD-45: 10 % on hotel and software, none on mileage; 618.31 either way."""
    check(
        f"""
    contract:
        expenses:
          show_markup: {show}
          markups: [{{category: hotel, percent: 10}}, {{category: software, percent: 10}}]
    work:
        date        kind     expense   amount  quantity  price
        2025-03-03  expense  hotel     412.37  -         -
        2025-03-04  expense  software  99.00   -         -
        2025-03-05  expense  mileage   -       186       0.30
    invoices:
        period   net
        2025-03  618.31
    lines 2025-03:"""
        + lines
    )


def test_a_foreign_expense_is_rounded_once() -> None:
    """BD-46: converted by its own day, marked up, then rounded; an earlier rounding would cost a cent."""
    check("""
    contract:
        expenses: {markups: [{percent: 10}]}
    rates:
        base  quote  on          rate
        GBP   USD    2025-03-03  1.2734
        GBP   USD    2025-04-01  9.9999
    work:
        date        kind     amount  currency
        2025-03-03  expense  86.45   GBP
    invoices:
        period   net
        2025-03  121.09
    """)


@pytest.mark.parametrize(
    ("calls", "net"), [("137500", "15.20"), ("100000", "0.00"), ("100001", "0.40"), ("99999", "0.00")]
)
def test_started_packages_of_units(calls: str, net: str) -> None:
    """BD-47: a hundred thousand are included, each started thousand beyond costs 0.40."""
    check(f"""
    contract:
        from: 2025-01-01
        usage_fees: [{{id: api, meter: calls, included_units: 100000, package_units: 1000, price: 0.40}}]
    work:
        date        kind   expense  quantity
        2025-03-03  usage  calls    {calls}
    invoices:
        period   net
        2025-03  {net}
    """)


@pytest.mark.parametrize(
    ("discount", "shares", "net"),
    [
        ("percent: 10", ("-33.31", "-21.05", "-15.64"), "710.00"),
        ("amount: 100.00", ("-47.59", "-30.06", "-22.35"), "680.00"),
    ],
)
def test_a_discount_is_spread_over_what_it_covers(discount: str, shares: tuple[str, str, str], net: str) -> None:
    """BD-48: fees of 333.10, 210.45 and 156.45 share it by largest remainder; the expense is untouched."""
    check(f"""
    contract:
        rates: [{{person: ana, rate: 333.10}}, {{person: bo, rate: 210.45}}, {{person: cy, rate: 156.45}}]
        discounts: [{{id: loyal, counts: fees, {discount}}}]
    work:
        date        person  worked  kind     amount
        2025-03-03  ana     1.00    time     -
        2025-03-03  bo      1.00    time     -
        2025-03-03  cy      1.00    time     -
        2025-03-03  ana     0.00    expense  80.00
    lines 2025-03:
        kind     price   adjustment
        fee      333.10  {shares[0]}
        fee      210.45  {shares[1]}
        fee      156.45  {shares[2]}
        expense  80.00   0.00
    invoices:
        period   net
        2025-03  {net}
    """)


@pytest.mark.parametrize(("rate", "net"), [("136.50", "4080.00"), ("164.80", "4200.00")])
def test_a_minimum_of_fees(rate: str, net: str) -> None:
    """BD-49: 3,412.50 are lifted to 4,000.00, 4,120.00 are not; the expense of 80.00 does not count."""
    check(f"""
    contract:
        from: 2025-01-01
        rates: [{{rate: {rate}}}]
        minimum: [{{amount: 4000.00, every: month, counts: fees, shortfall: bill}}]
    work:
        date        worked  kind     amount
        2025-03-03  25.00   time     -
        2025-03-03  0.00    expense  80.00
    invoices:
        period   net
        2025-03  {net}
    """)


def test_several_taxes() -> None:
    """BD-54: one row per category and rate; the reverse charge has a reason."""
    done = check("""
    contract:
        rates: [{rate: 100.00}]
        taxes:
          - {category: AE, percent: 0, reason: Reverse charge, service_items: [Export]}
          - {category: R, percent: 5, expense_categories: [books]}
          - {category: S, percent: 20}
    work:
        date        item    worked  kind     expense  amount
        2025-03-03  Advice  12.00   time     -        -
        2025-03-03  Export  8.00    time     -        -
        2025-03-03  -       0.00    expense  books    150.00
    invoices:
        period   net      tax     gross
        2025-03  2150.00  247.50  2397.50
    """)
    rows = [(row.category, f"{row.tax:f}") for row in done.bill("2025-03").body.taxes]
    assert rows == [("AE", "0.00"), ("R", "7.50"), ("S", "240.00")]


def test_converted_lines_govern_the_total() -> None:
    """BD-56: 30.45, 30.45 and 30.46 are 91.36, although the sum of the dollars would be 91.35."""
    check("""
    contract:
        currency: EUR
        lines: {group_by: [person]}
        rates:
          - {person: ana, rate: 33.33, currency: USD}
          - {person: bo, rate: 33.33, currency: USD}
          - {person: cy, rate: 33.34, currency: USD}
    rates:
        base  quote  on          rate
        USD   EUR    2025-04-01  0.9135
    work:
        date        person  worked
        2025-03-03  ana     1.00
        2025-03-03  bo      1.00
        2025-03-03  cy      1.00
    lines 2025-03:
        person_id  amount
        ana        30.45
        bo         30.45
        cy         30.46
    invoices:
        period   net
        2025-03  91.36
    """)
