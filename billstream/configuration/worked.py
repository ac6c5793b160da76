"""Runs a contract's own worked examples through billing: what both sides agreed on has to come out (issue 4, point 4).

The same pure computation bills the month, so an example that holds here holds there.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time
from decimal import Decimal

from billing.contract import Contract, compile_contract
from billing.currency import Rate
from billing.directory import Directory, compile_directory
from billing.entries import BillingEntry
from billing.invoice import InvoiceRequest, compute_invoice, to_body
from billstream.configuration.checks import Finding
from billstream.configuration.source import Place
from schemas.contract import ContractDocument
from schemas.directory import DirectoryDocument
from schemas.draft import DocumentScope, DraftBody
from schemas.entry import EntryKind
from schemas.inputs import Category
from schemas.period import parse_period
from schemas.worked import ExampleEntry, Expected, ExpectedLine, WorkedExample, hours_seconds, invoice_day

EITHER = "either the clause or the example is wrong; mend the one that differs from the agreement"
SOURCE = "example"


def example_findings(contract: ContractDocument, directory: DirectoryDocument) -> Iterator[Finding]:
    """Where worked examples differ from what the contract's clauses give."""
    if not contract.examples:
        return
    compiled, people = compile_contract(contract), compile_directory(directory)
    for index, example in enumerate(contract.examples):
        place = ("examples", index)
        try:
            body = body_of(compiled, people, example)
        except AssertionError as breach:
            # Billing asserts its laws; an example that breaks one is a mistake of ours, told where it was found.
            said = f"the example cannot be billed: {str(breach) or 'a law of billing is broken'}"
            yield Finding(place, said, "report this contract; the example shows a mistake of billing")
            continue
        for where, text in differences(example.expect, body):
            yield Finding((*place, "expect", *where), f"worked example '{example.id}': {text}", EITHER)


def body_of(contract: Contract, directory: Directory, example: WorkedExample) -> DraftBody:
    """The invoice of an example's period, over its entries and nothing else."""
    period = parse_period(example.period)
    scope = DocumentScope(
        client_id=contract.client_id, contract_id=contract.id, date_from=period.start, date_to=period.end
    )
    request = InvoiceRequest(
        tenant=SOURCE,
        book=SOURCE,
        scope=scope,
        contract=contract,
        contract_revision=SOURCE,
        directory=directory,
        directory_revision=SOURCE,
        entries=[_entry(contract, one, number) for number, one in enumerate(example.entries, start=1)],
        exchange_rates=tuple(
            Rate(one.base, contract.currency, one.on, one.rate, SOURCE) for one in example.exchange_rates
        ),
        invoice_date=invoice_day(example),
    )
    return to_body(compute_invoice(request))


def _entry(contract: Contract, one: ExampleEntry, number: int) -> BillingEntry:
    name = one.id or f"entry-{number}"
    start = None
    if one.at:
        local = datetime.combine(one.date, time.fromisoformat(one.at), tzinfo=contract.zone)
        start = local.astimezone(UTC)
    document = contract.document
    return BillingEntry(
        entry_id=name,
        content=name,
        premise=name,
        source=SOURCE,
        source_entry_id=f"{number:04d}",
        kind=EntryKind(one.kind),
        person_id=one.person,
        project_id=one.project or document.project,
        task=one.task,
        service_item=one.service_item,
        tags=one.tags,
        description=one.text,
        start=start,
        end=None,
        work_date=None if one.at else one.date,
        worked_seconds=hours_seconds(one.hours),
        category=Category(one.category),
        released=frozenset(one.released),
        amount=one.amount,
        currency=one.currency or contract.currency,
        quantity=one.quantity,
        unit_price=one.unit_price,
        expense_category=one.expense,
    )


def differences(expected: Expected, body: DraftBody) -> Iterator[tuple[Place, str]]:
    """What of the expectation does not come out, each with its place below `expect`."""
    for name, meant, found in (
        ("net", expected.net, body.net),
        ("tax", expected.tax, body.tax),
        ("gross", expected.gross, body.gross),
        ("due", expected.due, body.due),
    ):
        if meant is not None and meant != found:
            yield (name,), f"{name} is to be {meant:f} {body.currency}, the clauses give {found:f}{_off(meant, found)}"
    if expected.lines is not None:
        yield from _line_differences(expected.lines, body)
    if expected.buckets is not None:
        yield from _bucket_differences(expected, body)


def _off(meant: Decimal, found: Decimal) -> str:
    return f" ({found - meant:+f})"


def _line_differences(expected: tuple[ExpectedLine, ...], body: DraftBody) -> Iterator[tuple[Place, str]]:
    if len(expected) != len(body.lines):
        shown = "; ".join(f"'{line.text}' {line.amount:f}" for line in body.lines[:8]) or "none"
        yield ("lines",), f"{len(expected)} lines are expected, the clauses give {len(body.lines)}: {shown}"
        return
    for index, (one, line) in enumerate(zip(expected, body.lines, strict=True)):
        if one.text.casefold() not in line.text.casefold():
            yield ("lines", index, "text"), f"line {index + 1} is to contain '{one.text}', it is '{line.text}'"
        if one.amount is not None and one.amount != line.amount:
            said = f"line '{line.text}' is to be {one.amount:f}, the clauses give {line.amount:f}"
            yield ("lines", index, "amount"), said + _off(one.amount, line.amount)
        if one.price is not None and one.price != line.unit_price:
            said = f"line '{line.text}' is to have the price {one.price:f}, the clauses give {line.unit_price:f}"
            yield ("lines", index, "price"), said
        if one.hours is not None and hours_seconds(one.hours) != line.seconds:
            said = f"line '{line.text}' is to have {one.hours} h, the clauses give {_hours(line.seconds)}"
            yield ("lines", index, "hours"), said


def _bucket_differences(expected: Expected, body: DraftBody) -> Iterator[tuple[Place, str]]:
    """Stated rows take their seconds from the ledger; what is left over was not expected."""
    left = {(row.bucket.value, row.reason): row.seconds for row in body.buckets if row.seconds}
    for index, one in enumerate(expected.buckets or ()):
        keys = [key for key in left if key[0] == one.bucket and one.reason in ("", key[1])]
        found = sum(left.pop(key) for key in keys)
        if found != hours_seconds(one.hours):
            name = f"{one.bucket} {one.reason}".strip()
            said = f"{name} is to hold {one.hours} h, the clauses give {_hours(found)}"
            yield ("buckets", index, "hours"), said
    for (bucket, reason), seconds in sorted(left.items()):
        yield ("buckets",), f"{bucket} {reason}".strip() + f" holds {_hours(seconds)} and is not expected"


def _hours(seconds: int) -> str:
    whole, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    return f"{whole}:{minutes:02d}" + (f":{rest:02d}" if rest else "") + " h"
