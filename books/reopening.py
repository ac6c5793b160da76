"""Reopening: what was drafted or approved of a period, and not issued, is taken back (billing-domain section 5)."""

import msgspec

from books.bodies import read_body
from books.book import Book
from books.catalog import Catalog
from books.closing import command_of
from books.documents import discard, issue_fact_id, live_documents
from books.effects import Cause, Effects
from books.facts import refuse
from books.pending import open_closes
from books.rows import DocumentRow, OpenFactRow
from books.settled import settled_of
from books.settling import give_back, unsettle_document
from schemas.commands import ReopenPeriod
from schemas.draft import DocumentScope, DocumentState

WITHDRAWN = "withdrawn"


def apply_reopen(book: Book, catalog: Catalog, command: ReopenPeriod, cause: Cause, effects: Effects) -> None:
    """Withdraw the documents of a scope and the closes that would draft it; refused once one of them was issued, and
    while one of them is just being recorded.
    """
    closes = [(key, close) for key, close in open_closes(book) if _overlap(command_of(close).scope, command.scope)]
    if any(close.proposed for _, close in closes):
        detail = "A draft of this period is being recorded; reopen it again in a moment."
        refuse(book, command, "close_open", detail, cause, effects, command.scope)
        return
    rows = live_documents(book, command.scope)
    if problem := _not_reopenable(book, rows):
        refuse(book, command, problem[0], problem[1], cause, effects, command.scope)
        return
    for row in sorted(rows, key=lambda one: one.sequence, reverse=True):
        _withdraw(book, catalog, row, cause, effects)
    for key, close in closes:
        given = command_of(close)
        refuse(book, given, WITHDRAWN, "The period was reopened while this waited.", cause, effects, given.scope)
        book.put(key, msgspec.structs.replace(close, proposed=True))


def _overlap(one: DocumentScope, other: DocumentScope) -> bool:
    same = (one.client_id, one.contract_id) == (other.client_id, other.contract_id)
    return same and one.date_from < other.date_to and other.date_from < one.date_to


def _not_reopenable(book: Book, rows: list[DocumentRow]) -> tuple[str, str] | None:
    if any(row.approving for row in rows):
        return "approval_under_way", "A document of this period is being approved; reopen it again in a moment."
    if any(book.has(OpenFactRow, issue_fact_id(row.document_id)) for row in rows):
        return "issue_under_way", "A document of this period is just leaving the house."
    if any(row.state == DocumentState.ISSUED.value for row in rows):
        return "already_issued", "A document of this period has left the house; void it, or let changes be corrected."
    mine = {row.document_id for row in rows}
    for row in rows:
        settled = settled_of(book, row.contract_id, row.document_id)
        others = [one for one in settled.documents if one not in mine] if settled is not None else []
        if others:
            return "corrected_since", f"Document {others[0]} corrects this period; reopen that one first."
    return None


def _withdraw(book: Book, catalog: Catalog, row: DocumentRow, cause: Cause, effects: Effects) -> None:
    if row.state == DocumentState.APPROVED.value:
        body = read_body(book, row.document_id)
        give_back(book, row, body)
        unsettle_document(book, catalog, row, body)
    discard(book, row, DocumentState.WITHDRAWN, cause, effects)
