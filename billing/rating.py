"""Step 9: price each portion by its rate, overage or premium, converted into the contract's currency."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from billing.contract import Contract
from billing.currency import SAME, Exchange
from billing.exact import product
from billing.portions import Placed, Portion, SetPrice, made, placed_as
from billing.premiums import with_premiums
from billing.rates import ChosenRate
from billing.terms import Terms
from schemas.draft import Bucket


class Price(NamedTuple):
    """A price per hour in the contract's currency, and why. `variant` marks what makes it unusual."""

    unit_price: Decimal
    variant: str
    origin: str
    conversion: str


class RatedPart(NamedTuple):
    """A portion at its price; what is priced alike shares one object."""

    portion: Portion
    price: Price


class Rated(NamedTuple):
    """Priced parts in work order, and portions held because their currency has no rate."""

    parts: list[RatedPart]
    placed: list[Placed]


def rate_portions(contract: Contract, exchange: Exchange, live: list[Portion]) -> Rated:
    """Price portions in work order."""
    parts: list[RatedPart] = []
    placed: list[Placed] = []
    prices = _Prices(contract, exchange)
    for portion in live:
        terms = portion.terms
        price = prices.of_rate(terms, portion) if portion.price is None else prices.of_rule(portion.price)
        if price is None:
            placed.append(_unpriced(exchange, portion))
        elif terms.premiums and (portion.price is None or portion.price.is_multiplied):
            found = with_premiums(contract, portion)
            parts += [RatedPart(part, prices.multiplied(price, factor, label)) for part, factor, label in found]
        else:
            parts.append(made(RatedPart, (portion, price)))
    return Rated(parts, placed)


@dataclass(frozen=True, slots=True, eq=False)
class _Prices:
    """Each different price of an invoice, once."""

    contract: Contract
    exchange: Exchange
    of_rates: dict[tuple[Terms, tuple[date, date] | None], Price | None] = field(default_factory=dict)
    of_rules: dict[SetPrice, Price] = field(default_factory=dict)
    of_premiums: dict[tuple[Price, Decimal, str], Price] = field(default_factory=dict)

    def of_rate(self, terms: Terms, portion: Portion) -> Price | None:
        """The price of work by its rate; None when rate or conversion is missing."""
        rate = terms.rate
        is_own = rate is None or rate.currency == self.contract.currency
        key = (terms, None if is_own else (portion.day, portion.counted_day))
        if key not in self.of_rates:
            self.of_rates[key] = None if rate is None else self._converted(rate, portion)
        return self.of_rates[key]

    def _converted(self, rate: ChosenRate, portion: Portion) -> Price | None:
        conversion = self.exchange.fee(rate.currency, portion.day, portion.counted_day)
        if conversion is None:
            return None
        unit_price = rate.rate if conversion is SAME else product(rate.rate, conversion.factor)
        return Price(unit_price, "", rate.origin, conversion.text)

    def of_rule(self, price: SetPrice) -> Price:
        """A price that a rule sets; premiums name themselves where they multiply it."""
        found = self.of_rules.get(price)
        if found is None:
            label = "" if price.is_multiplied else price.label
            found = self.of_rules[price] = Price(price.rate, label, price.origin, "")
        return found

    def multiplied(self, price: Price, factor: Decimal, label: str) -> Price:
        """A price with the premiums that a label names."""
        if not label:
            return price
        key = (price, factor, label)
        found = self.of_premiums.get(key)
        if found is None:
            found = self.of_premiums[key] = price._replace(unit_price=product(price.unit_price, factor), variant=label)
        return found


def _unpriced(exchange: Exchange, portion: Portion) -> Placed:
    """Work without a price is held; a rate in another currency asks for the exchange rate."""
    rate, missing = portion.terms.rate, portion.terms.unpriced
    if rate is not None:
        return placed_as(portion, Bucket.HELD, "exchange_rate_missing", exchange.missing(rate.currency))
    assert missing is not None, "terms without a rate say why"
    return placed_as(portion, Bucket.HELD, missing.reason, missing.detail)
