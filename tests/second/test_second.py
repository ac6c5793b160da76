"""The product and the second calculator agree on generated firms, and the comparison sees what is wrong."""

from decimal import Decimal

import pytest
from hypothesis import settings

from tests.second.case import Case, differences
from tests.second.comparing import compare, describe, shrink
from tests.second.firms import generate
from tests.second.product import facts_of, product_body, product_facts

SHARE = 10
"""Each of so many tests looks at its share of the firms, so that a failure names a small range."""


def firms_of(part: int) -> range:
    """The seeds of a part: as many firms in all as twenty laws have examples, at most 10,000."""
    each = min(10_000, settings().max_examples * 20) // SHARE
    return range(part * each, (part + 1) * each)


@pytest.mark.parametrize("part", range(SHARE))
def test_both_calculations_of_a_firm_agree(part: int) -> None:
    """Lines, shares, taxes, totals, buckets and the place of every second are the same in both."""
    for seed in firms_of(part):
        case = generate(seed)
        if compare(case):
            pytest.fail(f"seed {seed}\n{describe(shrink(case))}")


def test_the_generated_firms_have_something_to_judge() -> None:
    """Among the first firms every bucket that the base rules know holds time, and lines are reduced."""
    facts = [product_facts(generate(seed)) for seed in range(200)]
    buckets = {bucket for one in facts for bucket, _ in one.buckets}
    assert {"billed", "held", "carried", "written_down", "written_off", "non_billable"} <= buckets
    assert any(line[2] for one in facts for line in one.lines)


def test_a_cent_or_a_second_off_is_a_difference() -> None:
    """The comparison is no rubber stamp: a cheaper line, a lost line and moved seconds are seen."""
    case = next(one for one in map(generate, range(100)) if product_body(one).lines)
    body = product_body(case)
    line = body.lines[0]
    wrong = [
        body.model_copy(
            update={"lines": (line.model_copy(update={"amount": line.amount + Decimal(1)}), *body.lines[1:])}
        ),
        body.model_copy(update={"lines": body.lines[1:]}),
        body.model_copy(update={"worked_seconds": body.worked_seconds + 1}),
    ]
    for one in wrong:
        assert differences(facts_of(case, one), facts_of(case, body))


def test_a_difference_is_made_small() -> None:
    """What cannot change a difference is left out before it is shown: here, all but one entry and the rates."""

    def differs(case: Case) -> list[str]:
        rated = bool(case.contract.rates)
        return ["- line"] if rated and any(entry.project_id == "alpha" for entry in case.entries) else []

    case = next(one for one in map(generate, range(100)) if differs(one) and len(one.entries) > 5)
    small = shrink(case, differs)
    assert [entry.project_id for entry in small.entries] == ["alpha"]
    assert small.contract.model_fields_set == {"id", "client", "currency", "zone", "rates"}
