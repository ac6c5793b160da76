"""Retainers and prepaid blocks: group F of the worked examples, BD-76, BD-77, and what the rules leave open."""

import pytest
from pydantic import ValidationError

from billing.testing import contract_of
from tests.billing.tables import check

ROLLOVER = """
    contract:
        from: 2025-01-01
        retainers:
          - id: care
            hours: 20
            fee: 2400.00
            rollover: max_hours
            rollover_hours: 5
            rollover_periods: 1
            overage_rate: 140.00
    work:
        date        worked
        2025-01-10  14.00
        2025-02-10  27.00
        2025-03-10  12.00
        2025-04-10  20.00
"""


def test_unused_hours_roll_once_and_at_most_five_of_them() -> None:
    """BD-35: rolled hours are used first and never roll twice; the hours beyond have the overage rate."""
    check(
        ROLLOVER
        + """
    balances:
        period   rolled_in  granted  used   used_rolled_in  used_granted  beyond  rolled_out  lapsed
        2025-01  0          20.00    14.00  0               14.00         0       5.00        1.00
        2025-02  5.00       20.00    25.00  5.00            20.00         2.00    0           0
        2025-03  0          20.00    12.00  0               12.00         0       5.00        3.00
        2025-04  5.00       20.00    20.00  5.00            15.00         0       5.00        0
    invoices:
        period   worked  retainer  billed  net
        2025-01  14.00   14.00     0       2400.00
        2025-02  27.00   25.00     2.00    2680.00
        2025-03  12.00   12.00     0       2400.00
        2025-04  20.00   20.00     0       2400.00
    lines 2025-02:
        kind          text                                          quantity  unit  price    amount
        fee           Services, Ana (senior) (above retainer care)  2.00      hour  140.00   280.00
        retainer_fee  care, 2025-02                                 1         unit  2400.00  2400.00
        retainer_fee  care: 25.00 h used, 0.00 h left               25.00     hour  0        0.00
    findings 2025-03:
        code          text
        hours_lapsed  3.00 h of retainer:care lapse unused.
        """
    )


BLOCKS = """
    contract:
        from: 2025-01-01
        retainer_order: {order}
        rates: [{{rate: 150.00}}]
        prepaid_blocks:
          - {{id: A, hours: 10, purchased: 2025-01-15, expires: 2025-03-31}}
          - {{id: B, hours: 20, purchased: 2025-02-01, expires: 2025-06-30}}
    work:
        date        worked
        2025-02-10  8.00
        2025-03-10  1.00
        2025-04-10  12.00
        2025-05-10  10.00
"""


def test_the_block_that_expires_first_is_used_first() -> None:
    """BD-36: an hour of A lapses after its last day of use; two hours of May find no block."""
    check(
        BLOCKS.format(order="first_expiring")
        + """
    balances:
        period   id  rolled_in  granted  used   lapsed  rolled_out
        2025-01  A   0          10.00    0      0       10.00
        2025-02  A   10.00      0        8.00   0       2.00
        2025-03  A   2.00       0        1.00   1.00    0
        2025-04  B   20.00      0        12.00  0       8.00
        2025-05  B   8.00       0        8.00   0       0
    invoices:
        period   retainer  net
        2025-02  8.00      0.00
        2025-03  1.00      0.00
        2025-04  12.00     0.00
        2025-05  8.00      300.00
        """
    )


def test_the_newest_block_is_used_first_where_the_contract_says_so() -> None:
    """BD-77: all of A lapses, and eleven hours have to be paid instead of two."""
    check(
        BLOCKS.format(order="newest_first")
        + """
    balances:
        period   id  rolled_in  used   lapsed  rolled_out
        2025-02  B   0          8.00   0       12.00
        2025-03  B   12.00      1.00   0       11.00
        2025-03  A   10.00      0      10.00   0
        2025-04  B   11.00      11.00  0       0
    invoices:
        period   retainer  billed  net
        2025-04  11.00     1.00    150.00
        2025-05  0         10.00   1500.00
        """
    )


def test_the_use_of_a_block_earns_its_price_hour_by_hour() -> None:
    """BD-37: the draw-down lines cost nothing, because the block was invoiced when it was sold."""
    check("""
    contract:
        from: 2025-01-01
        rates: [{rate: 150.00}]
        prepaid_blocks:
          - {id: pack, name: Forty hours, hours: 40, price: 5400.00, purchased: 2025-01-01, expires: 2025-06-30}
    work:
        date        worked
        2025-01-10  11.50
        2025-02-10  9.25
        2025-03-10  14.00
        2025-04-10  8.00
    balances:
        period   rolled_in  granted  used   rolled_out  earned
        2025-01  0          40.00    11.50  28.50       1552.50
        2025-02  28.50      0        9.25   19.25       1248.75
        2025-03  19.25      0        14.00  5.25        1890.00
        2025-04  5.25       0        5.25   0           708.75
    lines 2025-03:
        kind          text                                    quantity  price  amount
        retainer_fee  Forty hours: 14.00 h used, 5.25 h left  14.00     0      0.00
    invoices:
        period   net
        2025-01  0.00
        2025-03  0.00
        2025-04  412.50
    """)


def test_a_block_sold_on_the_invoice_is_billed_once() -> None:
    """BD-37: the price stands on the invoice of the purchase date, and on no other."""
    check("""
    contract:
        from: 2025-01-01
        prepaid_blocks:
          - {id: pack, hours: 40, price: 5400.00, purchased: 2025-01-10, sale: on_invoice}
    work:
        date        worked
        2025-01-09  1.00
        2025-01-10  1.00
    invoices:
        period   net      retainer  held
        2025-01  5400.00  1.00      1.00
        2025-02  0.00     0         0
    placements 2025-01:
        entry  bucket    reason        hours
        e01    held      rate_missing  1.00
        e02    retainer  block:pack    1.00
    """)


TIERED = """
    contract:
        from: 2025-01-01
        retainers: [{{id: base, hours: 10, fee: 1000.00}}]
        tiers:
          - id: beyond
            bands: [{{up_to: 10, rate: 120.00}}, {{rate: 150.00}}]
    work:
        date        worked
        2025-03-10  {worked}
    invoices:
        period   net
        2025-03  {net}
"""


@pytest.mark.parametrize(("worked", "net"), [("27.50", "3325.00"), ("6.00", "1000.00"), ("0.00", "1000.00")])
def test_hours_beyond_a_retainer_go_through_the_tiers(worked: str, net: str) -> None:
    """BD-38: the first ten hours are paid by the fee, the next ten and those beyond by their band."""
    check(TIERED.format(worked=worked, net=net))


def test_emergency_work_burns_twice_its_time() -> None:
    """BD-39: the entry that crosses the balance is cut in real time; the hour beyond costs two burned hours."""
    check("""
    contract:
        from: 2025-01-01
        retainers:
          - {id: care, hours: 20, fee: 0, overage_rate: 140.00, weights: [{factor: 2.0, tags: [emergency]}]}
    work:
        entry  start             worked  tags
        plain  2025-03-03 09:00  12.00   -
        alarm  2025-03-04 09:00  5.00    emergency
    placements 2025-03:
        entry  bucket    reason         hours
        alarm  retainer  retainer:care  4.00
        plain  retainer  retainer:care  12.00
    balances:
        period   granted  used   beyond  rolled_out
        2025-03  20.00    20.00  2.00    0
    lines 2025-03:
        kind          text                                              hours  price   amount
        fee           Services, Ana (senior) (above retainer care x 2)  1.00   280.00  280.00
        retainer_fee  care, 2025-03                                     0.00   0.00    0.00
        retainer_fee  care: 20.00 h used, 0.00 h left                   0.00   0       0.00
    """)


def test_a_weight_of_a_premium_cuts_the_entry_at_its_hours() -> None:
    """BD-39, BD-18: of three hours the last one falls into the evening and burns one and a half hours."""
    check("""
    contract:
        from: 2025-01-01
        rates: [{rate: 100.00}]
        premiums: [{id: evening, factor: 1.5, outside: 09:00-18:00}]
        retainers:
          - {id: care, hours: 20, fee: 0, weights: [{factor: 1.5, premium: evening}]}
    work:
        start             worked
        2025-03-03 16:00  3.00
    balances:
        period   used  rolled_out  lapsed
        2025-03  3.50  0           16.50
    """)


def test_a_weight_of_the_evening_needs_a_time_and_its_own_work() -> None:
    """An entry with only a date cannot be cut, so it is held; a premium of another item weighs nothing."""
    check("""
    contract:
        from: 2025-01-01
        blended: [{rate: 100.00, premiums_apply: false}]
        premiums: [{id: evening, factor: 1.5, outside: 09:00-18:00, service_items: [Ops]}]
        retainers:
          - {id: care, hours: 20, fee: 0, weights: [{factor: 2, premium: evening}, {factor: 1.5, tasks: [alarm]}]}
    work:
        entry  start             date        item  task   worked
        a      2025-03-03 18:00  -           Ops   -      1.00
        b      2025-03-03 19:00  -           Dev   -      1.00
        c      2025-03-03 20:00  -           Ops   alarm  1.00
        d      -                 2025-03-04  Ops   -      1.00
    placements 2025-03:
        entry  bucket    reason                detail
        a      retainer  retainer:care         of 2025-03-01: 72000 s -> 64800 s
        b      retainer  retainer:care         of 2025-03-01: 64800 s -> 61200 s
        c      retainer  retainer:care         of 2025-03-01: 61200 s -> 54000 s
        d      held      premium_time_missing  a premium asks for the time of day
    """)


@pytest.mark.parametrize(
    ("prorate", "holidays", "fee", "hours"),
    [
        ("none", "[]", "2400.00", "20.00"),
        ("calendar_days", "[]", "1600.00", "48000 s"),
        ("workdays", "[]", "1527.27", "45818 s"),
        ("workdays", "[2025-04-18, 2025-04-21]", "1440.00", "12.00"),
    ],
)
def test_a_retainer_that_starts_in_mid_period_is_prorated(prorate: str, holidays: str, fee: str, hours: str) -> None:
    """BD-41, BD-76: fee and hours have the share of the days, hours in whole seconds."""
    check(f"""
    contract:
        from: 2025-04-11
        prorate: {prorate}
        holidays: {holidays}
        retainers: [{{id: care, hours: 20, fee: 2400.00}}]
    work:
        date        worked
        2025-04-14  1.00
    invoices:
        period   net
        2025-04  {fee}
        2025-05  2400.00
    balances:
        period   granted
        2025-04  {hours}
        2025-05  20.00
    """)


CARRIED = """
    contract:
        from: 2025-01-01
        to: 2025-04-01
        retainers:
          - id: care
            hours: 25
            fee: 3000.00
            rollover: all
            rollover_forever: true
            allow_deficit: true
            overage_rate: 120.00
            {end}
    work:
        date        worked
        2025-01-10  21.00
        2025-02-10  33.00
        2025-03-10  {march}
"""


def test_surplus_and_deficit_are_both_carried() -> None:
    """BD-42: four hours more in February than there were, made up for by March; the surplus lapses at the end."""
    check(
        CARRIED.format(march="20.00", end="")
        + """
    balances:
        period   rolled_in  deficit_in  granted  used   rolled_out  deficit_out  lapsed
        2025-01  0          0           25.00    21.00  4.00        0            0
        2025-02  4.00       0           25.00    33.00  0           4.00         0
        2025-03  0          4.00        25.00    20.00  0           0            1.00
    invoices:
        period   net      retainer
        2025-01  3000.00  21.00
        2025-02  3000.00  33.00
        2025-03  3000.00  20.00
    findings 2025-02:
        code        text
        hours_owed  retainer:care is overdrawn by 4.00 h.
        """
    )


def test_a_deficit_is_billed_when_the_contract_ends() -> None:
    """BD-42: three hours are owed on the last day and cost the overage rate; their seconds stay with the retainer."""
    check(
        CARRIED.format(march="24.00", end="")
        + """
    lines 2025-03:
        text                              quantity  price    amount
        care, 2025-03                     1         3000.00  3000.00
        care: deficit at the end          3.00      120.00   360.00
        care: 24.00 h used, 0.00 h left   24.00     0        0.00
        """
    )


def test_a_surplus_is_credited_when_the_contract_says_so() -> None:
    """BD-42: an hour that is left on the last day is worth what was agreed."""
    check(
        CARRIED.format(march="20.00", end="{surplus_at_end: credit, credit_rate: 90.00}").replace(
            "            {surplus_at_end: credit, credit_rate: 90.00}",
            "            surplus_at_end: credit\n            credit_rate: 90.00",
        )
        + """
    balances:
        period   credited  lapsed  rolled_out
        2025-03  1.00      0       0
    invoices:
        period   net
        2025-03  2910.00
        """
    )


def test_rolled_hours_live_for_their_periods_and_no_longer() -> None:
    """Rollover with expiry over several periods: hours of January can be used in February and March, then lapse."""
    check("""
    contract:
        from: 2025-01-01
        rates: [{rate: 100.00}]
        retainers:
          - {id: care, hours: 10, fee: 0, rollover: all, rollover_periods: 2}
    work:
        date        worked
        2025-01-10  2.00
        2025-02-10  11.00
        2025-03-10  4.00
        2025-04-10  30.00
    balances:
        period   rolled_in  granted  used   used_rolled_in  lapsed  rolled_out
        2025-01  0          10.00    2.00   0               0       8.00
        2025-02  8.00       10.00    11.00  8.00            0       7.00
        2025-03  7.00       10.00    4.00   4.00            0       13.00
        2025-04  13.00      10.00    23.00  13.00           0       0
    """)
    check("""
    contract:
        from: 2025-01-01
        retainers:
          - {id: care, hours: 10, fee: 0, rollover: all, rollover_periods: 2}
    work:
        date        worked
        2025-01-10  2.00
    balances:
        period   rolled_in  granted  lapsed  rolled_out
        2025-01  0          10.00    0       8.00
        2025-02  8.00       10.00    0       18.00
        2025-03  18.00      10.00    8.00    20.00
        2025-04  20.00      10.00    10.00   20.00
    """)


def test_the_limit_of_a_rollover_counts_everything_that_crosses_the_end_of_a_period() -> None:
    """With a limit of five hours and two periods of life, rolled hours count too; what lives longest is kept."""
    check("""
    contract:
        from: 2025-01-01
        retainers:
          - {id: care, hours: 10, fee: 0, rollover: max_hours, rollover_hours: 5, rollover_periods: 2}
    work:
        date        worked
        2025-01-10  6.00
        2025-02-10  8.00
    balances:
        period   rolled_in  granted  used  used_rolled_in  lapsed  rolled_out
        2025-01  0          10.00    6.00  0               0       4.00
        2025-02  4.00       10.00    8.00  4.00            1.00    5.00
        2025-03  5.00       10.00    0     0               10.00   5.00
    """)


def test_a_rollover_until_a_date_ends_on_that_day() -> None:
    """The date is the last day of use; hours of later periods do not roll at all."""
    check("""
    contract:
        from: 2025-01-01
        rates: [{rate: 100.00}]
        retainers:
          - {id: care, hours: 10, fee: 0, rollover: all, rollover_until: 2025-02-15}
    work:
        date        worked
        2025-02-15  3.00
        2025-02-16  9.00
    balances:
        period   rolled_in  used_rolled_in  used_granted  lapsed  rolled_out
        2025-02  10.00      3.00            9.00          8.00    0
        2025-03  0          0               0             10.00   0
    """)


def test_terms_of_a_retainer_change_at_the_beginning_of_a_period() -> None:
    """Two rows of one id are one retainer: what rolled in under the first row is used under the second."""
    check("""
    contract:
        from: 2025-01-01
        retainers:
          - {id: care, to: 2025-02-01, hours: 10, fee: 900.00, rollover: all, rollover_forever: true}
          - {id: care, from: 2025-02-01, hours: 20, fee: 1700.00, rollover: all, rollover_forever: true}
    work:
        date        worked
        2025-01-10  4.00
        2025-02-10  25.00
    invoices:
        period   net      retainer
        2025-01  900.00   4.00
        2025-02  1700.00  25.00
    balances:
        period   rolled_in  granted  used   rolled_out
        2025-02  6.00       20.00    25.00  1.00
    """)


def test_a_weekly_retainer_grants_every_monday() -> None:
    """Two weeks of an invoice of free dates have two fees; what one week does not use is no help to the next."""
    check("""
    contract:
        from: 2025-01-01
        rates: [{rate: 100.00}]
        retainers: [{id: desk, every: week, hours: 5, fee: 400.00}]
    work:
        date        worked
        2025-03-03  2.00
        2025-03-10  7.00
    invoices:
        period                  retainer  billed  net
        2025-03-03..2025-03-17  7.00      2.00    1000.00
        2025-W10                2.00      0       400.00
        2025-W11                5.00      2.00    600.00
    """)


def test_a_monthly_retainer_on_weekly_invoices() -> None:
    """The fee is on the invoice of the first of the month; the balance goes on over the weeks and lapses at its end."""
    check("""
    contract:
        from: 2025-01-01
        rates: [{rate: 100.00}]
        close: {every: week}
        retainers: [{id: care, hours: 10, fee: 900.00}]
    work:
        date        worked
        2025-02-27  3.00
        2025-03-03  6.00
        2025-03-12  6.00
        2025-03-31  1.00
        2025-04-01  1.00
    invoices:
        period    retainer  billed  net
        2025-W09  3.00      0       900.00
        2025-W10  6.00      0       0.00
        2025-W11  4.00      2.00    200.00
        2025-W14  1.00      1.00    1000.00
    balances:
        period    rolled_in  granted  used  lapsed  rolled_out
        2025-W09  10.00      10.00    3.00  7.00    10.00
        2025-W10  10.00      0        6.00  0       4.00
        2025-W11  4.00       0        4.00  0       0
        2025-W14  0          10.00    1.00  0       9.00
    """)


def test_only_work_in_scope_draws_and_decided_work_needs_an_engagement() -> None:
    """With `takes: decided` hourly support is left alone; project work has nothing that covers it."""
    check("""
    contract:
        from: 2025-01-01
        rates: [{rate: 100.00}]
        retainers: [{id: care, takes: decided, service_items: [Support], hours: 5, fee: 0}]
    work:
        entry  date        item     category  worked
        a      2025-03-03  Support  retainer  1.00
        b      2025-03-03  Support  billable  1.00
        c      2025-03-03  Build    retainer  1.00
        d      2025-03-03  Support  project   1.00
    placements 2025-03:
        entry  bucket    reason                       hours
        a      retainer  retainer:care                1.00
        c      held      category_without_engagement  1.00
        d      held      category_without_engagement  1.00
    invoices:
        period   billed  net
        2025-03  1.00    100.00
    """)


def test_rounded_time_is_drawn_worked_seconds_first() -> None:
    """A balance of 15 minutes pays for ten worked ones and five of rounding; the rest of the delta is billed."""
    check("""
    contract:
        from: 2025-01-01
        rates: [{rate: 120.00}]
        increments: [{minutes: 30}]
        retainers: [{id: care, hours: 0.25, fee: 0}]
    work:
        date        worked
        2025-03-03  10m
    ledger 2025-03:
        bucket    reason         hours
        billed    -              0.00
        retainer  retainer:care  600 s
    invoices:
        period   net
        2025-03  30.00
    """)


def test_time_above_a_cap_with_an_overage_rate_does_not_draw() -> None:
    """Step 7 goes before step 8: the cap has priced these hours, the balance keeps its own."""
    check("""
    contract:
        from: 2025-01-01
        caps: [{id: week, window: week, hours: 10, pool: all, overflow: overage_rate, overage_rate: 80.00}]
        retainers: [{id: care, hours: 20, fee: 0}]
    work:
        date        worked
        2025-03-03  12.00
    invoices:
        period   retainer  billed  net
        2025-03  10.00     2.00    160.00
    """)


@pytest.mark.parametrize(
    ("clause", "question"),
    [
        ({"rollover": "max_hours", "rollover_periods": 1}, "how many"),
        ({"rollover": "all"}, "how long"),
        ({"rollover": "all", "rollover_forever": True, "rollover_periods": 1}, "how long"),
        ({"rollover_periods": 1}, "belong to rollover"),
        ({"allow_deficit": True}, "at which overage_rate"),
        ({"surplus_at_end": "credit"}, "what is an unused hour worth"),
        ({"hours": "0.0001"}, "whole number of seconds"),
        ({"weights": [{"factor": "2"}]}, "needs a condition"),
        ({"weights": [{"factor": "1.001", "tags": ["x"]}]}, "two decimals"),
        ({"weights": [{"factor": "2", "premium": "night"}]}, "does not have"),
    ],
)
def test_what_a_retainer_leaves_open_is_asked(clause: dict[str, object], question: str) -> None:
    """An ambiguous sentence is an error with the question that must be answered."""
    with pytest.raises(ValidationError, match=question):
        contract_of({"retainers": [{"id": "care", "hours": "20", "fee": "1"} | clause]})
