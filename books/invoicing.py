"""From rows to an invoice: gathers what billing needs for a scope and hands it over. Preview, close and approval use
it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from billing.contract import needed_dates
from billing.invoice import Invoice, InvoiceRequest, Rate, compute_invoice
from books.book import SEPARATOR, Book
from books.catalog import Agreement, Catalog, People
from books.entries import BY_CONTRACT, billing_entry
from books.held_money import drawn_before
from books.resolving import instant_of
from books.rows import BilledPart, ClockRow, EntryRow, FrozenRateRow, RateRow
from schemas.draft import DocumentScope
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
    last_day = scope.date_to - timedelta(days=1)
    clock = book.get(ClockRow, CLOCK)
    if clock is None:
        return last_day
    return max(last_day, instant_of(clock.at_micros).astimezone(agreement.compiled.zone).date())


def gather(book: Book, agreement: Agreement, scope: DocumentScope) -> list[EntryRow]:
    """All current entries of the contract that the period's invoice depends on, its cap windows included."""
    first, last = needed_dates(agreement.compiled, Period(start=scope.date_from, end=scope.date_to))
    keys = book.marked_between((BY_CONTRACT, scope.client_id, scope.contract_id), first.isoformat(), last.isoformat())
    rows = (book.get(EntryRow, entry_id) for entry_id in list(keys))
    return [row for row in rows if row is not None]


def invoice(
    book: Book,
    terms: Terms,
    scope: DocumentScope,
    entries: Iterable[tuple[EntryRow, tuple[BilledPart, ...]]],
    rates: tuple[Rate, ...],
) -> Invoice:
    """The invoice of a scope over these entries, converted by these exchange rates.

    Raises ConservationBroken when billing finds that seconds or money would be lost. Billing asserts that, because it
    is a mistake of ours; this is the only place that catches it, so that one client's invoice cannot stop the book of
    all others (rule 8).
    """
    first, end = scope.date_from.isoformat(), scope.date_to.isoformat()
    request = InvoiceRequest(
        tenant=book.tenant,
        book=book.book,
        scope=scope,
        contract=terms.agreement.compiled,
        contract_revision=terms.agreement.revision,
        directory=terms.people.compiled,
        directory_revision=terms.people.revision,
        entries=[billing_entry(row, billed, in_period=first <= row.local_date < end) for row, billed in entries],
        exchange_rates=rates,
        invoice_date=terms.invoice_date,
        drawn=drawn_before(book, terms.agreement.compiled, scope),
    )
    try:
        return compute_invoice(request)
    except AssertionError as breach:
        raise ConservationBroken(str(breach) or "an assertion of billing without words") from breach


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
