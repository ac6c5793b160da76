"""A discount for roles asks for the role of the work while it is valid, whichever entry is looked at first."""

from decimal import Decimal

import pytest

from billing.testing import open_desk

EARLY, LATE = "e01    2025-03-03  1.00    kim", "e02    2025-03-20  2.00    kim"


@pytest.mark.parametrize("rows", [(EARLY, LATE), (LATE, EARLY)])
def test_work_without_a_role_is_held_only_while_a_discount_asks_for_roles(rows: tuple[str, str]) -> None:
    """The work before the discount begins is billed, that behind it waits for a role, in any order of the entries."""
    discount = {"id": "d", "percent": "5", "level": "line", "counts": "fees", "roles": ["senior"], "from": "2025-03-15"}
    desk = open_desk(people="kim", rates=[{"rate": "100"}], discounts=[discount])
    billed = desk.bill("entry  date        worked  person\n" + "\n".join(rows))
    billed.expect_ledger(
        """
        bucket  reason        hours
        billed  -             1.00
        held    role_missing  2.00
        """
    )


@pytest.mark.parametrize(
    ("dates", "february", "march"),
    [
        ({}, "160.00", "160.00"),
        ({"to": "2025-03-01"}, "160.00", "200.00"),
        ({"to": "2025-02-28"}, "200.00", "200.00"),
        ({"from": "2025-02-28", "to": "2025-04-01"}, "160.00", "160.00"),
        ({"from": "2025-03-01", "to": "2025-03-31"}, "200.00", "200.00"),
        ({"from": "2025-03-31"}, "200.00", "160.00"),
        ({"from": "2025-04-01"}, "200.00", "200.00"),
    ],
)
def test_a_fixed_discount_counts_when_it_is_valid_on_the_last_day(
    dates: dict[str, str], february: str, march: str
) -> None:
    """40.00 off 200.00 of each month; a limit over both counts February as February was billed."""
    discount = {"id": "d", "amount": "40.00", "counts": "fees"} | dates
    limit = {"id": "nte", "window": "contract", "amount": "1000.00", "counts": "fees", "includes_tax": False}
    work = "date  worked\n2025-02-10  2.00\n2025-03-10  2.00"
    begun: dict[str, object] = {"from": "2025-02-01"}
    desk = open_desk(rates=[{"rate": "100"}], discounts=[discount], amount_caps=[limit], also=begun)
    assert [desk.bill(work, month).net for month in ("2025-02", "2025-03")] == [february, march]
    low = open_desk(rates=[{"rate": "100"}], discounts=[discount], amount_caps=[limit | {"amount": "250"}], also=begun)
    left = min(Decimal(march), 250 - Decimal(february))
    assert low.bill(work, "2025-03").body.net == left


def test_a_discount_that_changes_from_a_percentage_to_an_amount_takes_both() -> None:
    """10 % of the work before the 16th, and 30.00 of all work of the month: the line tells what both took."""
    rows: list[dict[str, object]] = [
        {"id": "d", "percent": "10", "counts": "fees", "show": "separate", "to": "2025-03-16"},
        {"id": "d", "amount": "30.00", "counts": "fees", "show": "separate", "from": "2025-03-16"},
    ]
    billed = open_desk(rates=[{"rate": "100"}], discounts=rows).bill("date  worked\n2025-03-10  1.00")
    billed.expect_lines("""
        kind      amount
        fee       100.00
        discount  -40.00
    """)


def test_an_entry_that_two_rows_of_a_discount_reduce_bears_both() -> None:
    """10.00 of the early hour, then 30.00 of 90.00 and 100.00: the shares of the line follow what is left."""
    rows: list[dict[str, object]] = [
        {"id": "d", "percent": "10", "counts": "fees", "to": "2025-03-16"},
        {"id": "d", "amount": "30.00", "counts": "fees", "from": "2025-03-16"},
    ]
    billed = open_desk(rates=[{"rate": "100"}], discounts=rows).bill("date  worked\n2025-03-10  1.00\n2025-03-20  1.00")
    billed.expect_lines("""
        discount  amount  shares
        -40.00    160.00  75.79 84.21
    """)


@pytest.mark.parametrize(("discount", "net"), [("0.01", "0.00"), ("5.00", "0.00")])
def test_a_cent_is_reduced_like_any_sum(discount: str, net: str) -> None:
    """Work of one cent less a discount of one cent, or more, is nothing."""
    desk = open_desk(rates=[{"rate": "0.01"}], discounts=[{"id": "d", "amount": discount, "counts": "fees"}])
    assert desk.bill("date  worked\n2025-03-10  1.00").net == net
