"""The comparison of the product with the second calculator sees what is wrong, and the firms give it work."""

from decimal import Decimal

from tests.second.case import Case, differences
from tests.second.comparing import shrink
from tests.second.firms import generate
from tests.second.product import facts_of, product_body, product_facts


def test_the_generated_firms_have_something_to_judge() -> None:
    """Among the first firms every bucket that the base rules know holds time, and lines are reduced."""
    facts = [product_facts(generate(seed)) for seed in range(400)]
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
