"""Forecasts of a book's caps, balances and limits of money: what they are now, and the alert before one is used up.

Judged at the first ticks of each local day of a contract, from rows alone, so a rebuild comes to the same alerts
(rule 4). An alert goes out once for each window and limit. A tick judges some contracts and the next ones go on, so
that the first minute of a day costs no more than any other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from billing.exact import shown
from billing.forecast import Forecast, balance_forecasts, cap_forecast, cap_window, may_be_used_up, sentence
from billing.invoice import trace_invoice
from billing.money_forecast import amount_cap_forecasts
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
JUDGED_AT_ONCE_MAX = 25
BALANCE = "balance"
AMOUNT = "amount"


@dataclass(frozen=True, slots=True)
class Outlook:
    """A forecast and what it is of; `pool` is `balance` for retainers and blocks, `amount` for limits of money.

    `currency` is empty for time.
    """

    agreement: Agreement
    limit_id: str
    name: str
    pool: str
    window: str
    forecast: Forecast
    currency: str = ""

    @property
    def text(self) -> str:
        """For people."""
        what = {BALANCE: "Balance", AMOUNT: "Amount cap"}.get(self.pool, "Cap")
        where = self.window if self.pool in (BALANCE, AMOUNT) else f"{self.pool}, {self.window}"
        return sentence(f"{what} {self.limit_id} ({where})", self.forecast, self.currency)


def outlooks(book: Book, catalog: Catalog, at: datetime) -> Iterator[Outlook]:
    """The forecast of every cap window and balance that holds today, in the order of contracts."""
    for _, agreement in sorted(catalog.agreements.items()):
        yield from outlooks_of(book, catalog, agreement, at.astimezone(agreement.compiled.zone).date())


def outlooks_of(book: Book, catalog: Catalog, agreement: Agreement, today: date) -> Iterator[Outlook]:
    """The forecasts of one contract."""
    yield from _cap_outlooks(book, agreement, today, _windows_of(book, agreement, today))
    yield from _balances(book, catalog, agreement, today)


def _cap_outlooks(
    book: Book, agreement: Agreement, today: date, windows: Mapping[str, tuple[date, int]]
) -> Iterator[Outlook]:
    contract = agreement.compiled
    for key, used in sorted(_used_by_day(book, agreement, windows).items()):
        _, cap_id, pool, window = key.split(SEPARATOR)
        found = cap_forecast(contract, cap_id, window, used, today)
        if found is not None:
            yield Outlook(agreement, cap_id, contract.cap(cap_id).name, pool, window, found)


def _windows_of(book: Book, agreement: Agreement, today: date) -> dict[str, tuple[date, int]]:
    """The cap windows that hold today, by key, with their first date and their use."""
    contract = agreement.compiled
    known = {cap.id for cap in contract.caps}
    found: dict[str, tuple[date, int]] = {}
    for key, row in book.scan(CapRow, agreement.contract_id):
        _, cap_id, _, window_key = key.split(SEPARATOR)
        window = cap_window(contract, cap_id, window_key, today) if cap_id in known else None
        if window is not None:
            found[key] = (window.start, row.used_seconds)
    return found


def _used_by_day(
    book: Book, agreement: Agreement, windows: Mapping[str, tuple[date, int]]
) -> Mapping[str, dict[date, int]]:
    """What each of these windows has used, by local date."""
    found: dict[str, dict[date, int]] = {key: {} for key in windows}
    if not found:
        return found
    first = min(start for start, _ in windows.values())
    index = (BY_CONTRACT, agreement.client_id, agreement.contract_id)
    for entry_id in book.marked_between(index, first.isoformat(), date.max.isoformat()):
        row = book.get(EntryRow, entry_id)
        for part in () if row is None else row.caps:
            if row is not None and part.key in found:
                day = date.fromisoformat(row.local_date)
                found[part.key][day] = found[part.key].get(day, 0) + part.seconds
    return found


def _balances(book: Book, catalog: Catalog, agreement: Agreement, today: date) -> Iterator[Outlook]:
    contract = agreement.compiled
    if not (contract.engagements or contract.money_caps) or not agreement.document.covers(today):
        return
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
    if invoice is not None and contract.money_caps:
        for one in amount_cap_forecasts(trace_invoice(invoice.request), today):
            yield Outlook(agreement, one.cap.id, one.cap.name, AMOUNT, one.window, one.forecast, contract.currency)


def judge_forecasts(book: Book, catalog: Catalog, at: datetime, cause: Cause, effects: Effects) -> None:
    """At a tick: look at contracts that were not looked at today, and propose alerts for what ends too early."""
    judged = 0
    for _, agreement in sorted(catalog.agreements.items()):
        contract = agreement.compiled
        if not (contract.caps or contract.engagements or contract.money_caps):
            continue
        today = at.astimezone(agreement.compiled.zone).date()
        row = book.get(ForecastRow, agreement.contract_id)
        if row is not None and row.day == today.isoformat():
            continue
        book.put(agreement.contract_id, ForecastRow(day=today.isoformat()))
        for one in _warnings(book, catalog, agreement, today):
            _propose(book, one, cause, effects)
        judged += 1
        if judged == JUDGED_AT_ONCE_MAX:
            return


def _warnings(book: Book, catalog: Catalog, agreement: Agreement, today: date) -> list[Outlook]:
    """What a contract has to be warned of; the days are added up only for windows that may be."""
    likely = {}
    for key, (start, used_seconds) in _windows_of(book, agreement, today).items():
        _, cap_id, _, window_key = key.split(SEPARATOR)
        if may_be_used_up(agreement.compiled, cap_id, window_key, used_seconds, today):
            likely[key] = (start, used_seconds)
    found = [*_cap_outlooks(book, agreement, today, likely), *_balances(book, catalog, agreement, today)]
    return [one for one in found if one.forecast.is_warning]


def _propose(book: Book, one: Outlook, cause: Cause, effects: Effects) -> None:
    found = one.forecast
    identity = {
        "contract": one.agreement.contract_id,
        "limit": one.limit_id,
        "pool": one.pool,
        "window": one.window,
        "figure": str(found.limit),
    }
    fact_id = deterministic_id(FORECAST, {"tenant": book.tenant, "book": book.book, **identity})
    share = Fraction(100) * found.used / found.limit
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
        used_seconds=0 if one.currency else int(found.used),
        limit_seconds=0 if one.currency else int(found.limit),
        used_percent=shown(share, 2),
        cause_entry_id="",
        text=one.text,
    )
    propose(book, fact, cause, effects)
