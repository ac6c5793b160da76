"""Approval: a draft that is still what the facts give is promised, and what it corrects is settled anew (rule 6)."""

from collections.abc import Sequence

from books.billed import pin
from books.bodies import read_body, scope_of
from books.book import Book
from books.breaches import refuse_breach
from books.catalog import Catalog
from books.composing import recompose
from books.corrections import Facts, look
from books.documents import entered
from books.effects import Cause, Effects
from books.facts import fact_id_of_command, propose, refuse
from books.invoicing import Terms, rates_now
from books.pending import approvals_under_way, begin_approval, end_approval, open_closes
from books.publishing import deliver, publish
from books.rows import DocumentRow, EntryRow, FrozenRow
from books.settled import release_inputs, settled_of
from books.settling import settle_document
from schemas.clauses import Leave
from schemas.commands import ApproveDocument
from schemas.draft import CorrectionPart, DocumentState, DraftBody, DraftLine
from schemas.errors import ConservationBroken
from schemas.facts import DocumentApproved


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
    if problem := _in_the_way(book, row, read_body(book, row.document_id)):
        return problem
    if is_stale(book, catalog, row):
        return "stale", "What the draft was made of has changed; close the period again and look at the new draft."
    return None


def _in_the_way(book: Book, row: DocumentRow, body: DraftBody) -> tuple[str, str] | None:
    """Two documents under way may not correct the same; what is billed anew must have been credited."""
    corrected = {one.document_id for one in body.corrections}
    for other in approvals_under_way(book):
        if other.contract_id == row.contract_id and corrected & _concerned(book, other):
            return "approval_under_way", "Another document about the same invoice is being recorded; try again."
    for one in body.corrections:
        settled = settled_of(book, row.contract_id, one.document_id)
        if one.part is CorrectionPart.REBILL and settled is not None and not settled.returned:
            return "credit_note_first", f"Approve the credit note of {one.number or one.document_id} first."
    return None


def _concerned(book: Book, row: DocumentRow) -> set[str]:
    return {row.document_id} | {one.document_id for one in read_body(book, row.document_id).corrections}


def is_stale(book: Book, catalog: Catalog, row: DocumentRow) -> bool:
    """Whether the draft would come out differently from today's rows; entries that it does not know yet are left out
    (rule 6).
    """
    body = read_body(book, row.document_id)
    agreement = catalog.agreements.get(row.contract_id)
    if agreement is None or catalog.people is None:
        return True
    found = (book.get(EntryRow, frozen.entry.entry_id) for _, frozen in book.scan(FrozenRow, row.inputs))
    known = tuple(entry for entry in found if entry is not None)
    terms = Terms(agreement, catalog.people, body.invoice_date)
    again = recompose(book, Facts(terms, known, rates_now(book)), body)
    return again is None or _promised(again) != _promised(body)


def _promised(body: DraftBody) -> tuple[DraftBody, list[tuple[object, ...]]]:
    """What a person approves: lines with their sources, taxes and amounts, and who they are for (rule 6).

    Revisions that move no line, time that stands on no line, and work of other periods that only a cap's explanation
    tells of, are no part of it; of an adjustment neither are its words.
    """
    lines = [
        line.model_copy(update={"charges": tuple(one.model_copy(update={"steps": ()}) for one in line.charges)})
        for line in body.lines
        if not line.corrects
    ]
    pins = dict.fromkeys(("contract_revision", "directory_revision", "entries_hash"), "")
    hours = dict.fromkeys(("worked_seconds", "carried_in_seconds", "rounding_delta_seconds"), 0)
    unbilled: dict[str, object] = {**hours, "buckets": (), "placements": (), "certificate": None, "corrections": ()}
    own = body.model_copy(update={**pins, **unbilled, "lines": tuple(lines), "findings": ()})
    return own, sorted(_adjustments(body.lines), key=str)


def _adjustments(lines: Sequence[DraftLine]) -> list[tuple[object, ...]]:
    return [
        (
            [(one.document_id, one.line_id, one.seconds, one.amount) for one in line.corrects],
            [(one.entry_id, one.work_date, one.worked_seconds, one.delta_seconds, one.amount) for one in line.sources],
            (line.tax_category, line.tax_rate, line.amount),
        )
        for line in lines
        if line.corrects
    ]


def approved(book: Book, catalog: Catalog, fact: DocumentApproved, cause: Cause, effects: Effects) -> None:
    """Read an approval back: the document stands, and its entries' time with it."""
    row = book.get(DocumentRow, fact.document_id)
    if row is None or row.state != DocumentState.DRAFT.value or row.content != fact.content:
        return
    row = entered(row, DocumentState.APPROVED, cause)
    book.put(row.document_id, row)
    end_approval(book, row.document_id)
    body = read_body(book, row.document_id)
    pin(book, row.document_id, row.contract_id, body, cause.offset)
    settle_document(book, catalog, row, body)
    agreement = catalog.agreements.get(row.contract_id)
    if agreement is not None:
        look(book, catalog, agreement)  # Here once, so that no preview has to see for itself that nothing came between.
    release_inputs(book, row.inputs, row.document_id)
    publish(book, row, DocumentState.APPROVED, cause, effects)
    deliver(book, catalog, row, Leave.APPROVED, cause, effects)
