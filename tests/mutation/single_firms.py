"""Firms of the second calculator one by one, so that a change of billing/ meets only those that reach it.

`tests/second` compares many firms in a test; what is collected here is asked for by name (`tests/mutation`).
"""

import pytest

from tests.second.comparing import compare
from tests.second.firms import generate

FIRMS = 400


@pytest.mark.parametrize("seed", range(FIRMS))
def test_both_calculations_of_a_firm_agree(seed: int) -> None:
    """What `tests/second` asks of all firms holds for this one."""
    assert not compare(generate(seed))
