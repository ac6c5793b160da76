"""The life of a document in the rows: drafted, issued, rejected; and what the reading back of each fact publishes."""

import msgspec

from books.bodies import documents_of, next_place, note_document, read_body
from books.book import Book
from books.catalog import Catalog, People, read_people
from books.counters import next_number
from books.effects import Cause, Effects
from books.facts import propose, refuse
from books.invoicing import CLOCK
from books.pending import end_approval
from books.publishing import deliver, publish
from books.rows import BodyRow, ClockRow, DocumentRow, OpenFactRow
from books.settled import keep_inputs, release_inputs
from schemas.canonical import instant_micros
from schemas.clauses import Leave
from schemas.codec import encode
from schemas.commands import IssueDocument, RejectDocument
from schemas.directory import InvoiceNumbers
from schemas.draft import DocumentKind, DocumentScope, DocumentState
from schemas.facts import CommandRefused, DocumentDrafted, DocumentIssued, DocumentVoided

INVOICES = "invoice"
CREDIT_NOTES = "credit_note"
NOTHING_TO_DRAFT = ("already_approved", "nothing_to_credit")
_CREDIT = "~credit~"
_NOTE_DRAFTS = "credit_note_drafts"
_LIVE = (DocumentState.DRAFT.value, DocumentState.APPROVED.value, DocumentState.ISSUED.value)


def live_documents(book: Book, overlapping: DocumentScope) -> list[DocumentRow]:
    """Drafts, approved and issued documents of the contract and kind of a scope, in its period."""
    first, last = overlapping.date_from.isoformat(), overlapping.date_to.isoformat()
    found = documents_of(book, overlapping.client_id, overlapping.contract_id)
    same = [row for row in found if row.state in _LIVE and row.kind == overlapping.kind.value]
    return [row for row in same if row.date_from < last and first < row.date_to]


def credit_command(command_id: str, document_id: str) -> str:
    """The id under which a close's credit note for a document is drafted; the close's own is that of its invoice."""
    return f"{command_id}{_CREDIT}{document_id}"


def close_key(offset: int, command_id: str) -> str:
    """The key of a close: one tick may open several, so the offset alone does not tell them apart."""
    return f"{offset:020d}-{command_id.partition(_CREDIT)[0]}"


def drafted(book: Book, catalog: Catalog, fact: DocumentDrafted, cause: Cause, effects: Effects) -> None:
    """Read a draft back: it gets its sequence and revision by counting, and replaces the draft before."""
    scope = fact.body.scope
    row, before = placed_row(book, scope, fact, DocumentState.DRAFT, (fact.close_offset, fact.decided_offset))
    document_id = row.document_id
    if before is not None and before.state == DocumentState.DRAFT.value:
        publish(book, before, DocumentState.SUPERSEDED, cause, effects)
    inputs = close_key(fact.close_offset, fact.command_id)
    row = msgspec.structs.replace(row, state_micros=instant_micros(cause.recorded_at), inputs=inputs)
    book.put(document_id, row)
    keep_inputs(book, row.inputs, document_id)
    if before is not None and before.inputs != row.inputs:
        release_inputs(book, before.inputs, document_id)
    end_approval(book, document_id)
    book.put(document_id, BodyRow(value=encode(fact)))
    publish(book, row, DocumentState.DRAFT, cause, effects, fact.body)
    deliver(book, catalog, row, Leave.DRAFT, cause, effects)
    if scope.kind is DocumentKind.INVOICE:
        _withdraw_notes(book, row, cause, effects)
    else:
        book.mark(_NOTE_DRAFTS, scope.contract_id, document_id)


def placed_row(
    book: Book,
    scope: DocumentScope,
    fact: DocumentDrafted | DocumentVoided,
    state: DocumentState,
    offsets: tuple[int, int],
) -> tuple[DocumentRow, DocumentRow | None]:
    """A row for the body that a fact brings, at the next place of its scope, and the row that was there before.

    `offsets` are those whose entries and contracts were billed, and whose decisions were.
    """
    document_id, sequence, before = next_place(book, scope)
    close_offset, decided_offset = offsets
    row = DocumentRow(
        document_id=document_id,
        client_id=scope.client_id,
        contract_id=scope.contract_id,
        date_from=scope.date_from.isoformat(),
        date_to=scope.date_to.isoformat(),
        kind=scope.kind.value,
        sequence=sequence,
        revision=1 if before is None else before.revision + 1,
        state=state.value,
        content=fact.content,
        number="",
        issued_micros=None,
        close_offset=close_offset,
        decided_offset=decided_offset,
        code_version=fact.code_version,
        approving="",
        state_micros=0,
    )
    note_document(book, row)
    return row, before


def _withdraw_notes(book: Book, made: DocumentRow, cause: Cause, effects: Effects) -> None:
    """A close looks at all that is to be corrected: what an older close credited and this one did not is settled."""
    for document_id in list(book.marked(_NOTE_DRAFTS, made.contract_id)):
        row = book.get(DocumentRow, document_id)
        if row is not None and row.state == DocumentState.DRAFT.value and row.inputs == made.inputs:
            continue
        book.unmark(_NOTE_DRAFTS, made.contract_id, document_id)
        if row is not None and row.state == DocumentState.DRAFT.value:
            discard(book, row, DocumentState.WITHDRAWN, cause, effects)


def withdraw_obsolete(book: Book, fact: CommandRefused, cause: Cause, effects: Effects) -> None:
    """A close found nothing to draft: an older draft of the same scope has been settled by other documents."""
    if fact.reason in NOTHING_TO_DRAFT and fact.scope is not None:
        for row in live_documents(book, fact.scope):
            if row.state == DocumentState.DRAFT.value:
                discard(book, row, DocumentState.WITHDRAWN, cause, effects)


def apply_issue(book: Book, command: IssueDocument, cause: Cause, effects: Effects) -> None:
    """Propose that an approved document is issued."""
    row = book.get(DocumentRow, command.document_id)
    if row is None or row.state != DocumentState.APPROVED.value:
        state = "unknown" if row is None else row.state
        detail = f"The document is {state}; only an approved one is issued."
        refuse(book, command, "not_approved", detail, cause, effects, document_id=command.document_id)
        return
    fact_id = issue_fact_id(row.document_id)
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
    row = numbered(book, row, cause)
    book.put(row.document_id, row)
    publish(book, row, DocumentState.ISSUED, cause, effects)
    deliver(book, catalog, row, None, cause, effects)


def issue_fact_id(document_id: str) -> str:
    """The id of the fact that a document is issued: it happens once."""
    return f"issued:{document_id}"


def numbered(book: Book, row: DocumentRow, cause: Cause) -> DocumentRow:
    """The document as issued now, with the next number of its series: invoices and credit notes count apart."""
    firm = people_of(book, row).document.firm
    is_credit = row.kind == DocumentKind.CREDIT_NOTE.value
    numbers: InvoiceNumbers = firm.credit_note_numbers if is_credit else firm.invoice_numbers
    number = next_number(book, CREDIT_NOTES if is_credit else INVOICES, numbers.first)
    clock = book.get(ClockRow, CLOCK)
    return msgspec.structs.replace(
        entered(row, DocumentState.ISSUED, cause),
        number=f"{numbers.prefix}{number:0{numbers.digits}d}",
        issued_micros=instant_micros(cause.recorded_at) if clock is None else clock.at_micros,
    )


def people_of(book: Book, row: DocumentRow) -> People:
    """The directory by which a document was drafted."""
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
    discard(book, row, DocumentState.REJECTED, cause, effects)


def discard(book: Book, row: DocumentRow, state: DocumentState, cause: Cause, effects: Effects) -> None:
    """Take a document back that has not left the house: what it was made of is needed no more."""
    release_inputs(book, row.inputs, row.document_id)
    row = msgspec.structs.replace(entered(row, state, cause), inputs="")
    book.put(row.document_id, row)
    publish(book, row, state, cause, effects)


def entered(row: DocumentRow, state: DocumentState, cause: Cause) -> DocumentRow:
    """The row in a new state; an approval under way has come to its end with it."""
    return msgspec.structs.replace(row, state=state.value, approving="", state_micros=instant_micros(cause.recorded_at))
