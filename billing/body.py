"""The invoice as the body of a document: names for ids, decimals for units, and ids that are the same every time."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from billing.certificate import with_certificate
from billing.exact import decimal_of
from billing.held_money import use_of
from billing.results import Invoice, Line, LineCharge, RetainerAccount, SourceShare, Tax, Unbilled
from schemas.canonical import deterministic_id
from schemas.draft import (
    BucketTotal,
    Charge,
    DraftBody,
    DraftLine,
    Finding,
    LineSource,
    Party,
    Placement,
    RetainerBalance,
    TaxRow,
    TimekeeperTotal,
)
from schemas.values import named_fields


class Shown(NamedTuple):
    """What a body says of single entries: its lines, what is on no line, and the sums of people."""

    lines: Sequence[DraftLine]
    placements: Sequence[Placement]
    timekeepers: Sequence[TimekeeperTotal]


def to_body(invoice: Invoice) -> DraftBody:
    """The same invoice gives the same bytes, whoever computes it and when."""
    scope = scope_of(invoice)
    lines = [
        _line(invoice, id_of_line(scope, line), line, tax, position)
        for position, (line, tax) in enumerate(zip(invoice.lines, invoice.line_taxes, strict=True), start=1)
    ]
    placements = [placement_of(one) for one in invoice.unbilled]
    return with_certificate(body_of(invoice, Shown(lines, placements, _timekeepers(invoice))))


def body_of(invoice: Invoice, shown: Shown) -> DraftBody:
    """The body of an invoice without its certificate."""
    request = invoice.request
    contract = request.contract
    matter = contract.document.matter
    return DraftBody(
        tenant=request.tenant,
        book=request.book,
        scope=request.scope,
        firm=_firm(invoice),
        client=_client(invoice),
        client_matter_id="" if matter is None else matter.client_matter_id,
        matter_id="" if matter is None else matter.id,
        matter_name="" if matter is None else matter.name,
        invoice_date=request.invoice_date,
        zone=contract.document.zone,
        currency=contract.currency,
        payment_terms_days=contract.document.payment_terms_days,
        contract_revision=request.contract_revision,
        directory_revision=request.directory_revision,
        lines=tuple(shown.lines),
        taxes=tuple(_tax_row(invoice, row) for row in invoice.taxes),
        net=_money(invoice, invoice.net_units),
        tax=_money(invoice, invoice.tax_units),
        gross=_money(invoice, invoice.net_units + invoice.tax_units),
        due=_money(invoice, invoice.due_units),
        held_money=tuple(use_of(contract, one) for one in invoice.held_money),
        worked_seconds=invoice.worked_seconds,
        carried_in_seconds=invoice.carried_in_seconds,
        rounding_delta_seconds=invoice.rounding_delta_seconds,
        buckets=_buckets(invoice),
        placements=tuple(shown.placements),
        timekeepers=tuple(shown.timekeepers),
        findings=tuple(Finding(code=note.code, text=note.text) for note in invoice.notes),
        entries_hash=invoice.entries_hash,
        retainers=tuple(_balance(one) for one in invoice.retainers),
    )


def _money(invoice: Invoice, units: int) -> Decimal:
    return decimal_of(units, invoice.request.contract.places)


def _firm(invoice: Invoice) -> Party:
    firm = invoice.request.directory.document.firm
    return Party(name=firm.name, address=firm.address, tax_id=firm.tax_id, ledes_id=firm.ledes_id)


def _client(invoice: Invoice) -> Party:
    client_id = invoice.request.contract.client_id
    client = invoice.request.directory.clients.get(client_id)
    if client is None:
        return Party(name=client_id)
    return Party(name=client.name, address=client.address, tax_id=client.tax_id, ledes_id=client.ledes_id)


def line_id_of(invoice: Invoice, line: Line) -> str:
    """The id of a line: the same for the same scope and grouping key."""
    return id_of_line(scope_of(invoice), line)


def scope_of(invoice: Invoice) -> dict[str, object]:
    """The scope as ids are made of it, with dates as texts: the same encoding, without looking at them each time."""
    named = named_fields(invoice.request.scope)
    return {name: member.isoformat() if isinstance(member, date) else member for name, member in named.items()}


def id_of_line(scope: dict[str, object], line: Line) -> str:
    """The id of a line of a scope as `scope_of` gives it."""
    return deterministic_id("line", {"scope": scope, "key": line.key})


def _line(invoice: Invoice, line_id: str, line: Line, tax: Tax, position: int) -> DraftLine:
    places = invoice.request.contract.places
    charges = [
        draft_charge(places, line_id, number, charge, charge.steps) for number, charge in enumerate(line.charges)
    ]
    sources = [draft_source(places, source) for charge in line.charges for source in charge.sources]
    return draft_line(invoice, line_id, position, (line, tax), (tuple(charges), tuple(sources)))


def draft_line(
    invoice: Invoice,
    line_id: str,
    position: int,
    taxed: tuple[Line, Tax],
    parts: tuple[tuple[Charge, ...], tuple[LineSource, ...]],
) -> DraftLine:
    """A line with its tax as the body says it, with these charges and sources."""
    line, tax = taxed
    charges, sources = parts
    return DraftLine(
        line_id=line_id,
        position=position,
        kind=line.kind,
        text=line.text,
        date=line.date,
        project_id=line.project_id,
        service_item=line.service_item,
        person_id=line.person_id,
        person_name=invoice.request.directory.person_name(line.person_id) if line.person_id else "",
        role=line.role,
        seconds=line.seconds,
        quantity=line.quantity,
        unit=line.unit,
        unit_price=line.unit_price,
        adjustment=_money(invoice, line.adjustment_units),
        discount=_money(invoice, line.discount_units) if line.discount_units else Decimal(0),
        amount=_money(invoice, line.units),
        tax_category=tax.category,
        tax_rate=tax.percent,
        utbms_task=line.utbms_task,
        utbms_activity=line.utbms_activity,
        expense_code=line.expense_code,
        charges=charges,
        sources=sources,
    )


def draft_charge(places: int, line_id: str, number: int, charge: LineCharge, steps: tuple[str, ...]) -> Charge:
    """A charge of a line as the body says it, with its steps in words."""
    return Charge(
        charge_id=f"{line_id}-{number}",
        seconds=charge.seconds,
        quantity=charge.quantity,
        unit_price=charge.unit_price,
        amount=decimal_of(charge.units, places),
        rate_origin=charge.rate_origin,
        lost=charge.lost,
        steps=steps,
    )


def draft_source(places: int, source: SourceShare) -> LineSource:
    """One entry's part of a line as the body says it."""
    entry = source.entry
    return LineSource(
        entry_id=entry.entry_id,
        content=entry.content,
        premise=entry.premise,
        source=entry.source,
        source_entry_id=entry.source_entry_id,
        person_id=entry.person_id,
        work_date=source.day,
        worked_seconds=source.worked_seconds,
        delta_seconds=source.delta_seconds,
        amount=decimal_of(source.units, places),
        description=entry.description,
    )


def _tax_row(invoice: Invoice, row: Tax) -> TaxRow:
    return TaxRow(
        category=row.category,
        rate=row.percent,
        base=_money(invoice, row.base_units),
        tax=_money(invoice, row.tax_units),
        reason=row.reason,
    )


def _buckets(invoice: Invoice) -> tuple[BucketTotal, ...]:
    return tuple(
        BucketTotal(
            bucket=row.bucket,
            reason=row.reason,
            seconds=row.seconds,
            entries=row.entries,
            value=None if row.value_units is None else _money(invoice, row.value_units),
        )
        for row in invoice.ledger
    )


def _balance(one: RetainerAccount) -> RetainerBalance:
    return RetainerBalance(**{field.name: getattr(one, field.name) for field in fields(one)})


def placement_of(one: Unbilled) -> Placement:
    """What is on no line as the body says it."""
    return Placement(
        entry_id=one.entry.entry_id,
        content=one.entry.content,
        bucket=one.bucket,
        reason=one.reason,
        detail=one.detail,
        seconds=one.seconds,
        delta_seconds=one.delta_seconds,
    )


def _timekeepers(invoice: Invoice) -> tuple[TimekeeperTotal, ...]:
    directory = invoice.request.directory
    totals: dict[tuple[str, str, str], list[int]] = {}
    known: dict[tuple[str, date], list[int]] = {}
    for line in invoice.lines:
        for charge in line.charges if line.seconds else ():
            for source in charge.sources:
                person_id = source.entry.person_id
                total = known.get((person_id, source.day))
                if total is None:
                    key = (directory.person_name(person_id), person_id, directory.role_on(person_id, source.day))
                    total = known[person_id, source.day] = totals.setdefault(key, [0, 0])
                total[0] += source.worked_seconds + source.delta_seconds
                total[1] += source.units
    return timekeepers_of(invoice, {key: (seconds, units) for key, (seconds, units) in totals.items()})


TimekeeperKey = tuple[str, str, str]
"""Name, person, role."""


def timekeepers_of(invoice: Invoice, totals: Mapping[TimekeeperKey, tuple[int, int]]) -> tuple[TimekeeperTotal, ...]:
    """Seconds and units of people in their roles as the body says them."""
    return tuple(
        TimekeeperTotal(
            person_id=person_id, person_name=name, role=role, seconds=seconds, amount=_money(invoice, units)
        )
        for (name, person_id, role), (seconds, units) in sorted(totals.items())
    )
