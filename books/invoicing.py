"""From rows to an invoice: gathers what billing needs for a scope and hands it over. Preview, close and approval use
it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from billing.contract import needed_dates
from billing.entries import BillingEntry
from billing.invoice import Invoice, InvoiceRequest, Rate, compute_invoice
from books.billed import rank_of
from books.bodies import documents_of, read_body
from books.book import SEPARATOR, Book
from books.catalog import Agreement, Catalog, People
from books.entries import BY_CONTRACT, billing_entry
from books.held_money import STANDS, drawn_before, received_for
from books.resolving import instant_of
from books.rows import ClockRow, EntryRow, FrozenRateRow, RateRow
from books.versions import is_deleted
from schemas.clauses import FxDate
from schemas.corrections import LatePolicy
from schemas.draft import DocumentKind, DocumentScope
from schemas.errors import ConservationBroken
from schemas.period import Period

CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Terms:
    """By what an invoice is computed: a contract and a directory of one offset, and the invoice's date."""

    agreement: Agreement
    people: People
    invoice_date: date


def terms_now(book: Book, catalog: Catalog, scope: DocumentScope) -> Terms | None:
    """The terms as they are now; None while the contract or the directory is unknown."""
    agreement = catalog.agreements.get(scope.contract_id)
    if agreement is None or catalog.people is None or agreement.client_id != scope.client_id:
        return None
    return Terms(agreement, catalog.people, invoice_date(book, agreement, scope))


def invoice_date(book: Book, agreement: Agreement, scope: DocumentScope) -> date:
    """The date of the last tick in the contract's zone, but not before the last day of the period."""
    return local_today(book, agreement, scope.date_to - timedelta(days=1))


def local_today(book: Book, agreement: Agreement, not_before: date) -> date:
    """The date of the last tick in the contract's zone, but not before a date."""
    clock = book.get(ClockRow, CLOCK)
    if clock is None:
        return not_before
    return max(not_before, instant_of(clock.at_micros).astimezone(agreement.compiled.zone).date())


def gather(book: Book, agreement: Agreement, scope: DocumentScope) -> list[EntryRow]:
    """All current entries of the contract that the period's invoice depends on, its cap windows included."""
    first, last = needed_dates(agreement.compiled, Period(start=scope.date_from, end=scope.date_to))
    place = (BY_CONTRACT, scope.client_id, scope.contract_id)
    keys = list(book.marked_between(place, first.isoformat(), last.isoformat()))
    book.expect(EntryRow, keys)
    rows = (book.get(EntryRow, entry_id) for entry_id in keys)
    return [row for row in rows if row is not None]


def invoice(
    book: Book,
    terms: Terms,
    scope: DocumentScope,
    entries: Iterable[EntryRow],
    rates: tuple[Rate, ...],
) -> Invoice:
    """The invoice of a scope over these entries, converted by these exchange rates; entries elsewhere are left out.

    Raises ConservationBroken when billing finds that seconds or money would be lost. Billing asserts that, because it
    is a mistake of ours; this is the only place that catches it, so that one client's invoice cannot stop the book of
    all others (rule 8).
    """
    request = InvoiceRequest(
        tenant=book.tenant,
        book=book.book,
        scope=scope,
        contract=terms.agreement.compiled,
        contract_revision=terms.agreement.revision,
        directory=terms.people.compiled,
        directory_revision=terms.people.revision,
        entries=billing_entries(book, terms.agreement, entries),
        exchange_rates=rates,
        invoice_date=terms.invoice_date,
        drawn=drawn_before(book, terms.agreement.compiled, scope),
        received=received_for(book, terms.agreement.compiled),
        written=written_before(book, terms.agreement, scope),
    )
    try:
        return compute_invoice(request)
    except AssertionError as breach:
        raise ConservationBroken(str(breach) or "an assertion of billing without words") from breach


def written_before(book: Book, agreement: Agreement, scope: DocumentScope) -> dict[date, date]:
    """By first date of a period, the date of its standing invoice: the rates of that day are what it was made at."""
    document = agreement.document
    found: dict[date, date] = {}
    if not document.amount_caps or document.exchange.fx_date is not FxDate.INVOICE:
        return found
    for row in documents_of(book, scope.client_id, scope.contract_id):
        is_first = row.kind == DocumentKind.INVOICE.value and row.sequence == 1
        if is_first and row.state in STANDS and row.date_from < scope.date_from.isoformat():
            found[date.fromisoformat(row.date_from)] = read_body(book, row.document_id).invoice_date
    return found


def billing_entries(book: Book, agreement: Agreement, rows: Iterable[EntryRow]) -> list[BillingEntry]:
    """The living entries of a contract as billing sees them, ranked if late work counts after what stands."""
    mine = [row for row in rows if is_of(agreement, row)]
    if agreement.document.late_policy is LatePolicy.REMAINING_CAPACITY:
        return [billing_entry(row, rank_of(book, row)) for row in mine]
    return [billing_entry(row) for row in mine]


def is_of(agreement: Agreement, row: EntryRow) -> bool:
    """Whether a row is a living entry of a contract."""
    same = (row.client_id, row.contract_id) == (agreement.client_id, agreement.contract_id)
    return same and bool(row.local_date) and not is_deleted(row)


def rates_now(book: Book) -> tuple[Rate, ...]:
    """All exchange rates as they are now."""
    return tuple(_rate(key, row.rate, row.rate_source) for key, row in book.scan(RateRow))


def frozen_rates(book: Book, close_key: str) -> tuple[Rate, ...]:
    """The exchange rates as they were at a waiting close's offset."""
    return tuple(
        _rate(key.partition(SEPARATOR)[2], row.rate, row.rate_source)
        for key, row in book.scan(FrozenRateRow, close_key)
    )


def _rate(key: str, rate: str, source: str) -> Rate:
    base, quote, on = key.split(SEPARATOR)
    return Rate(base, quote, date.fromisoformat(on), Decimal(rate), source)


def currencies_of(terms: Terms, rows: Iterable[EntryRow]) -> set[str]:
    """The currencies in which something may be named that a contract bills: rates, the firm's own, expenses."""
    firm, contract = terms.people.document, terms.agreement.document
    named = {row.currency for row in (*contract.rates, *contract.blended, *firm.firm.rates)}
    for rates in (*(one.rates for one in firm.clients), *(one.rates for one in firm.projects)):
        named |= {rate.currency for rate in rates}
    named |= {rate.currency for person in firm.people for rate in person.rates}
    return named | {firm.firm.currency} | {row.currency for row in rows}
