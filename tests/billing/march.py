"""March of one contract: Ana works, and the week has a cap."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from billing.contract import compile_contract
from billing.directory import compile_directory
from billing.entries import BillingEntry
from billing.following import FollowedInvoice
from billing.invoice import InvoiceRequest, compute_invoice, to_body
from schemas.contract import ContractDocument
from schemas.directory import DirectoryDocument
from schemas.draft import DocumentScope
from schemas.entry import EntryKind
from schemas.inputs import Category

HOUR = 3600
WEEK = {"id": "week", "window": "week", "hours": 3, "pool": "person", "overflow": "write_down"}
CARE = {"id": "care", "hours": 5, "fee": "400", "rollover": "none"}
DIRECTORY = DirectoryDocument.model_validate(
    {
        "firm": {"name": "The Firm", "zone": "Europe/Berlin", "currency": "EUR"},
        "clients": [{"id": "acme", "name": "Acme"}],
        "people": [{"id": "ana", "name": "Ana", "roles": [{"role": "senior"}], "rates": [{"rate": "100"}]}],
    }
)


def entry(number: int, **values: object) -> BillingEntry:
    """Two hours of Ana on a day of March."""
    made = BillingEntry(
        entry_id=f"e{number:02d}",
        content=f"content-{number}",
        premise="",
        source="toggl",
        source_entry_id=str(number),
        kind=EntryKind.TIME,
        person_id="ana",
        project_id="alpha",
        task="",
        service_item="",
        tags=(),
        description="work",
        start=datetime(2025, 3, 3 + number, 9, tzinfo=UTC),
        end=None,
        work_date=None,
        worked_seconds=7200,
        category=Category.BILLABLE,
        confidence=Decimal(1),
    )
    return replace(made, **values)  # type: ignore[arg-type]  # the caller names fields


def march(entries: Sequence[BillingEntry], **clauses: object) -> InvoiceRequest:
    """March of a contract with these clauses."""
    document = {"id": "c", "client": "acme", "currency": "EUR", "zone": "Europe/Berlin", "from": "2025-03-01"}
    return InvoiceRequest(
        tenant="firm",
        book="main",
        scope=DocumentScope(client_id="acme", contract_id="c", date_from=date(2025, 3, 1), date_to=date(2025, 4, 1)),
        contract=compile_contract(ContractDocument.model_validate(document | clauses)),
        contract_revision="contract-1",
        directory=compile_directory(DIRECTORY),
        directory_revision="directory-1",
        entries=entries,
        exchange_rates=(),
        invoice_date=date(2025, 4, 1),
    )


def work(number: int, day: int, hour: int, seconds: int, **values: object) -> BillingEntry:
    """Work of Ana on a day of March, from a full hour on."""
    start = datetime(2025, 3, day, hour, tzinfo=UTC)
    return entry(number, start=start, worked_seconds=seconds, **values)


def same_bodies(followed: FollowedInvoice, request: InvoiceRequest, *steps: Sequence[BillingEntry]) -> None:
    """After each step the followed body is that of a computation from nothing."""
    for entries in steps:
        again = replace(request, entries=entries)
        fresh = to_body(compute_invoice(again))
        assert followed.body(again) == fresh
