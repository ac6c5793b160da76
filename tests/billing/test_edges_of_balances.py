"""Edges of retainers and blocks: the first and the last day, the last second, what is left, and what people read."""

import pytest

from billing.balances import Account
from billing.retainer_charges import balance_steps
from billing.testing import open_desk
from tests.billing.tables import check


def test_a_balance_says_all_that_moved_in_order() -> None:
    """BD-37: each movement has its words; what did not move is not named."""
    [engagement] = open_desk(retainers=[{"id": "care", "hours": 10, "fee": 0}]).contract.engagements
    hour = 360_000
    account = Account(
        engagement,
        deficit_in=1 * hour,
        rolled_in=2 * hour,
        granted=3 * hour,
        used_rolled_in=4 * hour,
        used_granted=5 * hour,
        used_deficit=6 * hour,
        beyond=7 * hour,
        lapsed=8 * hour,
        credited=9 * hour,
        rolled_out=10 * hour,
        deficit_out=11 * hour,
    )
    assert balance_steps(account) == (
        "1.00 h deficit from before, made up for first",
        "2.00 h rolled in",
        "3.00 h granted",
        "4.00 h used of what was rolled in",
        "5.00 h used of what was granted",
        "6.00 h used in deficit",
        "7.00 h beyond the balance",
        "8.00 h lapsed",
        "9.00 h credited",
        "10.00 h left at the end",
        "11.00 h deficit at the end",
    )
    assert balance_steps(Account(engagement)) == ()


END = """
    contract:
        from: 2025-01-01
        retainers:
          - {{id: care, hours: 10, fee: 0, from: 2025-03-01, to: 2025-03-11, {end}}}
        prepaid_blocks:
          - {{id: early, hours: 9, purchased: 2025-03-01, expires: 2025-03-20, tags: [other]}}
    work:
        date        worked
        2025-03-03  {worked}
    lines 2025-03:
        date        text               quantity    unit  price   amount
        2025-03-01  care, 2025-03      1           unit  0.00    0.00
        2025-03-10  care: {what}       {quantity}  hour  {rate}  {amount}
        2025-03-31  care: {used} h used, 0.00 h left  {used}  hour  0   0.00
"""


@pytest.mark.parametrize(
    ("end", "worked", "what", "quantity", "rate", "amount", "step"),
    [
        (
            "surplus_at_end: credit, credit_rate: 90.00",
            "4.00",
            "unused hours credited",
            "-6.00",
            "90.00",
            "-540.00",
            "-6.00 h x 90.00",
        ),
        (
            "allow_deficit: true, overage_rate: 120.00",
            "12.50",
            "deficit at the end",
            "2.50",
            "120.00",
            "300.00",
            "2.50 h x 120.00",
        ),
    ],
)
def test_an_engagement_is_settled_on_its_last_day(
    end: str, worked: str, what: str, quantity: str, rate: str, amount: str, step: str
) -> None:
    """BD-42: hours at their rate, on the last day, whatever else still has hours; the explanation has one factor."""
    text = END.format(end=end, worked=worked, what=what, quantity=quantity, rate=rate, amount=amount, used=worked)
    [line] = [one for one in check(text).bill("2025-03").body.lines if what in one.text]
    assert step in line.charges[0].steps


def test_hours_of_a_block_are_credited_at_its_price_per_hour() -> None:
    """BD-42: 500.00 for seven hours are 71.4286 an hour to read; three hours that are left are 214.29, exactly."""
    done = check("""
    contract:
        from: 2025-01-01
        to: 2025-03-11
        prepaid_blocks: [{id: pack, hours: 7, price: 500.00, purchased: 2025-03-01, surplus_at_end: credit}]
    work:
        date        worked
        2025-03-03  4.00
    lines 2025-03:
        date        text                           quantity  unit  price    amount
        2025-03-10  pack: unused hours credited    -3.00     hour  71.4286  -214.29
        2025-03-31  pack: 4.00 h used, 0.00 h left  4.00     hour  0        0.00
    """)
    assert done.bill("2025-03").body.lines[0].charges[0].steps[0] == "-3.00 h x 500.00 / 7"


def test_what_lapses_at_the_end_is_all_that_is_left() -> None:
    """BD-42: hours that rolled in and hours of the last grant, and none of another retainer."""
    check("""
    contract:
        from: 2025-01-01
        retainers:
          - {id: care, hours: 10, fee: 0, to: 2025-03-01, tags: [care], rollover: all, rollover_forever: true}
          - {id: desk, hours: 5, fee: 0, rollover: all, rollover_periods: 3, tags: [desk]}
          - {id: more, hours: 3, fee: 0, to: 2025-03-01, tags: [more], rollover: all, rollover_forever: true,
             surplus_at_end: credit, credit_rate: 10.00}
    work:
        date        worked  tags
        2025-02-03  4.00    care
    balances:
        period   id    rolled_in  granted  used  lapsed  credited  rolled_out
        2025-02  care  10.00      10.00    4.00  16.00   0         0
        2025-02  desk  5.00       5.00     0     0       0         10.00
        2025-02  more  3.00       3.00     0     0       6.00      0
        2025-03  desk  10.00      5.00     0     0       0         15.00
    invoices:
        period   net
        2025-02  -60.00
        2025-03  0.00
    """)


def test_a_retainer_of_a_weekend_grants_nothing_and_owes_nothing() -> None:
    """BD-76: no workday, no hours; what is worked all the same is a deficit that is billed at the end."""
    story = """
    contract:
        from: 2025-01-01
        prorate: workdays
        retainers:
          - {{id: fair, hours: 10, fee: 0, from: 2025-03-01, to: 2025-03-03, allow_deficit: true, overage_rate: 100.00}}
          - {{id: desk, hours: 5, fee: 0, tags: [desk], rollover: all, rollover_forever: true}}
    work:
        date        worked
        {day}  1.00
    invoices:
        period   net
        2025-03  {net}
        2025-04  0.00
    placements 2025-03:
        entry  bucket  reason  detail
        e01    {placed}
    """
    check(story.format(day="2025-03-01", net="100.00", placed="retainer  retainer:fair  deficit 0 s -> 3600 s"))
    check(
        story.format(
            day="2025-03-03", net="0.00", placed="held  rate_missing  no rate for Ana (senior) on the day of the work"
        )
    )


LIMITED = "rollover: max_hours, rollover_hours: 5, rollover_periods: 2"


@pytest.mark.parametrize(
    ("first", "later", "lapsed"),
    [("2025-01-01", "rollover: all, rollover_forever: true", "0"), ("2025-01-31", LIMITED, "10.00")],
)
def test_the_terms_of_the_last_day_limit_what_crosses_into_the_next_month(first: str, later: str, lapsed: str) -> None:
    """BD-35: five hours cross the end of January, also when the retainer began on that day, or changes behind it."""
    check(f"""
    contract:
        from: {first}
        retainers:
          - {{id: care, hours: 10, fee: 0, from: {first}, to: 2025-02-01, {LIMITED}}}
          - {{id: care, hours: 10, fee: 0, from: 2025-02-01, {later}}}
    work:
        date        worked
    balances:
        period   rolled_in  granted  lapsed
        2025-01  0          10.00    5.00
        2025-02  5.00       10.00    {lapsed}
    """)


@pytest.mark.parametrize(
    ("row", "until"),
    [
        ("retainers: [{id: care, hours: 10, fee: 5, from: 2025-03-31}]", "from 2025-03-31 to 2025-03-31"),
        ("retainers: [{id: care, hours: 10, fee: 5, from: 2025-03-30}]", "from 2025-03-30 to 2025-03-31"),
        (
            "prepaid_blocks: [{id: b, hours: 10, price: 5, sale: on_invoice, purchased: 2025-03-31, "
            "expires: 2025-03-31}]",
            "from 2025-03-31 to 2025-03-31",
        ),
    ],
)
def test_hours_of_one_day_are_there_on_that_day(row: str, until: str) -> None:
    """The last day of use is a day of use, even if it is the first (BD-36)."""
    done = check(f"""
    contract:
        from: 2025-01-01
        {row}
    work:
        date        worked
        2025-03-31  2.00
    balances:
        period   granted  used  lapsed
        2025-03  10.00    2.00  8.00
    """)
    [fee] = [line for line in done.bill("2025-03").body.lines if line.amount == 5]
    assert fee.charges[0].steps[0] == f"grants 10.00 h, usable {until}"


@pytest.mark.parametrize(
    ("row", "close"),
    [
        ("retainers: [{id: care, hours: 10, fee: 500.00, from: 2025-04-01}]", "month"),
        ("prepaid_blocks: [{id: care, hours: 10, price: 500.00, purchased: 2025-04-01, sale: on_invoice}]", "month"),
        ("retainers: [{id: care, hours: 10, fee: 500.00, from: 2025-03-26}]", "week"),
        ("recurring_fees: [{id: f, amount: 500.00, every: quarter, billed_at: start, from: 2025-03-24}]", "week"),
    ],
)
def test_a_fee_of_the_next_invoice_takes_no_room_in_this_one(row: str, close: str) -> None:
    """BD-27: a limit of 1,000.00 of all fees counts what was charged so far, not what begins on a day after it."""
    period = "2025-03" if close == "month" else "2025-W12"
    check(f"""
    contract:
        from: 2025-03-01
        close: {{every: {close}}}
        rates: [{{rate: 100.00}}]
        amount_caps: [{{id: nte, window: contract, amount: 1000.00, counts: all_fees}}]
        {row}
    work:
        date        worked
        2025-03-18  8.00
    invoices:
        period    net
        {period}  800.00
    """)


def test_a_retainer_that_begins_when_the_contract_ends_grants_nothing() -> None:
    """The contract's last day is the day before its end: there is no hour and no fee."""
    check("""
    contract:
        from: 2025-01-01
        to: 2025-03-15
        retainers: [{id: care, hours: 10, fee: 100.00, from: 2025-03-15}]
    work:
        date        worked
    balances:
        period   id    granted
        2025-03  care  no account
    invoices:
        period   net
        2025-03  0.00
    """)


def test_the_last_second_of_a_balance_is_used() -> None:
    """BD-39: work that burns a hundredth of its time uses 36 seconds up in an hour, one second after 3,599."""
    check("""
    contract:
        from: 2025-03-01
        rates: [{rate: 3600.00}]
        retainers: [{id: care, hours: 0.01, fee: 0, weights: [{factor: 0.01, tags: [light]}]}]
    work:
        entry  start             worked   tags
        a      2025-03-03 09:00  0:59:59  light
        b      2025-03-04 09:00  0:00:02  light
    placements 2025-03:
        entry  bucket    reason         hours   detail
        a      retainer  retainer:care  3599 s  of 2025-03-01: 36 s -> 0.01 s
        b      retainer  retainer:care  1 s     of 2025-03-01: 0.01 s -> 0 s
    invoices:
        period   net
        2025-03  1.00
    """)


def test_what_a_balance_shows_is_exact() -> None:
    """BD-39: 99 seconds that burn a hundredth more leave 35,900.01 seconds."""
    check("""
    contract:
        from: 2025-03-01
        retainers: [{id: care, hours: 10, fee: 0, weights: [{factor: 1.01, tags: [dear]}]}]
    work:
        entry  start             worked   tags
        a      2025-03-03 09:00  0:01:39  dear
    placements 2025-03:
        entry  bucket    reason         detail
        a      retainer  retainer:care  of 2025-03-01: 36000 s -> 35900.01 s
    """)


def test_all_that_finds_no_hours_is_counted() -> None:
    """BD-39: two entries behind an empty balance are five hours beyond it, at the overage rate."""
    check("""
    contract:
        from: 2025-03-01
        retainers: [{id: care, hours: 1, fee: 0, overage_rate: 10.00}]
    work:
        date        worked
        2025-03-03  3.00
        2025-03-04  3.00
    balances:
        period   granted  used  beyond
        2025-03  1.00     1.00  5.00
    invoices:
        period   net
        2025-03  50.00
    """)


def test_the_use_of_all_months_earns_the_price_of_a_block_to_the_cent() -> None:
    """BD-37: 100.00 for three hours are earned as 33.33, 33.34 and 33.33."""
    check("""
    contract:
        from: 2025-01-01
        prepaid_blocks: [{id: pack, hours: 3, price: 100.00, purchased: 2025-01-01}]
    work:
        date        worked
        2025-01-10  1.00
        2025-02-10  1.00
        2025-03-10  1.00
    balances:
        period   used  earned
        2025-01  1.00  33.33
        2025-02  1.00  33.34
        2025-03  1.00  33.33
    """)


def test_a_premium_of_tasks_weighs_only_these() -> None:
    """BD-39: on the evening a review burns twice its time, other work does not; time up to 18:00 is one placement."""
    check("""
    contract:
        from: 2025-03-01
        blended: [{rate: 100.00, premiums_apply: false}]
        premiums: [{id: evening, factor: 1.5, outside: 09:00-18:00, tasks: [review]}]
        retainers: [{id: care, hours: 10, fee: 0, weights: [{factor: 2, premium: evening}]}]
    work:
        entry  start             task    worked
        a      2025-03-03 16:00  review  2.00
        b      2025-03-03 19:00  review  1.00
        c      2025-03-03 21:00  -       1.00
    placements 2025-03:
        entry  bucket    reason         hours  detail
        a      retainer  retainer:care  2.00   of 2025-03-01: 36000 s -> 28800 s
        b      retainer  retainer:care  1.00   of 2025-03-01: 28800 s -> 21600 s
        c      retainer  retainer:care  1.00   of 2025-03-01: 21600 s -> 18000 s
    """)


def test_work_beside_a_balance_stays_in_work_order() -> None:
    """What was billed before has had the first hour of a tier, whatever its week; a night of two rates is two parts."""
    check("""
    contract:
        from: 2025-01-01
        day_attribution: split
        rates: [{rate: 10.00, to: 2025-03-04}, {rate: 20.00, from: 2025-03-04}]
        retainers: [{id: care, every: week, hours: 5, fee: 0, tags: [care]}]
        tiers: [{id: plan, service_items: [Plan], bands: [{up_to: 1, rate: 200.00}, {rate: 100.00}]}]
    work:
        entry  start             item  worked  billed_on
        new    2025-03-03 09:00  Plan  1.00    -
        night  2025-03-03 23:00  Talk  2.00    -
        old    2025-03-12 09:00  Plan  1.00    INV-1
    invoices:
        period   net
        2025-03  130.00
    """)


def test_work_that_nothing_pays_for_says_why() -> None:
    """BD-16: the second hour finds neither balance nor rate; the word for a person names who has none."""
    check("""
    contract:
        from: 2025-03-01
        retainers: [{id: care, hours: 1, fee: 0, people: [ana]}]
        fixed_cover: [{id: audit, people: [bo]}]
    work:
        date        person  worked
        2025-03-03  ana     2.00
        2025-03-04  bo      1.00
    placements 2025-03:
        entry  bucket     reason           detail
        e01    retainer   retainer:care    of 2025-03-01: 3600 s -> 0 s
        e01    held       rate_missing     no rate for Ana (senior) on the day of the work
        e02    fixed_fee  fixed_fee:audit  -
    """)
