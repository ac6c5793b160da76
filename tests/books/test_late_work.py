"""Late work that only gets what is left (`late_policy: remaining_capacity`), in windows that two periods share."""

from collections.abc import Mapping

import pytest

from books.testing import Story, contract, entry, terms, week_cap
from tests.books.test_corrections import APRIL, MARCH, MAY, adjustments, issue

RATES = [{"rate": "100.00"}]
LIMIT = {"id": "nte", "window": "contract", "amount": "1000.00", "counts": "fees", "includes_tax": False}
BANDS = {"id": "t", "reset": "contract", "bands": [{"up_to": "3", "rate": "150.00"}, {"rate": "90.00"}]}


def late_terms(**clauses: object) -> dict[str, object]:
    """A contract under which late work gets what is left."""
    return terms(late_policy="remaining_capacity") | {"from": "2026-01-01"} | clauses


@pytest.mark.parametrize(
    ("clauses", "april", "expected"),
    [
        pytest.param({"caps": [week_cap(hours="5", pool="all")]}, "2", [("3.00", "100.00", "300.00")], id="a week"),
        pytest.param(
            {"caps": [week_cap(hours="5", pool="all", overflow="carry_forward")]},
            "2",
            [("3.00", "100.00", "300.00"), ("2.00", "100.00", "200.00")],
            id="a week whose overflow is carried: no second stands on two invoices",
        ),
        pytest.param(
            {"amount_caps": [LIMIT]}, "7", [("5.00", "100.00", "200.00")], id="a limit on the contract's money"
        ),
        pytest.param({"tiers": [BANDS]}, "2", [("5.00", "90.00", "450.00")], id="bands over the contract"),
        pytest.param({"caps": [week_cap(hours="5", pool="all")]}, "5", [], id="a week that is full"),
    ],
)
def test_late_work_gets_what_documents_of_later_periods_left(
    story: Story, clauses: Mapping[str, object], april: str, expected: list[tuple[str, str, str]]
) -> None:
    """Monday, 30 March is told after the Wednesday of its week, 1 April, stands on an approved invoice."""
    story.say(contract(late_terms(**({} if "tiers" in clauses else {"rates": RATES}), **clauses)))
    story.say(entry("a", "2026-03-05T09:00", "1"))
    issue(story, MARCH)
    story.say(entry("b", "2026-04-01T09:00", april))
    issue(story, APRIL)
    story.say(entry("late", "2026-03-30T09:00", "5"))
    assert adjustments(story.preview(MAY)) == expected


def test_later_work_that_no_document_holds_is_not_looked_at(story: Story) -> None:
    """An open April changes nothing of what March corrects, however much of the week it holds."""
    story.say(contract(late_terms(rates=RATES, caps=[week_cap(hours="5", pool="all")])))
    story.say(entry("a", "2026-03-05T09:00", "1"))
    issue(story, MARCH)
    story.say(entry("late", "2026-03-30T09:00", "5"), entry("b", "2026-04-01T09:00", "4"))
    assert adjustments(story.preview(APRIL)) == [("5.00", "100.00", "500.00")]
