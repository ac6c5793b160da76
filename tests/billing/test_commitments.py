"""Minimums with their shortfalls, and money held for a client: what one invoice hands to the next."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from billing.invoice import compute_invoice, to_body
from billing.testing import Billed, Desk, open_desk


def committed(**minimum: object) -> Desk:
    """4,000.00 of fees a month at 100.00 per hour, with a fee of 300.00 beside the hours."""
    row = {"amount": "4000.00", "every": "month", "counts": "fees", "shortfall": "bill"} | minimum
    return open_desk(
        rates=[{"rate": "100.00"}],
        minimum=[row],
        recurring_fees=[{"id": "care", "amount": "300.00", "every": "month", "billed_at": "end"}],
        also={"from": "2025-01-01"},
    )


def true_ups(billed: Billed) -> list[tuple[str, str]]:
    """Text and amount of the lines that lift an invoice to its minimum."""
    return [(line.text, f"{line.amount:f}") for line in billed.body.lines if line.kind.value == "minimum_true_up"]


@pytest.mark.parametrize(
    ("hours", "missing"), [("34.125", ["587.50"]), ("41.20", []), ("40.00", []), ("0", ["4000.00"])]
)
def test_a_minimum_is_reached_by_a_line_of_its_own(hours: str, missing: list[str]) -> None:
    """BD-49: 3,412.50 of fees lack 587.50; 4,120.00 lack nothing; passed-on expenses do not count."""
    desk = committed()
    billed = desk.bill(f"kind  date  worked  amount\ntime  2025-03-03  {hours}  -\nexpense  2025-03-04  -  999.00")
    assert [amount for _, amount in true_ups(billed)] == missing


@pytest.mark.parametrize(
    ("counts", "missing"),
    [("fees", "3000.00"), ("all_fees", "2700.00"), ("fees_and_expenses", "2800.00"), ("everything", "2500.00")],
)
def test_a_minimum_says_what_counts(counts: str, missing: str) -> None:
    """1,000.00 of fees, a fee of 300.00 and 200.00 of expenses against 4,000.00."""
    billed = committed(counts=counts).bill("""
        kind     date        worked  amount
        time     2025-03-03  10.00   -
        expense  2025-03-04  -       200.00
    """)
    assert true_ups(billed) == [("Minimum commitment, shortfall", missing)]


def test_a_minimum_counts_what_discounts_and_caps_left() -> None:
    """4,100.00 of fees less 10 % are 3,690.00, so 310.00 are missing."""
    desk = open_desk(
        rates=[{"rate": "100.00"}],
        discounts=[{"id": "d", "percent": "10", "counts": "fees"}],
        minimum=[{"amount": "4000.00", "every": "month", "counts": "fees", "shortfall": "bill"}],
    )
    billed = desk.bill("date  worked\n2025-03-03  41.00")
    assert (true_ups(billed), billed.net) == ([("Minimum commitment, shortfall", "310.00")], "4000.00")
    assert [line.date.isoformat() for line in billed.body.lines] == ["2025-03-03", "2025-03-31"]


WORK = """
    date        worked
    2025-01-15  30.00
    2025-02-15  44.00
    2025-03-15  39.00
    2025-04-15  40.00
"""


def test_a_carried_shortfall_is_made_up_by_later_months() -> None:
    """January lacks 1,000.00; February makes up 400.00; two months later the 600.00 still open are billed."""
    desk = committed(shortfall="carry", carry_periods=2)
    months = [desk.bill(WORK, f"2025-0{month}") for month in (1, 2, 3, 4)]
    assert [true_ups(one) for one in months] == [
        [],
        [],
        [("Minimum commitment, shortfall of 2025-01", "600.00")],
        [],
    ]
    assert [one.text for one in months[1].body.findings] == ["600.00 USD of minimum minimum in 2025-01 are carried."]
    assert [one.text for one in months[3].body.findings] == ["100.00 USD of minimum minimum in 2025-03 are carried."]


def test_what_is_open_at_the_end_of_the_contract_is_billed() -> None:
    """Nothing can make a shortfall up after the last period."""
    row = {"amount": "4000.00", "every": "month", "counts": "fees", "shortfall": "carry", "carry_periods": 12}
    desk = open_desk(rates=[{"rate": "100.00"}], minimum=[row], also={"from": "2025-01-01", "to": "2025-04-01"})
    assert true_ups(desk.bill(WORK, "2025-02")) == []
    assert true_ups(desk.bill(WORK, "2025-03")) == [
        ("Minimum commitment, shortfall of 2025-01", "600.00"),
        ("Minimum commitment, shortfall of 2025-03", "100.00"),
    ]
    lines = desk.bill(WORK, "2025-03").body.lines
    assert len({line.line_id for line in lines}) == len(lines)


@pytest.mark.parametrize(
    ("prorate", "missing"), [("none", "4000.00"), ("calendar_days", "2666.67"), ("workdays", "2545.45")]
)
def test_a_started_month_has_its_share_of_the_minimum(prorate: str, missing: str) -> None:
    """A contract from 11 April 2025: 20 of 30 days, or 14 of 22 workdays."""
    row = {"amount": "4000.00", "every": "month", "counts": "fees", "shortfall": "bill", "prorate": prorate}
    desk = open_desk(minimum=[row], also={"from": "2025-04-11"})
    assert [amount for _, amount in true_ups(desk.bill([], "2025-04"))] == [missing]


def test_a_minimum_that_changes_inside_a_month_counts_once() -> None:
    """Without proration the later row is the month's minimum; with it each row counts for its days."""
    rows: list[dict[str, object]] = [
        {"amount": "310.00", "to": "2025-03-11"},
        {"amount": "620.00", "from": "2025-03-11"},
    ]
    base = {"every": "month", "counts": "fees", "shortfall": "bill"}
    for prorate, missing in (("none", "620.00"), ("calendar_days", "520.00")):
        desk = open_desk(minimum=[row | base for row in rows], prorate=prorate)
        assert desk.bill([], "2025-03").net == missing


def test_a_minimum_billed_beside_held_time_says_so() -> None:
    """Held time may lower the shortfall when it is released, and a person should look at it first."""
    billed = committed().bill("date  worked  held\n2025-03-03  10.00  on_hold")
    assert [one.code for one in billed.body.findings] == ["minimum_with_held_time"]


RETAINER: dict[str, object] = {
    "id": "retainer",
    "name": "Retainer",
    "threshold": "2000.00",
    "target": "5000.00",
    "received": [
        {"on": "2025-01-02", "amount": "5000.00", "reference": "opening"},
        {"on": "2025-02-10", "amount": "3275.40", "reference": "wire 77"},
    ],
}
FEES: list[dict[str, object]] = [
    {"id": "jan", "amount": "2729.50", "on": "2025-01-20"},
    {"id": "feb", "amount": "5083.33", "on": "2025-02-20"},
]


def held(month: str, invoice_date: str, **clauses: object) -> Billed:
    """An invoice of fees with 20 % tax that is paid from a money retainer."""
    base: dict[str, object] = {
        "fixed_fees": FEES,
        "taxes": [{"category": "S", "percent": "20"}],
        "money_retainer": RETAINER,
    }
    desk = open_desk(invoice_date=invoice_date, also={"from": "2025-01-01"} | base | clauses)
    return desk.bill([], month)


def uses(billed: Billed) -> list[dict[str, str]]:
    """What the invoice takes from held money."""
    names = ("held_id", "balance_before", "received", "applied", "balance_after", "requested")
    return [{name: str(getattr(one, name)) for name in names} for one in billed.body.held_money]


def test_a_money_retainer_pays_invoices_with_tax_and_asks_for_more() -> None:
    """BD-40: 3,275.40 leave 1,724.60 and a request of 3,275.40; 6,100.00 take all 5,000.00, and 1,100.00 are due."""
    first = held("2025-01", "2025-01-31")
    assert f"{first.body.gross:f} {first.body.due:f}" == "3275.40 0.00"
    assert uses(first) == [
        {
            "held_id": "retainer",
            "balance_before": "0.00",
            "received": "5000.00",
            "applied": "3275.40",
            "balance_after": "1724.60",
            "requested": "3275.40",
        }
    ]
    second = held("2025-02", "2025-02-28")
    assert f"{second.body.gross:f} {second.body.due:f}" == "6100.00 1100.00"
    [use] = uses(second)
    assert (use["balance_before"], use["received"], use["balance_after"]) == ("1724.60", "3275.40", "0.00")
    assert use["requested"] == "5000.00"


def test_money_that_came_after_the_invoice_pays_the_next_one() -> None:
    """Only what is there on the invoice date is used; the same invoice dated earlier has less to take."""
    before = held(
        "2025-02", "2025-02-28", money_retainer=RETAINER | {"received": [{"on": "2025-03-01", "amount": "9000"}]}
    )
    assert f"{before.body.due:f}" == "6100.00"
    assert uses(before)[0]["balance_after"] == "0.00"


def test_what_an_approved_document_drew_is_a_fact() -> None:
    """January was approved when it cost 1,000.00; whatever it would cost today, that much is gone in February."""
    billed = held("2025-02", "2025-02-28")
    request = replace(billed.invoice.request, drawn={date(2025, 1, 1): {"retainer": Decimal("1000.00")}})
    [use] = to_body(compute_invoice(request)).held_money
    assert (f"{use.balance_before:f}", f"{use.received:f}") == ("4000.00", "3275.40")
    void = replace(request, drawn={date(2025, 1, 1): {}})
    [use] = to_body(compute_invoice(void)).held_money
    assert f"{use.balance_before:f}" == "5000.00"


def test_trust_money_pays_after_the_retainer() -> None:
    """Two accounts are two rows; neither falls below zero."""
    trust = {"id": "trust", "received": [{"on": "2025-01-02", "amount": "100.00"}]}
    less = RETAINER | {"received": [{"on": "2025-01-02", "amount": "3000.00"}]}
    body = held("2025-01", "2025-01-31", money_retainer=less, trust=trust).body
    assert [f"{one.applied:f}" for one in body.held_money] == ["3000.00", "100.00"]
    assert f"{body.due:f}" == "175.40"


def test_an_invoice_below_zero_draws_and_adds_nothing() -> None:
    """Refunds above the charges: no discount, nothing drawn, the tax mirrors, the minimum still counts its fees."""
    base: dict[str, object] = {
        "taxes": [{"category": "S", "percent": "20"}],
        "money_retainer": RETAINER,
        "discounts": [{"id": "d", "amount": "50.00", "counts": "everything"}],
        "from": "2025-01-01",
    }
    desk = open_desk(rates=[{"rate": "100.00"}], invoice_date="2025-01-31", also=base)
    table = "kind  date  worked  amount\ntime  2025-01-03  1.00  -\nexpense  2025-01-04  -  -300.00"
    body = desk.bill(table, "2025-01").body
    assert (f"{body.net:f}", f"{body.tax:f}", f"{body.due:f}") == ("-200.00", "-40.00", "-240.00")
    assert [f"{one.applied:f} {one.balance_after:f}" for one in body.held_money] == ["0.00 5000.00"]
    assert [one.code for one in body.findings] == ["negative_invoice"]
    minimum = {"amount": "150.00", "every": "month", "counts": "fees", "shortfall": "bill"}
    lifted = open_desk(rates=[{"rate": "100.00"}], minimum=[minimum], also=base).bill(table, "2025-01")
    assert true_ups(lifted) == [("Minimum commitment, shortfall", "50.00")]
    assert lifted.body.net == Decimal("-150.00")


def test_held_money_is_the_same_in_any_currency() -> None:
    """Amounts are in the contract's currency with its places; yen have none."""
    held_yen = {"id": "pre", "received": [{"on": "2025-01-02", "amount": "500"}]}
    desk = open_desk(currency="JPY", rates=[{"rate": "1000"}], money_retainer=held_yen, invoice_date="2025-03-31")
    assert f"{desk.bill('date  worked' + chr(10) + '2025-03-03  1.00').body.due:f}" == "500"


def held_before(desk: Desk, work: str, month: str, billed_on: str) -> str:
    """What an account of money holds before the invoice of a month, when January's work is on a document already."""
    entries = [
        replace(one, billed_on=billed_on) if str(one.work_date) < "2025-02-01" else one for one in desk.entries(work)
    ]
    [use] = desk.bill(entries, month).body.held_money
    return f"{use.balance_before:f}"


@pytest.mark.parametrize("billed_on", ["", "INV-1"])
def test_an_earlier_invoice_is_what_its_own_work_came_to(billed_on: str) -> None:
    """1,000.00 less 100.00 of January, on a document or not; calls of 1 February take no room in January's limit."""
    desk = open_desk(
        rates=[{"rate": "100.00"}],
        usage_fees=[{"id": "api", "meter": "calls", "price": "1.00"}],
        amount_caps=[{"id": "n", "window": "contract", "amount": "100.00", "counts": "all_fees"}],
        money_retainer={"id": "m", "received": [{"on": "2025-01-01", "amount": "1000.00", "reference": "wire"}]},
        also={"from": "2025-01-01"},
    )
    work = """
        kind   date        worked  expense  quantity
        time   2025-01-20  1.00    -        -
        usage  2025-02-01  -       calls    80
        usage  2025-03-03  -       calls    5
    """
    months = ("2025-01", "2025-02", "2025-03")
    assert [held_before(desk, work, month, billed_on) for month in months] == ["0.00", "900.00", "820.00"]
