"""Voiding: an issued document is taken back by a credit note over all that stands of it; both numbers stay (BD-71).

The credit note stands in the fact, so that what is read back is what was promised.
"""

from decimal import Decimal

import msgspec

from billing.adjust import Adjusted, taken_back, void
from billing.adjusted_body import correction_body
from books.billed import parts_of, pin
from books.bodies import read_body
from books.book import Book
from books.catalog import Catalog, read_agreement, read_people
from books.closing import settled_by_hand
from books.documents import entered, numbered, placed_row
from books.effects import Cause, Effects
from books.entries import change
from books.facts import propose, refuse
from books.invoicing import local_today
from books.pending import begin_approval, clients_with_approvals, end_approval, open_closes
from books.publishing import deliver, publish
from books.rows import BodyRow, DocumentRow, EntryRow
from books.settled import settled_of
from books.settling import give_back, unsettle_document
from books.version import FOLD_VERSION
from schemas.codec import encode
from schemas.commands import VoidDocument
from schemas.draft import DocumentKind, DocumentState, DraftBody, body_hash
from schemas.facts import DocumentVoided


def apply_void(book: Book, catalog: Catalog, command: VoidDocument, cause: Cause, effects: Effects) -> None:
    """Propose that an issued document is void through the credit note that the fact carries."""
    row = book.get(DocumentRow, command.document_id)
    problem = _not_voidable(book, row, command)
    if problem is not None or row is None:
        reason, detail = problem or ("document_unknown", "")
        refuse(book, command, reason, detail, cause, effects, document_id=command.document_id)
        return
    body = credit_of(book, row)
    elsewhere = [] if command.rebill else [one for one in credited(body) if _stands_elsewhere(book, row, one)]
    if elsewhere:
        detail = f"Entry {elsewhere[0]} stands on another document, too; void with rebill, and write off what remains."
        refuse(book, command, "stands_elsewhere", detail, cause, effects, document_id=row.document_id)
        return
    fact_id = f"voided:{row.document_id}"
    fact = DocumentVoided(
        envelope=cause.envelope("fact", fact_id),
        fact_id=fact_id,
        command_id=command.command_id,
        document_id=row.document_id,
        rebill=command.rebill,
        written_off="" if command.rebill else f"{command.person}: {command.reason} (document {row.number} is void)",
        void_offset=cause.offset,
        code_version=FOLD_VERSION,
        content=body_hash(body),
        body=body,
    )
    begin_approval(book, row, command.command_id)
    propose(book, fact, cause, effects)


def _not_voidable(book: Book, row: DocumentRow | None, command: VoidDocument) -> tuple[str, str] | None:
    if row is None:
        return "document_unknown", f"There is no document {command.document_id}."
    if row.state != DocumentState.ISSUED.value:
        return "not_issued", f"The document is {row.state}; only an issued one is voided."
    if row.kind != DocumentKind.INVOICE.value:
        return "not_voidable", "A credit note is not voided; what it credited is billed by an invoice."
    if row.client_id in clients_with_approvals(book):
        return "approval_under_way", "A document of this client is being recorded; try again in a moment."
    if any(close.client_id == row.client_id for _, close in open_closes(book)):
        return "close_open", "A close of this client is under way; void the document when it is there."
    return None


def _stands_elsewhere(book: Book, row: DocumentRow, entry_id: str) -> bool:
    mine = (row.document_id,)
    others = [part for part in parts_of(book, entry_id) if part.document_id not in mine and part.corrects not in mine]
    return sum(part.seconds for part in others) > 0


def credited(note: DraftBody) -> list[str]:
    """The entries of which a credit note takes time back, or money where there is no time."""
    seconds: dict[str, int] = {}
    amounts: dict[str, Decimal] = {}
    for line in note.lines:
        for source in line.sources:
            seconds[source.entry_id] = seconds.get(source.entry_id, 0) + source.worked_seconds
            amounts[source.entry_id] = amounts.get(source.entry_id, Decimal(0)) + source.amount
    return sorted(one for one in seconds if seconds[one] < 0 or (not seconds[one] and amounts[one] < 0))


def credit_of(book: Book, row: DocumentRow) -> DraftBody:
    """The credit note over all that stands of a document, and over what it corrected of others."""
    body = read_body(book, row.document_id)
    agreement = read_agreement(book, body.contract_revision)
    own = settled_of(book, row.contract_id, row.document_id)
    documents = (row.document_id,) if own is None else own.documents
    bodies = [(one, read_body(book, one)) for one in documents]
    adjusted: list[Adjusted] = [void(row.document_id, row.number, bodies, body)]
    for one in body.corrections:
        settled = settled_of(book, row.contract_id, one.document_id)
        if settled is not None:
            others = [(each, read_body(book, each)) for each in settled.documents]
            adjusted.append(taken_back(one.document_id, one.number, others, body))
    today = local_today(book, agreement, body.invoice_date)
    people = read_people(book, body.directory_revision)
    assert people is not None, "a document is only drafted with a directory"
    kind = DocumentKind.CREDIT_NOTE
    return correction_body(agreement.compiled, people.compiled, body, kind, today, adjusted)


def voided(book: Book, catalog: Catalog, fact: DocumentVoided, cause: Cause, effects: Effects) -> None:
    """Read a void back: the document is void, its credit note is issued with the next number of its own series."""
    row = book.get(DocumentRow, fact.document_id)
    if row is None or row.state != DocumentState.ISSUED.value or fact.body is None:
        return
    old_body = read_body(book, row.document_id)
    end_approval(book, row.document_id)
    row = entered(row, DocumentState.VOID, cause)
    book.put(row.document_id, row)
    note = _issue_note(book, fact, fact.body, cause)
    unsettle_document(book, catalog, row, old_body, note.document_id)
    publish(book, row, DocumentState.VOID, cause, effects)
    publish(book, note, DocumentState.ISSUED, cause, effects)
    deliver(book, catalog, note, None, cause, effects)
    if fact.rebill:
        give_back(book, row, old_body)
    else:
        pin(book, note.document_id, note.contract_id, fact.body, cause.offset)
        _write_off(book, catalog, credited(fact.body), fact.written_off, cause, effects)


def _issue_note(book: Book, fact: DocumentVoided, body: DraftBody, cause: Cause) -> DocumentRow:
    offsets = (fact.void_offset, fact.void_offset)
    note, _ = placed_row(book, body.scope, fact, DocumentState.APPROVED, offsets)
    book.put(note.document_id, BodyRow(value=encode(fact)))
    note = numbered(book, note, cause)
    book.put(note.document_id, note)
    return note


def _write_off(book: Book, catalog: Catalog, entry_ids: list[str], reason: str, cause: Cause, effects: Effects) -> None:
    """What was credited and is not billed anew is time that a person decided not to bill."""
    for entry_id in entry_ids:
        entry = book.get(EntryRow, entry_id)
        if entry is not None:
            given = msgspec.structs.replace(entry, written_off=reason)
            settled_by_hand(book, change(book, catalog, entry, given, cause, effects))
