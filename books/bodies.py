"""The stored bodies of documents, and what a document's row says it is about."""

from books.book import Book
from books.rows import BodyRow, DocumentRow
from schemas.codec import decode
from schemas.draft import DocumentKind, DocumentScope, DocumentState, DraftBody, document_id_of
from schemas.facts import DocumentDrafted, DocumentVoided

_DOCUMENTS = "documents"
_REPLACEABLE = (DocumentState.DRAFT.value, DocumentState.REJECTED.value, DocumentState.WITHDRAWN.value)


def read_body(book: Book, document_id: str) -> DraftBody:
    """The body of a document's newest revision."""
    row = book.get(BodyRow, document_id)
    assert row is not None, f"document {document_id} has no body"
    fact = decode(row.value)
    assert isinstance(fact, DocumentDrafted | DocumentVoided), type(fact).__name__
    assert fact.body is not None, f"document {document_id} has no body"
    return fact.body


def documents_of(book: Book, client_id: str, contract_id: str) -> list[DocumentRow]:
    """All documents of a contract by their ids: a book holds those of years, and each close asks."""
    found = (
        book.get(DocumentRow, document_id) for document_id in list(book.marked(_DOCUMENTS, client_id, contract_id))
    )
    return [row for row in found if row is not None]


def note_document(book: Book, row: DocumentRow) -> None:
    """Let `documents_of` find a document."""
    book.mark(_DOCUMENTS, row.client_id, row.contract_id, row.document_id)


def next_place(book: Book, scope: DocumentScope) -> tuple[str, int, DocumentRow | None]:
    """Id and sequence under which the next draft of a scope is kept, and the document that it replaces there.

    What was approved stands; the next document of the scope has the next sequence.
    """
    sequence = 1
    while True:
        document_id = document_id_of(book.tenant, book.book, scope, sequence)
        row = book.get(DocumentRow, document_id)
        if row is None or row.state in _REPLACEABLE:
            return document_id, sequence, row
        sequence += 1


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
