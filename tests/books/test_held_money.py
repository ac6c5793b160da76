"""Money held for a client across documents, and events that are billed without being work."""

from datetime import date
from decimal import Decimal

from books.testing import Story, entry, envelope, scope, undecided
from schemas.draft import DocumentScope
from schemas.entry import EntryKind, EntryVersion
from schemas.inputs import Payment

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


def test_a_later_invoice_is_paid_from_what_the_approved_one_left() -> None:
    """October drew 300.00 when it was approved; an entry that changes afterwards does not give it back."""
    told = Story().begin(**{"from": "2026-10-01"}, money_retainer=RETAINER)
    told.say(entry("a", hours="2"))
    told.close()
    told.approve(told.document())
    assert [f"{one.applied:f}" for one in told.preview().held_money] == ["300.00"]
    told.say(entry("a", hours="1", revision=2))
    [use] = told.preview(NOVEMBER).held_money
    assert (use.balance_before, use.applied) == (Decimal("700.00"), Decimal("0.00"))


def test_a_draft_draws_nothing_for_good() -> None:
    """As long as October is a draft, November's preview follows what October would be today."""
    told = Story().begin(**{"from": "2026-10-01"}, money_retainer=RETAINER)
    told.say(entry("a", hours="2"))
    told.close()
    told.say(entry("a", hours="1", revision=2))
    assert [one.balance_before for one in told.preview(NOVEMBER).held_money] == [Decimal("850.00")]


def payment(payment_id: str, amount: str, **changed: object) -> Payment:
    """Money of Acme that arrived for its retainer in October."""
    fields: dict[str, object] = {
        "envelope": envelope(f"{payment_id}-{amount}"),
        "payment_id": payment_id,
        "document_id": "",
        "amount": amount,
        "currency": "EUR",
        "paid_on": "2026-10-20",
        "contract_id": "acme-2026",
        "held_id": "retainer",
    }
    return Payment.model_validate(fields | changed)


def test_a_payment_fills_the_account_it_names_once() -> None:
    """BD-40: 1,000.00 by contract and 250.00 by payment; the same one again, or one for a document, adds nothing."""
    told = Story().begin(**{"from": "2026-10-01"}, money_retainer=RETAINER)
    told.say(payment("p1", "250.00"), payment("p1", "999.00"), payment("p2", "70.00", held_id="", contract_id=""))
    told.say(payment("p3", "40.00", paid_on="2026-11-20"))
    assert [one.received for one in told.preview().held_money] == [Decimal("1250.00")]
    [use] = told.preview(NOVEMBER).held_money
    assert (use.balance_before, use.received) == (Decimal("1250.00"), Decimal("40.00"))
    assert told.journal.unapplied == []


def test_a_payment_that_fits_no_account_is_a_dead_letter() -> None:
    """Another client's contract, an unknown account, another currency, nothing or less, a part of a cent."""
    told = Story().begin(**{"from": "2026-10-01"}, money_retainer=RETAINER)
    told.say(
        payment("p1", "1.00", contract_id="birch-2026"),
        payment("p2", "1.00", held_id="trust"),
        payment("p3", "1.00", currency="USD"),
        payment("p4", "0.00"),
        payment("p5", "-5.00"),
        payment("p6", "1.001"),
    )
    assert [reason for _, reason, _ in told.journal.unapplied] == [
        "payment_account_unknown",
        "payment_account_unknown",
        "payment_unusable",
        "payment_unusable",
        "payment_unusable",
        "payment_unusable",
    ]
    assert [one.received for one in told.preview().held_money] == [Decimal("1000.00")]


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
