"""The story of a firm in which every kind of record that a journal holds stands at least once: the golden journals."""

from datetime import date, timedelta
from decimal import Decimal

from books.testing import (
    NOON,
    Story,
    billable,
    contract,
    decision,
    directory,
    entry,
    entry_id,
    envelope,
    expense,
    firm,
    scope,
    terms,
    tick,
    week_cap,
)
from schemas import commands, inputs
from schemas.commands import LetterOutcome
from schemas.entry import Deletion, EntryKind
from schemas.inputs import Category, Decision, DecisionRank, DeliveryState, SinkReceipt
from schemas.work import DecideEntry, DeliverDocument

NOVEMBER = scope(first="2026-11-01", end="2026-12-01")
BIRCH = scope("birch")
RETAINER: dict[str, object] = {
    "id": "retainer",
    "threshold": "200.00",
    "target": "1000.00",
    "received": [{"on": "2026-10-01", "amount": "400.00"}],
}


def answer(request: DecideEntry | DeliverDocument) -> Decision | SinkReceipt | None:
    """Decides at once and takes every document; travel is unsure and stays held."""
    if isinstance(request, DeliverDocument):
        return SinkReceipt(
            envelope=envelope(f"receipt-{request.request_id}"),
            request_id=request.request_id,
            document_id=request.document_id,
            revision=request.revision,
            sink=request.sink,
            state=DeliveryState.DELIVERED,
            location=f"{request.sink}/{request.document_id}-{request.revision}",
            sink_hash="5f" * 32,
        )
    if "unsure" in request.description:
        return decision(request, Category.BILLABLE, held_reason="unsure", confidence=Decimal("0.3"))
    return billable(request)


def told() -> Story:
    """Two months of two clients, from the directory to a voided invoice."""
    story = Story(answer)
    agreed = {
        "from": "2026-10-01",
        "caps": [week_cap(hours="10")],
        "money_retainer": RETAINER,
        "delivery": [{"sink": "json", "leave": "draft"}, {"sink": "ledes"}],
    }
    story.say(directory(firm()), contract(terms("acme", **agreed)), contract(terms("birch")))
    work(story)
    inputs_of_other_kinds(story)
    orders(story)
    october(story)
    afterwards(story)
    birch(story)
    return story


def work(story: Story) -> None:
    """Entries of every kind, with edits, a move, a deletion and a duplicate."""
    for day in range(5, 10):
        story.say(
            entry(f"e{day}", f"2026-10-{day:02d}T09:00", "2.5"), entry(f"b{day}", f"2026-10-{day:02d}T14:00", "1")
        )
    story.say(
        entry("e5", "2026-10-05T09:00", "3.25", revision=2),
        entry("e6", "2026-10-06T09:00", "2.5", client_ref="Birch AG", revision=2),
        entry("b7", "2026-10-07T14:00", "1", deletion=Deletion.REPORTED, revision=2),
        entry("inside", "2026-10-12T09:00", "1", description="internal meeting"),
        entry("doubt", "2026-10-12T13:00", "1", description="unsure travel"),
        entry("twice", "2026-10-08T09:30", "1", source="harvest"),
        entry("nobody", "2026-10-13T09:00", "2", client_ref="Acne"),
        entry("junior", "2026-10-13T13:00", "2", person_ref="Bo"),
        entry("roleless", "2026-10-14T13:00", "1", person_ref="Kim"),
        expense("train", "45.90"),
        expense("hotel", "120.00", "2026-10-06"),
        entry("beta", "", "0", kind=EntryKind.MILESTONE, work_date=date(2026, 10, 20), person_ref=""),
    )


def inputs_of_other_kinds(story: Story) -> None:
    """A rate, a payment, and an import that lacks entries of its scope."""
    story.say(
        inputs.ExchangeRate.model_validate(
            {
                "envelope": envelope("rate-1"),
                "base": "USD",
                "quote": "EUR",
                "on": "2026-10-01",
                "rate": "0.92",
                "rate_source": "ecb",
            }
        ),
        inputs.Payment.model_validate(
            {
                "envelope": envelope("payment-1"),
                "payment_id": "payment-1",
                "document_id": "",
                "amount": "250.00",
                "currency": "EUR",
                "paid_on": "2026-10-20",
                "contract_id": "acme-2026",
                "held_id": "retainer",
            }
        ),
        entry("listed", "2026-10-15T09:00", "1", source="csv", import_id="import-1"),
        entry("unlisted", "2026-10-16T09:00", "1", source="csv"),
        entry("unlisted-too", "2026-10-16T11:00", "1", source="csv"),
        inputs.ImportCompleted.model_validate(
            {
                "envelope": envelope("import-1"),
                "import_id": "import-1",
                "source": "csv",
                "account": "account",
                "people": ["Dana"],
                "date_from": "2026-10-01",
                "date_to": "2026-11-01",
                "observed_at": NOON + timedelta(hours=1),
                "rows": 1,
                "accepted": 1,
                "refused": 0,
                "asked": 0,
                "file_name": "october.csv",
                "file_hash": "5f" * 32,
            }
        ),
    )


def orders(story: Story) -> None:
    """A person's word about entries, each kind of it."""
    story.order(commands.AssignEntry, entry_id=entry_id("nobody"), client_id="acme")
    story.order(commands.CorrectEntry, entry_id=entry_id("e8"), category=Category.NON_BILLABLE, remember=True)
    story.order(commands.HoldEntry, entry_id=entry_id("e9"))
    story.order(commands.HoldEntry, entry_id=entry_id("b9"))
    story.order(commands.ReleaseEntry, entry_id=entry_id("b9"), held_reason="held_by_person")
    story.order(commands.ReleaseEntry, entry_id=entry_id("unlisted", "csv"), held_reason="deletion_proposed")
    story.order(commands.DeleteEntry, entry_id=entry_id("unlisted-too", "csv"))
    story.order(commands.WriteOff, entry_id=entry_id("b8"))
    story.order(commands.SettleDeadLetter, dead_letter_id="letter-1", outcome=LetterOutcome.DISCARDED)


def october(story: Story) -> None:
    """A close that waits for a source and a tick, a rejected draft, a redraft, an approval and an invoice."""
    noon = NOON.replace(month=11)
    story.close(sources=("toggl/account",), watermark_until=noon, wait_until=noon + timedelta(days=3))
    story.say(
        inputs.SourceWatermark(envelope=envelope("mark-1"), source="toggl", account="account", seen_until=noon),
        tick("2026-11-02T10:00"),
        tick("2026-11-06T10:00"),
    )
    story.order(commands.RejectDocument, document_id=story.document().document_id, revision=1)
    story.say(decision_of_a_person(story))
    story.close()
    story.order(commands.ApproveDocument, document_id=story.document().document_id, revision=9, content="other")
    story.approve(story.document())
    story.order(commands.IssueDocument, document_id=story.document().document_id)


def decision_of_a_person(story: Story) -> Decision:
    """What settles the unsure entry: a decision of higher rank for the same inputs."""
    row = story.row("doubt")
    return Decision(
        envelope=envelope("decision-doubt"),
        request_id="request-doubt",
        entry_id=entry_id("doubt"),
        input_hash=row.input_hash,
        rank=DecisionRank.PERSON,
        decider="dana",
        category=Category.BILLABLE,
        confidence=Decimal(1),
    )


def afterwards(story: Story) -> None:
    """October changes after its invoice: November corrects it."""
    story.say(
        entry("e7", "2026-10-07T09:00", "1.5", revision=2),
        entry("late", "2026-10-21T09:00", "1"),
        entry("n1", "2026-11-03T09:00", "4"),
        contract(terms("acme", rates=[{"role": "senior", "rate": "160.00"}], **{"from": "2026-10-01"})),
    )
    story.close(NOVEMBER)


def birch(story: Story) -> None:
    """Another client: closed, approved, opened again, closed anew, issued, voided for a rebill and billed again."""
    story.close(BIRCH)
    story.approve(story.document("birch"))
    story.order(commands.ReopenPeriod, scope=BIRCH)
    story.say(entry("more", "2026-10-22T09:00", "0.5", client_ref="Birch AG"))
    story.close(BIRCH)
    (standing,) = [row for row in story.documents("birch") if row.state == "draft"]
    story.approve(standing)
    story.order(commands.IssueDocument, document_id=standing.document_id)
    story.order(commands.VoidDocument, document_id=standing.document_id, rebill=True)
    story.close(BIRCH)
