"""What billing returns: an invoice as plain values, from the amount due down to the seconds of each entry."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from billing.carried import Carried, Received
from billing.contract import Contract
from billing.currency import Rate
from billing.directory import Directory
from billing.entries import BillingEntry
from billing.held_money import Application
from schemas.draft import Bucket, DocumentScope, LineKind
from schemas.period import Period


@dataclass(frozen=True, slots=True)
class InvoiceRequest:
    """Everything an invoice depends on.

    `entries` may stand in any order and hold entries outside of the period (`needed_dates` says which are needed);
    repeating an entry is our mistake. `exchange_rates` are the newest known ones; `invoice_date` chooses among them.
    `written` has the invoice dates of approved documents of earlier periods, by the first date of their period.
    `drawn` says what approved documents of earlier periods took from held money, by the first date of their period and
    the account; for periods without such a document it is computed. `received` is money that arrived for an account,
    beside what the contract says.
    """

    tenant: str
    book: str
    scope: DocumentScope
    contract: Contract
    contract_revision: str
    directory: Directory
    directory_revision: str
    entries: Sequence[BillingEntry]
    exchange_rates: Sequence[Rate]
    invoice_date: date
    drawn: Mapping[date, Mapping[str, Decimal]] = field(default_factory=dict)
    received: Sequence[Received] = ()
    written: Mapping[date, date] = field(default_factory=dict)

    @property
    def period(self) -> Period:
        """The local dates that are billed."""
        return Period(start=self.scope.date_from, end=self.scope.date_to)


class SourceShare(NamedTuple):
    """One entry's part of a charge; `units` are smallest units of the currency.

    `positions` name the priced parts that it is made of, for whoever follows the computation.
    """

    entry: BillingEntry
    day: date
    counted_day: date
    worked_seconds: int
    delta_seconds: int
    units: int
    positions: Sequence[int]


@dataclass(frozen=True, slots=True)
class LineCharge:
    """One rated amount of a line with its reason; `units` is what amount caps and the line's rounding left of it.

    What happened on the way is put into words only when somebody asks for `steps`.
    """

    seconds: int
    quantity: Decimal
    unit_price: Decimal
    units: int
    rate_origin: str
    lost: tuple[str, ...]
    sources: tuple[SourceShare, ...]
    tell: Callable[[], tuple[str, ...]] = field(compare=False)

    @property
    def steps(self) -> tuple[str, ...]:
        """What happened to the charge, in words and in order."""
        return self.tell()


class Line(NamedTuple):
    """What the client sees; amounts in smallest units. `adjustment_units` is what discounts and amount caps took,
    `discount_units` the part of it that discounts took inside the line.
    """

    key: tuple[str, ...]
    kind: LineKind
    text: str
    date: date
    project_id: str
    service_item: str
    person_id: str
    role: str
    seconds: int
    quantity: Decimal
    unit: str
    unit_price: Decimal
    units: int
    adjustment_units: int
    discount_units: int
    tax_index: int
    utbms_task: str
    utbms_activity: str
    expense_code: str
    charges: tuple[LineCharge, ...]


@dataclass(frozen=True, slots=True)
class Tax:
    """A row of the tax breakdown, in smallest units."""

    category: str
    percent: Decimal
    base_units: int
    tax_units: int
    reason: str


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """Seconds and entries of a bucket and reason; `value_units` is their price where it is known."""

    bucket: Bucket
    reason: str
    seconds: int
    entries: int
    value_units: int | None


class Unbilled(NamedTuple):
    """Where the seconds of one entry went that are not on a line, and why."""

    entry: BillingEntry
    bucket: Bucket
    reason: str
    detail: str
    seconds: int
    delta_seconds: int


@dataclass(frozen=True, slots=True)
class RetainerAccount:
    """What a retainer or block had, gave and has left over the period, in seconds of its balance.

    The members and their law are those of `schemas.draft.RetainerBalance`.
    """

    engagement_id: str
    name: str
    date_from: date
    date_to: date
    rolled_in_seconds: Decimal
    granted_seconds: Decimal
    used_rolled_in_seconds: Decimal
    used_granted_seconds: Decimal
    used_deficit_seconds: Decimal
    lapsed_seconds: Decimal
    credited_seconds: Decimal
    rolled_out_seconds: Decimal
    deficit_in_seconds: Decimal
    deficit_out_seconds: Decimal
    beyond_seconds: Decimal
    earned: Decimal | None


@dataclass(frozen=True, slots=True)
class Note:
    """Something a person should know about this invoice; the code has a page entry."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Invoice:
    """A computed invoice: `worked_seconds + carried_in_seconds` is the sum of the ledger, net that of the lines.

    `carried` is what the contract's next invoice depends on.
    """

    request: InvoiceRequest
    lines: tuple[Line, ...]
    taxes: tuple[Tax, ...]
    line_taxes: tuple[Tax, ...]
    net_units: int
    tax_units: int
    due_units: int
    held_money: tuple[Application, ...]
    carried: Carried
    worked_seconds: int
    carried_in_seconds: int
    rounding_delta_seconds: int
    ledger: tuple[LedgerRow, ...]
    unbilled: tuple[Unbilled, ...]
    notes: tuple[Note, ...]
    entries_hash: str
    retainers: tuple[RetainerAccount, ...] = ()
