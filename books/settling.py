"""What an approval settles, and what taking it back unsettles: the rows that later corrections start from."""

from collections.abc import Sequence
from datetime import date

import msgspec

from billing.contract import needed_dates
from books.billed import unpin
from books.book import Book
from books.catalog import Catalog, read_agreement
from books.composing import is_regular
from books.rows import DocumentRow, FrozenRow, SettledRow
from books.settled import keep_rates, put_settled, remove_settled, settled_of
from schemas.draft import BucketTotal, CorrectedDocument, CorrectionPart, DraftBody
from schemas.period import Period

_NO_RATE = "exchange_rate_missing"


def settle_document(book: Book, catalog: Catalog, row: DocumentRow, body: DraftBody) -> None:
    """Note what an approved document rests on, and what the documents that it corrects rest on from now on."""
    people = tuple(sorted({frozen.entry.person_id for _, frozen in book.scan(FrozenRow, row.inputs)} - {""}))
    if is_regular(body):
        fresh = SettledRow(
            document_id=row.document_id,
            contract_id=row.contract_id,
            date_from=row.date_from,
            date_to=row.date_to,
            needed_from=_needed_from(book, body, row.date_from, row.date_to),
            inputs=row.inputs,
            contract_revision=body.contract_revision,
            directory_revision=body.directory_revision,
            documents=(row.document_id,),
            people=people,
            looked=f"{body.contract_revision} {body.directory_revision}",
            lacks_rate=_lacks_rate(body.buckets),
        )
        put_settled(book, catalog, fresh)
        keep_rates(book, fresh)
    for one in body.corrections:
        before = settled_of(book, row.contract_id, one.document_id)
        if before is not None:
            after = _corrected(book, before, row, body, one, people)
            put_settled(book, catalog, after)
            keep_rates(book, after)


def _corrected(
    book: Book,
    before: SettledRow,
    row: DocumentRow,
    body: DraftBody,
    corrected: CorrectedDocument,
    people: tuple[str, ...],
) -> SettledRow:
    """After a credit the rest is still to be billed anew; after anything else the document rests on new facts."""
    documents = (*before.documents, row.document_id)
    if corrected.part is CorrectionPart.CREDIT:
        return msgspec.structs.replace(before, documents=documents, returned=True)
    return msgspec.structs.replace(
        before,
        documents=documents,
        needed_from=_needed_from(book, body, before.date_from, before.date_to),
        inputs=row.inputs,
        contract_revision=body.contract_revision,
        directory_revision=body.directory_revision,
        people=people,
        looked=f"{body.contract_revision} {body.directory_revision}",
        returned=False,
        lacks_rate=_lacks_rate(corrected.buckets),
    )


def _needed_from(book: Book, body: DraftBody, first: str, end: str) -> str:
    period = Period(start=date.fromisoformat(first), end=date.fromisoformat(end))
    return needed_dates(read_agreement(book, body.contract_revision).compiled, period)[0].isoformat()


def _lacks_rate(buckets: Sequence[BucketTotal]) -> bool:
    return any(one.reason == _NO_RATE for one in buckets)


def unsettle_document(book: Book, catalog: Catalog, row: DocumentRow, body: DraftBody, credit_note: str = "") -> None:
    """A document stands no more, or its credit note takes it back: its period may be billed again, and what it
    corrected is compared line by line at the next close.
    """
    own = settled_of(book, row.contract_id, row.document_id)
    if own is not None:
        remove_settled(book, catalog, own)
    for one in body.corrections:
        before = settled_of(book, row.contract_id, one.document_id)
        if before is not None:
            kept = tuple(each for each in before.documents if credit_note or each != row.document_id)
            documents = (*kept, credit_note) if credit_note else kept
            put_settled(book, catalog, msgspec.structs.replace(before, documents=documents, returned=True))


def give_back(book: Book, row: DocumentRow, body: DraftBody) -> None:
    """Return the allocations of a document, and of what corrected it, to unbilled."""
    unpin(book, row.document_id, body, with_corrections=True)
