"""Firms with what the first ten thousand lack (`tests/second/wider.py`): both calculators agree about them."""

import pytest

from tests.second.comparing import compare
from tests.second.firms import generate
from tests.second.wider import FIRST_WIDER_SEED

PARTS = 4
FIRMS_OF_A_PART = 250


@pytest.mark.parametrize("part", range(PARTS))
def test_both_calculations_of_a_wider_firm_agree(part: int) -> None:
    """As of the first ones: lines, shares, taxes, totals, buckets and the place of every second."""
    first = FIRST_WIDER_SEED + part * FIRMS_OF_A_PART
    assert [seed for seed in range(first, first + FIRMS_OF_A_PART) if compare(generate(seed))] == []
