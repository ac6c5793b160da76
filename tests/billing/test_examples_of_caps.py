"""Worked examples of groups E, H, I, J, K and M, each as one story: caps, roll-ups, taxes, currencies, ledger."""

import pytest

from tests.billing.tables import check

WEEKS = """
    contract:
        from: 2025-03-03
        rates: [{{rate: 160.00}}]
        caps: [{{id: role-week, window: week, hours: 40, pool: role, roles: [senior], {overflow}}}]
    work:
        entry  start             worked  released
        mon    2025-03-03 09:00  9.00    -
        tue    2025-03-04 09:00  9.00    -
        wed    2025-03-05 09:00  9.00    -
        thu    2025-03-06 09:00  9.00    -
        fri    2025-03-07 09:00  7.00    {released}
        next   2025-03-10 09:00  {following}   -
"""


@pytest.mark.parametrize(
    ("overflow", "released", "following", "first", "second"),
    [
        ("overflow: write_down", "-", "35.00", "6400.00", "5600.00"),
        ("overflow: carry_forward", "-", "35.00", "6400.00", "6080.00"),
        ("overflow: carry_forward", "-", "39.00", "6400.00", "6400.00"),
        ("overflow: overage_rate, overage_rate: 120.00", "-", "35.00", "6760.00", "5600.00"),
        ("overflow: hold_for_approval", "-", "35.00", "6400.00", "5600.00"),
        ("overflow: hold_for_approval", "cap:role-week", "35.00", "6880.00", "5600.00"),
    ],
)
def test_a_full_week(overflow: str, released: str, following: str, first: str, second: str) -> None:
    """BD-24, BD-25: forty hours of forty-three are billed, and the contract says what happens to the rest."""
    check(
        WEEKS.format(overflow=overflow, released=released, following=following)
        + f"""
    invoices:
        period    net
        2025-W10  {first}
        2025-W11  {second}
        """
    )


def test_a_late_entry_moves_the_split_not_the_amount() -> None:
    """BD-26: two more hours on Wednesday write five hours of Friday down."""
    check(
        WEEKS.format(overflow="overflow: write_down", released="-", following="35.00")
        + """        late   2025-03-05 19:00  2.00    -
    placements 2025-W10:
        entry  bucket        reason         hours
        fri    written_down  cap:role-week  5.00
    invoices:
        period    billed  net
        2025-W10  40.00   6400.00
        """
    )


def test_nested_caps() -> None:
    """BD-27: week, then month, then money; the latest work loses first and keeps its hours."""
    check("""
    contract:
        rates: [{rate: 160.00}]
        caps:
          - {id: project-month, window: month, hours: 120, pool: all, overflow: write_down}
          - {id: role-week, window: week, hours: 40, pool: role, roles: [senior], overflow: write_down}
        amount_caps: [{id: nte, window: contract, amount: 18000.00, counts: fees}]
    work:
        start             worked
        2025-09-01 09:00  42.00
        2025-09-08 09:00  38.00
        2025-09-15 09:00  44.00
        2025-09-22 09:00  30.00
    ledger 2025-09:
        bucket        reason             hours
        billed        -                  120.00
        written_down  cap:project-month  28.00
        written_down  cap:role-week      6.00
    invoices:
        period   net
        2025-09  18000.00
    """)


def test_an_amount_cap_that_does_not_divide() -> None:
    """BD-28: quantity and price stay, the line has an adjustment."""
    check("""
    contract:
        rates: [{rate: 140.00}]
        amount_caps: [{id: nte, window: contract, amount: 333.33, counts: fees}]
    work:
        date        worked
        2025-03-03  3.00
    lines 2025-03:
        quantity  price   adjustment  amount
        3.00      140.00  -86.67      333.33
    """)


@pytest.mark.parametrize(
    ("at_month_end", "september", "october"),
    [("whole_week", "2880.00", "3520.00"), ("prorate_by_workday", "2560.00", "3840.00")],
)
def test_a_week_across_the_month_end(at_month_end: str, september: str, october: str) -> None:
    """BD-30, BD-31: the same forty hours, split as the contract says."""
    check(f"""
    contract:
        rates: [{{rate: 160.00}}]
        caps:
          - id: role-week
            window: week
            hours: 40
            pool: role
            overflow: write_down
            week_cap_at_month_end: {at_month_end}
    work:
        date        worked
        2025-09-29  9.00
        2025-09-30  9.00
        2025-10-01  9.00
        2025-10-02  9.00
        2025-10-03  8.00
    invoices:
        period   net
        2025-09  {september}
        2025-10  {october}
    """)


def test_the_iso_year_of_a_week() -> None:
    """BD-32: the last days of December 2024 share a cap with the first of January 2025."""
    check("""
    contract:
        rates: [{rate: 100.00}]
        caps: [{id: week, window: week, hours: 40, pool: all, overflow: write_down}]
    work:
        date        worked
        2024-12-31  8.00
        2025-01-01  10.00
        2025-01-02  12.00
        2025-01-03  12.00
    invoices:
        period   billed  written_down
        2024-12  8.00    0
        2025-01  32.00   2.00
    """)


@pytest.mark.parametrize(("pool", "billed", "net"), [("person", "60.00", "9600.00"), ("role", "40.00", "6400.00")])
def test_who_shares_a_cap(pool: str, billed: str, net: str) -> None:
    """BD-33: each of the two, or both together."""
    check(f"""
    contract:
        rates: [{{rate: 160.00}}]
        caps: [{{id: week, window: week, hours: 40, pool: {pool}, roles: [senior], overflow: write_down}}]
    work:
        date        person  worked
        2025-03-03  ana     30.00
        2025-03-04  bo      30.00
    invoices:
        period   billed    net
        2025-03  {billed}  {net}
    """)


def test_a_cap_without_a_pool_holds_its_contract() -> None:
    """BD-33: the sentence is ambiguous, so nothing is billed before somebody answers."""
    check("""
    contract:
        rates: [{rate: 160.00}]
        caps: [{id: week, window: week, hours: 40}]
    work:
        date        worked
        2025-03-03  30.00
    ledger 2025-03:
        bucket  reason               hours
        held    contract_incomplete  30.00
    """)


@pytest.mark.parametrize(("basis", "net", "over"), [("billable", "240.00", "1200 s"), ("worked", "300.00", "0")])
def test_a_cap_counts_rounded_or_worked_time(basis: str, net: str, over: str) -> None:
    """BD-34: 150 rounded minutes do not fit into two hours, 120 worked ones do."""
    check(f"""
    contract:
        rates: [{{rate: 120.00}}]
        increments: [{{minutes: 15}}]
        caps: [{{id: day, window: day, hours: 2, pool: all, basis: {basis}, overflow: write_down}}]
    work:
        start             worked
        2025-03-03 09:00  50m
        2025-03-03 10:00  50m
        2025-03-03 11:00  20m
    invoices:
        period   net    written_down
        2025-03  {net}  {over}
    """)


@pytest.mark.parametrize(
    ("rates", "lines"),
    [
        (
            "preserve",
            """
        text                  hours  price   amount
        Maintenance (junior)  3.60   90.00   324.00
        Maintenance (senior)  3.75   140.00  525.00
            """,
        ),
        ("average", "\n        text         hours  amount\n        Maintenance  7.35   849.00\n"),
        (
            "lump",
            """
        text         quantity  unit  price   amount
        Maintenance  1         lump  849.00  849.00
            """,
        ),
    ],
)
def test_a_roll_up_keeps_the_total(rates: str, lines: str) -> None:
    """BD-50: presentation may not change what is paid."""
    check(
        f"""
    contract:
        rates: [{{role: senior, rate: 140.00}}, {{role: junior, rate: 90.00}}]
        lines: {{rollups: [{{id: care, text: Maintenance, tags: [bugfix, upkeep], rates: {rates}}}]}}
    work:
        date        person  worked  tags
        2025-03-03  ana     2.50    bugfix
        2025-03-04  bo      1.25    upkeep
        2025-03-05  cy      3.60    bugfix
    invoices:
        period   net
        2025-03  849.00
    lines 2025-03:"""
        + lines
    )


@pytest.mark.parametrize(("rounding", "tax", "gross"), [("document", "19.01", "119.06"), ("line", "19.02", "119.07")])
def test_tax_on_the_sum_or_on_each_line(rounding: str, tax: str, gross: str) -> None:
    """BD-53: three lines of 33.35."""
    check(f"""
    contract:
        rates: [{{rate: 33.35}}]
        lines: {{group_by: [date]}}
        taxes: [{{category: S, percent: 19}}]
        tax_rounding: {rounding}
    work:
        date        worked
        2025-03-03  1.00
        2025-03-04  1.00
        2025-03-05  1.00
    invoices:
        period   net     tax    gross
        2025-03  100.05  {tax}  {gross}
    """)


@pytest.mark.parametrize(
    ("exchange", "net"),
    [
        ("fx_date: invoice", "1370.25"),
        ("fx_date: work", "1389.00"),
        ("fx_date: period_end", "1377.00"),
        ("fx_date: contract_rate, contract_rates: [{base: USD, rate: 0.9250}]", "1387.50"),
    ],
)
def test_the_day_of_the_exchange_rate(exchange: str, net: str) -> None:
    """BD-55, BD-79: the contract names the day; rate, date and source stand in the explanation."""
    check(f"""
    contract:
        invoice_date: 2025-04-03
        currency: EUR
        rates: [{{rate: 150.00, currency: USD}}]
        exchange: {{{exchange}}}
    rates:
        base  quote  on          rate
        USD   EUR    2025-03-10  0.9200
        USD   EUR    2025-03-24  0.9300
        USD   EUR    2025-03-31  0.9180
        USD   EUR    2025-04-03  0.9135
    work:
        date        worked
        2025-03-10  4.00
        2025-03-24  6.00
    invoices:
        period   net
        2025-03  {net}
    """)


@pytest.mark.parametrize(
    ("zone", "march", "april"), [("Europe/Berlin", "0", "1.00"), ("America/New_York", "1.00", "0")]
)
def test_the_zone_of_the_contract_decides_the_period(zone: str, march: str, april: str) -> None:
    """BD-59: one instant, two dates."""
    check(f"""
    contract:
        zone: {zone}
        rates: [{{rate: 100.00}}]
    work:
        start                 worked
        2025-03-31T22:30:00Z  1.00
    invoices:
        period   billed
        2025-03  {march}
        2025-04  {april}
    """)


@pytest.mark.parametrize(
    ("attribution", "march", "april"), [("start", "360.00", "0.00"), ("split", "120.00", "240.00")]
)
def test_an_entry_across_the_month_end(attribution: str, march: str, april: str) -> None:
    """BD-60: periods are half-open, midnight belongs to April."""
    check(f"""
    contract:
        zone: Europe/Berlin
        day_attribution: {attribution}
        rates: [{{rate: 120.00}}]
    work:
        start             worked
        2025-03-31 23:00  3.00
    invoices:
        period   net
        2025-03  {march}
        2025-04  {april}
    """)


@pytest.mark.parametrize(("worked", "net"), [("2.00", "300.00"), ("2.75", "412.50")])
def test_an_edit_before_the_close_is_only_a_new_fact(worked: str, net: str) -> None:
    """BD-63: the draft is computed again; there is no line that corrects another."""
    check(f"""
    contract:
        rates: [{{rate: 150.00}}]
    work:
        date        worked
        2025-03-03  {worked}
    lines 2025-03:
        hours     amount
        {worked}  {net}
    """)


def test_every_second_is_in_one_bucket() -> None:
    """BD-72: the buckets add up to the 191 hours worked."""
    check("""
    contract:
        from: 2025-03-01
        rates: [{rate: 100.00}]
        decide: {confidence_min: 0.80}
        fixed_cover: [{id: portal, projects: [portal]}]
        retainers: [{id: care, takes: decided, hours: 20, fee: 0}]
        caps:
          - {id: cap, window: day, hours: 20, pool: all, tasks: [cap], overflow: write_down}
          - {id: carry, window: day, hours: 20, pool: all, tasks: [carry], overflow: carry_forward}
    work:
        date        project  task   category      held   written_off  worked
        2025-03-03  -        -      billable      -      -            72.50
        2025-03-04  -        cap    billable      -      -            26.00
        2025-03-31  -        carry  billable      -      -            22.00
        2025-03-05  -        -      retainer      -      -            20.00
        2025-03-06  portal   -      project       -      -            31.25
        2025-03-07  -        -      non_billable  -      -            14.75
        2025-03-08  -        -      billable      doubt  -            3.25
        2025-03-09  -        -      billable      -      courtesy     1.25
    invoices:
        period   worked  billed  retainer  fixed_fee  non_billable  written_down  carried  held  written_off
        2025-03  191.00  112.50  20.00     31.25      14.75         6.00          2.00     3.25  1.25
    """)
