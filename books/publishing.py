"""What the reading back of a document's facts sends out: the document, and the orders to deliver it (rule 12)."""

from books.bodies import read_body
from books.book import Book
from books.catalog import Catalog
from books.effects import Cause, Effects
from books.facts import request_work
from books.resolving import instant_of
from books.rows import DocumentRow
from schemas.clauses import Leave
from schemas.codec import encode
from schemas.draft import DocumentState, DraftBody, PublishedDocument
from schemas.work import DeliverDocument


def publish(
    book: Book, row: DocumentRow, state: DocumentState, cause: Cause, effects: Effects, body: DraftBody | None = None
) -> None:
    """Publish a document as it is in a state; a repeat is the same record. Its body is read where it is not at hand."""
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
        body=body or read_body(book, row.document_id),
    )
    effects.documents.append((cause.offset, document))


def deliver(
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
