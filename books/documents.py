"""The life of a document in the rows: drafted, approved, issued; and what the reading back of each fact publishes."""

from typing import cast

import msgspec

from billing.invoice import to_body
from books.billed import billed_elsewhere, pin
from books.book import Book
from books.breaches import refuse_breach
from books.catalog import Catalog, People, read_people
from books.counters import next_number
from books.effects import Cause, Effects
from books.facts import fact_id_of_command, propose, refuse, request_work
from books.invoicing import CLOCK, Terms, gather, invoice, rates_now
from books.pending import begin_approval, end_approval, open_closes
from books.resolving import instant_of
from books.rows import BodyRow, ClockRow, DocumentRow, OpenFactRow
from schemas.canonical import instant_micros
from schemas.clauses import Leave
from schemas.codec import decode, encode
from schemas.commands import ApproveDocument, IssueDocument, RejectDocument, ReopenPeriod, VoidDocument
from schemas.draft import (
    DocumentKind,
    DocumentScope,
    DocumentState,
    DraftBody,
    PublishedDocument,
    document_id_of,
)
from schemas.errors import ConservationBroken
from schemas.facts import DocumentApproved, DocumentDrafted, DocumentIssued
from schemas.work import DeliverDocument

INVOICES = "invoice"
_LIVE = (DocumentState.DRAFT.value, DocumentState.APPROVED.value, DocumentState.ISSUED.value)
_FIXED = (DocumentState.APPROVED.value, DocumentState.ISSUED.value, DocumentState.VOID.value)


def live_documents(book: Book, overlapping: DocumentScope | None = None) -> list[DocumentRow]:
    """Drafts, approved and issued documents; if a scope is given, only those of its contract in its period."""
    found = [row for _, row in book.scan(DocumentRow) if row.state in _LIVE]
    if overlapping is None:
        return found
    first, last = overlapping.date_from.isoformat(), overlapping.date_to.isoformat()
    same = [
        row for row in found if row.contract_id == overlapping.contract_id and row.client_id == overlapping.client_id
    ]
    return [row for row in same if row.date_from < last and first < row.date_to]


def read_body(book: Book, document_id: str) -> DraftBody:
    """The body of a document's newest revision."""
    row = book.get(BodyRow, document_id)
    assert row is not None, f"document {document_id} has no body"
    return cast(DocumentDrafted, decode(row.value)).body


def drafted(book: Book, catalog: Catalog, fact: DocumentDrafted, cause: Cause, effects: Effects) -> None:
    """Read a draft back: it gets its revision by counting, and replaces the one before."""
    scope = fact.body.scope
    document_id = document_id_of(book.tenant, book.book, scope, 1)
    before = book.get(DocumentRow, document_id)
    if before is not None and before.state in _FIXED:
        return
    if before is not None and before.state == DocumentState.DRAFT.value:
        _publish(book, before, DocumentState.SUPERSEDED, cause, effects)
    row = DocumentRow(
        document_id=document_id,
        client_id=scope.client_id,
        contract_id=scope.contract_id,
        date_from=scope.date_from.isoformat(),
        date_to=scope.date_to.isoformat(),
        kind=scope.kind.value,
        sequence=1,
        revision=1 if before is None else before.revision + 1,
        state=DocumentState.DRAFT.value,
        content=fact.content,
        number="",
        issued_micros=None,
        close_offset=fact.close_offset,
        decided_offset=fact.decided_offset,
        code_version=fact.code_version,
        approving="",
        state_micros=instant_micros(cause.recorded_at),
    )
    book.put(document_id, row)
    end_approval(book, document_id)
    book.put(document_id, BodyRow(value=encode(fact)))
    _publish(book, row, DocumentState.DRAFT, cause, effects)
    _deliver(book, catalog, row, Leave.DRAFT, cause, effects)


def apply_approve(book: Book, catalog: Catalog, command: ApproveDocument, cause: Cause, effects: Effects) -> None:
    """Judge an approval by the state at its offset; what holds is proposed as a fact."""
    row = book.get(DocumentRow, command.document_id)
    try:
        problem = _not_approvable(book, catalog, row, command)
    except ConservationBroken as breach:
        assert row is not None, "an unknown document is not computed again"
        refuse_breach(book, command, scope_of(row), breach, cause, effects, row.document_id)
        return
    if problem is not None or row is None:
        reason, detail = problem or ("document_unknown", "")
        refuse(book, command, reason, detail, cause, effects, document_id=command.document_id)
        return
    begin_approval(book, row, command.command_id)
    fact_id = fact_id_of_command(command.command_id)
    fact = DocumentApproved(
        envelope=cause.envelope("fact", fact_id),
        fact_id=fact_id,
        command_id=command.command_id,
        document_id=row.document_id,
        revision=row.revision,
        content=row.content,
    )
    propose(book, fact, cause, effects)


def _not_approvable(
    book: Book, catalog: Catalog, row: DocumentRow | None, command: ApproveDocument
) -> tuple[str, str] | None:
    if row is None:
        return "document_unknown", f"There is no document {command.document_id}."
    if row.state != DocumentState.DRAFT.value:
        return "not_a_draft", f"The document is {row.state}."
    if (row.revision, row.content) != (command.revision, command.content):
        return "other_revision", f"The newest revision is {row.revision}; look at it before you approve."
    if row.approving:
        return "approval_under_way", "Another approval of this document is being recorded."
    if any(close.client_id == row.client_id for _, close in open_closes(book)):
        return "close_open", "A close of this client is under way; approve its draft when it is there."
    if is_stale(book, catalog, row):
        return "stale", "What the draft was made of has changed; close the period again and look at the new draft."
    return None


def is_stale(book: Book, catalog: Catalog, row: DocumentRow) -> bool:
    """Whether the draft would come out differently from today's rows; entries that it does not know yet are left out
    (rule 6).
    """
    body = read_body(book, row.document_id)
    agreement = catalog.agreements.get(row.contract_id)
    if agreement is None or catalog.people is None:
        return True
    known = {source.entry_id for line in body.lines for source in line.sources}
    known |= {placement.entry_id for placement in body.placements}
    first, last = row.date_from, row.date_to
    terms = Terms(agreement, catalog.people, body.invoice_date)
    entries = [
        (entry, billed_elsewhere(book, entry, row.document_id))
        for entry in gather(book, agreement, body.scope)
        if entry.entry_id in known or not first <= entry.local_date < last
    ]
    again = to_body(invoice(book, terms, body.scope, entries, rates_now(book)))
    return _promised(again) != _promised(body)


def _promised(body: DraftBody) -> DraftBody:
    """What a person approves: lines with their sources, taxes and amounts, and who they are for (rule 6).

    Revisions that move no line, time that stands on no line, and work of other periods that only a cap's explanation
    tells of, are no part of it.
    """
    lines = [
        line.model_copy(update={"charges": tuple(one.model_copy(update={"steps": ()}) for one in line.charges)})
        for line in body.lines
    ]
    pins = dict.fromkeys(("contract_revision", "directory_revision", "entries_hash"), "")
    hours = dict.fromkeys(("worked_seconds", "carried_in_seconds", "rounding_delta_seconds"), 0)
    unbilled: dict[str, object] = {**hours, "buckets": (), "placements": ()}
    return body.model_copy(update={**pins, **unbilled, "lines": tuple(lines), "findings": (), "certificate": None})


def approved(book: Book, catalog: Catalog, fact: DocumentApproved, cause: Cause, effects: Effects) -> None:
    """Read an approval back: the document stands, and its entries' time with it."""
    row = book.get(DocumentRow, fact.document_id)
    if row is None or row.state != DocumentState.DRAFT.value or row.content != fact.content:
        return
    row = _entered(row, DocumentState.APPROVED, cause)
    book.put(row.document_id, row)
    end_approval(book, row.document_id)
    pin(book, row.document_id, row.contract_id, read_body(book, row.document_id))
    _publish(book, row, DocumentState.APPROVED, cause, effects)
    _deliver(book, catalog, row, Leave.APPROVED, cause, effects)


def apply_issue(book: Book, command: IssueDocument, cause: Cause, effects: Effects) -> None:
    """Propose that an approved document is issued."""
    row = book.get(DocumentRow, command.document_id)
    if row is None or row.state != DocumentState.APPROVED.value:
        state = "unknown" if row is None else row.state
        detail = f"The document is {state}; only an approved one is issued."
        refuse(book, command, "not_approved", detail, cause, effects, document_id=command.document_id)
        return
    fact_id = f"issued:{row.document_id}"
    if book.has(OpenFactRow, fact_id):
        detail = "Another order to issue this document is being recorded."
        refuse(book, command, "issue_under_way", detail, cause, effects, document_id=command.document_id)
        return
    fact = DocumentIssued(
        envelope=cause.envelope("fact", fact_id),
        fact_id=fact_id,
        command_id=command.command_id,
        document_id=row.document_id,
    )
    propose(book, fact, cause, effects)


def issued(book: Book, catalog: Catalog, fact: DocumentIssued, cause: Cause, effects: Effects) -> None:
    """Read an issue back: the next number is given here, so that there is no gap and no number twice (BD-71).

    It is issued at the book's time: the last tick, or before the first one the command's.
    """
    row = book.get(DocumentRow, fact.document_id)
    if row is None or row.state != DocumentState.APPROVED.value:
        return
    numbers = _people_of(book, row).document.firm.invoice_numbers
    number = next_number(book, INVOICES, numbers.first)
    clock = book.get(ClockRow, CLOCK)
    row = msgspec.structs.replace(
        _entered(row, DocumentState.ISSUED, cause),
        number=f"{numbers.prefix}{number:0{numbers.digits}d}",
        issued_micros=instant_micros(cause.recorded_at) if clock is None else clock.at_micros,
    )
    book.put(row.document_id, row)
    _publish(book, row, DocumentState.ISSUED, cause, effects)
    _deliver(book, catalog, row, None, cause, effects)


def _people_of(book: Book, row: DocumentRow) -> People:
    people = read_people(book, read_body(book, row.document_id).directory_revision)
    assert people is not None, "a document is only drafted with a directory"
    return people


def apply_reject(book: Book, command: RejectDocument, cause: Cause, effects: Effects) -> None:
    """Send a draft back: its entries are unbilled again, a new close makes the next revision."""
    row = book.get(DocumentRow, command.document_id)
    if row is None or row.state != DocumentState.DRAFT.value or row.revision != command.revision or row.approving:
        detail = "Only the newest revision of a draft can be rejected, and not while it is being approved."
        refuse(book, command, "not_rejectable", detail, cause, effects, document_id=command.document_id)
        return
    row = _entered(row, DocumentState.REJECTED, cause)
    book.put(row.document_id, row)
    _publish(book, row, DocumentState.REJECTED, cause, effects)


def withdraw_drafts(book: Book, command: ReopenPeriod, cause: Cause, effects: Effects) -> bool:
    """Withdraw the drafts of a scope; refused, and False, once anything of it was approved."""
    rows = live_documents(book, command.scope)
    if any(row.state != DocumentState.DRAFT.value or row.approving for row in rows):
        detail = "A document of this period is approved; it stands."
        refuse(book, command, "already_approved", detail, cause, effects, command.scope)
        return False
    for row in rows:
        withdrawn = _entered(row, DocumentState.WITHDRAWN, cause)
        book.put(row.document_id, withdrawn)
        _publish(book, withdrawn, DocumentState.WITHDRAWN, cause, effects)
    return True


def _entered(row: DocumentRow, state: DocumentState, cause: Cause) -> DocumentRow:
    """The row in a new state; an approval under way has come to its end with it."""
    return msgspec.structs.replace(row, state=state.value, approving="", state_micros=instant_micros(cause.recorded_at))


def apply_void(book: Book, command: VoidDocument, cause: Cause, effects: Effects) -> None:
    """Voiding needs a credit note, which this version does not write: refused, never half done."""
    detail = "Voiding an issued document takes a credit note, which this version does not write yet."
    refuse(book, command, "not_yet", detail, cause, effects, document_id=command.document_id)


def _publish(book: Book, row: DocumentRow, state: DocumentState, cause: Cause, effects: Effects) -> None:
    identity = f"{row.document_id}:{row.revision}:{state.value}"
    document = PublishedDocument(
        envelope=cause.envelope("document", identity),
        document_id=row.document_id,
        sequence=row.sequence,
        revision=row.revision,
        state=state,
        number=row.number,
        issued_at=None if row.issued_micros is None else instant_of(row.issued_micros),
        content=row.content,
        close_offset=row.close_offset,
        decided_offset=row.decided_offset,
        code_version=row.code_version,
        origin_offset=cause.offset,
        body=read_body(book, row.document_id),
    )
    effects.documents.append((cause.offset, document))


def _deliver(
    book: Book, catalog: Catalog, row: DocumentRow, leave: Leave | None, cause: Cause, effects: Effects
) -> None:
    """Request delivery to the sinks whose policy lets a document leave in this state; None for issued: all get it."""
    agreement = catalog.agreements.get(row.contract_id)
    for policy in agreement.document.delivery if agreement is not None else ():
        if leave is None or policy.leave == leave:
            _request_delivery(book, row, policy.sink, cause, effects)


def _request_delivery(book: Book, row: DocumentRow, sink: str, cause: Cause, effects: Effects) -> None:
    request_id = f"deliver:{row.document_id}:{row.revision}:{row.state}:{sink}"
    request = DeliverDocument(
        envelope=cause.envelope("work", request_id),
        request_id=request_id,
        document_id=row.document_id,
        sequence=row.sequence,
        revision=row.revision,
        state=row.state,
        number=row.number,
        issued_at=None if row.issued_micros is None else instant_of(row.issued_micros),
        sink=sink,
        generation=1,
        content=row.content,
        body=read_body(book, row.document_id),
    )
    request_work(book, request_id, encode(request), cause, effects)


def scope_of(row: DocumentRow) -> DocumentScope:
    """The scope of a document."""
    return DocumentScope.model_validate(
        {
            "client_id": row.client_id,
            "contract_id": row.contract_id,
            "date_from": row.date_from,
            "date_to": row.date_to,
            "kind": DocumentKind(row.kind),
        }
    )
