"""What changed after an approval becomes an adjustment, and issued documents never change (billing-domain group K)."""

from decimal import Decimal

import pytest

from books.billed import EntryState, parts_of, state_of
from books.preview import preview_bodies
from books.rows import DocumentRow
from books.testing import Story, contract, directory, entry, entry_id, expense, firm, scope, terms, tick, week_cap
from schemas import commands
from schemas.draft import CorrectionReason, DocumentKind, DocumentScope, DocumentState, DraftBody
from schemas.entry import Deletion
from schemas.facts import CommandRefused, DocumentApproved, DocumentVoided
from schemas.inputs import Category

MARCH = scope(first="2026-03-01", end="2026-04-01")
APRIL = scope(first="2026-04-01", end="2026-05-01")
MAY = scope(first="2026-05-01", end="2026-06-01")


def issue(story: Story, wanted: DocumentScope) -> DocumentRow:
    """Close a period, approve what was drafted of it and issue it; credit notes first. Returns the invoice."""
    story.close(wanted)
    drafts = [row for _, row in story.book.scan(DocumentRow) if row.state == DocumentState.DRAFT.value]
    for row in sorted(drafts, key=lambda one: one.kind):
        fact = story.verdict(story.approve(row))
        assert isinstance(fact, DocumentApproved), fact
        story.order(commands.IssueDocument, document_id=row.document_id)
    invoices = [row for row in drafts if row.kind == DocumentKind.INVOICE.value]
    return story.at(invoices[-1].document_id) if invoices else story.at(drafts[-1].document_id)


def adjustments(body: DraftBody) -> list[tuple[str, str, str]]:
    """Quantity, price and amount of the adjustment lines."""
    return [(f"{one.quantity:f}", f"{one.unit_price:f}", f"{one.amount:f}") for one in body.lines if one.corrects]


def reasons(body: DraftBody) -> list[CorrectionReason | None]:
    """Why each adjustment line is there."""
    return [one.correction_reason for one in body.lines if one.corrects]


def owed(story: Story, wanted: DocumentScope) -> DraftBody:
    """The one credit note that a close would draft now."""
    [note] = [one for one in previewed(story, wanted) if one.scope.kind is DocumentKind.CREDIT_NOTE]
    return note


def previewed(story: Story, wanted: DocumentScope) -> tuple[DraftBody, ...]:
    """All that a close would draft now."""
    return preview_bodies(story.book, story.catalog, wanted)


def refusal(story: Story, command_id: str) -> str:
    """Why a command was refused."""
    fact = story.verdict(command_id)
    assert isinstance(fact, CommandRefused), fact
    return fact.reason


def seconds_of(story: Story, client: str, name: str) -> int:
    """The seconds of an entry over all documents of a client that stand."""
    return sum(
        source.worked_seconds
        for row in story.documents(client)
        if row.state in (DocumentState.APPROVED.value, DocumentState.ISSUED.value, DocumentState.VOID.value)
        for line in story.stored(row).lines
        for source in line.sources
        if source.entry_id == entry_id(name)
    )


@pytest.fixture
def march(story: Story) -> Story:
    """March is issued: 4.00 h of Dana at 150.00; her rate is 165.00 since April."""
    rates = [
        {"role": "senior", "rate": "150.00", "to": "2026-04-01"},
        {"role": "senior", "rate": "165.00", "from": "2026-04-01"},
    ]
    story.say(contract(terms(rates=[*rates, {"role": "junior", "rate": "90.00"}])))
    story.say(entry("a", "2026-03-05T09:00", "4"))
    issue(story, MARCH)
    return story


def test_an_edit_after_the_issue_is_corrected_on_the_next_invoice(march: Story) -> None:
    """BD-64: 4.00 h become 3.25 h on 9 April; the correction is at the rate of the work date, the issued one stands."""
    before = march.stored(march.document())
    march.say(entry("a", "2026-03-05T09:00", "3.25", revision=2), entry("n", "2026-04-07T09:00", "1"))
    april = march.stored(issue(march, APRIL))
    assert adjustments(april) == [("-0.75", "150.00", "-112.50")]
    assert (str(april.net), reasons(april)) == ("52.50", [CorrectionReason.EDIT])
    [line] = [one for one in april.lines if one.corrects]
    assert line.text == "Correction to 0001: 2026-03-05, Services, Dana (senior) (changed)"
    assert march.stored(march.documents()[0]) == before
    assert [str(one.standing) for one in april.corrections] == ["600.00"]
    assert [str(one.fresh) for one in april.corrections] == ["487.50"]


def test_credit_and_rebill_writes_a_credit_note_and_a_new_line(march: Story) -> None:
    """BD-64: a credit note of -600.00 and a new line of 487.50; exactly the credited seconds are billed anew."""
    rates = [
        {"role": "senior", "rate": "150.00", "to": "2026-04-01"},
        {"role": "senior", "rate": "165.00", "from": "2026-04-01"},
    ]
    march.say(contract(terms(rates=rates, correction="credit_and_rebill")))
    march.say(entry("a", "2026-03-05T09:00", "3.25", revision=2))
    march.close(APRIL)
    note, invoice = [row for row in march.documents() if row.state == DocumentState.DRAFT.value]
    assert (note.kind, adjustments(march.stored(note))) == ("credit_note", [("-4.00", "150.00", "-600.00")])
    assert adjustments(march.stored(invoice)) == [("3.25", "150.00", "487.50")]
    assert refusal(march, march.approve(invoice)) == "credit_note_first"
    march.approve(note)
    assert isinstance(march.verdict(march.approve(invoice)), DocumentApproved)
    assert seconds_of(march, "acme", "a") == 3.25 * 3600
    assert refusal(march, march.close(MARCH)) == "already_approved"


def test_a_rejected_rebill_is_billed_anew_by_the_next_close(march: Story) -> None:
    """The credit note stands alone for a while: what it credited returns, and the next document bills it."""
    march.say(contract(terms(correction="credit_and_rebill")), entry("a", "2026-03-05T09:00", "3.25", revision=2))
    march.close(APRIL)
    note, invoice = [row for row in march.documents() if row.state == DocumentState.DRAFT.value]
    march.approve(note)
    march.order(commands.RejectDocument, document_id=invoice.document_id, revision=1)
    assert adjustments(march.stored(issue(march, MAY))) == [("3.25", "150.00", "487.50")]
    assert march.preview(APRIL).net == 0


@pytest.mark.parametrize("is_full", [False, True])
def test_an_entry_moved_between_clients_is_on_one_net_position(story: Story, is_full: bool) -> None:
    """BD-65: Acme gets -420.00, Birch's next invoice 3.00 h at 155.00; with Birch's cap used up it is written down."""
    caps = [week_cap(hours="2", pool="all")] if is_full else []
    story.say(
        contract(terms(rates=[{"rate": "140.00"}])), contract(terms("birch", rates=[{"rate": "155.00"}], caps=caps))
    )
    story.say(entry("a", "2026-03-12T09:00", "3"), entry("b", "2026-03-09T09:00", "2", client_ref="Birch AG"))
    birch = scope("birch", "2026-03-01", "2026-04-01")
    issue(story, MARCH)
    issue(story, birch)
    story.say(entry("a", "2026-03-12T09:00", "3", revision=2, client_ref="Birch AG"))
    acme = owed(story, APRIL)
    assert (adjustments(acme), reasons(acme)) == ([("-3.00", "140.00", "-420.00")], [CorrectionReason.MOVE])
    issue(story, APRIL)
    story.say(entry("n", "2026-04-07T09:00", "1", client_ref="Birch AG"))
    april = issue(story, scope("birch", "2026-04-01", "2026-05-01"))
    other = story.stored(april)
    assert adjustments(other) == ([] if is_full else [("3.00", "155.00", "465.00")])
    assert reasons(other) == ([] if is_full else [CorrectionReason.MOVE])
    assert (seconds_of(story, "acme", "a"), seconds_of(story, "birch", "a")) == (0, 0 if is_full else 3 * 3600)


def test_a_deletion_after_the_issue_is_credited(march: Story) -> None:
    """BD-66: the deleted time is taken back on the next invoice; the document and the entry's history stay."""
    march.say(entry("a", "2026-03-05T09:00", "4", revision=2, deletion=Deletion.REPORTED))
    march.say(entry("n", "2026-04-07T09:00", "5"))
    april = march.stored(issue(march, APRIL))
    assert (adjustments(april), reasons(april)) == ([("-4.00", "150.00", "-600.00")], [CorrectionReason.DELETION])
    march.say(entry("a", "2026-03-05T09:00", "4", revision=3))
    may = march.stored(issue(march, MAY))
    assert (adjustments(may), reasons(may)) == ([("4.00", "150.00", "600.00")], [CorrectionReason.RESTORED])


@pytest.mark.parametrize("settings", [{"correction": "credit_now"}, {"to": "2026-04-01"}], ids=["credit_now", "over"])
def test_what_is_owed_is_credited_at_once(story: Story, settings: dict[str, str]) -> None:
    """BD-66: with `credit_now`, or when no further invoice will come, the next tick drafts a credit note."""
    story.say(contract(terms("acme", **settings)), entry("a", "2026-03-05T09:00", "1.5"))
    story.say(entry("b", "2026-03-06T09:00"))
    issue(story, MARCH)
    story.say(tick("2026-04-02T10:00"), entry("a", "2026-03-05T09:00", "1.5", revision=2, deletion=Deletion.REPORTED))
    assert len(story.documents()) == 1
    story.say(tick("2026-04-02T10:01"), tick("2026-04-02T10:02"))
    note = story.documents()[-1]
    assert (note.kind, note.state, note.revision) == ("credit_note", "draft", 1)
    assert adjustments(story.stored(note)) == [("-1.50", "150.00", "-225.00")]


def test_a_contract_that_is_over_gets_an_invoice_of_late_time(story: Story) -> None:
    """BD-66: no other invoice will follow, so late time gets one of its own at once."""
    story.say(contract(terms(to="2026-04-01")), entry("a", "2026-03-05T09:00", "1"))
    issue(story, MARCH)
    story.say(entry("b", "2026-03-06T09:00", "2"))
    story.say(tick("2026-04-02T10:00"))
    extra = story.documents()[-1]
    assert (extra.kind, extra.sequence, adjustments(story.stored(extra))) == (
        "invoice",
        2,
        [("2.00", "150.00", "300.00")],
    )


def test_a_late_entry_gets_what_the_cap_of_its_closed_week_has_left(story: Story) -> None:
    """BD-67: 38.00 h of 40 h stand; of five late hours two are billed, three written down and named."""
    story.say(contract(terms(rates=[{"rate": "160.00"}], caps=[week_cap()])))
    story.say(*(entry(f"d{day}", f"2026-03-{day:02d}T09:00", "9.5") for day in (2, 3, 4, 5)))
    issue(story, MARCH)
    story.say(entry("late", "2026-03-06T09:00", "5"))
    april = story.stored(issue(story, APRIL))
    assert (adjustments(april), reasons(april)) == ([("2.00", "160.00", "320.00")], [CorrectionReason.LATE])
    assert [(one.reason, one.seconds) for one in april.corrections[0].placements] == [("cap:week", 3 * 3600)]
    assert story.preview(MAY).net == 0


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("recompute_delta", [("2.00", "160.00", "320.00"), ("-2.00", "90.00", "-180.00")]),
        ("remaining_capacity", []),
    ],
)
def test_a_late_entry_with_another_rate(story: Story, policy: str, expected: list[tuple[str, str, str]]) -> None:
    """BD-68: two late senior hours take the room of two junior hours, or get none; net 140.00 or 0.00."""
    rates = [{"role": "senior", "rate": "160.00"}, {"role": "junior", "rate": "90.00"}]
    story.say(contract(terms(rates=rates, caps=[week_cap(pool="all")], late_policy=policy)))
    story.say(*(entry(f"d{day}", f"2026-03-{day:02d}T09:00", "7.5") for day in (2, 3, 4, 5)))
    story.say(entry("f", "2026-03-06T09:00", "10", person_ref="Bo"))
    issue(story, MARCH)
    story.say(entry("late", "2026-03-03T17:00", "2"))
    april = story.stored(issue(story, APRIL))
    assert adjustments(april) == expected
    assert adjustments(story.preview(MAY)) == []


def test_an_amendment_from_before_the_work_is_one_line(march: Story) -> None:
    """BD-69: 140.00 instead of 150.00: hours x -10.00, the amendment is the reason, and nothing is reopened."""
    march.say(contract(terms(rates=[{"rate": "140.00"}])))
    note = owed(march, APRIL)
    assert (adjustments(note), reasons(note)) == ([("4.00", "-10.00", "-40.00")], [CorrectionReason.AMENDMENT])


def test_an_amendment_of_other_dates_is_not_looked_at(march: Story) -> None:
    """A rate that begins in April says nothing about March: no document is computed again, and none changes."""
    march.say(
        directory(
            firm(people=[{"id": "dana", "name": "Dana", "roles": [{"role": "senior"}]}, {"id": "new", "name": "New"}])
        )
    )
    march.say(entry("n", "2026-04-07T09:00", "1"))
    assert march.preview(APRIL).corrections == ()


def test_a_retroactive_role_is_an_amendment(march: Story) -> None:
    """BD-15: a role of a date before the issue re-rates the issued work by an adjustment."""
    junior = [{"id": "dana", "name": "Dana", "roles": [{"role": "junior"}]}, {"id": "bo", "name": "Bo"}]
    march.say(directory(firm(people=junior)))
    assert reasons(owed(march, APRIL)) == [CorrectionReason.AMENDMENT]
    assert owed(march, APRIL).net == Decimal("-240.00")


def test_an_expense_that_changes_is_corrected(story: Story) -> None:
    """Money without time: the difference of an expense, and its deletion."""
    story.say(entry("a", "2026-03-05T09:00", "1"), expense("train", "80.00", "2026-03-05"))
    issue(story, MARCH)
    story.say(expense("train", "60.00", "2026-03-05", revision=2), entry("n", "2026-04-07T09:00", "1"))
    april = story.stored(issue(story, APRIL))
    assert (adjustments(april), str(april.net)) == ([("1", "-20.00", "-20.00")], "130.00")
    story.say(expense("train", "60.00", "2026-03-05", revision=3, deletion=Deletion.REPORTED))
    assert adjustments(owed(story, MAY)) == [("1", "-60.00", "-60.00")]


def test_an_approved_overflow_of_an_issued_week_is_billed_later(story: Story) -> None:
    """A held overflow that is approved after the issue becomes an adjustment."""
    story.say(contract(terms(caps=[week_cap(hours="8", overflow="hold_for_approval")])))
    story.say(entry("a", "2026-03-05T09:00", "10"))
    issue(story, MARCH)
    story.order(commands.ReleaseEntry, entry_id=entry_id("a"), held_reason="cap:week")
    april = story.preview(APRIL)
    assert (adjustments(april), reasons(april)) == ([("2.00", "150.00", "300.00")], [CorrectionReason.RELEASE])


def test_a_decision_or_write_off_after_the_issue_is_corrected(story: Story) -> None:
    """What a person decides later about issued time is an adjustment with its reason."""
    story.say(entry("a", "2026-03-05T09:00", "1"), entry("b", "2026-03-06T09:00", "2"))
    issue(story, MARCH)
    story.order(commands.CorrectEntry, entry_id=entry_id("a"), category=Category.NON_BILLABLE)
    story.order(commands.WriteOff, entry_id=entry_id("b"))
    found = owed(story, APRIL)
    assert sorted(str(one) for one in reasons(found)) == ["decision", "write_off"]
    assert found.net == Decimal("-450.00")


def test_what_came_between_close_and_approval_is_late(story: Story) -> None:
    """Rule 6: a new entry does not make the draft stale; it waits for the next document."""
    story.say(entry("a", "2026-03-05T09:00", "1"))
    story.close(MARCH)
    story.say(entry("b", "2026-03-06T09:00", "2"))
    story.approve(story.document())
    assert reasons(story.preview(APRIL)) == [CorrectionReason.LATE]


def test_closing_a_billed_period_again_drafts_what_changed(march: Story) -> None:
    """BD-70: what was approved stands, the difference is a document of its own; nothing is adjusted twice."""
    march.say(entry("b", "2026-03-06T09:00", "2"))
    extra = issue(march, MARCH)
    assert (extra.sequence, extra.number, adjustments(march.stored(extra))) == (
        2,
        "0002",
        [("2.00", "150.00", "300.00")],
    )
    assert refusal(march, march.close(MARCH)) == "already_approved"
    assert adjustments(march.stored(issue(march, APRIL))) == []


def test_corrections_that_exceed_the_charges_are_a_credit_note(march: Story) -> None:
    """No invoice is below zero: April's hour is billed, March's hours are given back on a credit note of their own."""
    march.say(entry("a", "2026-03-05T09:00", "4", revision=2, deletion=Deletion.REPORTED))
    march.say(entry("n", "2026-04-07T09:00", "1"))
    invoice = issue(march, APRIL)
    assert (invoice.number, str(march.stored(invoice).net)) == ("0002", "165.00")
    [note] = [row for row in march.documents() if row.kind == DocumentKind.CREDIT_NOTE.value]
    assert (note.number, str(march.stored(note).net), note.date_from) == ("CN-0001", "-600.00", "2026-03-01")


def test_grace_after_the_period_end(story: Story) -> None:
    """BD-80: what is accepted before 4 April is March's, what comes after is a late line of the next invoice."""
    berlin = {"zone": "Europe/Berlin", "close": {"automatic": True, "close_grace_days": 3}}
    story.say(contract(terms("acme", **berlin)), tick("2025-04-03T10:00"), entry("A", "2025-03-28T09:00", "2"))
    story.say(tick("2025-04-03T22:00"), entry("B", "2025-03-28T13:00", "2"))
    story.approve(story.document())
    found = story.preview(scope(first="2025-04-01", end="2025-05-01"))
    assert (adjustments(found), reasons(found)) == ([("2.00", "150.00", "300.00")], [CorrectionReason.LATE])
    assert [one.sources[0].work_date.isoformat() for one in found.lines] == ["2025-03-28"]
    story.order(commands.ReopenPeriod, scope=scope(first="2025-03-01", end="2025-04-01"))
    story.close(scope(first="2025-03-01", end="2025-04-01"))
    assert str(story.stored(story.documents()[0]).net) == "600.00"


def test_two_drafts_do_not_correct_the_same(march: Story) -> None:
    """April and May were drafted with one and the same correction: the second is stale once the first is approved."""
    march.say(entry("b", "2026-03-06T09:00", "2"))
    march.close(APRIL)
    march.close(MAY)
    april, may = [row for row in march.documents() if row.state == DocumentState.DRAFT.value]
    orders = [
        commands.ApproveDocument.model_validate(
            {
                "envelope": march.journal.records[0].envelope.model_copy(update={"event_id": row.document_id}),
                "command_id": row.document_id,
                "person": "dana",
                "reason": "fine",
                "document_id": row.document_id,
                "revision": row.revision,
                "content": row.content,
            }
        )
        for row in (april, may)
    ]
    march.say(*orders)
    assert refusal(march, may.document_id) == "approval_under_way"
    assert refusal(march, march.approve(may)) == "stale"
    march.close(MAY)
    assert adjustments(march.preview(MAY)) == []


def test_a_void_document_keeps_its_number_and_gets_a_credit_note(march: Story) -> None:
    """BD-71: the credit note takes the next number of its own series; the time is written off and billed no more."""
    document = march.document()
    fact = march.verdict(march.order(commands.VoidDocument, document_id=document.document_id, reason="twice"))
    assert isinstance(fact, DocumentVoided)
    invoice, note = sorted(march.documents(), key=lambda row: row.kind, reverse=True)
    assert (invoice.state, invoice.number, note.state, note.number) == ("void", "0001", "issued", "CN-0001")
    assert str(march.stored(note).net) == "-600.00"
    assert march.row("a").written_off == "dana: twice (document 0001 is void)"
    assert {one.bucket.value: one.seconds for one in march.preview(MARCH).buckets} == {"written_off": 4 * 3600}
    assert [(one.state.value, one.number) for one in march.journal.documents[-2:]] == [
        ("void", "0001"),
        ("issued", "CN-0001"),
    ]
    assert refusal(march, march.order(commands.VoidDocument, document_id=document.document_id)) == "not_issued"


def test_a_void_with_rebill_returns_exactly_what_was_credited(march: Story) -> None:
    """Section 5: the credit is the first half of a rebill; with corrections in between it credits what still stands."""
    march.say(entry("a", "2026-03-05T09:00", "3", revision=2), entry("n", "2026-04-07T09:00", "2"))
    issue(march, APRIL)
    march.order(commands.VoidDocument, document_id=march.documents()[0].document_id, rebill=True)
    [note] = [row for row in march.documents() if row.kind == DocumentKind.CREDIT_NOTE.value]
    assert str(march.stored(note).net) == "-450.00"
    assert parts_of(march.book, entry_id("a")) == ()
    again = issue(march, MARCH)
    assert (again.sequence, again.number, str(march.stored(again).net)) == (2, "0003", "450.00")
    assert adjustments(march.preview(MAY)) == []


def test_voiding_what_corrected_another_makes_the_correction_again(march: Story) -> None:
    """April corrected March and is void: March stands as it was issued, and the next document corrects it again."""
    march.say(entry("a", "2026-03-05T09:00", "3", revision=2), entry("n", "2026-04-07T09:00", "2"))
    april = issue(march, APRIL)
    march.order(commands.VoidDocument, document_id=april.document_id, rebill=True)
    again = march.stored(issue(march, APRIL))
    assert adjustments(again) == [("-1.00", "150.00", "-150.00")]
    assert sum(march.stored(row).net for row in march.documents()) == Decimal("450.00") + Decimal("330.00")


def test_only_what_was_issued_is_voided(story: Story) -> None:
    """A draft is rejected and an approved document reopened; a credit note is not voided."""
    story.say(entry("a", "2026-03-05T09:00", "1"))
    story.close(MARCH)
    document_id = story.document().document_id
    assert refusal(story, story.order(commands.VoidDocument, document_id=document_id)) == "not_issued"
    assert refusal(story, story.order(commands.VoidDocument, document_id="other")) == "document_unknown"
    story.approve(story.document())
    story.order(commands.IssueDocument, document_id=document_id)
    story.order(commands.VoidDocument, document_id=document_id)
    [note] = [row for row in story.documents() if row.kind == DocumentKind.CREDIT_NOTE.value]
    assert refusal(story, story.order(commands.VoidDocument, document_id=note.document_id)) == "not_voidable"


def test_the_state_of_an_entry_follows_from_the_documents(march: Story) -> None:
    """Section 5: unbilled, drafted, invoiced, corrected; a rejected draft returns its allocations."""
    march.say(entry("n", "2026-04-07T09:00", "2"))
    march.close(APRIL)
    assert march.state("n") is EntryState.DRAFTED
    draft = march.documents()[-1]
    march.order(commands.RejectDocument, document_id=draft.document_id, revision=1)
    assert march.state("n") is EntryState.UNBILLED
    assert march.state("a") is EntryState.INVOICED
    march.say(entry("a", "2026-03-05T09:00", "3", revision=2))
    issue(march, APRIL)
    assert (march.state("n"), march.state("a")) == (EntryState.INVOICED, EntryState.CORRECTED)
    assert state_of(march.book, entry_id("nobody"), drafted=False) is EntryState.UNBILLED


def test_a_reopened_document_takes_its_corrections_back(march: Story) -> None:
    """April is approved with a correction of March and reopened: the correction comes again, once."""
    march.say(entry("b", "2026-03-06T09:00", "2"))
    march.close(APRIL)
    march.approve(march.documents()[-1])
    assert adjustments(march.preview(MAY)) == []
    march.order(commands.ReopenPeriod, scope=APRIL)
    assert adjustments(march.stored(issue(march, MAY))) == [("2.00", "150.00", "300.00")]
    march.close(APRIL)
    assert adjustments(march.preview(APRIL)) == []


def test_a_period_that_another_document_corrects_is_not_reopened(story: Story) -> None:
    """Withdrawing the corrected one would leave a correction of nothing."""
    story.say(entry("a", "2026-03-05T09:00", "1"))
    story.close(MARCH)
    story.approve(story.document())
    story.say(entry("b", "2026-03-06T09:00", "2"))
    issue(story, APRIL)
    assert refusal(story, story.order(commands.ReopenPeriod, scope=MARCH)) == "corrected_since"


def test_a_billed_contract_keeps_its_currency(story: Story) -> None:
    """Amounts of two currencies cannot be set against each other: such an amendment is told, and nothing changes."""
    story.say(entry("a", "2026-03-05T09:00", "2"))
    issue(story, MARCH)
    story.say(contract(terms(currency="USD"), "other-money"), entry("b", "2026-04-07T09:00", "1"))
    assert [code for _, code, _ in story.journal.unapplied] == ["currency_changed"]
    assert {one.currency for one in previewed(story, APRIL)} == {"EUR"}
    assert story.catalog.agreements["acme-2026"].document.currency == "EUR"
