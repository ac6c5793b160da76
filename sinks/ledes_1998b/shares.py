"""A fee line as the shares of the people behind it: LEDES wants one timekeeper a line, a roll-up has several."""

from dataclasses import dataclass
from decimal import Decimal

from schemas.draft import DraftLine
from schemas.money import exponent, round_places, spread

HOUR_SECONDS = 3_600
HOUR_UNIT = "hour"


@dataclass(frozen=True, slots=True)
class Share:
    """One person's part of a line: hours and amount. The parts of a line add up to it."""

    person_id: str
    hours: Decimal
    amount: Decimal


def shares_of(line: DraftLine, currency: str, units_decimals: int) -> tuple[Share, ...]:
    """One share a person in order of first appearance; none when nobody is behind the line (a fixed fee)."""
    seconds: dict[str, int] = {}
    amounts: dict[str, Decimal] = {}
    for source in line.sources:
        if source.person_id:
            worked = source.worked_seconds + source.delta_seconds
            seconds[source.person_id] = seconds.get(source.person_id, 0) + worked
            amounts[source.person_id] = amounts.get(source.person_id, Decimal(0)) + source.amount
    people = list(seconds) or ([line.person_id] if line.person_id else [])
    hours = _hours(line)
    if len(people) <= 1:
        return tuple(Share(person_id, hours, line.amount) for person_id in people)
    places = max(exponent(currency), _decimals(line.amount))
    shared_amounts = _amounts(
        line, [amounts[person] for person in people], [seconds[person] for person in people], places
    )
    # The hours shown add up to the hours of the line, as the client would see it in any other format.
    shown = round_places(hours, units_decimals)
    shared_hours = spread(shown, [Decimal(max(seconds[person], 0)) for person in people], units_decimals)
    shares = tuple(Share(*parts) for parts in zip(people, shared_hours, shared_amounts, strict=True))
    assert sum((share.amount for share in shares), Decimal(0)) == line.amount, line.line_id
    return shares


def _amounts(line: DraftLine, amounts: list[Decimal], seconds: list[int], places: int) -> tuple[Decimal, ...]:
    """The amounts that billing attributed to each person, made to add up to the line when they do not."""
    total = sum(amounts, Decimal(0))
    if total == line.amount:
        return tuple(amounts)
    if all(amount >= 0 for amount in amounts) and total:
        return spread(line.amount, amounts, places)
    return spread(line.amount, [Decimal(max(each, 0)) for each in seconds], places)


def _hours(line: DraftLine) -> Decimal:
    """Hours of a line: its quantity when that is in hours, else its seconds (a lump shows one piece)."""
    return line.quantity if line.unit == HOUR_UNIT else Decimal(line.seconds) / HOUR_SECONDS


def _decimals(amount: Decimal) -> int:
    places = amount.as_tuple().exponent
    assert isinstance(places, int), "amounts are finite"
    return max(-places, 0)
