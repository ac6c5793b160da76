"""A close is an offset: it drafts the rows of its own offset, once its sources were seen and its entries decided
(rule 6).
"""

from datetime import UTC, datetime, timedelta
from typing import cast

import msgspec

from billing.invoice import to_body
from books import pending
from books.billed import WOULD_BILL_TWICE, billed_elsewhere, billed_twice
from books.book import SEPARATOR, Book, key_of
from books.breaches import refuse_breach
from books.catalog import Catalog, read_agreement, read_people
from books.documents import live_documents, withdraw_drafts
from books.effects import Cause, Effects
from books.facts import fact_id_of_command, propose, refuse
from books.invoicing import Terms, frozen_rates, gather, invoice, terms_now
from books.pending import any_close_open, clients_with_approvals, open_closes, put_close
from books.resolving import instant_of
from books.rows import (
    BilledPart,
    ClockRow,
    CloseRow,
    DecisionRow,
    EntryRow,
    FrozenRateRow,
    FrozenRow,
    RateRow,
    WatermarkRow,
)
from books.version import FOLD_VERSION
from books.versions import is_deleted
from schemas.canonical import instant_micros
from schemas.codec import DRAFT_BYTES_MAX, decode, encode
from schemas.commands import CloseDocument, ReopenPeriod
from schemas.draft import DocumentKind, DocumentScope, DocumentState, DraftBody, body_hash, document_id_of
from schemas.entry import EVENT_KINDS
from schemas.errors import ConservationBroken
from schemas.facts import DocumentDrafted

FIRST_SEQUENCE = 1
WITHDRAWN = "withdrawn"
_LAST_BEGIN = datetime(2999, 11, 30, tzinfo=UTC)
"""From here on a wait would end after the last instant that a record can hold."""


def document_of(book: Book, scope: DocumentScope) -> str:
    """The id of a scope's document; later documents of one scope come with adjustments."""
    return document_id_of(book.tenant, book.book, scope, FIRST_SEQUENCE)


def apply_close(book: Book, catalog: Catalog, command: CloseDocument, cause: Cause, effects: Effects) -> None:
    """Open a close: keep what it drafts, and note what it still waits for. `progress` carries it on."""
    scope = command.scope
    if scope.kind is not DocumentKind.INVOICE:
        detail = "Only invoices are drafted from a period's work; this version writes no credit notes yet."
        refuse(book, command, "not_yet", detail, cause, effects, scope)
        return
    terms = terms_now(book, catalog, scope)
    if terms is None:
        detail = f"Client {scope.client_id} has no contract {scope.contract_id} here, or there is no directory."
        refuse(book, command, "contract_unknown", detail, cause, effects, scope)
        return
    if problem := _taken(book, scope) or _closing_elsewhere(book, scope):
        refuse(book, command, problem[0], problem[1], cause, effects, scope)
        return
    command = _with_an_end(book, terms, command, cause)
    # One tick may open several closes, so the offset alone does not tell them apart.
    key = f"{cause.offset:020d}-{command.command_id}"
    put_close(
        book,
        key,
        CloseRow(
            offset=cause.offset,
            client_id=scope.client_id,
            contract_id=scope.contract_id,
            command=encode(command),
            contract_revision=terms.agreement.revision,
            directory_revision=terms.people.revision,
            invoice_date=terms.invoice_date.isoformat(),
            wait_ended=False,
            proposed=False,
        ),
    )
    _freeze(book, key, terms, scope)


def _with_an_end(book: Book, terms: Terms, command: CloseDocument, cause: Cause) -> CloseDocument:
    """A close that names no end of its wait gets the contract's, so that an answer that never comes blocks nobody. The
    wait begins at the book's time; before the first tick at the command's.
    """
    if command.wait_until is not None:
        return command
    begun = min(clock_of(book) or cause.recorded_at, _LAST_BEGIN)
    wait = timedelta(hours=terms.agreement.document.close.decision_wait_hours)
    return command.model_copy(update={"wait_until": begun + wait})


def _freeze(book: Book, key: str, terms: Terms, scope: DocumentScope) -> None:
    for rate_key, rate in list(book.scan(RateRow)):
        book.put(key + SEPARATOR + rate_key, FrozenRateRow(rate=rate.rate, rate_source=rate.rate_source))
    document_id = document_of(book, scope)
    for row in gather(book, terms.agreement, scope):
        book.put(key_of(key, row.entry_id), FrozenRow(entry=row, billed=billed_elsewhere(book, row, document_id)))
        if needs_decision(row):
            pending.wait_for_decision(book, key, row.entry_id)


def needs_decision(row: EntryRow) -> bool:
    """Whether a close has to wait for an answer about this entry."""
    return row.decision is None and row.person_decision is None and not row.running and row.kind not in EVENT_KINDS


def _taken(book: Book, scope: DocumentScope) -> tuple[str, str] | None:
    """Why a scope cannot be drafted: its time stands, or is about to stand, on another document."""
    for document in live_documents(book, scope):
        same = (document.date_from, document.date_to) == (scope.date_from.isoformat(), scope.date_to.isoformat())
        if not same:
            text = f"Document {document.document_id} already covers {document.date_from}..{document.date_to}."
            return "period_overlaps", text
        if document.state in (DocumentState.APPROVED.value, DocumentState.ISSUED.value):
            return "already_approved", "This period is approved; what changed since waits for adjustments (not yet)."
    return None


def _closing_elsewhere(book: Book, scope: DocumentScope) -> tuple[str, str] | None:
    for _, close in open_closes(book):
        other = command_of(close).scope
        overlaps = other.date_from < scope.date_to and scope.date_from < other.date_to
        if close.contract_id == scope.contract_id and other != scope and overlaps:
            return "period_overlaps", f"A close of {other.date_from}..{other.date_to} is under way."
    return None


def command_of(close: CloseRow) -> CloseDocument:
    """The command of an open close."""
    return cast(CloseDocument, decode(close.command))


def decision_arrived(book: Book, entry_id: str, input_hash: str) -> bool:
    """Tell the waiting closes that an entry, as they froze it, has its decision. True when it was the last that one of
    them waited for: then `progress` has something to do.
    """
    was_last = False
    for key in pending.closes_waiting_for(book, entry_id):
        frozen = book.get(FrozenRow, key_of(key, entry_id))
        if frozen is not None and frozen.entry.input_hash == input_hash:
            pending.decided(book, key, entry_id)
            was_last = was_last or not pending.missing_decisions(book, key)
    return was_last


def settled_by_hand(book: Book, row: EntryRow) -> bool:
    """Tell the waiting closes what a person, or a deletion, did to an entry. True when it was the last of one of them.

    A correction is the decision that a close waits for, as long as it is about the same text. An entry that was held,
    written off, deleted or given to another contract is waited for no more; the draft names it as undecided.
    """
    was_last = False
    for key in pending.closes_waiting_for(book, row.entry_id):
        frozen = book.get(FrozenRow, key_of(key, row.entry_id))
        assert frozen is not None, "a close waits only for entries that it froze"
        if row.person_decision is not None and frozen.entry.said == row.said:
            entry = msgspec.structs.replace(frozen.entry, person_decision=row.person_decision)
            book.put(key_of(key, row.entry_id), msgspec.structs.replace(frozen, entry=entry))
            pending.decided(book, key, row.entry_id)
        elif _needs_no_decision(frozen.entry, row):
            pending.give_up(book, key, row.entry_id)
        else:
            continue
        was_last = was_last or not pending.missing_decisions(book, key)
    return was_last


def _needs_no_decision(then: EntryRow, now: EntryRow) -> bool:
    elsewhere = (then.client_id, then.contract_id) != (now.client_id, now.contract_id)
    return elsewhere or is_deleted(now) or bool(now.held_by or now.written_off)


def apply_reopen(book: Book, command: ReopenPeriod, cause: Cause, effects: Effects) -> None:
    """Withdraw the drafts of a scope and the closes that would draft it; refused when one of them is just being
    recorded.
    """
    closes = [(key, close) for key, close in open_closes(book) if _overlap(command_of(close).scope, command.scope)]
    if any(close.proposed for _, close in closes):
        detail = "A draft of this period is being recorded; reopen it again in a moment."
        refuse(book, command, "close_open", detail, cause, effects, command.scope)
        return
    if not withdraw_drafts(book, command, cause, effects):
        return
    for key, close in closes:
        given = command_of(close)
        refuse(book, given, WITHDRAWN, "The period was reopened while this waited.", cause, effects, given.scope)
        book.put(key, msgspec.structs.replace(close, proposed=True))


def _overlap(one: DocumentScope, other: DocumentScope) -> bool:
    same = (one.client_id, one.contract_id) == (other.client_id, other.contract_id)
    return same and one.date_from < other.date_to and other.date_from < one.date_to


def progress(book: Book, catalog: Catalog, cause: Cause, effects: Effects) -> None:
    """Draft every close whose wait is over: the oldest of a client first, none while an approval of the client is
    under way.
    """
    if not any_close_open(book):
        return
    busy = clients_with_approvals(book)
    seen = _Seen(book)
    for key, close in open_closes(book):
        if close.client_id in busy:
            continue
        busy.add(close.client_id)
        if not close.proposed and (close.wait_ended or not _waits(book, key, close, seen)):
            _conclude(book, key, close, cause, effects)


def end_waits(book: Book, at: datetime) -> None:
    """A tick: closes whose time is over go on with what is there; what is missing is named in the draft."""
    for key, close in open_closes(book):
        until = command_of(close).wait_until
        if not close.wait_ended and until is not None and at >= until:
            book.put(key, msgspec.structs.replace(close, wait_ended=True))


class _Seen:
    """How far each source was seen, by the account that is furthest behind; each source is looked up once."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._known: dict[str, int | None] = {}

    def up_to(self, source: str, until_micros: int) -> bool:
        """Whether all of a source was seen up to an instant."""
        if source not in self._known:
            accounts = [row.seen_micros for _, row in self._book.scan(WatermarkRow, source)]
            self._known[source] = min(accounts, default=None)
        seen_micros = self._known[source]
        return seen_micros is not None and seen_micros >= until_micros


def _waits(book: Book, key: str, close: CloseRow, seen: _Seen) -> bool:
    """Whether a close has to wait on. It costs the same however many entries the close holds."""
    return pending.missing_decisions(book, key) > 0 or bool(_sources_behind(command_of(close), seen))


def _sources_behind(command: CloseDocument, seen: _Seen) -> list[str]:
    if command.watermark_until is None:
        return []
    until_micros = instant_micros(command.watermark_until)
    return [source for source in command.sources if not seen.up_to(source, until_micros)]


def _waits_for(book: Book, key: str, close: CloseRow) -> list[str]:
    """In words, for the draft: what a close has to go without."""
    command = command_of(close)
    waits = [f"decision of entry {entry_id}" for entry_id in pending.undecided_entries(book, key)]
    for source in _sources_behind(command, _Seen(book)):
        assert command.watermark_until is not None, "without it no source is behind"
        waits.append(f"source {source} seen up to {command.watermark_until.astimezone(UTC):%Y-%m-%dT%H:%MZ}")
    return waits


def _conclude(book: Book, key: str, close: CloseRow, cause: Cause, effects: Effects) -> None:
    """Propose the verdict: a draft, or a refusal when an approval that came before the close took its period."""
    command = command_of(close)
    if problem := _taken(book, command.scope):
        refuse(book, command, problem[0], problem[1], cause, effects, command.scope)
    else:
        _draft(book, key, close, command, cause, effects)
    book.put(key, msgspec.structs.replace(close, proposed=True))


def _draft(book: Book, key: str, close: CloseRow, command: CloseDocument, cause: Cause, effects: Effects) -> None:
    people = read_people(book, close.directory_revision)
    assert people is not None, "a close is only opened with a directory"
    terms = Terms(
        read_agreement(book, close.contract_revision), people, datetime.fromisoformat(close.invoice_date).date()
    )
    entries = _frozen(book, key)
    try:
        body = to_body(invoice(book, terms, command.scope, entries, frozen_rates(book, key)))
    except ConservationBroken as breach:
        refuse_breach(book, command, command.scope, breach, cause, effects)
        return
    if twice := billed_twice(body, entries):
        detail = f"Time that stands on an approved document would be billed again: entries {', '.join(twice[:5])}."
        refuse(book, command, WOULD_BILL_TWICE, detail, cause, effects, command.scope)
        return
    _propose_draft(book, close, command, body, _waits_for(book, key, close), cause, effects)


def _propose_draft(
    book: Book,
    close: CloseRow,
    command: CloseDocument,
    body: DraftBody,
    missing: list[str],
    cause: Cause,
    effects: Effects,
) -> None:
    fact_id = fact_id_of_command(command.command_id)
    fact = DocumentDrafted(
        envelope=cause.envelope("fact", fact_id),
        fact_id=fact_id,
        command_id=command.command_id,
        close_offset=close.offset,
        decided_offset=cause.offset,
        code_version=FOLD_VERSION,
        content=body_hash(body),
        missing=tuple(missing),
        body=body,
    )
    if (size_bytes := len(encode(fact))) > DRAFT_BYTES_MAX:
        detail = (
            f"The document would have {size_bytes} bytes with {len(body.lines)} lines; at most {DRAFT_BYTES_MAX} bytes"
            " are stored. Bill the work in shorter periods."
        )
        refuse(book, command, "document_too_large", detail, cause, effects, command.scope)
        return
    propose(book, fact, cause, effects)


def _frozen(book: Book, key: str) -> list[tuple[EntryRow, tuple[BilledPart, ...]]]:
    found = []
    for _, frozen in book.scan(FrozenRow, key):
        row = frozen.entry
        decided = book.get(DecisionRow, key_of(row.entry_id, row.input_hash))
        if decided is not None:
            row = msgspec.structs.replace(row, decision=decided.part)
        found.append((row, frozen.billed))
    return found


def forget_close(book: Book, command_id: str) -> None:
    """Remove a close and all it kept: its verdict was read back."""
    for key, close in open_closes(book):
        if command_of(close).command_id != command_id:
            continue
        for frozen_key, _ in list(book.scan(FrozenRow, key)):
            book.delete(FrozenRow, frozen_key)
        for rate_key, _ in list(book.scan(FrozenRateRow, key)):
            book.delete(FrozenRateRow, rate_key)
        pending.forget_close(book, key)


def clock_of(book: Book) -> datetime | None:
    """The time of the last tick."""
    row = book.get(ClockRow, "clock")
    return None if row is None else instant_of(row.at_micros)
