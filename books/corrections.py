"""What a contract's approved documents need to be compared: today's facts beside those that they pin (rule 6).

The facts that a document pins are the frozen rows of the close that drafted it, or that corrected it last.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import msgspec

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
from books.invoicing import Terms, billing_entries, frozen_rates, invoice, is_of
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
    if not is_changed(book, row):
        return False
    today = rows_of(book, agreement, row.needed_from, row.date_to)
    return any(then != now for then, now in _changes(book, row, agreement, today).values())


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


def _changes(
    book: Book, row: SettledRow, agreement: Agreement, today: Iterable[EntryRow]
) -> dict[str, tuple[BillingEntry | None, BillingEntry | None]]:
    """The entries of a document that may be others than it pins, as billing saw them and sees them; only these are
    made ready for billing, because of ten thousand a handful has changed.
    """
    before = _terms_of(book, row)[0]
    then = {one.entry_id: one for one in pinned_rows(book, row) if _is_inside(row, before, one)}
    now = {one.entry_id: one for one in today if _is_inside(row, agreement, one)}
    found: dict[str, tuple[BillingEntry | None, BillingEntry | None]] = {}
    for entry_id in sorted({*then, *now}):
        old, new = then.get(entry_id), now.get(entry_id)
        if old is None or new is None or _facts_of(old) != _facts_of(new):
            found[entry_id] = (_entry(book, before, old), _entry(book, agreement, new))
    return found


def _is_inside(row: SettledRow, agreement: Agreement, entry: EntryRow) -> bool:
    return row.needed_from <= entry.local_date < row.date_to and is_of(agreement, entry)


def _facts_of(row: EntryRow) -> EntryRow:
    """A row without what no invoice looks at: which version it is, in which import it was seen, what it counts for."""
    return msgspec.structs.replace(
        row,
        source_revision=0,
        mapping_version=0,
        observed_micros=0,
        import_id="",
        import_micros=0,
        standing=None,
        caps=(),
        hours=None,
    )


def _entry(book: Book, agreement: Agreement, row: EntryRow | None) -> BillingEntry | None:
    return None if row is None else billing_entries(book, agreement, (row,))[0]


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
    states = {one.entry_id: one for one in facts.rows}
    found: dict[str, CorrectionReason] = {}
    for entry_id, (then, now) in _changes(book, row, facts.terms.agreement, facts.rows).items():
        state = states.get(entry_id)
        is_living = state is not None and not is_deleted(state)
        stood = [part.contract_id == row.contract_id for part in parts_of(book, entry_id)]
        reason = reason_of(then, now, is_living=is_living, stood_here=stood)
        if reason is not None:
            found[entry_id] = reason
    return found
