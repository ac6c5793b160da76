"""What a contract's approved documents need to be compared: today's facts beside those that they pin (rule 6).

The facts that a document pins are the frozen rows of the close that drafted it, or that corrected it last.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from billing.adjust import Settled
from billing.currency import Rate
from billing.dated_terms import terms_hash
from billing.entries import BillingEntry
from billing.invoice import to_body
from billing.reasons import reason_of
from books.billed import parts_of
from books.bodies import read_body, scope_of
from books.book import Book
from books.catalog import Agreement, Catalog, People, read_agreement, read_people
from books.entries import BY_CONTRACT
from books.invoicing import Terms, billing_entries, frozen_rates, invoice
from books.rows import DocumentRow, EntryRow, FrozenRow, SettledRow
from books.settled import changed_settled, is_changed, rates_key, settled_rows, unmark_changed
from books.versions import is_deleted
from schemas.contract import ContractDocument
from schemas.directory import DirectoryDocument
from schemas.draft import CorrectionReason


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one moment for one contract. `rows` may hold entries that left it, which is why they are missed."""

    terms: Terms
    rows: Sequence[EntryRow]
    rates: tuple[Rate, ...]


def to_look_at(book: Book, catalog: Catalog, agreement: Agreement) -> list[SettledRow]:
    """The approved documents of a contract whose facts are other than those that stand, by period."""
    people = catalog.people
    if people is None or agreement.contract_id not in catalog.settled_until:
        return []
    found = [row for row in settled_rows(book, agreement.contract_id) if _differs(book, agreement, people, row)]
    return sorted(found, key=lambda row: (row.date_from, row.document_id))


def look(book: Book, catalog: Catalog, agreement: Agreement) -> list[SettledRow]:
    """As `to_look_at`, and remember of all others that nothing differs."""
    found = to_look_at(book, catalog, agreement)
    if catalog.people is None or agreement.contract_id not in catalog.settled_until:
        return found
    named, looked = {row.document_id for row in found}, looked_of(agreement, catalog.people)
    for row in list(settled_rows(book, agreement.contract_id)):
        if row.document_id not in named:
            unmark_changed(book, row)
            if row.looked != looked:
                changed_settled(book, row, looked=looked)
    return found


def _differs(book: Book, agreement: Agreement, people: People, row: SettledRow) -> bool:
    if row.returned or row.lacks_rate:
        return True
    if row.looked != looked_of(agreement, people) and is_amended(book, agreement, people, row):
        return True
    return is_changed(book, row) and _entries_now(book, agreement, row) != _pinned(book, row)


def looked_of(agreement: Agreement, people: People) -> str:
    """The revisions with which a document is compared."""
    return f"{agreement.revision} {people.revision}"


def is_amended(book: Book, agreement: Agreement, people: People, row: SettledRow) -> bool:
    """Whether contract or directory say something else about the dates of a document than they did."""
    before, known = _terms_of(book, row)
    first, end = date.fromisoformat(row.needed_from), date.fromisoformat(row.date_to)
    span = (row.people, first, end)
    return _hash(before.document, known.document, *span) != _hash(agreement.document, people.document, *span)


def _hash(
    contract: ContractDocument, directory: DirectoryDocument, people: tuple[str, ...], first: date, end: date
) -> str:
    return terms_hash(contract, directory, people, first, end)


def _terms_of(book: Book, row: SettledRow) -> tuple[Agreement, People]:
    people = read_people(book, row.directory_revision)
    assert people is not None, "a document is only drafted with a directory"
    return read_agreement(book, row.contract_revision), people


def rows_of(book: Book, agreement: Agreement, first: str, end: str) -> list[EntryRow]:
    """The living entries of a contract on the local dates `[first, end)`."""
    keys = book.marked_between((BY_CONTRACT, agreement.client_id, agreement.contract_id), first, end)
    found = (book.get(EntryRow, entry_id) for entry_id in list(keys))
    return [row for row in found if row is not None]


def _entries_now(book: Book, agreement: Agreement, row: SettledRow) -> dict[str, BillingEntry]:
    return _by_id(billing_entries(book, agreement, rows_of(book, agreement, row.needed_from, row.date_to)))


def _pinned(book: Book, row: SettledRow) -> dict[str, BillingEntry]:
    rows = [one for one in pinned_rows(book, row) if row.needed_from <= one.local_date < row.date_to]
    return _by_id(billing_entries(book, _terms_of(book, row)[0], rows))


def _by_id(entries: Iterable[BillingEntry]) -> dict[str, BillingEntry]:
    return {entry.entry_id: entry for entry in entries}


def pinned_rows(book: Book, row: SettledRow) -> list[EntryRow]:
    """The entries as the document pins them, with those that had left."""
    return [frozen.entry for _, frozen in book.scan(FrozenRow, row.inputs)]


def settled(book: Book, row: SettledRow, facts: Facts) -> Settled:
    """An approved document with everything that a comparison needs. Raises ConservationBroken as `invoice` does."""
    document = book.get(DocumentRow, row.document_id)
    assert document is not None, "a document that was approved does not vanish"
    scope, bodies = scope_of(document), [(one, read_body(book, one)) for one in row.documents]
    agreement, people, invoice_date = facts.terms.agreement, facts.terms.people, bodies[0][1].invoice_date
    pinned_rates = frozen_rates(book, rates_key(row))
    known = {(rate.base, rate.quote, rate.on) for rate in pinned_rates}
    rates = (*pinned_rates, *(rate for rate in facts.rates if (rate.base, rate.quote, rate.on) not in known))
    fresh = invoice(book, Terms(agreement, people, invoice_date), scope, facts.rows, rates)
    then = None
    if not row.returned:
        terms = Terms(*_terms_of(book, row), invoice_date)
        then = to_body(invoice(book, terms, scope, pinned_rows(book, row), pinned_rates))
    return Settled(
        document_id=row.document_id,
        number=document.number,
        bodies=bodies,
        fresh=to_body(fresh),
        pinned=then,
        reasons=_reasons(book, row, facts),
        amended=row.lacks_rate or is_amended(book, agreement, people, row),
    )


def _reasons(book: Book, row: SettledRow, facts: Facts) -> Mapping[str, CorrectionReason]:
    """What happened to each entry that is not what the document pins."""
    inside = [one for one in facts.rows if row.needed_from <= one.local_date < row.date_to]
    then, now = _pinned(book, row), _by_id(billing_entries(book, facts.terms.agreement, inside))
    states = {one.entry_id: one for one in facts.rows}
    found: dict[str, CorrectionReason] = {}
    for entry_id in sorted({*then, *now}):
        state = states.get(entry_id)
        is_living = state is not None and not is_deleted(state)
        stood = [part.contract_id == row.contract_id for part in parts_of(book, entry_id)]
        reason = reason_of(then.get(entry_id), now.get(entry_id), is_living=is_living, stood_here=stood)
        if reason is not None:
            found[entry_id] = reason
    return found
