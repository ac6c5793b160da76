"""Closes by the clock: a tick opens the close of each period that is over and past its grace (design rule 6, BD-80)."""

from datetime import date, datetime, time, timedelta

from books.book import Book
from books.catalog import Agreement, Catalog
from books.closing import apply_close, command_of, document_of
from books.effects import Cause, Effects
from books.entries import BY_CONTRACT
from books.pending import open_closes
from books.rows import DocumentRow, SeenRow
from schemas.canonical import deterministic_id
from schemas.commands import CloseDocument
from schemas.draft import DocumentScope
from schemas.period import Period
from schemas.values import named_fields

_PERIODS_BACK = 3
POLICY = "policy:schedule"


def scheduled_closes(book: Book, catalog: Catalog, at: datetime, cause: Cause, effects: Effects) -> None:
    """Open what is due at a tick. A period is closed by schedule once; a person may close it again."""
    for agreement in catalog.agreements.values():
        if not agreement.document.close.automatic:
            continue
        for period in _due(agreement, at):
            _close(book, catalog, agreement, period, at, cause, effects)


def _due(agreement: Agreement, at: datetime) -> list[Period]:
    zone = agreement.compiled.zone
    grace = timedelta(days=agreement.document.close.close_grace_days)
    today = at.astimezone(zone).date()
    found: list[Period] = []
    period = agreement.compiled.period_of(today)
    for _ in range(_PERIODS_BACK):
        period = agreement.compiled.period_of(period.start - timedelta(days=1))
        due_at = datetime.combine(period.end + grace, time(), tzinfo=zone)
        if at >= due_at and _covers(agreement, period):
            found.append(period)
    return sorted(found, key=lambda one: one.start)


def _covers(agreement: Agreement, period: Period) -> bool:
    document = agreement.document
    first, end = document.date_from or date.min, document.date_to or date.max
    return first < period.end and period.start < end


def _close(
    book: Book, catalog: Catalog, agreement: Agreement, period: Period, at: datetime, cause: Cause, effects: Effects
) -> None:
    scope = DocumentScope(
        client_id=agreement.client_id,
        contract_id=agreement.contract_id,
        date_from=period.start,
        date_to=period.end,
    )
    command_id = deterministic_id(
        "scheduled_close", {"book": book.book, "tenant": book.tenant, "scope": named_fields(scope)}
    )
    entries = book.marked_between(
        (BY_CONTRACT, scope.client_id, scope.contract_id), period.start.isoformat(), period.end.isoformat()
    )
    closing = any(command_of(close).scope == scope for _, close in open_closes(book))
    known = book.has(SeenRow, command_id) or book.has(DocumentRow, document_of(book, scope)) or closing
    if known or next(entries, None) is None:
        return
    book.put(command_id, SeenRow(offset=cause.offset))
    schedule = agreement.document.close
    command = CloseDocument(
        envelope=cause.envelope("command", command_id),
        command_id=command_id,
        person=POLICY,
        reason=f"the period {period.text} is over and its grace has passed",
        scope=scope,
        sources=schedule.wait_for,
        watermark_until=datetime.combine(period.end, time(), tzinfo=agreement.compiled.zone)
        if schedule.wait_for
        else None,
        wait_until=at + timedelta(hours=schedule.decision_wait_hours),
    )
    apply_close(book, catalog, command, cause, effects)
