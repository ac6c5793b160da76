"""Money held for a client across documents, and events that are billed without being work."""

from datetime import date
from decimal import Decimal

from books.testing import Story, entry, scope, undecided
from schemas.draft import DocumentScope
from schemas.entry import EntryKind, EntryVersion

NOVEMBER: DocumentScope = scope(first="2026-11-01", end="2026-12-01")
RETAINER: dict[str, object] = {
    "id": "retainer",
    "threshold": "200.00",
    "target": "1000.00",
    "received": [{"on": "2026-10-01", "amount": "1000.00"}],
}


def event(name: str, kind: EntryKind, day: str, **said: object) -> EntryVersion:
    """A milestone or usage entry of a day."""
    return entry(name, "", "0", kind=kind, work_date=date.fromisoformat(day), person_ref="", **said)


def test_a_later_invoice_is_paid_from_what_the_approved_one_left(story: Story) -> None:
    """October drew 300.00 when it was approved; an entry that changes afterwards does not give it back."""
    told = Story().begin(**{"from": "2026-10-01"}, money_retainer=RETAINER)
    told.say(entry("a", hours="2"))
    told.close()
    told.approve(told.document())
    assert [f"{one.applied:f}" for one in told.preview().held_money] == ["300.00"]
    told.say(entry("a", hours="1", revision=2))
    [use] = told.preview(NOVEMBER).held_money
    assert (use.balance_before, use.applied) == (Decimal("700.00"), Decimal("0.00"))


def test_a_draft_draws_nothing_for_good(story: Story) -> None:
    """As long as October is a draft, November's preview follows what October would be today."""
    told = Story().begin(**{"from": "2026-10-01"}, money_retainer=RETAINER)
    told.say(entry("a", hours="2"))
    told.close()
    told.say(entry("a", hours="1", revision=2))
    assert [one.balance_before for one in told.preview(NOVEMBER).held_money] == [Decimal("850.00")]


def test_milestones_and_usage_wait_for_no_decision() -> None:
    """They say themselves what they are: with nobody to decide, they are billed, once."""
    plan = {"id": "site", "total": "500.00", "parts": [{"id": "launch", "share": 1, "due": "acceptance"}]}
    calls = {"id": "api", "meter": "calls", "price": "0.10"}
    told = Story(undecided).begin(**{"from": "2026-10-01"}, milestones=[plan], usage_fees=[calls])
    told.say(
        event("m", EntryKind.MILESTONE, "2026-10-20", task_ref="launch"),
        event("n", EntryKind.MILESTONE, "2026-10-21", task_ref="Launch"),
        event("u", EntryKind.USAGE, "2026-10-31", category="calls", quantity=Decimal(50)),
    )
    body = told.body(told.close())
    assert [(line.kind.value, f"{line.amount:f}") for line in body.lines] == [
        ("milestone", "500.00"),
        ("usage_fee", "5.00"),
    ]
