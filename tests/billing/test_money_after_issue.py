"""Money after the invoice: released overflow, corrections beyond the charges, minimums and held money that follow."""

from decimal import Decimal

import pytest

from billing.adjust import Adjusted, Settled, adjust
from billing.adjusted_body import with_adjustments
from billing.testing import Desk, open_desk
from schemas.draft import CorrectionPart

HEAD = "kind  date  worked  amount  expense  quantity  released\n"
HOURLY = [{"rate": "100.00"}]


def corrected(desk: Desk, before: str, after: str, month: str = "2025-03") -> Adjusted:
    """What an issued invoice over `before` is adjusted by when `after` is known."""
    stood, fresh = desk.bill(HEAD + before, month).body, desk.bill(HEAD + after, month).body
    settled = Settled("document-1", "INV-1", [("document-1", stood)], fresh, stood, {}, amended=False)
    return adjust(settled, CorrectionPart.DIFFERENCE)


def test_overflow_approved_after_the_issue_is_billed_as_an_adjustment() -> None:
    """BD-25: the third hour was held by the week's cap; released after the issue it is 1.00 h x 100.00."""
    cap = {"id": "week", "window": "week", "hours": "2", "pool": "all", "overflow": "hold_for_approval"}
    work = "time  2025-03-03  3.00  -  -  -  "
    found = corrected(open_desk(rates=HOURLY, caps=[cap]), work + "-", work + "cap:week")
    assert [(f"{line.quantity:f}", f"{line.amount:f}") for line in found.lines] == [("1.00", "100.00")]
    assert found.document.placements == ()


@pytest.mark.parametrize(
    ("clauses", "before", "after", "amount"),
    [
        # A late hour lowers what the minimum lacked by as much.
        (
            {"minimum": [{"amount": "1000.00", "every": "month", "counts": "fees", "shortfall": "bill"}]},
            "time  2025-03-03  3.00  -  -  -  -",
            "time  2025-03-03  5.00  -  -  -  -",
            "0.00",
        ),
        # A discount on a line of its own grows with the fees.
        (
            {"discounts": [{"id": "d", "percent": "10", "counts": "fees", "show": "separate"}]},
            "time  2025-03-03  3.00  -  -  -  -",
            "time  2025-03-03  5.00  -  -  -  -",
            "180.00",
        ),
        # A fixed discount is given once, whatever comes later.
        (
            {"discounts": [{"id": "d", "amount": "50.00", "counts": "fees"}]},
            "time  2025-03-03  3.00  -  -  -  -",
            "time  2025-03-03  5.00  -  -  -  -",
            "200.00",
        ),
        # Five more units fit into the package that was started.
        (
            {"usage_fees": [{"id": "api", "meter": "calls", "package_units": "10", "price": "1.00"}]},
            "usage  2025-03-03  -  -  calls  33  -",
            "usage  2025-03-03  -  -  calls  33  -\nusage  2025-03-04  -  -  calls  5  -",
            "0.00",
        ),
    ],
)
def test_money_that_follows_from_others_is_adjusted_with_them(
    clauses: dict[str, object], before: str, after: str, amount: str
) -> None:
    """Issued amount plus adjustments is the fresh computation for every kind of line."""
    assert f"{corrected(open_desk(rates=HOURLY, also=clauses), before, after).amount:f}" == amount


def test_corrections_may_exceed_the_charges_of_a_month() -> None:
    """March's correction of -540.00 meets April's 180.00: -360.00 and its tax go back; the minimum sees April only."""
    clauses: dict[str, object] = {
        "discounts": [{"id": "d", "percent": "10", "counts": "fees"}],
        "minimum": [{"amount": "150.00", "every": "month", "counts": "fees", "shortfall": "bill"}],
        "taxes": [{"category": "S", "percent": "20"}],
        "money_retainer": {"id": "r", "received": [{"on": "2025-01-02", "amount": "1000.00"}]},
        "from": "2025-03-01",
    }
    desk = open_desk(rates=[{"rate": "100.00"}], also=clauses)
    found = corrected(desk, "time  2025-03-03  10.00  -  -  -  -", "time  2025-03-03  4.00  -  -  -  -")
    april = desk.bill(HEAD + "time  2025-04-03  2.00  -  -  -  -", "2025-04").body
    assert (f"{april.net:f}", f"{found.amount:f}") == ("180.00", "-540.00")
    body = with_adjustments(desk.contract, desk.directory, april, [found])
    assert (f"{body.net:f}", f"{body.tax:f}", f"{body.gross:f}", f"{body.due:f}") == (
        "-360.00",
        "-72.00",
        "-432.00",
        "-432.00",
    )
    assert [f"{one.applied:f}" for one in body.held_money] == ["0.00"]
    assert [f"{one.amount:f}" for one in body.lines if one.kind == "minimum_true_up"] == []


def test_a_correction_lowers_what_held_money_pays() -> None:
    """200.00 with tax less a correction of 60.00: the retainer pays 168.00 and nothing is due."""
    clauses: dict[str, object] = {
        "taxes": [{"category": "S", "percent": "20"}],
        "money_retainer": {
            "id": "r",
            "threshold": "900.00",
            "target": "1000.00",
            "received": [{"on": "2025-01-02", "amount": "1000.00"}],
        },
        "from": "2025-04-01",
    }
    desk = open_desk(rates=[{"rate": "100.00"}], also=clauses)
    found = corrected(desk, "time  2025-04-03  2.00  -  -  -  -", "time  2025-04-03  1.40  -  -  -  -", "2025-04")
    april = desk.bill(HEAD + "time  2025-04-03  2.00  -  -  -  -", "2025-04").body
    body = with_adjustments(desk.contract, desk.directory, april, [found])
    [use] = body.held_money
    assert (f"{use.applied:f}", f"{use.requested:f}", f"{body.due:f}") == ("168.00", "168.00", "0.00")


EURO_RATES = """
    base  quote  on          rate
    EUR   USD    2025-03-03  1.10
    EUR   USD    2025-04-01  1.20
"""


@pytest.mark.parametrize(
    ("fx_date", "net"), [("invoice", "1080.00"), ("work", "1000.00"), ("contract_rate", "1125.00")]
)
def test_discounts_limits_and_minimums_meet_converted_fees(fx_date: str, net: str) -> None:
    """10.00 h at EUR 100.00 in a USD contract: convert first, then 10 % off, then at least 1,000.00."""
    desk = open_desk(
        exchange_rates=EURO_RATES,
        rates=[{"rate": "100.00", "currency": "EUR"}],
        exchange={"fx_date": fx_date, "contract_rates": [{"base": "EUR", "rate": "1.25"}]},
        discounts=[{"id": "d", "percent": "10", "counts": "fees"}],
        minimum=[{"amount": "1000.00", "every": "month", "counts": "fees", "shortfall": "bill"}],
        amount_caps=[{"id": "n", "window": "month", "amount": "1500.00", "counts": "fees"}],
    )
    assert desk.bill("date  worked\n2025-03-03  10.00").net == net


def test_time_without_an_exchange_rate_counts_nowhere() -> None:
    """Held for its missing rate it takes no room in a limit, has no discount, and does not reach the minimum."""
    desk = open_desk(
        rates=[{"person": "ana", "rate": "100.00", "currency": "EUR"}, {"rate": "100.00"}],
        discounts=[{"id": "d", "percent": "10", "counts": "fees"}],
        minimum=[{"amount": "500.00", "every": "month", "counts": "fees", "shortfall": "bill"}],
        amount_caps=[{"id": "n", "window": "month", "amount": "180.00", "counts": "fees"}],
    )
    billed = desk.bill("date  worked  person\n2025-03-03  5.00  ana\n2025-03-04  2.00  bo")
    billed.expect_lines("""
        kind             discount  amount
        fee              -20.00    180.00
        minimum_true_up  0         320.00
    """)
    assert [one.reason for one in billed.body.placements] == ["exchange_rate_missing"]
    assert [one.code for one in billed.body.findings] == ["minimum_with_held_time"]
    assert billed.body.net == Decimal(500)
