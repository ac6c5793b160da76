"""The sentences that say what happened to a charge: which there are, word for word, and which there are not."""

import pytest

from billing.testing import Billed, open_desk


def steps(billed: Billed) -> list[tuple[str, ...]]:
    """The steps of each charge, in the order of the lines."""
    return [charge.steps for line in billed.body.lines for charge in line.charges]


@pytest.mark.parametrize(
    ("clauses", "work", "told"),
    [
        pytest.param({}, "0.25", ("amount: 900 s x 33.00 / 3600 (exact basis)",), id="a quarter that ends"),
        pytest.param({}, "50m", ("amount: 3000 s x 33.00 / 3600 (exact basis)",), id="fifty minutes that end"),
        pytest.param(
            {"rounding": {"amount_basis": "displayed", "quantity_decimals": 2}},
            "20m",
            ("amount: 1200 s x 33.00 / 3600 (displayed basis, 2 decimals)",),
            id="what is shown is charged",
        ),
        pytest.param(
            {"rounding": {"money_rounding": "half_even"}},
            "0:00:10",
            ("amount: 10 s x 33.00 / 3600 (exact basis)", "rounded with its line (half_even): 0.09 USD"),
            id="rounded",
        ),
        pytest.param(
            {"increments": [{"minutes": 15}]},
            "0.25",
            (
                "increments 15 min up per entry: 900 s worked, +0 s rounding",
                "amount: 900 s x 33.00 / 3600 (exact basis)",
            ),
            id="an increment that adds nothing",
        ),
        pytest.param(
            {"increments": [{"minutes": 0}]},
            "0.25",
            ("amount: 900 s x 33.00 / 3600 (exact basis)",),
            id="no increment",
        ),
        pytest.param(
            {"increments": [{"minutes": 0, "minimum_minutes": 15}]},
            "4m",
            (
                "increments no increment, at least 15 min: 240 s worked, +660 s rounding",
                "amount: 900 s x 33.00 / 3600 (exact basis)",
            ),
            id="a minimum alone",
        ),
    ],
)
def test_time_tells_its_rounding_its_price_and_its_residual(
    clauses: dict[str, object], work: str, told: tuple[str, ...]
) -> None:
    """One entry at 33.00 an hour: a step for what happened, none for what did not."""
    assert steps(open_desk(rates=[{"rate": "33.00"}], also=clauses).bill(f"date  worked\n2025-03-03  {work}")) == [told]


def test_the_rounding_of_all_kinds_of_work_in_a_charge_is_added_up() -> None:
    """Three tasks share a price: one step for each rule, with the seconds of all of them."""
    rules = [{"minutes": 6, "to": "2025-03-10"}, {"minutes": 15, "mode": "down", "from": "2025-03-10"}]
    billed = open_desk(rates=[{"rate": "36.00"}], increments=rules).bill("""
        date        task  worked
        2025-03-03  a     0:05
        2025-03-04  b     0:10
        2025-03-05  c     0:20
        2025-03-11  a     0:16
        2025-03-12  b     0:32
    """)
    assert steps(billed) == [
        (
            "increments 15 min down per entry: 2880 s worked, -180 s rounding",
            "increments 6 min up per entry: 2100 s worked, +420 s rounding",
            "amount: 5220 s x 36.00 / 3600 (exact basis)",
        )
    ]


def test_what_is_not_priced_by_the_second_does_not_say_so() -> None:
    """A package, an expense and a fee have an amount of their own; no seconds are multiplied."""
    tier = {"id": "packs", "mode": "block", "block_hours": 5, "block_price": "500.00"}
    desk = open_desk(
        rates=[{"rate": "1"}],
        tiers=[tier],
        recurring_fees=[{"id": "care", "amount": "30.00", "every": "month", "billed_at": "end"}],
    )
    billed = desk.bill("""
        kind     date        worked  amount
        time     2025-03-03  6.00    -
        expense  2025-03-04  -       12.34
    """)
    assert [(line.kind.value, line.charges[0].steps) for line in billed.body.lines] == [
        ("fee", ("packs",)),
        ("recurring_fee", ()),
        ("expense", ()),
    ]


def test_an_increment_that_added_nothing_was_asked_all_the_same() -> None:
    """Whoever checks a bill sees that the rule was looked at, and that it took and gave nothing."""
    for mode in ("up", "nearest", "down"):
        billed = open_desk(rates=[{"rate": "40.00"}], increments=[{"minutes": 15, "mode": mode}]).bill(
            "date  worked\n2025-03-03  0.25"
        )
        [(rounding, _)] = steps(billed)
        assert rounding == f"increments 15 min {mode} per entry: 900 s worked, +0 s rounding"
