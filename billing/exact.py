"""Exact money: whole smallest units and fractions, rounded once, and spread without a residue (BD-09..11, BD-52)."""

from collections.abc import Sequence
from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache
from math import lcm

from schemas.money import MoneyRounding

_FRACTIONS_KEPT = 4096
# Products of rates, factors and currencies are not rounded, however many digits a contract or a source gives.
_EXACT = Context(prec=400)


def product(*factors: Decimal) -> Decimal:
    """The exact product of decimals; Python's own operator would round at 28 digits."""
    result = Decimal(1)
    for factor in factors:
        result = _EXACT.multiply(result, factor)
    return result


def units_of(amount: Fraction, places: int, rounding: MoneyRounding) -> int:
    """An exact amount in the currency's smallest units; the one place of billing where money is rounded."""
    scale: int = 10**places
    numerator, denominator = amount.numerator * scale, amount.denominator
    sign = -1 if numerator < 0 else 1
    whole, rest = divmod(abs(numerator), denominator)
    twice = 2 * rest - denominator
    up = twice > 0 or (twice == 0 and (rounding is MoneyRounding.HALF_UP or whole % 2 == 1))
    return sign * (whole + 1 if up else whole)


@lru_cache(maxsize=_FRACTIONS_KEPT)
def fraction_of(value: Decimal) -> Fraction:
    """A decimal as a fraction; rates and factors come again and again."""
    return Fraction(value)


def decimal_of(units: int, places: int) -> Decimal:
    """Smallest units as a decimal with the currency's places."""
    return Decimal(units).scaleb(-places)


def shown(amount: Fraction, places: int) -> Decimal:
    """A value for reading, half up at so many places."""
    return decimal_of(units_of(amount, places, MoneyRounding.HALF_UP), places)


def exact_or_shown(amount: Fraction, places: int) -> Decimal:
    """The exact decimal if it ends within so many places, with at least two; else rounded for reading."""
    numerator, denominator = amount.numerator, amount.denominator
    for fewer in range(2, places):
        if numerator * 10**fewer % denominator == 0:
            return decimal_of(numerator * 10**fewer // denominator, fewer)
    return shown(amount, places)


def spread_units(total: int, weights: Sequence[int] | Sequence[Fraction]) -> list[int]:
    """Split whole units in proportion to weights by largest remainder, ties to the earlier; the parts add up exactly.

    Weights that add up to zero are taken as equal.
    """
    if not weights:
        assert total == 0, "nothing to spread a total over"
        return []
    if len(weights) == 1:
        return [total]
    whole = _whole(weights)
    base = sum(whole)
    if base == 0:
        whole, base = [1] * len(whole), len(whole)
    if base < 0:
        whole, base = [-weight for weight in whole], -base
    sign = -1 if total < 0 else 1
    size = abs(total)
    products = [size * weight for weight in whole]
    floors = [each // base for each in products]
    left = size - sum(floors)
    if left:
        remainders = [each % base for each in products]
        # A sort leaves equals as they are, also from the greatest down.
        for index in sorted(range(len(whole)), key=remainders.__getitem__, reverse=True)[:left]:
            floors[index] += 1
    assert sum(floors) == size, "a spread keeps its total"
    return floors if sign > 0 else [-units for units in floors]


def _whole(weights: Sequence[int] | Sequence[Fraction]) -> list[int]:
    if isinstance(weights[0], int):
        return [weight.numerator for weight in weights]
    scale = lcm(*{weight.denominator for weight in weights})
    return [weight.numerator * (scale // weight.denominator) for weight in weights]
