"""Details that a change of code could lose without any larger test noticing (docs/mutation.md)."""

from billing.testing import open_desk


def test_a_line_without_any_words_is_services() -> None:
    """An entry with neither description nor service item still has a text for people."""
    billed = open_desk(rates=[{"rate": "60"}], lines={"group_by": ["entry"]}).bill(
        """
        start             worked
        2025-03-03T09:00  1:00
        """
    )
    assert [line.text for line in billed.body.lines] == ["Services"]


def test_a_line_of_a_project_says_its_name() -> None:
    """People read the project's name, not its id."""
    projects = {"projects": [{"id": "p-7", "client": "acme", "name": "Harbour"}]}
    billed = open_desk(directory=projects, rates=[{"rate": "60"}], lines={"group_by": ["project"]}).bill(
        """
        start             worked  project
        2025-03-03T09:00  1:00    p-7
        """
    )
    (line,) = billed.body.lines
    assert "Harbour" in line.text


def test_a_discount_of_one_cent_is_given() -> None:
    """The smallest amount that is not zero."""
    discount = {"id": "d", "percent": "10", "counts": "fees"}
    billed = open_desk(rates=[{"rate": "6"}], discounts=[discount]).bill(
        """
        start             worked
        2025-03-03T09:00  1m
        """
    )
    billed.expect_lines(
        """
        adjustment  amount
        -0.01       0.09
        """
    )


def test_time_around_a_premium_keeps_its_rounding() -> None:
    """BD-34: the delta lies at the end of the entry, also when the premium's hour lies in its middle."""
    noon = {"id": "noon", "factor": "2", "inside": "12:00-13:00"}
    desk = open_desk(rates=[{"rate": "60"}], premiums=[noon], increments=[{"minutes": 15}])
    billed = desk.bill(
        """
        start             worked
        2025-03-03T11:00  2:50
        """
    )
    billed.expect_lines(
        """
        hours  amount
        1.00   120.00
        2.00   120.00
        """
    )


def test_an_amount_cap_may_change_its_limit() -> None:
    """Two rows of one cap share the window; at each work date its own row's limit counts."""
    rows = [
        {"id": "nte", "window": "month", "amount": "100", "counts": "fees", "to": "2025-03-15"},
        {"id": "nte", "window": "month", "amount": "300", "counts": "fees", "from": "2025-03-15"},
    ]
    billed = open_desk(rates=[{"rate": "100"}], amount_caps=rows, lines={"group_by": ["date"]}).bill(
        """
        start             worked
        2025-03-10T09:00  2:00
        2025-03-20T09:00  3:00
        """
    )
    billed.expect_lines(
        """
        date        adjustment  amount
        2025-03-10  -100.00     100.00
        2025-03-20  -100.00     200.00
        """
    )


def test_each_credit_of_unused_hours_is_told_apart() -> None:
    """BD-42: rolled hours and the last grant are credited beside each other, the second with its number."""
    retainer: dict[str, object] = {"id": "r", "name": "Care", "every": "week", "hours": "10", "fee": "1000"}
    retainer |= {
        "rollover": "max_hours",
        "rollover_hours": "4",
        "rollover_periods": 3,
        "surplus_at_end": "credit",
        "credit_rate": "60",
    }
    desk = open_desk(rates=[{"rate": "100"}], retainers=[retainer], also={"from": "2025-03-24", "to": "2025-04-02"})
    billed = desk.bill([], "2025-04")
    credits_given = [(line.text, f"{line.amount:f}") for line in billed.body.lines if line.amount < 0]
    assert [amount for _, amount in credits_given] == ["-240.00", "-600.00"]
    assert len({text for text, _ in credits_given}) == 2
    assert "(2)" in credits_given[1][0]
