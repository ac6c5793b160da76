"""Worked examples of groups A, B and C, each as one story: increments, money, rates."""

import pytest

from tests.billing.tables import check

MINUTES = """
    work:
        start             worked
        2025-03-03 09:00  3m
        2025-03-03 10:00  14m
        2025-03-03 11:00  31m
        2025-03-03 12:00  66m
"""


@pytest.mark.parametrize(
    ("rule", "hours", "deltas", "total", "net"),
    [
        ("minutes: 6", "2.10", "3 4 5 0", "12m", "420.00"),
        ("minutes: 6, mode: nearest", "1.90", "3 -2 -1 0", "0m", "380.00"),
        ("minutes: 6, mode: down", "1.80", "-3 -2 -1 0", "-6m", "360.00"),
        ("minutes: 15", "2.50", "12 1 14 9", "36m", "500.00"),
        ("minutes: 15, scope: day", "2.00", "0 0 0 6", "6m", "400.00"),
        ("minutes: 6, scope: day", "1.90", "0 0 0 0", "0m", "380.00"),
    ],
)
def test_an_increment_and_its_scope(rule: str, hours: str, deltas: str, total: str, net: str) -> None:
    """BD-01, BD-02, BD-03, BD-75: the delta stands beside the hours; the ledger counts what was worked."""
    check(
        f"""
    contract:
        rates: [{{rate: 200.00}}]
        increments: [{{{rule}}}]
        """
        + MINUTES
        + f"""
    lines 2025-03:
        hours    price   amount   delta
        {hours}  200.00  {net}    {deltas}
    invoices:
        period   worked  billed  delta    net
        2025-03  1.90    1.90    {total}  {net}
        """
    )


def test_the_group_of_a_day() -> None:
    """BD-04: three groups of half an hour; the delta lies on the last entry of each."""
    check("""
    contract:
        rates: [{rate: 60.00}]
        increments: [{minutes: 30, scope: day}]
        lines: {group_by: [project, date]}
    work:
        start             project  worked
        2025-03-03 09:00  alpha    7m
        2025-03-03 10:00  beta     7m
        2025-03-03 11:00  alpha    7m
        2025-03-04 09:00  beta     7m
    lines 2025-03:
        project_id  date        hours  delta
        alpha       2025-03-03  0.50   0 16
        beta        2025-03-03  0.50   23
        beta        2025-03-04  0.50   23
    """)


@pytest.mark.parametrize(
    ("rule", "worked", "billed"),
    [
        ("minutes: 6, minimum_minutes: 15", "4m", "0.25"),
        ("minutes: 6, minimum_minutes: 15", "13m", "0.30"),
        ("minutes: 6, minimum_minutes: 15", "15m", "0.30"),
        ("minutes: 15, tolerance_minutes: 5", "64m", "1.00"),
        ("minutes: 15, tolerance_minutes: 5", "66m", "1.25"),
        ("minutes: 15, tolerance_minutes: 5", "4m", "0.25"),
        ("minutes: 15, tolerance_minutes: 5", "19m", "0.25"),
        ("minutes: 6", "0:06:01", "0.20"),
        ("minutes: 6, ignore_seconds: true", "0:06:01", "0.10"),
    ],
)
def test_minimum_tolerance_and_seconds(rule: str, worked: str, billed: str) -> None:
    """BD-05, BD-06, BD-07: the minimum comes after the rounding, work never disappears, a second costs an increment."""
    check(f"""
    contract:
        rates: [{{rate: 100.00}}]
        increments: [{{{rule}}}]
    work:
        date        worked
        2025-03-03  {worked}
    lines 2025-03:
        hours
        {billed}
    """)


@pytest.mark.parametrize(
    ("rounding", "quantity", "amount"),
    [
        ("amount_basis: exact", "0.8333", "83.33"),
        ("amount_basis: displayed, quantity_decimals: 2", "0.83", "83.00"),
        ("amount_basis: displayed, quantity_decimals: 4", "0.8333", "83.33"),
    ],
)
def test_exact_or_displayed(rounding: str, quantity: str, amount: str) -> None:
    """BD-08: what the basis says is what is charged."""
    check(f"""
    contract:
        rates: [{{rate: 100.00}}]
        rounding: {{{rounding}}}
    work:
        date        worked
        2025-03-03  50m
    lines 2025-03:
        quantity    price   amount
        {quantity}  100.00  {amount}
    """)


def test_money_is_rounded_once_per_line() -> None:
    """BD-09: the line is 50.00; its entries share it by largest remainder."""
    check("""
    contract:
        rates: [{rate: 100.00}]
    work:
        start             worked
        2025-03-03 09:00  10m
        2025-03-03 10:00  10m
        2025-03-03 11:00  10m
    lines 2025-03:
        hours  amount  shares
        0.50   50.00   16.67 16.67 16.66
    """)


@pytest.mark.parametrize(
    ("currency", "rate", "worked", "mode", "net"),
    [
        ("USD", "32.50", "15m", "half_up", "8.13"),
        ("USD", "32.50", "15m", "half_even", "8.12"),
        ("JPY", "12345", "50m", "half_up", "10288"),
        ("KWD", "31.250", "50m", "half_up", "26.042"),
        ("USD", "31.25", "50m", "half_up", "26.04"),
    ],
)
def test_ties_and_currencies(currency: str, rate: str, worked: str, mode: str, net: str) -> None:
    """BD-10, BD-11: half up or half even, at the places of the currency."""
    check(f"""
    contract:
        currency: {currency}
        rates: [{{rate: {rate}}}]
        rounding: {{money_rounding: {mode}}}
    work:
        date        worked
        2025-03-03  {worked}
    invoices:
        period   net
        2025-03  {net}
    """)


def test_a_rate_changes_by_the_work_date() -> None:
    """BD-13: two lines, never one at an average."""
    check("""
    contract:
        rates: [{rate: 150.00, from: 2025-01-01, to: 2025-03-16}, {rate: 165.00, from: 2025-03-16}]
    work:
        date        worked
        2025-03-12  4.00
        2025-03-15  2.50
        2025-03-16  3.00
        2025-03-20  5.50
    lines 2025-03:
        hours  price   amount
        8.50   165.00  1402.50
        6.50   150.00  975.00
    invoices:
        period   net
        2025-03  2377.50
    """)


@pytest.mark.parametrize(("attribution", "net"), [("start", "450.00"), ("split", "472.50")])
def test_an_entry_over_midnight_of_the_change(attribution: str, net: str) -> None:
    """BD-14: three hours belong to their start, or are split."""
    check(f"""
    contract:
        zone: Europe/Berlin
        day_attribution: {attribution}
        rates: [{{rate: 150.00, to: 2025-03-16}}, {{rate: 165.00, from: 2025-03-16}}]
    work:
        start             worked
        2025-03-15 22:30  3.00
    invoices:
        period   net
        2025-03  {net}
    """)


def test_a_promotion() -> None:
    """BD-15: the role is dated like the rate."""
    check("""
    contract:
        rates: [{role: junior, rate: 95.00}, {role: senior, rate: 140.00}]
    directory:
        people:
          - {id: ira, name: Ira, roles: [{role: junior, to: 2025-07-01}, {role: senior, from: 2025-07-01}]}
    work:
        date        person  worked
        2025-06-30  ira     6.00
        2025-07-01  ira     6.00
    invoices:
        period   net
        2025-06  570.00
        2025-07  840.00
    """)


def test_no_rate_and_a_rate_of_nothing() -> None:
    """BD-16: a missing rate holds, an explicit zero gives a line without charge."""
    check("""
    contract:
        rates: [{role: helper, rate: 0.00}]
    people:
        kim
        lee helper
    work:
        entry  date        person  worked
        a      2025-03-03  kim     3.25
        b      2025-03-03  lee     1.00
    placements 2025-03:
        entry  bucket  reason        hours
        a      held    rate_missing  3.25
    lines 2025-03:
        hours  price  amount
        1.00   0.00   0.00
    """)


def test_a_blended_rate() -> None:
    """BD-17: fifty hours at one price; the variance is said and not billed."""
    check("""
    contract:
        blended: [{rate: 125.00}]
        rates: [{role: senior, rate: 180.00}, {role: mid, rate: 130.00}, {role: junior, rate: 90.00}]
        lines: {group_by: []}
    people:
        ana senior
        mo mid
        cy junior
    work:
        date        person  worked
        2025-03-03  ana     10.00
        2025-03-04  mo      25.00
        2025-03-05  cy      15.00
    lines 2025-03:
        hours  price   amount
        50.00  125.00  6250.00
    findings 2025-03:
        code
        blended_variance
    """)


@pytest.mark.parametrize(
    ("tags", "stacking", "net"),
    [("-", "highest", "450.00"), ("emergency", "highest", "720.00"), ("emergency", "compound", "900.00")],
)
def test_premiums(tags: str, stacking: str, net: str) -> None:
    """BD-18, BD-78: an entry is cut where the evening begins; two premiums do not multiply unless agreed."""
    check(f"""
    contract:
        rates: [{{rate: 120.00}}]
        premium_stacking: {stacking}
        premiums:
          - {{id: after-hours, factor: 1.5, outside: 09:00-18:00}}
          - {{id: emergency, factor: 2.0, tags: [emergency]}}
    work:
        start             worked  tags
        2025-03-03 16:30  3.00    {tags}
    invoices:
        period   net
        2025-03  {net}
    """)
