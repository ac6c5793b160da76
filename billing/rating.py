"""Step 9: price each portion by its rate, overage or premium, converted into the contract's currency."""

from decimal import Decimal
from typing import NamedTuple

from billing.contract import Contract
from billing.currency import SAME, Conversion, Exchange
from billing.exact import product
from billing.portions import Placed, Portion, SetPrice, placed_as
from billing.premiums import with_premiums
from billing.rates import ChosenRate
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
        if portion.price is not None:
            parts += _set_parts(contract, portion, portion.price)
            continue
        if rate is None:
            missing = portion.terms.unpriced
            assert missing is not None, "terms without a rate say why"
            placed.append(placed_as(portion, Bucket.HELD, missing.reason, missing.detail))
            continue
        conversion = exchange.fee(rate.currency, portion.day, portion.counted_day)
        if conversion is None:
            unpriced = placed_as(portion, Bucket.HELD, "exchange_rate_missing", exchange.missing(rate.currency))
            placed.append(unpriced)
        else:
            parts += _rated_parts(contract, portion, rate, conversion)
    return Rated(parts, placed)


def _set_parts(contract: Contract, portion: Portion, price: SetPrice) -> list[RatedPart]:
    if not price.is_multiplied:
        return [RatedPart(portion, price.rate, price.label, price.origin, "")]
    return [
        RatedPart(part, product(price.rate, factor) if label else price.rate, label, price.origin, "")
        for part, factor, label in with_premiums(contract, portion)
    ]


def _rated_parts(contract: Contract, portion: Portion, rate: ChosenRate, conversion: Conversion) -> list[RatedPart]:
    found: list[RatedPart] = []
    for portion_part, factor, label in with_premiums(contract, portion):
        is_plain = not label and conversion is SAME
        price = rate.rate if is_plain else product(rate.rate, factor, conversion.factor)
        found.append(RatedPart(portion_part, price, label, rate.origin, conversion.text))
    return found
