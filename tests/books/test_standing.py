"""What stands is not touched by new code, later exchange rates or orders that come too early (design rule 6)."""

from dataclasses import replace

import pytest

import books.invoicing
from billing.contract import compile_contract
from billing.invoice import Invoice, InvoiceRequest, compute_invoice
from books.preview import preview_bodies
from books.rows import DocumentRow, FrozenRow, SettledRow
from books.testing import Story, contract, entry, entry_id, envelope, scope, terms, tick, week_cap
from schemas import commands, inputs
from schemas.draft import CorrectionReason, DocumentKind, DocumentState, DraftBody
from schemas.facts import CommandRefused, DocumentIssued, DocumentVoided

MARCH = scope(first="2026-03-01", end="2026-04-01")
APRIL = scope(first="2026-04-01", end="2026-05-01")
DOLLARS = {"rates": [{"role": "senior", "rate": "100.00", "currency": "USD"}]}


def approve(story: Story) -> DocumentRow:
    """Approve the one draft that there is."""
    [row] = [row for _, row in story.book.scan(DocumentRow) if row.state == DocumentState.DRAFT.value]
    story.approve(row)
    return story.at(row.document_id)


def issue(story: Story) -> DocumentRow:
    """Approve and issue the one draft that there is."""
    row = approve(story)
    story.order(commands.IssueDocument, document_id=row.document_id)
    return story.at(row.document_id)


def adjusted(story: Story) -> list[tuple[str, CorrectionReason | None]]:
    """Amount and reason of what the documents of April would correct."""
    bodies = preview_bodies(story.book, story.catalog, APRIL)
    return [(str(line.amount), line.correction_reason) for body in bodies for line in body.lines if line.corrects]


def refusal(story: Story, command_id: str) -> str:
    """Why a command was refused."""
    fact = story.verdict(command_id)
    assert isinstance(fact, CommandRefused), fact
    return fact.reason


def rate(value: str, on: str = "2026-03-31") -> inputs.ExchangeRate:
    """EUR for a USD on a date."""
    given = {"base": "USD", "quote": "EUR", "on": on, "rate": value, "rate_source": "ECB"}
    return inputs.ExchangeRate.model_validate({"envelope": envelope(f"rate-{value}-{on}"), **given})


def dearer(request: InvoiceRequest) -> Invoice:
    """Other code, which takes ten more for each hour."""
    document = request.contract.document
    rates = tuple(row.model_copy(update={"rate": row.rate + 10}) for row in document.rates)
    return compute_invoice(replace(request, contract=compile_contract(document.model_copy(update={"rates": rates}))))


def test_new_code_alone_bills_nothing_again(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 6: with other code nothing is adjusted until an input changes, and then only the entry that changed."""
    story.say(entry("a", "2026-03-05T09:00", "2"), entry("b", "2026-03-06T09:00", "3", person_ref="Bo"))
    story.close(MARCH)
    approve(story)
    monkeypatch.setattr(books.invoicing, "compute_invoice", dearer)
    story.say(contract(terms(name="The same, with a name")))
    assert adjusted(story) == []
    story.say(entry("a", "2026-03-05T09:00", "3", revision=2))
    assert {reason for _, reason in adjusted(story)} == {CorrectionReason.EDIT}
    total = sum(line.amount for body in preview_bodies(story.book, story.catalog, APRIL) for line in body.lines)
    assert str(total) == "180.00"


def test_a_later_exchange_rate_changes_nothing_that_stands(story: Story) -> None:
    """BD-55: the rate of the document is kept, also for what is corrected later."""
    story.say(contract(terms("acme", rates=DOLLARS["rates"])), rate("0.90"), entry("a", "2026-03-05T09:00", "2"))
    story.close(MARCH)
    approve(story)
    story.say(rate("0.50"))
    assert adjusted(story) == []
    story.say(entry("a", "2026-03-05T09:00", "3", revision=2))
    assert adjusted(story) == [("90.00", CorrectionReason.EDIT)]


def test_a_limit_keeps_the_room_that_an_approved_invoice_took_at_its_own_rate(story: Story) -> None:
    """BD-55, BD-27: March took 180.00 of 200.00 on 3 April; whatever a dollar costs in April, 20.00 are left."""
    limit = {"id": "nte", "window": "contract", "amount": "200.00", "counts": "fees"}
    agreed = terms("acme", **{"from": "2026-03-01"}, rates=DOLLARS["rates"], amount_caps=[limit])
    story.say(contract(agreed), tick("2026-04-03T12:00"), rate("0.90", "2026-04-03"), rate("0.50", "2026-04-30"))
    story.say(entry("a", "2026-03-05T09:00", "2"), entry("b", "2026-04-06T09:00", "3"))
    story.close(MARCH)
    assert str(story.stored(approve(story)).net) == "180.00"
    story.say(tick("2026-04-30T12:00"))
    assert str(story.preview(APRIL).net) == "20.00"


def test_time_that_waited_for_a_rate_is_billed_when_it_is_there(story: Story) -> None:
    """A missing rate holds time; when it comes after the approval, the time is adjusted in."""
    story.say(contract(terms("acme", rates=DOLLARS["rates"])), entry("a", "2026-03-05T09:00", "2"))
    story.close(MARCH)
    approve(story)
    assert adjusted(story) == []
    story.say(rate("0.90"))
    assert adjusted(story) == [("180.00", CorrectionReason.AMENDMENT)]


def test_what_stands_on_two_documents_is_voided_with_rebill_only(story: Story) -> None:
    """A write-off is of whole entries: time that another document bills, too, must not vanish there."""
    carried = {"id": "month", "pool": "all", "hours": "2", "window": "month", "overflow": "carry_forward"}
    story.say(contract(terms("acme", **{"from": "2026-03-01"}, caps=[carried])))
    story.say(entry("a", "2026-03-05T09:00", "3"))
    story.close(MARCH)
    march = issue(story)
    story.close(APRIL)
    issue(story)
    assert refusal(story, story.order(commands.VoidDocument, document_id=march.document_id)) == "stands_elsewhere"
    again = story.order(commands.VoidDocument, document_id=march.document_id, rebill=True)
    assert isinstance(story.verdict(again), DocumentVoided)


def test_orders_that_come_too_early_are_told_so(story: Story) -> None:
    """What is on its way to the journal counts first: no reopening during an issue, no second void."""
    story.say(entry("a", "2026-03-05T09:00", "3"))
    story.close(MARCH)
    row = approve(story)
    head = {"person": "dana", "reason": "now"}
    story.say(
        commands.IssueDocument(envelope=envelope("i"), command_id="i", document_id=row.document_id, **head),
        commands.ReopenPeriod(envelope=envelope("r"), command_id="r", scope=MARCH, **head),
    )
    assert isinstance(story.verdict("i"), DocumentIssued)
    assert refusal(story, "r") == "issue_under_way"
    story.say(
        *(
            commands.VoidDocument(
                envelope=envelope(name), command_id=name, document_id=row.document_id, person="dana", reason="now"
            )
            for name in ("v", "w")
        ),
    )
    assert isinstance(story.verdict("v"), DocumentVoided)
    assert refusal(story, "w") == "approval_under_way"


def test_a_close_withdraws_a_credit_note_that_is_settled(story: Story) -> None:
    """The deleted hour came back before its credit note was approved: nothing is owed, and the draft goes."""
    story.say(contract(terms("acme", correction="credit_now")), entry("a", "2026-03-05T09:00", "3"))
    story.close(MARCH)
    issue(story)
    story.say(entry("a", "2026-03-05T09:00", "2", revision=2))
    story.close(APRIL)
    assert [body.scope.kind for body in previewed(story)] == [DocumentKind.CREDIT_NOTE, DocumentKind.INVOICE]
    story.say(entry("a", "2026-03-05T09:00", "3", revision=3))
    story.close(APRIL)
    states = sorted((row.kind, row.state) for row in story.documents())
    assert states == [("credit_note", "withdrawn"), ("invoice", "draft"), ("invoice", "issued")]


def previewed(story: Story) -> tuple[DraftBody, ...]:
    """What a close of April would draft."""
    return preview_bodies(story.book, story.catalog, APRIL)


def test_the_facts_of_a_document_are_kept_once(story: Story) -> None:
    """Frozen rows stay as long as something rests on them: one set for what stands, none for what was replaced."""
    story.say(contract(terms(caps=[week_cap()])), entry("a", "2026-03-05T09:00", "3"))
    for _ in range(3):
        story.close(MARCH)
    issue(story)
    assert len(list(story.book.scan(FrozenRow))) == 1
    story.say(entry("b", "2026-03-06T09:00", "3"))
    story.close(APRIL)
    issue(story)
    kept = {key.partition("\x1f")[0] for key, _ in story.book.scan(FrozenRow)}
    assert kept == {row.inputs for _, row in story.book.scan(SettledRow)}
    assert len(kept) == 1
    assert story.row("b").entry_id == entry_id("b")
