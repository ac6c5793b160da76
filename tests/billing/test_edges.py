"""Edges that a change of code could move by one without a larger test noticing: equal, empty, the last day."""

from dataclasses import replace
from datetime import date

import pytest

from billing.adjust import Settled, adjust
from billing.balances import seconds_of
from billing.forecast import Forecast, balance_forecasts, may_be_used_up
from billing.invoice import trace_invoice
from billing.money_forecast import amount_cap_forecasts
from billing.running import alert_thresholds
from billing.testing import Desk, open_desk
from schemas.draft import CorrectionPart

HOUR = 3600


@pytest.mark.parametrize(
    ("before", "after", "limit", "fired", "rearm", "expected"),
    [
        pytest.param(40, 39, 40, {50, 100}, True, ((), True, (100,), {50}), id="falls from the limit"),
        pytest.param(40, 20, 40, {50, 100}, True, ((), True, (100,), {50}), id="half is still half"),
        pytest.param(1000, 499, 1000, {50, 100}, True, ((), True, (50, 100), set()), id="just below half"),
        pytest.param(490, 499, 1000, set(), True, ((), False, (), set()), id="does not reach half"),
        pytest.param(40, 40, 40, {100}, True, ((), False, (), {100}), id="stays at the limit"),
        pytest.param(41, 40, 40, {100}, True, ((), False, (), {100}), id="falls to the limit"),
        pytest.param(39, 20, 40, {50}, True, ((), False, (), {50}), id="was below it"),
        pytest.param(1, 0, 1, {100}, False, ((), True, (), {100}), id="one second"),
        pytest.param(0, -1, 0, set(), True, ((), False, (), set()), id="a limit of nothing"),
        pytest.param(19, 20, 40, set(), False, ((50,), False, (), {50}), id="reaches half"),
        pytest.param(20, 20, 40, set(), False, ((), False, (), set()), id="nothing moves"),
        pytest.param(0, 40, 40, {50}, False, ((100,), False, (), {50, 100}), id="what fired does not fire again"),
    ],
)
def test_alerts_at_their_thresholds(
    before: int, after: int, limit: int, fired: set[int], rearm: bool, expected: tuple[object, ...]
) -> None:
    """A threshold of 50 and one of 100: what fires, whether it recovered, what is armed again, and what has fired."""
    change = alert_thresholds(before, after, limit, (50, 100), frozenset(fired), rearm)
    assert (change.fired_now, change.recovered, change.rearmed, set(change.fired)) == expected


WEEK = {"id": "week", "window": "week", "hours": "40", "pool": "all"}
WHOLE = {"id": "whole", "window": "contract", "hours": "40", "pool": "all"}


@pytest.mark.parametrize(
    ("cap", "key", "seconds", "day", "answer"),
    [
        ("week", "2025-W10", 0, 3, False),
        ("week", "2025-W10", 1, 3, False),
        ("week", "2025-W10", 8 * HOUR, 3, True),
        ("week", "2025-W10", 8 * HOUR, 4, True),
        ("week", "2025-W10", 8 * HOUR - 1, 4, False),
        ("week", "2025-W10", 40 * HOUR - 1, 7, True),
        ("week", "2025-W10", 20 * HOUR, 7, False),
        ("week", "2025-W10", 40 * HOUR, 7, False),
        ("week", "2025-W10", 20 * HOUR, 10, False),
        ("week", "2025-W10", 20 * HOUR, 8, False),
        ("whole", "contract", 1, 3, True),
        ("whole", "contract", 0, 3, False),
        ("whole", "contract", 40 * HOUR, 3, False),
    ],
)
def test_a_cheap_look_at_a_window(cap: str, key: str, seconds: int, day: int, answer: bool) -> None:
    """40 hours in the week of 3 March 2025: more than a day's share of it may reach the limit, less may not."""
    contract = open_desk(caps=[WEEK, WHOLE], also={"to": "2025-06-01"}).contract
    assert may_be_used_up(contract, cap, key, seconds, date(2025, 3, day)) is answer


LIMITS = [
    {"id": "all", "window": "contract", "amount": "2000.00", "counts": "everything", "includes_tax": True},
    {"id": "trips", "window": "month", "amount": "300.00", "counts": "expenses", "includes_tax": False},
    {"id": "free", "window": "month", "amount": "0", "counts": "expenses", "includes_tax": False, "projects": ["x"]},
]
MONEY = """
    kind     date        worked  amount  currency  project
    time     2025-02-27  1.00    -       USD       -
    time     2025-03-03  2.00    -       USD       -
    time     2025-03-03  1.00    -       USD       -
    time     2025-03-05  2.00    -       USD       -
    expense  2025-03-04  -       50.00   EUR       -
    expense  2025-03-06  -       45.00   USD       -
    expense  2025-03-06  -       10.00   USD       x
    usage    2025-03-07  -       -       USD       -
"""


def figures(found: Forecast) -> str:
    """Use, limit and pace, exactly."""
    return f"{found.used} of {found.limit}, {found.pace} in each of {found.workdays}"


def test_money_of_each_day_counts_as_the_limit_counts_it() -> None:
    """600.00 for time, 60.00 of agreed fees and 100.00 of travel are 912.00 with tax; 10.00 for x are free."""
    desk = open_desk(
        rates=[{"rate": "100.00"}],
        amount_caps=LIMITS,
        taxes=[{"category": "S", "percent": "20"}],
        recurring_fees=[{"id": "care", "amount": "30.00", "every": "month", "billed_at": "start"}],
        exchange_rates="base  quote  on  rate\nEUR  USD  2025-03-04  1.10",
        also={"from": "2025-02-27"},
    )
    today = date(2025, 3, 7)
    found = amount_cap_forecasts(trace_invoice(desk.bill(MONEY).invoice.request), today)
    shown = [(one.cap.id, one.window, figures(one.forecast)) for one in found]
    assert sorted(shown) == [
        ("all", "contract", "912 of 2000, 152 in each of 6"),
        ("free", "2025-03", "0 of 0, 0 in each of 4"),
        ("trips", "2025-03", "100 of 300, 25 in each of 4"),
    ]


RETAINER: dict[str, object] = {"id": "care", "hours": 20, "fee": 2000, "from": "2025-02-01", "overage_rate": 140}


def retained(**members: object) -> Desk:
    """A retainer of twenty hours a month."""
    return open_desk(rates=[{"rate": 160}], retainers=[RETAINER | members], also={"from": "2025-02-01"})


def test_a_balance_that_is_owed_leaves_less() -> None:
    """22 hours in February leave a debt of two; of eighteen left in March five are used, at two and a half a day."""
    desk = retained(allow_deficit=True)
    work = "date  worked  category\n2025-02-03  22.00  retainer\n2025-03-03  3.00  retainer\n2025-03-04  2.00  retainer"
    [(account, found)] = balance_forecasts(desk.bill(work).invoice, date(2025, 3, 5))
    assert (account.engagement_id, figures(found)) == ("care", "18000 of 64800, 9000 in each of 2")
    assert found.crosses_on == date(2025, 3, 12)


def test_a_balance_that_has_not_begun_or_has_nothing_is_not_asked_about() -> None:
    """No forecast before the first day, and none of a balance that is all debt."""
    work = "date  worked  category\n2025-02-03  42.00  retainer\n2025-03-03  1.00  retainer"
    invoice = retained(allow_deficit=True).bill(work).invoice
    assert balance_forecasts(invoice, date(2025, 3, 4)) == ()
    assert balance_forecasts(retained().bill("date  worked\n2025-03-03  1.00").invoice, date(2025, 2, 28)) == ()


@pytest.mark.parametrize(
    ("february", "day", "found"),
    [
        ("40.00", 4, []),
        ("39:59:59", 4, ["0 of 1, 0 in each of 1"]),
        ("20.00", 3, ["0 of 72000, 0 in each of 0"]),
        ("20.00", 2, ["0 of 72000, 0 in each of 0"]),
        ("20.00", 1, ["0 of 72000, 0 in each of 0"]),
    ],
)
def test_a_balance_is_asked_about_from_its_first_day_to_its_last_second(
    february: str, day: int, found: list[str]
) -> None:
    """March has twenty hours less what February owes: a second is a balance, and the first day counts."""
    desk = retained(allow_deficit=True)
    invoice = desk.bill(f"date  worked  category\n2025-02-03  {february}  retainer").invoice
    assert [figures(one) for _, one in balance_forecasts(invoice, date(2025, 3, day))] == found


def test_what_was_drawn_on_each_day_makes_the_pace() -> None:
    """Three and five hours on Monday and Tuesday, one on Wednesday: a quarter of a usual day, so four hours a day."""
    work = """
        date        worked  category
        2025-03-03  1.00    retainer
        2025-03-03  2.00    retainer
        2025-03-04  5.00    retainer
        2025-03-05  1.00    retainer
    """
    [(_, found)] = balance_forecasts(retained().bill(work).invoice, date(2025, 3, 5))
    assert figures(found) == "32400 of 72000, 14400 in each of 9/4"


def test_a_block_is_asked_about_until_it_expires() -> None:
    """Ten hours that expire on 14 March 2025: the last day counts."""
    block = {"id": "b", "hours": 10, "purchased": "2025-03-03", "expires": "2025-03-14", "price": 1000}
    desk = open_desk(rates=[{"rate": 160}], prepaid_blocks=[block], also={"from": "2025-02-01"})
    work = "date  worked  category\n2025-03-03  1.00  retainer\n2025-03-04  1.00  retainer"
    [(_, found)] = balance_forecasts(desk.bill(work).invoice, date(2025, 3, 5))
    assert (f"{found.expected}", found.crosses_on) == ("36000", date(2025, 3, 14))


@pytest.mark.parametrize(
    ("row", "placement"),
    [
        ("expense  2025-03-03  -  5.00  USD  beta  taxi  -", ("held", "contract_missing", "contract c-1")),
        ("expense  2024-12-31  -  5.00  USD  alpha  taxi  -", ()),
        ("expense  2025-03-03  -  5.00  -  alpha  taxi  -", ("held", "currency_missing", "")),
        ("expense  2025-03-03  -  -  USD  alpha  taxi  -", ("held", "amount_missing", "")),
        (
            "expense  2025-03-03  -  5.00  CHF  alpha  taxi  -",
            ("held", "exchange_rate_missing", "USD per CHF on 2025-03-03"),
        ),
        ("usage  2025-03-03  -  -  USD  alpha  -  5", ("held", "usage_without_fee", "no meter")),
        ("usage  2025-03-03  -  -  USD  alpha  other  5", ("held", "usage_without_fee", "other")),
        ("usage  2025-03-03  -  -  USD  alpha  calls  -", ("held", "quantity_missing", "")),
        ("usage  2025-03-03  -  -  USD  beta  calls  5", ("held", "contract_missing", "contract c-1")),
    ],
)
def test_what_is_missing_of_an_amount_is_asked_for(row: str, placement: tuple[str, ...]) -> None:
    """Held with the reason and the detail that a person needs, word for word."""
    fee = {"id": "calls", "meter": "calls", "price": "1.00"}
    desk = open_desk(usage_fees=[fee], also={"project": "alpha", "from": "2025-01-01"})
    body = desk.bill(f"kind  date  worked  amount  currency  project  expense  quantity\n{row}").body
    assert [(one.bucket.value, one.reason, one.detail) for one in body.placements] == ([placement] if placement else [])


def test_an_expense_without_mark_up_has_no_code_and_its_own_text() -> None:
    """Neither description nor category: a word for it stands there all the same."""
    billed = open_desk().bill("kind  date  amount\nexpense  2025-03-03  5.00")
    [line] = billed.body.lines
    assert (line.text, line.expense_code, line.person_name) == ("Expense", "", "Ana")


def test_the_second_deposit_gets_what_the_first_has_left() -> None:
    """An invoice of 500.00 uses up the older deposit of 400.00 and 100.00 of the younger one."""
    rows = [
        {"id": "b", "amount": "300.00", "on": "2025-02-03", "deduct_from": "next_invoices"},
        {"id": "a", "amount": "400.00", "on": "2025-02-02", "deduct_from": "next_invoices"},
    ]
    desk = open_desk(rates=[{"rate": "100"}], deposits=rows, also={"from": "2025-02-01"})
    work = "date  worked\n2025-03-03  5.00\n2025-04-03  3.00"
    march, april = (desk.bill(work, month).body for month in ("2025-03", "2025-04"))
    assert [f"{line.amount:f}" for line in march.lines] == ["500.00", "-400.00", "-100.00"]
    assert [f"{line.amount:f}" for line in april.lines] == ["300.00", "-200.00"]


@pytest.mark.parametrize(("last", "amount"), [("2025-03-31", "10.00"), ("2025-04-01", "20.00")])
def test_a_usage_fee_is_that_of_the_last_day(last: str, amount: str) -> None:
    """The price of the whole period is the one valid on its last day, whatever follows on the next."""
    rows = [
        {"id": "calls", "meter": "calls", "price": "2.00", "to": last},
        {"id": "calls", "meter": "calls", "price": "1.00", "from": last},
    ]
    table = "kind  date  quantity  expense\nusage  2025-03-03  10  calls"
    assert open_desk(usage_fees=rows).bill(table).net == amount


@pytest.mark.parametrize(
    ("prices", "net"),
    [({"2025-03-20": "2.00"}, "20.00"), ({"2025-03-10": "2.00", "2025-03-15": "3.00", "2025-03-20": "4.00"}, "40.00")],
)
def test_a_usage_fee_that_ends_within_a_period_has_its_last_price(prices: dict[str, str], net: str) -> None:
    """Nothing is valid on the last day: ten calls of before have the price that was the last one."""
    starts = [None, *prices]
    rows = [
        {"id": "calls", "meter": "calls", "price": price, "from": first, "to": last}
        for (last, price), first in zip(prices.items(), starts, strict=False)
    ]
    table = "kind  date  quantity  expense\nusage  2025-03-03  10  calls"
    assert open_desk(usage_fees=rows).bill(table).net == net


def test_packages_over_a_contract_go_on_after_all_that_was_counted() -> None:
    """Three calls of February and four of March stand on invoices; of two more, the included eighth is free."""
    fee = {"id": "calls", "meter": "calls", "included_units": "8", "price": "1.00", "reset": "contract"}
    table = """
        kind   date        quantity  expense  billed_on
        usage  2025-02-03  3         calls    INV-1
        usage  2025-03-03  4         calls    INV-2
        usage  2025-03-20  2         calls    -
    """
    billed = open_desk(usage_fees=[fee], also={"from": "2025-02-01"}).bill(table)
    assert billed.net == "1.00"
    assert billed.body.lines[0].charges[0].steps[1] == "7 unit counted before"


def test_cents_of_rounding_go_with_the_largest_change() -> None:
    """Three entries share a line of 100.00; one is gone, and the cent that moved is not a line of its own."""
    lump = {"lines": {"rollups": [{"id": "all", "text": "All", "words": ["x"], "rates": "lump"}]}}
    desk = open_desk(rates=[{"rate": "99.99"}], also=lump)
    head = "entry  date  worked  text"
    stood = desk.bill(f"{head}\na  2025-03-03  0.25  x\nb  2025-03-04  0.25  x\nc  2025-03-05  0.50  x").body
    fresh = desk.bill(f"{head}\na  2025-03-03  0.25  x\nb  2025-03-04  0.25  x").body
    found = adjust(Settled("d", "1", [("d", stood)], fresh, stood, {}, amended=False), CorrectionPart.DIFFERENCE)
    assert [(one.seconds, f"{one.amount:f}") for one in found.lines] == [(-1800, f"{fresh.net - stood.net:f}")]


def test_an_entry_that_was_billed_elsewhere_is_not_billed_again() -> None:
    """What an earlier invoice billed is a fact of that invoice, here only its place in the order of work."""
    desk = open_desk(rates=[{"rate": "100"}])
    entries = desk.entries("entry  date  worked\na  2025-03-03  1.00\nb  2025-03-04  2.00")
    billed = desk.bill([replace(entries[0], billed_on="INV-1"), entries[1]])
    assert billed.net == "200.00"
    assert [(one.entry_id, one.reason, one.detail) for one in billed.body.placements] == [
        ("a", "billed_before", "INV-1")
    ]


@pytest.mark.parametrize(
    ("units", "seconds"), [(0, "0"), (100, "1"), (360000, "3600"), (125, "1.25"), (360050, "3600.5"), (1, "0.01")]
)
def test_a_balance_is_told_in_seconds_and_their_hundredths(units: int, seconds: str) -> None:
    """A weight of 1.25 burns a second and a quarter; what is whole has no decimals."""
    assert f"{seconds_of(units):f}" == seconds
