"""Step 9: price each portion by its rate, overage or premium, converted into the contract's currency."""

from decimal import Decimal
from typing import NamedTuple

from billing.contract import Contract
from billing.currency import SAME, Conversion, Exchange
from billing.exact import product
from billing.portions import Placed, Portion, placed_as
from billing.premiums import with_premiums
from schemas.draft import Bucket


class RatedPart(NamedTuple):
    """A portion at one price per hour in the contract's currency. `variant` marks what makes the price unusual."""

    portion: Portion
    unit_price: Decimal
    variant: str
    origin: str
    conversion: str


class Rated(NamedTuple):
    """Priced parts in work order, and portions held because their currency has no rate."""

    parts: list[RatedPart]
    placed: list[Placed]


def rate_portions(contract: Contract, exchange: Exchange, live: list[Portion]) -> Rated:
    """Price portions in work order."""
    parts: list[RatedPart] = []
    placed: list[Placed] = []
    for portion in live:
        rate = portion.terms.rate
        assert rate is not None, "an entry without a rate was held"
        conversion = SAME if portion.overage else exchange.fee(rate.currency, portion.day)
        if conversion is None:
            unpriced = placed_as(portion, Bucket.HELD, "exchange_rate_missing", exchange.missing(rate.currency))
            placed.append(unpriced)
        else:
            parts += _parts(contract, portion, conversion)
    return Rated(parts, placed)


def _parts(contract: Contract, portion: Portion, conversion: Conversion) -> list[RatedPart]:
    rate = portion.terms.rate
    assert rate is not None, "an entry without a rate was held"
    applied = portion.overage
    if applied is not None:
        overage_rate = applied.row.overage_rate
        assert overage_rate is not None, "validated with the contract"
        origin = f"overage rate of cap {applied.cap.id}: {overage_rate:f} {contract.currency}"
        return [RatedPart(portion, overage_rate, f"above cap {applied.cap.name}", origin, "")]
    found: list[RatedPart] = []
    for portion_part, factor, label in with_premiums(contract, portion):
        is_plain = not label and conversion is SAME
        price = rate.rate if is_plain else product(rate.rate, factor, conversion.factor)
        found.append(RatedPart(portion_part, price, label, rate.origin, conversion.text))
    return found
