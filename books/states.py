"""Where an entry's time is on its way to the client, derived from drafts and approved documents (section 5)."""

from books.billed import EntryState, state_of
from books.bodies import read_body
from books.book import Book
from books.rows import DocumentRow
from schemas.draft import DocumentState


def entry_state(book: Book, entry_id: str) -> EntryState:
    """The state of an entry; drafts are read to find it, so it is for looking at single entries."""
    return state_of(book, entry_id, drafted=_is_drafted(book, entry_id))


def _is_drafted(book: Book, entry_id: str) -> bool:
    drafts = (row for _, row in book.scan(DocumentRow) if row.state == DocumentState.DRAFT.value)
    bodies = (read_body(book, row.document_id) for row in drafts)
    return any(source.entry_id == entry_id for body in bodies for line in body.lines for source in line.sources)
