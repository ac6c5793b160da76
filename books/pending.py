"""What is under way in a book, a row for each kind: it is asked about for every record, so that it must not take a
scan. The rows follow from closes and documents, and are changed together with them.
"""

import msgspec

from books.book import Book, key_of
from books.rows import CloseRow, CounterRow, DocumentRow, PendingRow

_CLOSES = "close"
_APPROVALS = "approval"
_MISSING = "missing"
_GIVEN_UP = "given_up"
_WAITING = "waiting"


def _keys(book: Book, name: str) -> tuple[str, ...]:
    row = book.get(PendingRow, name)
    return () if row is None else row.keys


def _add(book: Book, name: str, key: str) -> None:
    book.put(name, PendingRow(keys=tuple(sorted({*_keys(book, name), key}))))


def _remove(book: Book, name: str, key: str) -> None:
    left = tuple(one for one in _keys(book, name) if one != key)
    if left:
        book.put(name, PendingRow(keys=left))
    else:
        book.delete(PendingRow, name)


def any_close_open(book: Book) -> bool:
    """Whether a close waits or is on its way to the journal."""
    return book.has(PendingRow, _CLOSES)


def open_closes(book: Book) -> list[tuple[str, CloseRow]]:
    """The closes that were not drafted or read back yet, oldest first."""
    found = ((key, book.get(CloseRow, key)) for key in _keys(book, _CLOSES))
    return [(key, close) for key, close in found if close is not None]


def put_close(book: Book, key: str, close: CloseRow) -> None:
    """Keep a new close."""
    book.put(key, close)
    _add(book, _CLOSES, key)


def wait_for_decision(book: Book, close_key: str, entry_id: str) -> None:
    """Note that a close waits for an entry's decision; once for each entry of it."""
    book.mark(_MISSING, close_key, entry_id)
    _add(book, key_of(_WAITING, entry_id), close_key)
    _count_missing(book, close_key, 1)


def closes_waiting_for(book: Book, entry_id: str) -> tuple[str, ...]:
    """The closes that lack an entry's decision, oldest first; mostly no close is open, and then nobody looks."""
    return _keys(book, key_of(_WAITING, entry_id)) if any_close_open(book) else ()


def decided(book: Book, close_key: str, entry_id: str) -> None:
    """Note that a close has the decision of this entry."""
    if book.is_marked(_MISSING, close_key, entry_id):
        _count_missing(book, close_key, -1)
    book.unmark(_MISSING, close_key, entry_id)
    book.unmark(_GIVEN_UP, close_key, entry_id)
    _remove(book, key_of(_WAITING, entry_id), close_key)


def give_up(book: Book, close_key: str, entry_id: str) -> None:
    """Note that a close need not wait for this entry: its decision is taken if it comes, and named if it does not."""
    if book.is_marked(_MISSING, close_key, entry_id):
        _count_missing(book, close_key, -1)
        book.unmark(_MISSING, close_key, entry_id)
        book.mark(_GIVEN_UP, close_key, entry_id)


def missing_decisions(book: Book, close_key: str) -> int:
    """For how many decisions a close waits."""
    row = book.get(CounterRow, key_of(_MISSING, close_key))
    return 0 if row is None else row.count


def undecided_entries(book: Book, close_key: str) -> list[str]:
    """The entries whose decisions a close lacks, whether it waits for them or not, in order."""
    return sorted([*book.marked(_MISSING, close_key), *book.marked(_GIVEN_UP, close_key)])


def forget_close(book: Book, key: str) -> None:
    """Remove a close and what it waits for."""
    for entry_id in undecided_entries(book, key):
        decided(book, key, entry_id)
    book.delete(CloseRow, key)
    _remove(book, _CLOSES, key)


def _count_missing(book: Book, close_key: str, change: int) -> None:
    series = key_of(_MISSING, close_key)
    left = missing_decisions(book, close_key) + change
    if left:
        book.put(series, CounterRow(count=left))
    else:
        book.delete(CounterRow, series)


def begin_approval(book: Book, document: DocumentRow, command_id: str) -> None:
    """Note that an approval of a document is being recorded."""
    book.put(document.document_id, msgspec.structs.replace(document, approving=command_id))
    _add(book, _APPROVALS, document.document_id)


def end_approval(book: Book, document_id: str) -> None:
    """Note that a document's approval was read back, or overtaken; the document's row is the caller's."""
    if document_id in _keys(book, _APPROVALS):
        _remove(book, _APPROVALS, document_id)


def approvals_under_way(book: Book) -> list[DocumentRow]:
    """The documents whose approval, or void, is being recorded."""
    found = (book.get(DocumentRow, document_id) for document_id in _keys(book, _APPROVALS))
    return [document for document in found if document is not None and document.approving]


def clients_with_approvals(book: Book) -> set[str]:
    """The clients of documents whose approval, or void, is being recorded."""
    return {document.client_id for document in approvals_under_way(book)}
