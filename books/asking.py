"""Asks slow work what an entry is: one request for an entry's input hash, open until an answer is in the journal."""

from books.book import Book, key_of
from books.catalog import Catalog
from books.duplicates import UNASSIGNED
from books.effects import Cause, Effects
from books.facts import request_work
from books.rows import CounterRow, EntryRow, MemoryRow, OpenWorkRow
from books.versions import is_deleted
from schemas.canonical import content_hash
from schemas.codec import encode_fields
from schemas.entry import EVENT_KINDS
from schemas.inputs import Category
from schemas.work import DecideEntry, Remembered

DECIDE = "decide"


def ask(book: Book, catalog: Catalog, row: EntryRow, cause: Cause, effects: Effects, *, is_new: bool) -> None:
    """Request a decision for the row as it is, unless one was requested already or the entry cannot be decided yet.

    Nothing was requested yet for an entry that is new; that saves the look.
    """
    if is_deleted(row) or row.running or row.client_id == UNASSIGNED or not row.contract_id or row.kind in EVENT_KINDS:
        return
    request_id = request_id_of(row)
    if is_new or not book.has(OpenWorkRow, request_id):
        request_work(book, request_id, framed_request(book, catalog, row, request_id, cause), cause, effects)


def request_id_of(row: EntryRow) -> str:
    """The id of the request for an entry's input hash."""
    return f"{DECIDE}:{row.entry_id}:{row.input_hash}"


def framed_request(book: Book, catalog: Catalog, row: EntryRow, request_id: str, cause: Cause) -> bytes:
    """The framed `DecideEntry`; everything that a decider may know is in it."""
    remembered = None
    if book.has(CounterRow, memory_series(row.client_id)):
        remembered = book.get(MemoryRow, key_of(row.client_id, text_hash(row.description)))
    return encode_fields(
        DecideEntry,
        {
            "envelope": cause.envelope_fields("work", request_id),
            "request_id": request_id,
            "entry_id": row.entry_id,
            "input_hash": row.input_hash,
            "kind": row.kind,
            "client_id": row.client_id,
            "role": row.role,
            "project_ref": row.project_ref,
            "task_ref": row.task_ref,
            "service_item": row.service_item,
            "tags": row.tags,
            "description": row.description,
            "billable_hint": row.billable_hint,
            "remembered": None if remembered is None else _remembered(remembered).model_dump(),
            "facts": catalog.agreements[row.contract_id].facts,
        },
    )


def memory_series(client_id: str) -> str:
    """Counts the remembered texts of a client; most clients have none, and then nobody looks for one."""
    return f"memory:{client_id}"


def text_hash(text: str) -> str:
    """Under which a decided text is remembered: case and blanks make no difference."""
    return content_hash({"text": " ".join(text.split()).casefold()})[:32]


def _remembered(row: MemoryRow) -> Remembered:
    part = row.part
    return Remembered(
        category=Category(part.category),
        service_item=part.service_item,
        utbms_task=part.utbms_task,
        utbms_activity=part.utbms_activity,
        entry_id=row.entry_id,
    )
