"""Units, unit cost and adjustment of a line, so that units x unit cost + adjustment is its total (BD-28, BD-51, BD-73).

The amount is never changed. Hours are shown with few decimals, so what is lost there is in the adjustment.
"""

from dataclasses import dataclass
from decimal import Decimal

from schemas.money import round_places
from sinks.ledes_1998b.settings import Receiver

TOLERANCE = Decimal("0.005")
"""Units x unit cost + adjustment must be closer than this to the line's total."""

NEAR = Decimal("0.02")
"""A share of a roll-up whose price misses its amount by this much was rated otherwise: its own price is shown."""

_ADJUSTMENT_DECIMALS = (2, 4, 8)


@dataclass(frozen=True, slots=True)
class Price:
    """How an amount is shown; `is_derived` when the unit cost follows from amount and units, for want of a price."""

    units: Decimal
    unit_cost: Decimal
    adjustment: Decimal | None
    is_derived: bool


def price_of(units: Decimal, unit_price: Decimal, amount: Decimal, receiver: Receiver) -> Price:
    """Show an amount as units at a price; the rest is the adjustment. A price of 0 is derived from the amount."""
    shown_units = round_places(units, receiver.units_decimals_max)
    is_derived = unit_price == 0 and amount != 0 and shown_units != 0
    exact_cost = amount / shown_units if is_derived else unit_price
    unit_cost = round_places(exact_cost, receiver.unit_cost_decimals_max)
    return Price(shown_units, unit_cost, adjustment_of(shown_units, unit_cost, amount), is_derived)


def adjustment_of(units: Decimal, unit_cost: Decimal, amount: Decimal) -> Decimal | None:
    """The signed adjustment, None within the tolerance; more than 2 decimals only where 2 would miss the total."""
    difference = amount - units * unit_cost
    if abs(difference) < TOLERANCE:
        return None
    for decimals in _ADJUSTMENT_DECIMALS:
        adjustment = round_places(difference, decimals)
        if abs(difference - adjustment) < TOLERANCE:
            return adjustment
    raise AssertionError("eight decimals are within the tolerance")
