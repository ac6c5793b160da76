"""Firms behind the first ten thousand over which the two calculations did not agree at first (docs/proofs.md)."""

import pytest

from tests.second.comparing import compare
from tests.second.firms import generate


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(146477237, id="a cap on worked time cuts off less than a rounding takes away"),
        pytest.param(504640, id="one day of an entry has no role that a cap asks for"),
        pytest.param(504861, id="time carried within a phase"),
        pytest.param(516322, id="time carried out of a phase"),
        pytest.param(521151, id="a line of mark-ups of two percentages"),
        pytest.param(522627, id="one day of an entry lies behind the contract"),
        pytest.param(525595, id="a milestone due before the contract, and days cut at midnight"),
        pytest.param(528540, id="a rule of increments that begins at a midnight"),
        pytest.param(531869, id="a second that is rounded away behind a full band"),
        pytest.param(541684, id="a block that does not take the work weighs nights"),
        pytest.param(609793, id="two premiums that come to one price"),
        pytest.param(611464, id="the end of an entry behind the period, in another currency"),
        pytest.param(707395, id="a discount of an earlier month that a fee shares"),
        pytest.param(819383, id="a tier by volume, and the end of an entry behind the period"),
        pytest.param(927768, id="a limit that is lowered within its window"),
        pytest.param(524772, id="a limit that is lowered, in thousandths"),
        pytest.param(4017852, id="a limit that is lowered after an agreed fee"),
        pytest.param(1007630, id="a tie between fees of two days"),
        pytest.param(1029129, id="an earlier month with fees alone"),
        pytest.param(3025497, id="a limit on the money of a phase, and carried time"),
        pytest.param(3035413, id="a tie between parts of lines"),
        pytest.param(1000011764, id="nights before a block was bought"),
    ],
)
def test_both_calculations_agree_by_now(seed: int) -> None:
    """Each of them showed a fault of one of the two, or a question that nobody had asked."""
    assert compare(generate(seed)) == []
