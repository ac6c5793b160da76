"""The first half of the generated firms: the product and the second calculator agree."""

import pytest

from tests.second.agreeing import PARTS, disagreement_in


@pytest.mark.parametrize("part", range(PARTS // 2))
def test_both_calculations_of_a_firm_agree(part: int) -> None:
    """Lines, shares, taxes, totals, buckets and the place of every second are the same in both."""
    assert disagreement_in(part) == ""
