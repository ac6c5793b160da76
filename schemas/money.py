"""Money: exact decimals, the exponents of ISO 4217, and the one place where amounts are rounded (billing-domain
BD-09..11).
"""

import math
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from enum import StrEnum
from fractions import Fraction

# Currencies whose smallest unit is not a hundredth (ISO 4217). A contract may use any code of three letters.
_EXPONENTS = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}


class MoneyRounding(StrEnum):
    """How a tie is broken; `half_up` goes away from zero, so a credit mirrors its charge."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"


def exponent(currency: str) -> int:
    """Decimal places of a currency: 2 for most, 0 for JPY, 3 for KWD."""
    return _EXPONENTS.get(currency, 2)


def round_money(amount: Decimal, currency: str, rounding: MoneyRounding = MoneyRounding.HALF_UP) -> Decimal:
    """Round an amount to the currency's smallest unit."""
    return round_places(amount, exponent(currency), rounding)


def round_places(value: Decimal, places: int, rounding: MoneyRounding = MoneyRounding.HALF_UP) -> Decimal:
    """Round a decimal to a number of places."""
    mode = ROUND_HALF_UP if rounding is MoneyRounding.HALF_UP else ROUND_HALF_EVEN
    return value.quantize(Decimal(1).scaleb(-places), rounding=mode)


def spread(total: Decimal, weights: Sequence[Decimal], places: int) -> tuple[Decimal, ...]:
    """Split a rounded total in proportion to weights by largest remainder, ties to the earlier part (BD-09, BD-52).

    The parts add up to `total` exactly. Weights that are all zero are taken as equal.
    """
    if not weights:
        assert total == 0, "nothing to spread a total over"
        return ()
    assert min(weights) >= 0 or max(weights) <= 0, "a total is spread over weights of one sign"
    shares = [Fraction(weight) for weight in weights] if any(weights) else [Fraction(1)] * len(weights)
    base = sum(shares)
    unit = Decimal(1).scaleb(-places)
    units_total = int(total / unit)
    sign = -1 if units_total < 0 else 1
    exact = [abs(units_total) * share / base for share in shares]
    floors = [math.floor(part) for part in exact]
    rest = abs(units_total) - sum(floors)
    order = sorted(range(len(exact)), key=lambda index: (floors[index] - exact[index], index))
    for index in order[:rest]:
        floors[index] += 1
    parts = tuple(sign * units * unit for units in floors)
    assert sum(parts, Decimal(0)) == total, "a spread keeps its total"
    return parts
