"""Rounding and spreading with fractions, after BD-09, BD-10, BD-11 and BD-52."""

from decimal import Decimal
from fractions import Fraction

from schemas.money import MoneyRounding

# ISO 4217: the currencies that the generated firms use and whose smallest unit is no hundredth.
PLACES = {"JPY": 0, "KWD": 3}


def fraction(number: Decimal | int | str) -> Fraction:
    """A decimal as a fraction."""
    return Fraction(number)


def units_of(amount: Fraction, currency: str) -> Fraction:
    """An amount in smallest units of its currency, not rounded."""
    unit = {0: 1, 2: 100, 3: 1000}[PLACES.get(currency, 2)]
    return amount * unit


def whole(number: Fraction, mode: MoneyRounding = MoneyRounding.HALF_UP) -> int:
    """The nearest whole number; a tie goes away from zero, or to the even one (BD-10)."""
    size = abs(number)
    below = size.numerator // size.denominator
    rest = size - below
    up = rest > Fraction(1, 2) or (rest == Fraction(1, 2) and (mode is MoneyRounding.HALF_UP or below % 2 == 1))
    return (below + up) * (-1 if number < 0 else 1)


def half_up(number: Fraction) -> int:
    """The nearest whole second, ties up."""
    return whole(number)


def shares(total: int, weights: list[Fraction]) -> list[int]:
    """Largest remainder, ties to the earlier part (BD-09). Without any weight the parts are equal."""
    if not weights:
        return []
    base = sum(weights)
    parts = [abs(total) * weight / base if base else Fraction(abs(total), len(weights)) for weight in weights]
    given = [part.numerator // part.denominator for part in parts]
    while sum(given) < abs(total):
        neediest = max(range(len(parts)), key=lambda at: (parts[at] - given[at], -at))
        given[neediest] += 1
    return [-one if total < 0 else one for one in given]
