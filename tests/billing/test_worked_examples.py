"""Worked examples of groups A, B, C, E, H, I, J and M, each as one story; other groups have files of their own."""

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
