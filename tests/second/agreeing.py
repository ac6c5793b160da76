"""Ten thousand generated firms in parts, so that two processes share them and a failure names a small range."""

from hypothesis import settings

from tests.second.comparing import compare, describe, shrink
from tests.second.firms import generate

FIRMS = 10_000
PARTS = 10
_FULL = 50
"""Examples of a profile that is no quick look: from here on all firms are computed."""


def firms_of(part: int) -> range:
    """The seeds of a part: all firms, or in a quick look as many as twenty laws have examples."""
    examples = settings().max_examples
    each = (FIRMS if examples >= _FULL else examples * 20) // PARTS
    return range(part * each, (part + 1) * each)


def disagreement_in(part: int) -> str:
    """The first firm of a part of which both calculations differ, as small as it gets; empty when they agree."""
    for seed in firms_of(part):
        case = generate(seed)
        if compare(case):
            return f"seed {seed}\n{describe(shrink(case))}"
    return ""
