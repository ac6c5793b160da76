"""Money: one rounding, one way to spread a total, nothing added and nothing lost."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.money import MoneyRounding, exponent, round_money, round_places, spread

CENTS = st.integers(-10_000_000, 10_000_000).map(lambda cents: Decimal(cents) / 100)
WEIGHTS = st.lists(st.decimals(0, 10**9, allow_nan=False, allow_infinity=False, places=9), min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("amount", "currency", "rounding", "rounded"),
    [
        ("8.125", "EUR", MoneyRounding.HALF_UP, "8.13"),
        ("8.125", "EUR", MoneyRounding.HALF_EVEN, "8.12"),
        ("-8.125", "EUR", MoneyRounding.HALF_UP, "-8.13"),
        ("10287.5", "JPY", MoneyRounding.HALF_UP, "10288"),
        ("26.0416666666", "KWD", MoneyRounding.HALF_UP, "26.042"),
        ("26.0416666666", "USD", MoneyRounding.HALF_UP, "26.04"),
    ],
)
def test_an_amount_is_rounded_to_its_currency(
    amount: str, currency: str, rounding: MoneyRounding, rounded: str
) -> None:
    """BD-10, BD-11: ties go away from zero unless the contract says even; the currency says how many places."""
    assert str(round_money(Decimal(amount), currency, rounding)) == rounded


@given(st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=6), st.sampled_from(MoneyRounding))
def test_a_credit_mirrors_its_charge(amount: Decimal, rounding: MoneyRounding) -> None:
    """BD-10: charge and credit of one amount are 0.00 together, whichever way ties go."""
    assert round_places(amount, 2, rounding) + round_places(-amount, 2, rounding) == 0


def test_unlisted_currencies_have_hundredths() -> None:
    """BD-11: two places unless the currency says otherwise."""
    assert [exponent(code) for code in ("EUR", "JPY", "KWD", "CLF", "XYZ")] == [2, 0, 3, 4, 2]


def test_three_thirds_of_a_line_add_up() -> None:
    """BD-09: a line of 50.00 made of three equal entries is 16.67, 16.67 and 16.66, the earlier ones first."""
    assert spread(Decimal("50.00"), [Decimal(10)] * 3, 2) == (Decimal("16.67"), Decimal("16.67"), Decimal("16.66"))


def test_a_fixed_total_over_seven_parts() -> None:
    """BD-52: 10,000.00 over seven equal packages is 1428.58 once and 1428.57 six times."""
    parts = spread(Decimal("10000.00"), [Decimal(1)] * 7, 2)
    assert parts == (Decimal("1428.58"), *[Decimal("1428.57")] * 6)


@given(CENTS, WEIGHTS)
def test_a_spread_keeps_its_total(total: Decimal, weights: list[Decimal]) -> None:
    """BD-52: the parts add up exactly, and none is more than one cent from its exact share."""
    parts = spread(total, weights, 2)
    assert sum(parts) == total
    base = sum(weights) or Decimal(len(weights))
    for part, weight in zip(parts, weights, strict=True):
        share = total * ((weight if any(weights) else Decimal(1)) / base)
        assert abs(part - share) < Decimal("0.0101")


@given(CENTS, WEIGHTS)
def test_a_spread_credit_mirrors_the_spread_charge(total: Decimal, weights: list[Decimal]) -> None:
    """BD-10, BD-52: the parts of the credit are those of the charge, negated, one by one."""
    assert spread(-total, weights, 2) == tuple(-part for part in spread(total, weights, 2))


def test_a_spread_is_exact_with_weights_of_many_digits() -> None:
    """Shares are fractions: a weight with more digits than a decimal context holds moves no cent."""
    weights = [Decimal("0.3333333333333333333333333333333333"), Decimal("0.6666666666666666666666666666666667")]
    assert sum(spread(Decimal("99999999999.99"), weights, 2)) == Decimal("99999999999.99")
    third = Decimal(1) / Decimal(3)
    assert spread(Decimal("0.03"), [third, third, third], 2) == (Decimal("0.01"),) * 3


def test_a_total_over_nothing_is_a_mistake() -> None:
    """Nothing is spread over nothing; money never is."""
    assert spread(Decimal(0), [], 2) == ()
    with pytest.raises(AssertionError):
        spread(Decimal("0.01"), [], 2)


def test_weights_of_both_signs_are_a_mistake() -> None:
    """Parts in proportion to weights of both signs have no meaning, so nobody gets them silently."""
    with pytest.raises(AssertionError):
        spread(Decimal("1.00"), [Decimal(2), Decimal(-1)], 2)
