"""Closes by the clock: a tick opens the close of each period that is over and past its grace (design rule 6, BD-80)."""

from datetime import date, datetime, time, timedelta

from books.book import Book
from books.catalog import Agreement, Catalog
from books.closing import apply_close, command_of
from books.effects import Cause, Effects
from books.entries import BY_CONTRACT
from books.pending import open_closes
from books.preview import preview_bodies
from books.rows import DocumentRow, SeenRow
from books.settled import is_over, take_due
from schemas.canonical import deterministic_id
from schemas.commands import CloseDocument
from schemas.draft import DocumentKind, DocumentScope, document_id_of
from schemas.period import Period
from schemas.values import named_fields

_PERIODS_BACK = 3
POLICY = "policy:schedule"
CORRECTIONS = "policy:corrections"
FIRST_SEQUENCE = 1


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
    document_id = document_id_of(book.tenant, book.book, scope, FIRST_SEQUENCE)
    known = book.has(SeenRow, command_id) or book.has(DocumentRow, document_id) or closing
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


def scheduled_corrections(book: Book, catalog: Catalog, at: datetime, cause: Cause, effects: Effects) -> None:
    """Credit at once what the client is owed where no invoice is waited for, by contract or by its end (BD-66).

    A contract that is over gets an invoice of what was left out, too, because no other will follow.
    """
    for agreement in catalog.agreements.values():
        for row in take_due(book, agreement.contract_id):
            kind = DocumentKind.INVOICE if is_over(catalog, agreement.contract_id) else DocumentKind.CREDIT_NOTE
            scope = DocumentScope.model_validate(
                {
                    "client_id": agreement.client_id,
                    "contract_id": agreement.contract_id,
                    "date_from": row.date_from,
                    "date_to": row.date_to,
                    "kind": kind,
                }
            )
            if _is_worth_a_document(book, catalog, scope):
                _correct(book, catalog, scope, at, cause, effects)


def _is_worth_a_document(book: Book, catalog: Catalog, scope: DocumentScope) -> bool:
    closing = any(command_of(close).scope == scope for _, close in open_closes(book))
    return not closing and bool(preview_bodies(book, catalog, scope))


def _correct(book: Book, catalog: Catalog, scope: DocumentScope, at: datetime, cause: Cause, effects: Effects) -> None:
    identity = {"book": book.book, "tenant": book.tenant, "scope": named_fields(scope), "at": at}
    command_id = deterministic_id("scheduled_correction", identity)
    book.put(command_id, SeenRow(offset=cause.offset))
    command = CloseDocument(
        envelope=cause.envelope("command", command_id),
        command_id=command_id,
        person=CORRECTIONS,
        reason="what changed after the approval is corrected at once",
        scope=scope,
    )
    apply_close(book, catalog, command, cause, effects)
