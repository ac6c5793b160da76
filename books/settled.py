"""Which approved documents have to be looked at again: a mark is set when a fact changes that one of them rests on.

A mark says only "look"; what differs is found by computing (rule 4). Entries later than all approved documents, which
is nearly all that ever arrives, cost one look-up in a dictionary.
"""

from collections.abc import Iterator

import msgspec

from books.book import SEPARATOR, Book, key_of
from books.catalog import Catalog
from books.rows import EntryRow, FrozenRateRow, FrozenRow, SettledRow, SettledUntilRow
from schemas.corrections import Correction

_CHANGED = "changed_settled"
_DUE = "credit_due"
_INPUTS = "inputs_of"


def note_change(book: Book, catalog: Catalog, old: EntryRow | None, new: EntryRow) -> None:
    """An entry is about to change: mark the approved documents that it was part of, or is now."""
    places = {(row.contract_id, row.local_date) for row in (old, new) if row is not None and row.local_date}
    late = [place for place in places if place[1] < catalog.settled_until.get(place[0], "")]
    if late and old != new:
        for contract_id, day in late:
            for row in list(settled_rows(book, contract_id)):
                if row.needed_from <= day < row.date_to:
                    mark_changed(book, catalog, row)


def mark_changed(book: Book, catalog: Catalog, row: SettledRow) -> None:
    """Let the next close of the contract look at an approved document, the next tick where a credit is due at once."""
    book.mark(_CHANGED, row.contract_id, row.document_id)
    if is_credited_at_once(catalog, row.contract_id):
        book.mark(_DUE, row.contract_id, row.document_id)


def unmark_changed(book: Book, row: SettledRow) -> None:
    """Nothing differs: forget the mark until something changes again."""
    book.unmark(_CHANGED, row.contract_id, row.document_id)


def is_changed(book: Book, row: SettledRow) -> bool:
    """Whether something happened to an approved document since it was last looked at."""
    return book.is_marked(_CHANGED, row.contract_id, row.document_id)


def is_credited_at_once(catalog: Catalog, contract_id: str) -> bool:
    """Whether a credit does not wait for the next invoice: the contract says so, or no invoice will follow (BD-66)."""
    agreement = catalog.agreements.get(contract_id)
    if agreement is None:
        return False
    return agreement.document.correction is Correction.CREDIT_NOW or is_over(catalog, contract_id)


def is_over(catalog: Catalog, contract_id: str) -> bool:
    """Whether all dates of a contract are billed, so that it has no further invoice."""
    agreement = catalog.agreements.get(contract_id)
    end = None if agreement is None else agreement.document.date_to
    return end is not None and end.isoformat() <= catalog.settled_until.get(contract_id, "")


def take_due(book: Book, contract_id: str) -> list[SettledRow]:
    """The documents of a contract that a tick has to look at; they are marked no more."""
    found = []
    for document_id in list(book.marked(_DUE, contract_id)):
        book.unmark(_DUE, contract_id, document_id)
        row = book.get(SettledRow, key_of(contract_id, document_id))
        if row is not None:
            found.append(row)
    return found


def settled_rows(book: Book, contract_id: str) -> Iterator[SettledRow]:
    """The approved documents of a contract that bill a period."""
    return (row for _, row in book.scan(SettledRow, contract_id))


def put_settled(book: Book, catalog: Catalog, row: SettledRow) -> None:
    """Keep what an approved document rests on, and what it is compared with from now on."""
    key = key_of(row.contract_id, row.document_id)
    before = book.get(SettledRow, key)
    book.put(key, row)
    keep_inputs(book, row.inputs, f"settled {row.document_id}")
    if before is not None and before.inputs != row.inputs:
        release_inputs(book, before.inputs, f"settled {row.document_id}")
    until = max(row.date_to, catalog.settled_until.get(row.contract_id, ""))
    _set_until(book, catalog, row.contract_id, until)
    mark_changed(book, catalog, row)


def remove_settled(book: Book, catalog: Catalog, row: SettledRow) -> None:
    """A document bills its period no more."""
    book.delete(SettledRow, key_of(row.contract_id, row.document_id))
    release_inputs(book, row.inputs, f"settled {row.document_id}")
    unmark_changed(book, row)
    book.unmark(_DUE, row.contract_id, row.document_id)
    left = max((one.date_to for one in settled_rows(book, row.contract_id)), default="")
    _set_until(book, catalog, row.contract_id, left)


def _set_until(book: Book, catalog: Catalog, contract_id: str, until: str) -> None:
    if until:
        book.put(contract_id, SettledUntilRow(until=until))
        catalog.settled_until[contract_id] = until
    else:
        book.delete(SettledUntilRow, contract_id)
        catalog.settled_until.pop(contract_id, None)


def settled_of(book: Book, contract_id: str, document_id: str) -> SettledRow | None:
    """What an approved document rests on; None when it bills no period, or not any more."""
    return book.get(SettledRow, key_of(contract_id, document_id))


def changed_settled(book: Book, row: SettledRow, **changed: object) -> SettledRow:
    """The row with some fields changed, as it is stored now."""
    fresh = msgspec.structs.replace(row, **changed)
    book.put(key_of(row.contract_id, row.document_id), fresh)
    return fresh


def keep_inputs(book: Book, close_key: str, holder: str) -> None:
    """Keep the frozen rows of a close for who is made of them."""
    if close_key:
        book.mark(_INPUTS, close_key, holder)


def release_inputs(book: Book, close_key: str, holder: str) -> None:
    """Somebody needs the frozen rows of a close no more; the last one takes them away."""
    if close_key:
        book.unmark(_INPUTS, close_key, holder)
        drop_unused(book, close_key)


def drop_unused(book: Book, close_key: str) -> None:
    """Remove the frozen rows of a close that nobody needs."""
    if next(book.marked(_INPUTS, close_key), None) is not None:
        return
    for frozen_key, _ in list(book.scan(FrozenRow, close_key)):
        book.delete(FrozenRow, frozen_key)
    for rate_key, _ in list(book.scan(FrozenRateRow, close_key)):
        book.delete(FrozenRateRow, rate_key)


def rates_key(row: SettledRow) -> str:
    """Where the exchange rates of an approved document are kept: a later rate never changes it (BD-55)."""
    return f"document {row.document_id}"


def keep_rates(book: Book, row: SettledRow) -> None:
    """Keep the rates of the close that a document rests on beside those it has; what it has stays."""
    for key, rate in list(book.scan(FrozenRateRow, row.inputs)):
        kept = key_of(rates_key(row), *key.split(SEPARATOR)[1:])
        if not book.has(FrozenRateRow, kept):
            book.put(kept, rate)
