"""What stands of a document: when the part of an entry is the same as it was (billing-domain 2.4)."""

from decimal import Decimal

import pytest

from billing.standing import Share, is_share_same
from billing.testing import open_desk


@pytest.mark.parametrize("currency", ["USD", "JPY"])
@pytest.mark.parametrize(
    ("worked", "delta", "cents", "is_same"),
    [
        (3600, 0, 0, True),
        (3600, 0, 1, True),
        (3600, 0, -1, True),
        (3600, 0, 2, False),
        (3600, 0, -2, False),
        (3601, 0, 0, False),
        (3600, 1, 0, False),
        (3601, -1, 0, False),
        (3601, 0, 1, False),
        (0, 0, -100, False),
    ],
)
def test_a_part_is_the_same_up_to_a_cent_of_rounding(
    currency: str, worked: int, delta: int, cents: int, is_same: bool
) -> None:
    """An hour of 100.00, or of 100 yen: other seconds are a change, other money is from the second cent on."""
    [line] = open_desk(rates=[{"rate": "100"}], currency=currency).bill("date  worked\n2025-03-03  1.00").body.lines
    [source] = line.sources
    cent = Decimal(1) if currency == "JPY" else Decimal("0.01")
    stood = Share(source, source.worked_seconds, source.delta_seconds, source.amount)
    today = Share(source, worked, delta, source.amount + cents * cent)
    assert is_share_same(stood, today) is is_same
    assert is_share_same(today, stood) is is_same


def test_a_part_that_is_gone_is_the_same_only_if_nothing_was_left_of_it() -> None:
    """What earlier corrections took to nothing may be missing; an hour, a second of rounding or a cent may not."""
    [line] = open_desk(rates=[{"rate": "100"}]).bill("date  worked\n2025-03-03  1.00").body.lines
    [source] = line.sources
    assert is_share_same(None, None)
    assert is_share_same(Share(source), None)
    assert is_share_same(None, Share(source))
    for left in (Share(source, 1), Share(source, 0, -1), Share(source, 0, 0, Decimal("0.01"))):
        assert not is_share_same(left, None)
        assert not is_share_same(None, left)
