"""Units, unit cost and adjustment of a line, and the shares of the people behind it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.draft import DraftLine
from sinks.ledes_1998b.price import TOLERANCE, Price, price_of
from sinks.ledes_1998b.settings import Receiver
from sinks.ledes_1998b.shares import shares_of
from sinks.testing import HOUR_SECONDS, example_fee, example_source

RECEIVER = Receiver()


def shown(units: str, unit_price: str, amount: str, receiver: Receiver = RECEIVER) -> tuple[str, str, str]:
    price = price_of(Decimal(units), Decimal(unit_price), Decimal(amount), receiver)
    return str(price.units), str(price.unit_cost), str(price.adjustment or "-")


@pytest.mark.parametrize(
    ("given_line", "expected"),
    [
        (("3.40", "250.00", "765.00"), ("3.40", "250.00", "-85.00")),  # BD-73: a discount of 10 %
        (("3.00", "140.00", "333.33"), ("3.00", "140.00", "-86.67")),  # BD-28: an amount cap that does not divide
        (("3.00", "140.00", "0.00"), ("3.00", "140.00", "-420.00")),  # BD-27: wholly beyond an amount cap
        (("2.00", "350.00", "700.00"), ("2.00", "350.00", "-")),
        (("7.35", "115.5102", "849.00"), ("7.35", "115.51", "-")),  # BD-51: two decimals are near enough
        (("7.35", "137.75", "1012.47"), ("7.35", "137.75", "0.01")),  # BD-51: a cent short
        (("0.8333", "100.00", "83.33"), ("0.83", "100.00", "0.33")),  # BD-08: the quantity was for reading only
        (("0.15", "182.50", "27.38"), ("0.15", "182.50", "0.0050")),  # a tie: two decimals would miss by the tolerance
        (("7.35", "0", "849.00"), ("7.35", "115.51", "-")),  # BD-50: a lump has no rate, so it follows
    ],
)
def test_an_amount_is_shown_as_units_price_and_adjustment(
    given_line: tuple[str, str, str], expected: tuple[str, str, str]
) -> None:
    """BD-28, BD-51, BD-73: the amount is never changed and no quantity is invented."""
    assert shown(*given_line) == expected


def test_a_receiver_of_more_decimals_needs_no_adjustment() -> None:
    """BD-51: more decimals in the unit price come first where the receiver takes them."""
    assert shown("7.35", "137.751", "1012.47", Receiver(unit_cost_decimals_max=4)) == ("7.35", "137.7510", "-")
    assert shown("0.8333", "100.00", "83.33", Receiver(units_decimals_max=4)) == ("0.8333", "100.00", "-")


@given(
    units=st.decimals("0", "100000", places=6),
    unit_price=st.decimals("0", "100000", places=6),
    cents=st.integers(0, 10**9),
    decimals=st.integers(0, 4),
)
def test_the_parts_always_give_the_amount(units: Decimal, unit_price: Decimal, cents: int, decimals: int) -> None:
    """Identity 1 holds for whatever billing says, whatever decimals the receiver takes."""
    amount = Decimal(cents) / 100
    receiver = Receiver(units_decimals_max=decimals, unit_cost_decimals_max=decimals)
    price: Price = price_of(units, unit_price, amount, receiver)
    assert abs(price.units * price.unit_cost + (price.adjustment or 0) - amount) < TOLERANCE


def rolled_up(*people: tuple[str, int, str], amount: str, unit: str = "hour", quantity: str | None = None) -> DraftLine:
    """A roll-up of (person, seconds, share of the amount)."""
    seconds = sum(part[1] for part in people)
    sources = tuple(
        example_source(f"e{index}", person, seconds=part, amount=share)
        for index, (person, part, share) in enumerate(people)
    )
    update = {
        "seconds": seconds,
        "unit": unit,
        "quantity": Decimal(quantity) if quantity else Decimal(seconds) / HOUR_SECONDS,
        "person_id": "",
        "person_name": "",
        "sources": sources,
    }
    return example_fee(1, amount=amount).model_copy(update=update)


def shares(line: DraftLine) -> list[tuple[str, str, str]]:
    return [(share.person_id, f"{share.hours:f}", f"{share.amount:f}") for share in shares_of(line, "USD", 2)]


def test_each_person_of_a_roll_up_has_one_share() -> None:
    """BD-50: senior 3.75 h and junior 3.60 h stay visible, in order of first appearance."""
    line = rolled_up(("ab", 9_000, "350.00"), ("cd", 12_960, "324.00"), ("ab", 4_500, "175.00"), amount="849.00")
    assert shares(line) == [("ab", "3.75", "525.00"), ("cd", "3.60", "324.00")]


def test_hours_shown_add_up_to_the_hours_of_the_line() -> None:
    """Three times twenty minutes are one hour, also with two decimals."""
    line = rolled_up(*((person, 1_200, "33.33") for person in "abc"), amount="99.99")
    assert [hours for _, hours, _ in shares(line)] == ["0.34", "0.33", "0.33"]


def test_a_lump_shows_the_hours_behind_it() -> None:
    """BD-50: one piece at 849.00 is still 7.35 h of two people."""
    line = rolled_up(("ab", 13_500, "525.00"), ("cd", 12_960, "324.00"), amount="849.00", unit="lump", quantity="1")
    assert shares(line) == [("ab", "3.75", "525.00"), ("cd", "3.60", "324.00")]


@pytest.mark.parametrize(
    ("parts", "amount", "expected"),
    [
        (("60.00", "40.00"), "90.00", ["54.00", "36.00"]),  # a discount on the whole line follows the amounts
        (("0", "0"), "10.01", ["5.01", "5.00"]),  # nothing was attributed: by time
        (("20.00", "-10.00"), "20.00", ["10.00", "10.00"]),  # a correction inside: by time
    ],
)
def test_amounts_that_do_not_add_up_are_spread(parts: tuple[str, str], amount: str, expected: list[str]) -> None:
    """BD-52: shares add up to the line exactly, by largest remainder."""
    line = rolled_up(("ab", 3_600, parts[0]), ("cd", 3_600, parts[1]), amount=amount)
    assert [share for _, _, share in shares(line)] == expected


def test_a_line_without_people_has_no_share() -> None:
    """A fixed fee has no timekeeper."""
    assert shares_of(example_fee(1, person_id="").model_copy(update={"sources": ()}), "USD", 2) == ()


@given(
    parts=st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 90_000), st.integers(-500, 90_000)), min_size=1),
    extra_cents=st.integers(-200, 200),
)
def test_shares_always_add_up(parts: list[tuple[str, int, int]], extra_cents: int) -> None:
    """Whatever billing attributed, the shares are the line, in money and in hours."""
    cents = sum(part[2] for part in parts) + extra_cents
    people = [(person, seconds, f"{Decimal(part) / 100:f}") for person, seconds, part in parts]
    line = rolled_up(*people, amount=f"{Decimal(cents) / 100:f}")
    found = shares_of(line, "USD", 2)
    assert sum((share.amount for share in found), Decimal(0)) == line.amount
    assert abs(sum((share.hours for share in found), Decimal(0)) - line.quantity) <= TOLERANCE
