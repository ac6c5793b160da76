"""Exchange rates: which one converts a fee or an expense, with its date and source. BD-46, BD-55, BD-56, BD-79."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from billing.contract import Contract
from schemas.clauses import FxDate
from schemas.period import Period


@dataclass(frozen=True, slots=True)
class Rate:
    """One unit of `base` costs `rate` units of `quote` on a date, by a named source."""

    base: str
    quote: str
    on: date
    rate: Decimal
    source: str


class Conversion(NamedTuple):
    """The factor into the contract's currency and what it rests on; `text` is empty when nothing is converted."""

    factor: Decimal
    text: str


SAME = Conversion(Decimal(1), "")


@dataclass(frozen=True, slots=True, eq=False)
class Exchange:
    """The rates into the contract's currency, by base and date; two that differ for one date are not a rate.

    `written` has the invoice dates of approved documents of earlier periods, by the first date of their period.
    """

    contract: Contract
    period: Period
    invoice_date: date
    rates: Mapping[tuple[str, date], frozenset[tuple[Decimal, str]]]
    written: Mapping[date, date]

    def fee(self, currency: str, work_day: date, counted_day: date | None = None) -> Conversion | None:
        """The conversion of a rate in a currency for work of a date; None when the rate is missing.

        `counted_day` says on which invoice the work stands, None on this one: what an earlier one converted keeps its
        rate (BD-55), so that it takes the room of a limit that it took then.
        """
        if currency == self.contract.currency:
            return SAME
        match self.contract.document.exchange.fx_date:
            case FxDate.CONTRACT_RATE:
                return self._agreed(currency, work_day)
            case FxDate.WORK:
                return self._on(currency, work_day)
            case FxDate.PERIOD_END:
                return self._on(currency, self._last_day(counted_day))
            case FxDate.INVOICE:
                return self._on(currency, self._invoice_day(counted_day))

    def expense(self, currency: str, day: date) -> Conversion | None:
        """The conversion of an expense, always by the rate of its own date (BD-46)."""
        return SAME if currency == self.contract.currency else self._on(currency, day)

    def missing(self, currency: str) -> str:
        """What to ask for, as the detail of a hold."""
        return f"{self.contract.currency} per {currency} ({self.contract.document.exchange.fx_date.value})"

    def _invoice_day(self, counted_day: date | None) -> date:
        """The date of the invoice of a day: an earlier one without a document counts from the end of its period."""
        if counted_day is None or counted_day >= self.period.start:
            return self.invoice_date
        known = self.written.get(self.contract.period_of(counted_day).start)
        return self._last_day(counted_day) if known is None else known

    def _last_day(self, counted_day: date | None) -> date:
        if counted_day is None or counted_day >= self.period.start:
            return self.period.end - timedelta(days=1)
        return min(self.contract.period_of(counted_day).end, self.period.start) - timedelta(days=1)

    def _agreed(self, currency: str, day: date) -> Conversion | None:
        for row in self.contract.document.exchange.contract_rates:
            if row.base == currency and row.covers(day):
                return Conversion(row.rate, self._text(currency, row.rate, "agreed in the contract"))
        return None

    def _on(self, currency: str, day: date) -> Conversion | None:
        for back in range(self.contract.document.exchange.fallback_days + 1):
            on = day - timedelta(days=back)
            found = self.rates.get((currency, on), frozenset())
            if len({rate for rate, _ in found}) > 1:
                return None
            if found:
                rate, source = min(found, key=lambda one: one[1])
                return Conversion(rate, self._text(currency, rate, f"on {on} ({source})"))
        return None

    def _text(self, currency: str, rate: Decimal, origin: str) -> str:
        return f"{self.contract.currency} per {currency} {rate:f} {origin}"


def exchange_of(
    contract: Contract, rates: Iterable[Rate], invoice_date: date, period: Period, written: Mapping[date, date]
) -> Exchange:
    """Index the given rates; their order does not matter."""
    named = contract.document.exchange.rate_source
    index: dict[tuple[str, date], frozenset[tuple[Decimal, str]]] = {}
    for rate in rates:
        if rate.quote == contract.currency and (not named or rate.source == named):
            key = (rate.base, rate.on)
            index[key] = index.get(key, frozenset()) | {(rate.rate, rate.source)}
    return Exchange(contract, period, invoice_date, index, written)
