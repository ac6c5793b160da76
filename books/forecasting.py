"""Forecasts of a book's caps and balances: what they are now, and the alert before one is used up.

Judged at the first tick of each local day of a contract, from rows alone, so a rebuild comes to the same alerts
(rule 4). An alert goes out once for each window and limit.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from billing.exact import shown
from billing.forecast import Forecast, balance_forecasts, cap_forecast, cap_window, sentence
from books.book import SEPARATOR, Book
from books.catalog import Agreement, Catalog
from books.effects import Cause, Effects
from books.entries import BY_CONTRACT
from books.facts import propose
from books.preview import preview_invoice
from books.rows import CapRow, EntryRow, ForecastRow
from schemas.canonical import deterministic_id
from schemas.draft import DocumentScope
from schemas.errors import ConservationBroken
from schemas.facts import AlertRaised

FORECAST = "forecast"
BALANCE = "balance"


@dataclass(frozen=True, slots=True)
class Outlook:
    """A forecast and what it is of; `pool` is `balance` for retainers and blocks."""

    agreement: Agreement
    limit_id: str
    name: str
    pool: str
    window: str
    forecast: Forecast

    @property
    def text(self) -> str:
        """For people."""
        what = "Balance" if self.pool == BALANCE else "Cap"
        where = self.window if self.pool == BALANCE else f"{self.pool}, {self.window}"
        return sentence(f"{what} {self.limit_id} ({where})", self.forecast)


def outlooks(book: Book, catalog: Catalog, at: datetime) -> Iterator[Outlook]:
    """The forecast of every cap window and balance that holds today, in the order of contracts."""
    for _, agreement in sorted(catalog.agreements.items()):
        yield from outlooks_of(book, catalog, agreement, at.astimezone(agreement.compiled.zone).date())


def outlooks_of(book: Book, catalog: Catalog, agreement: Agreement, today: date) -> Iterator[Outlook]:
    """The forecasts of one contract."""
    contract = agreement.compiled
    for key, used in sorted(_used_by_window(book, agreement, today).items()):
        _, cap_id, pool, window = key.split(SEPARATOR)
        found = cap_forecast(contract, cap_id, window, used, today)
        if found is not None:
            yield Outlook(agreement, cap_id, contract.cap(cap_id).name, pool, window, found)
    if contract.engagements and agreement.document.covers(today):
        yield from _balances(book, catalog, agreement, today)


def _used_by_window(book: Book, agreement: Agreement, today: date) -> Mapping[str, dict[date, int]]:
    """What each cap window that holds today has used, by local date."""
    contract = agreement.compiled
    known = {cap.id for cap in contract.caps}
    first = today
    found: dict[str, dict[date, int]] = {}
    for key, _ in book.scan(CapRow, agreement.contract_id):
        _, cap_id, _, window_key = key.split(SEPARATOR)
        window = cap_window(contract, cap_id, window_key, today) if cap_id in known else None
        if window is not None:
            found[key] = {}
            first = min(first, window.start)
    if not found:
        return found
    index = (BY_CONTRACT, agreement.client_id, agreement.contract_id)
    for entry_id in book.marked_between(index, first.isoformat(), date.max.isoformat()):
        row = book.get(EntryRow, entry_id)
        for part in () if row is None else row.caps:
            if row is not None and part.key in found:
                day = date.fromisoformat(row.local_date)
                found[part.key][day] = found[part.key].get(day, 0) + part.seconds
    return found


def _balances(book: Book, catalog: Catalog, agreement: Agreement, today: date) -> Iterator[Outlook]:
    period = agreement.compiled.period_of(today)
    scope = DocumentScope(
        client_id=agreement.client_id, contract_id=agreement.contract_id, date_from=period.start, date_to=period.end
    )
    try:
        invoice = preview_invoice(book, catalog, scope)
    except ConservationBroken:
        # The close of this period says what is wrong; a forecast has nothing to add.
        return
    for account, found in () if invoice is None else balance_forecasts(invoice, today):
        yield Outlook(agreement, account.engagement_id, account.name, BALANCE, period.text, found)


def judge_forecasts(book: Book, catalog: Catalog, at: datetime, cause: Cause, effects: Effects) -> None:
    """At a tick: look at each contract once a local day, and propose an alert for what will be used up too early."""
    for _, agreement in sorted(catalog.agreements.items()):
        if not (agreement.compiled.caps or agreement.compiled.engagements):
            continue
        today = at.astimezone(agreement.compiled.zone).date()
        row = book.get(ForecastRow, agreement.contract_id)
        if row is not None and row.day == today.isoformat():
            continue
        book.put(agreement.contract_id, ForecastRow(day=today.isoformat()))
        for one in outlooks_of(book, catalog, agreement, today):
            if one.forecast.is_warning:
                _propose(book, one, cause, effects)


def _propose(book: Book, one: Outlook, cause: Cause, effects: Effects) -> None:
    found = one.forecast
    identity = {
        "contract": one.agreement.contract_id,
        "limit": one.limit_id,
        "pool": one.pool,
        "window": one.window,
        "seconds": int(found.limit_seconds),
    }
    fact_id = deterministic_id(FORECAST, {"tenant": book.tenant, "book": book.book, **identity})
    share = Fraction(100) * found.used_seconds / found.limit_seconds
    fact = AlertRaised(
        envelope=cause.envelope("fact", fact_id),
        fact_id=fact_id,
        kind=FORECAST,
        client_id=one.agreement.client_id,
        contract_id=one.agreement.contract_id,
        cap=one.limit_id,
        pool=one.pool,
        window=one.window,
        thresholds=(),
        used_seconds=int(found.used_seconds),
        limit_seconds=int(found.limit_seconds),
        used_percent=shown(share, 2),
        cause_entry_id="",
        text=one.text,
    )
    propose(book, fact, cause, effects)
