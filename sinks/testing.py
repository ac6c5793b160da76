"""What every sink is tested with: an invented document and the contract that each `DraftSink` keeps.

Authors of a sink subclass `SinkContract` in their tests and say how to make the sink in an empty folder.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from schemas.draft import (
    Bucket,
    BucketTotal,
    Charge,
    DocumentScope,
    DocumentState,
    DraftBody,
    DraftLine,
    LineKind,
    LineSource,
    Party,
    TimekeeperTotal,
    body_hash,
)
from sinks.base import DraftKey, DraftSink, DraftToSend, confirm, key_for

HOUR_SECONDS = 3_600


def example_source(entry_id: str, person_id: str, *, seconds: int, amount: str, day: int = 3) -> LineSource:
    """One entry behind a line, worked in October 2026."""
    return LineSource(
        entry_id=entry_id,
        content=f"content-of-{entry_id}",
        source="toggl",
        source_entry_id=f"t-{entry_id}",
        person_id=person_id,
        work_date=date(2026, 10, day),
        worked_seconds=seconds,
        delta_seconds=0,
        amount=Decimal(amount),
        description="Drafted the reply",
    )


def example_charge(*, seconds: int, quantity: str, unit_price: str, amount: str) -> Charge:
    """The rating behind a line."""
    return Charge(
        charge_id=f"charge-{seconds}-{amount}",
        seconds=seconds,
        quantity=Decimal(quantity),
        unit_price=Decimal(unit_price),
        amount=Decimal(amount),
        rate_origin="role:partner",
        steps=("rounded up to 6 minutes",),
    )


def example_fee(
    position: int, *, quantity: str = "2.00", unit_price: str = "350.00", amount: str = "700.00", person_id: str = "ab"
) -> DraftLine:
    """A fee line of one person with task and activity code; the adjustment is what the amount needs."""
    seconds = int(Decimal(quantity) * HOUR_SECONDS)
    return DraftLine(
        line_id=f"line-{position}",
        position=position,
        kind=LineKind.FEE,
        text="Draft reply to motion for summary judgment",
        date=date(2026, 10, 3),
        project_id="P-1",
        service_item="Legal services",
        person_id=person_id,
        person_name="Anna Berg",
        role="partner",
        seconds=seconds,
        quantity=Decimal(quantity),
        unit="hour",
        unit_price=Decimal(unit_price),
        adjustment=Decimal(amount) - Decimal(quantity) * Decimal(unit_price),
        amount=Decimal(amount),
        tax_category="none",
        tax_rate=Decimal(0),
        utbms_task="L240",
        utbms_activity="A103",
        charges=(example_charge(seconds=seconds, quantity=quantity, unit_price=unit_price, amount=amount),),
        sources=(example_source(f"e-{position}", person_id, seconds=seconds, amount=amount),),
    )


def example_expense(position: int, *, amount: str = "24.95", expense_code: str = "E111") -> DraftLine:
    """An expense line: one piece at its price."""
    return DraftLine(
        line_id=f"line-{position}",
        position=position,
        kind=LineKind.EXPENSE,
        text="Working lunch with the expert",
        date=date(2026, 10, 9),
        quantity=Decimal(1),
        unit="unit",
        unit_price=Decimal(amount),
        adjustment=Decimal(0),
        amount=Decimal(amount),
        tax_category="none",
        tax_rate=Decimal(0),
        expense_code=expense_code,
        charges=(example_charge(seconds=0, quantity="1", unit_price=amount, amount=amount),),
        sources=(example_source(f"e-{position}", "ab", seconds=0, amount=amount, day=9),),
    )


def example_body(*lines: DraftLine, tax: str = "0.00") -> DraftBody:
    """An October 2026 invoice of an invented law firm; without lines two fees and a meal."""
    shown = lines or (
        example_fee(1, amount="630.00"),
        example_fee(2, quantity="0.20", unit_price="200.00", amount="40.00"),
        example_expense(3),
    )
    net = sum((line.amount for line in shown), Decimal("0.00"))
    seconds = sum(line.seconds for line in shown)
    return DraftBody(
        tenant="berg",
        book="main",
        scope=DocumentScope(
            client_id="acme", contract_id="acme-2026", date_from=date(2026, 10, 1), date_to=date(2026, 11, 1)
        ),
        firm=Party(name="Berg & Partners", address=("1 Harbour Street",), tax_id="24-0000001"),
        client=Party(name="Acme Corp", ledes_id="ACME"),
        client_matter_id="C-77",
        matter_id="M-1001",
        matter_name="Acme v. Roadrunner",
        zone="America/New_York",
        currency="USD",
        invoice_date=date(2026, 11, 2),
        contract_revision="c1",
        directory_revision="d1",
        lines=shown,
        taxes=(),
        net=net,
        tax=Decimal(tax),
        gross=net + Decimal(tax),
        due=net + Decimal(tax),
        worked_seconds=seconds,
        rounding_delta_seconds=0,
        buckets=(BucketTotal(bucket=Bucket.BILLED, reason="", seconds=seconds, entries=len(shown), value=net),),
        placements=(),
        timekeepers=(
            TimekeeperTotal(person_id="ab", person_name="Anna Berg", role="partner", seconds=seconds, amount=net),
            TimekeeperTotal(person_id="cd", person_name="Carl Dahl", role="associate", seconds=0, amount=Decimal(0)),
        ),
        entries_hash="e" * 64,
    )


def example_draft(body: DraftBody | None = None, *, number: str = "2026-0042", revision: int = 2) -> DraftToSend:
    """An issued document, or a draft when the number is empty."""
    shown = body or example_body()
    return DraftToSend(
        document_id="0123456789abcdef0123456789abcdef",
        sequence=1,
        revision=revision,
        state=DocumentState.ISSUED if number else DocumentState.DRAFT,
        number=number,
        issued_at=datetime(2026, 11, 2, 15, 30, tzinfo=UTC) if number else None,
        content=body_hash(shown),
        body=shown,
    )


class SinkContract:
    """What every sink keeps: a look changes nothing, a create is found again, a repeat makes no second one."""

    make: Callable[[Path], DraftSink]

    def key(self, sink: DraftSink, draft: DraftToSend) -> DraftKey:
        """The first generation of a draft at this sink."""
        return key_for(draft, sink.spec.name)

    def test_what_was_not_created_is_not_found(self, tmp_path: Path) -> None:
        """A look-up answers None before the create, and makes nothing."""
        sink, draft = type(self).make(tmp_path), example_draft()
        assert asyncio.run(sink.find(draft, self.key(sink, draft))) is None
        assert list(tmp_path.iterdir()) == []

    def test_what_was_created_is_found_with_the_same_receipt(self, tmp_path: Path) -> None:
        """After a crash behind the create, the look-up gives the receipt that was lost."""
        sink, draft = type(self).make(tmp_path), example_draft()
        created = asyncio.run(sink.create(draft, self.key(sink, draft)))
        assert asyncio.run(type(self).make(tmp_path).find(draft, self.key(sink, draft))) == created

    def test_the_same_create_again_makes_no_second(self, tmp_path: Path) -> None:
        """One key makes one document."""
        sink, draft = type(self).make(tmp_path), example_draft()
        receipts = {asyncio.run(sink.create(draft, self.key(sink, draft))).location for _ in range(3)}
        assert len(receipts) == 1

    def test_what_is_read_back_is_what_was_meant(self, tmp_path: Path) -> None:
        """Totals, lines and hash at the sink agree with the document."""
        sink, draft = type(self).make(tmp_path), example_draft()
        receipt = asyncio.run(sink.create(draft, self.key(sink, draft)))
        assert confirm(draft, receipt, asyncio.run(sink.read_back(receipt))) == ()

    def test_two_revisions_are_two_locations(self, tmp_path: Path) -> None:
        """A redraft never hides or replaces what was delivered before."""
        sink = type(self).make(tmp_path)
        drafts = [example_draft(revision=1), example_draft(revision=2), example_draft(revision=2, number="")]
        receipts = [asyncio.run(sink.create(draft, self.key(sink, draft))) for draft in drafts]
        assert len({receipt.location for receipt in receipts}) == len(drafts)
