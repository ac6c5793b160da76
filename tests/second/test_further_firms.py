"""The other half of the generated firms, in a file of its own: files are what processes share."""

import pytest

from tests.second.agreeing import PARTS, disagreement_in


@pytest.mark.parametrize("part", range(PARTS // 2, PARTS))
def test_both_calculations_of_a_firm_agree(part: int) -> None:
    """Lines, shares, taxes, totals, buckets and the place of every second are the same in both."""
    assert disagreement_in(part) == ""
