"""What of an entry's time stands on which approved documents: its state, and its rank where late work counts last."""

from enum import StrEnum

from books.book import Book
from books.rows import BilledPart, BilledRow, EntryRow
from schemas.draft import DraftBody

LATE_RANK = 2**62
"""The rank of work that stands on no document as it is now."""


class EntryState(StrEnum):
    """Where an entry's time is on its way to the client (billing-domain section 5)."""

    UNBILLED = "unbilled"
    DRAFTED = "drafted"
    INVOICED = "invoiced"
    CORRECTED = "corrected"


def pin(book: Book, document_id: str, contract_id: str, body: DraftBody, offset: int) -> None:
    """Note for each entry on an approved document how many of its seconds stand there, or were corrected by it."""
    seconds: dict[tuple[str, str], int] = {}
    contents: dict[tuple[str, str], str] = {}
    for line in body.lines:
        corrects = line.corrects[0].document_id if line.corrects else ""
        for source in line.sources:
            key = (source.entry_id, corrects)
            seconds[key] = seconds.get(key, 0) + source.worked_seconds
            contents[key] = source.content
    for (entry_id, corrects), billed in sorted(seconds.items()):
        part = BilledPart(document_id, contract_id, contents[entry_id, corrects], billed, offset, corrects)
        book.put(entry_id, BilledRow(parts=(*parts_of(book, entry_id), part)))


def unpin(book: Book, document_id: str, body: DraftBody, *, with_corrections: bool) -> None:
    """Give the allocations of a document back; with its corrections, also what others corrected of it."""
    for entry_id in sorted({source.entry_id for line in body.lines for source in line.sources}):
        parts = parts_of(book, entry_id)
        kept = [
            part
            for part in parts
            if part.document_id != document_id and not (with_corrections and part.corrects == document_id)
        ]
        if kept:
            book.put(entry_id, BilledRow(parts=tuple(kept)))
        elif parts:
            book.delete(BilledRow, entry_id)


def parts_of(book: Book, entry_id: str) -> tuple[BilledPart, ...]:
    """What of the entry stands on approved documents, in the order of their approvals."""
    found = book.get(BilledRow, entry_id)
    return () if found is None else found.parts


def rank_of(book: Book, row: EntryRow) -> int:
    """With `late_policy: remaining_capacity`: what stands as it is comes before what is late or changed."""
    same = [
        part.offset
        for part in parts_of(book, row.entry_id)
        if (part.contract_id, part.content) == (row.contract_id, row.content)
    ]
    return min(same, default=LATE_RANK)


def state_of(book: Book, entry_id: str, *, drafted: bool) -> EntryState:
    """The state of an entry; `drafted` says whether a draft holds it."""
    parts = parts_of(book, entry_id)
    if any(part.corrects for part in parts):
        return EntryState.CORRECTED
    if parts:
        return EntryState.INVOICED
    return EntryState.DRAFTED if drafted else EntryState.UNBILLED
