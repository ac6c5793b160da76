"""An invoice from entries, contract, directory and period, as a pure function: the pipeline in the order of the rules.

Billing-domain section 3: 2-5 `gather` (classify, attribute, round), 6 `remove_covered`, 7 `allocate` (hour caps),
8 `draw` (retainers and blocks), 9 `apply_tiers`, `rate_portions`, 10 discounts, 11 amount caps and 14 rounding in
`settle`, 12 `gather_expenses`, `agreed_fees`, `finish` (minimum, deposits), 13 lines and `present`, 15 `tax_rows`,
16 `apply_held_money`; at the end the ledger of seconds, and both laws of conservation.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

from billing.agreed import Agreed, AgreedPart
from billing.allocate import Allocated, WindowId, allocate
from billing.attribute import work_date_of
from billing.balances import Account, reported
from billing.body import to_body
from billing.carried import Carried, earlier_periods, needs_earlier_invoices
from billing.contract import Contract, needed_dates, own_dates
from billing.cover import Uncovered, remove_covered
from billing.currency import Exchange, Rate, exchange_of
from billing.entries import BillingEntry
from billing.expenses import ExpensePart, Expenses, gather_expenses
from billing.explain import cap_texts
from billing.finish import Finished, agreed_fees, assert_money_conserved, finish
from billing.gather import Gathered, gather
from billing.held_money import apply_held_money
from billing.ledger import Ledger, assert_adds_up, assert_conserved, ledger_of
from billing.lines import OpenLine, measure_fee_line, open_agreed_lines, open_expense_lines, open_fee_lines
from billing.money_items import Parts
from billing.notes import money_notes, notes_of
from billing.portions import Placed, placed_as
from billing.present import Facts, in_line_order, present
from billing.rating import Rated, RatedPart, rate_portions
from billing.results import Invoice, InvoiceRequest, Line, Note
from billing.retainers import Drawn, draw
from billing.settle import settle
from billing.settled import SettledLine
from billing.taxes import rule_of, tax_rows
from billing.terms import rulebook
from billing.tiers import apply_tiers
from schemas.draft import Bucket, LineKind
from schemas.entry import EVENT_KINDS, EntryKind
from schemas.period import Period

Dated = tuple[BillingEntry, date]
"""An entry with its local work date."""

# What every entry is asked; members of an enum are looked up slowly.
_TIME: Final = EntryKind.TIME

__all__ = ["Invoice", "InvoiceRequest", "Rate", "Traced", "compute_invoice", "to_body", "trace_invoice"]


def compute_invoice(request: InvoiceRequest) -> Invoice:
    """Compute the invoice of a request. The order of entries and rates does not matter, and nothing is remembered.

    Raises AssertionError when seconds or money would be lost: that is a mistake of ours, never of the facts.
    """
    return trace_invoice(request).invoice


class Allotted(NamedTuple):
    """Where all time went before it was priced: the results of steps 2 to 8."""

    gathered: Gathered
    uncovered: Uncovered
    allocated: Allocated
    drawn: Drawn


class Traced(NamedTuple):
    """An invoice with everything on its way, for explanations; `lines` stand in the order of the invoice's.

    `billed` are the rated parts that are on lines.
    """

    invoice: Invoice
    gathered: Gathered
    allocated: Allocated
    drawn: Drawn
    rated: Rated
    billed: Sequence[RatedPart]
    placed: Sequence[Placed]
    lines: Sequence[SettledLine]


def trace_invoice(request: InvoiceRequest) -> Traced:
    """Compute the invoice of a request again and keep what happened on the way; it is the same invoice."""
    dated = _needed(request)
    traced = _compute(request, dated, _carried_into(request, dated))
    hashed = hash_of_versions(sorted(version_lines([entry for entry, _ in dated])))
    return traced._replace(invoice=replace(traced.invoice, entries_hash=hashed))


def _carried_into(request: InvoiceRequest, dated: Sequence[Dated]) -> Carried:
    """What the invoices before leave behind, where the contract asks for it: each is computed as if it were today's."""
    carried = Carried()
    if not needs_earlier_invoices(request.contract):
        return carried
    fresh = [(replace(entry, billed_on="") if entry.billed_on else entry, day) for entry, day in dated]
    for span in earlier_periods(request.contract, request.period):
        scope = request.scope.model_copy(update={"date_from": span.start, "date_to": span.end})
        last_day = span.end - timedelta(days=1)
        earlier = replace(request, scope=scope, invoice_date=min(last_day, request.invoice_date))
        carried = _with_drawn(request, span, _compute(earlier, fresh, carried).invoice.carried, carried)
    return carried


def _with_drawn(request: InvoiceRequest, span: Period, after: Carried, before: Carried) -> Carried:
    """What an approved document drew from held money is a fact; a later change of its lines is adjusted elsewhere."""
    drawn = request.drawn.get(span.start)
    if drawn is None:
        return after
    places = request.contract.places
    held = {
        held_id: used._replace(applied=before.applied_of(held_id) + int(drawn.get(held_id, Decimal(0)).scaleb(places)))
        for held_id, used in after.held.items()
    }
    return replace(after, held=held)


def _compute(request: InvoiceRequest, known: Sequence[Dated], carried: Carried) -> Traced:
    contract, period = request.contract, request.period
    first, end = own_dates(contract, period)
    dated = known
    if contract.document.counts_from_start:
        # More is known than the period needs; of what is older, events count.
        dated = [one for one in known if first <= one[1] < end or (one[1] < end and one[0].kind in EVENT_KINDS)]
    entries = [entry for entry, _ in dated]
    gathered = gather(rulebook(contract, request.directory), dated, period)
    uncovered = remove_covered(contract, gathered.live)
    allocated = allocate(contract, uncovered.live, period.end)
    drawn = draw(contract, allocated.live, period, first)
    others = [entry for entry in entries if entry.kind is not _TIME]
    traced = bill(request, carried, others, Allotted(gathered, uncovered, allocated, drawn))
    assert_conserved(entries, [part.portion for part in traced.billed], traced.placed)
    return traced


class Lined(NamedTuple):
    """Priced parts on lines, in the order of the invoice, with what stands beside them; `settled` are all but those
    lines that follow from the others.
    """

    rated: Sequence[RatedPart]
    expenses: Expenses
    agreed: Agreed
    opened: Sequence[OpenLine]
    settled: Sequence[SettledLine]
    passed: Mapping[str, Fraction]
    finished: Finished
    in_order: Sequence[SettledLine]
    lines: tuple[Line, ...]


def bill(request: InvoiceRequest, carried: Carried, others: Sequence[BillingEntry], allotted: Allotted) -> Traced:
    """The second half of the pipeline: what is left to be billed becomes priced lines, and all of it an invoice.

    `others` are the entries that are not time. That no second is lost is checked in sum here, by entry in the caller.
    """
    contract, period = request.contract, request.period
    gathered, uncovered, allocated, drawn = allotted
    exchange = exchange_for(request)
    tiered = apply_tiers(contract, drawn.live, period)
    rated = rate_portions(contract, exchange, tiered.live)
    texts = cap_texts(contract, allocated.windows)
    lined = put_on_lines(request, carried, others, exchange, (rated.parts, drawn.charges, texts))
    billed, off_lines = _off_lines(period, rated.parts, lined.opened, lined.expenses.parts)
    placed = [*gathered.placed, *uncovered.placed, *allocated.placed, *drawn.placed]
    placed += [*rated.placed, *lined.expenses.placed, *lined.agreed.placed, *off_lines]
    ledger = ledger_of(exchange, period, billed, placed, fee_units_of(lined.lines))
    notes = [*drawn.notes, *tiered.notes]
    invoice = summed_up(request, carried, lined, ledger, (billed, gathered.worked_seconds, drawn.accounts, notes))
    return Traced(invoice, gathered, allocated, drawn, rated, billed, placed, lined.in_order)


def exchange_for(request: InvoiceRequest) -> Exchange:
    """The exchange rates of a request."""
    return exchange_of(request.contract, request.exchange_rates, request.invoice_date, request.period, request.written)


def fee_units_of(lines: Sequence[Line]) -> int:
    """What lines of time come to."""
    return sum(line.units for line in lines if line.kind is LineKind.FEE)


def put_on_lines(
    request: InvoiceRequest,
    carried: Carried,
    others: Sequence[BillingEntry],
    exchange: Exchange,
    priced: tuple[Sequence[RatedPart], Sequence[AgreedPart], Mapping[WindowId, str]],
) -> Lined:
    """Steps 10 to 14 for priced time, fees of retainers, and the texts of hour caps."""
    contract, period = request.contract, request.period
    rated, retainer_fees, texts = priced
    expenses = gather_expenses(contract, exchange, others)
    agreed = agreed_fees(contract, others, period, retainer_fees)
    opened = open_fee_lines(contract, period, rated)
    fee_lines = _measured(contract, opened)
    parts = Parts(contract, period, rated, expenses.parts, agreed.parts)
    expense_lines = open_expense_lines(contract, period, expenses.parts, parts.first_expense)
    agreed_lines = open_agreed_lines(contract, period, agreed.parts, parts.first_agreed)
    settled, passed = settle(parts, [*fee_lines, *expense_lines, *agreed_lines])
    finished = finish(contract, period, settled, carried)
    facts = Facts(contract, request.directory, rated, texts)
    in_order = in_line_order(facts, finished.lines)
    lines = present(facts, in_order)
    return Lined(rated, expenses, agreed, opened, settled, passed, finished, in_order, lines)


def summed_up(
    request: InvoiceRequest,
    carried: Carried,
    lined: Lined,
    ledger: Ledger,
    known: tuple[Sequence[RatedPart], int, Sequence[Account], Sequence[Note]],
) -> Invoice:
    """Steps 15 and 16: the invoice of lines and ledger, without the hash of its entries.

    `known` are the billed parts, the seconds worked in the period, the accounts of balances, and findings so far.
    """
    contract, period = request.contract, request.period
    billed, worked_seconds, accounts, notes = known
    lines, finished = lined.lines, lined.finished
    assert_adds_up(worked_seconds, ledger)
    taxes = tax_rows(contract, lines)
    net_units, tax_units = sum(line.units for line in lines), sum(row.tax_units for row in taxes)
    assert_money_conserved(lines, sum(line.units for line in finished.lines))
    paid = apply_held_money(contract, request.invoice_date, net_units + tax_units, request.received, carried.held)
    return Invoice(
        request=request,
        lines=lines,
        taxes=taxes,
        line_taxes=tuple(rule_of(contract, line.tax_index) for line in lines),
        net_units=net_units,
        tax_units=tax_units,
        due_units=paid.due_units,
        held_money=paid.applications,
        carried=replace(finished.carried, held=paid.used),
        worked_seconds=worked_seconds,
        carried_in_seconds=ledger.carried_in_seconds,
        rounding_delta_seconds=ledger.rounding_delta_seconds,
        ledger=ledger.rows,
        unbilled=ledger.unbilled,
        notes=(
            *notes_of(contract, period, billed, lined.settled),
            *notes,
            *money_notes(contract, finished, ledger.rows, lined.passed),
        ),
        retainers=tuple(reported(contract, period, account) for account in accounts),
        entries_hash="",
    )


def _needed(request: InvoiceRequest) -> list[Dated]:
    """The entries that matter for the period, with their work dates; a caller who passes more gets the same bytes."""
    first, end = needed_dates(request.contract, request.period)
    entries, zone = request.entries, request.contract.zone
    assert len({entry.entry_id for entry in entries}) == len(entries), "an entry was passed twice"
    dated = [(entry, work_date_of(zone, entry)) for entry in entries]
    return [one for one in dated if first <= one[1] < end]


def _measured(contract: Contract, opened: Sequence[OpenLine]) -> list[OpenLine]:
    """The lines that have time, with quantity and price."""
    found = [line for line in opened if line.seconds]
    for line in found:
        measure_fee_line(contract, line)
    return found


def _off_lines(
    period: Period, parts: Sequence[RatedPart], opened: Sequence[OpenLine], expenses: Sequence[ExpensePart]
) -> tuple[list[RatedPart], list[Placed]]:
    """Billed work without a line here: it stands on an earlier document, or its whole line was rounded away (BD-75)."""
    empty = {
        position
        for line in opened
        if not line.seconds
        for charge in line.charges.values()
        for position in charge.positions
    }
    kept: list[RatedPart] = []
    placed: list[Placed] = []
    if not empty and not [part for part in parts if part.portion.entry.billed_on]:
        kept, parts = list(parts), ()
    for position, part in enumerate(parts):
        one = part.portion
        if one.entry.billed_on and one.counted_day in period:
            placed.append(placed_as(one, Bucket.BILLED, "billed_before", one.entry.billed_on))
        elif position in empty:
            placed.append(placed_as(one, Bucket.BILLED, "rounded_to_zero"))
        else:
            kept.append(part)
    placed += [
        Placed(one.entry, one.day, one.day, Bucket.BILLED, "billed_before", one.entry.billed_on, 0)
        for one in expenses
        if one.entry.billed_on
    ]
    return kept, placed


def version_lines(entries: Iterable[BillingEntry]) -> list[str]:
    """Entry versions in the text that `entries_hash` is made of."""
    return [f"{entry.entry_id} {entry.content}\n" for entry in entries]


def hash_of_versions(lines: Sequence[str]) -> str:
    """Pins the set of entry versions, given by their lines in order."""
    return hashlib.sha256("".join(lines).encode()).hexdigest()
