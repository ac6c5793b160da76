"""A close is an offset: it drafts the rows of its own offset, once its sources were seen and its entries decided
(rule 6). With its invoice come the corrections of what was approved before.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

import msgspec

from books import pending
from books.book import SEPARATOR, Book, key_of
from books.breaches import refuse_breach
from books.catalog import Catalog, read_agreement, read_people
from books.composing import compose, rows_for
from books.corrections import Facts, look
from books.documents import close_key, credit_command, live_documents
from books.effects import Cause, Effects
from books.facts import fact_id_of_command, is_known, propose_framed, refuse
from books.invoicing import Terms, currencies_of, frozen_rates, is_of, terms_now
from books.pending import any_close_open, clients_with_approvals, open_closes, put_close
from books.resolving import instant_of
from books.rows import (
    ClockRow,
    CloseRow,
    DecisionRow,
    EntryRow,
    FrozenRateRow,
    FrozenRow,
    RateRow,
    SettledRow,
    WatermarkRow,
)
from books.settled import drop_unused, settled_of
from books.version import FOLD_VERSION
from books.versions import is_deleted
from schemas.canonical import instant_micros
from schemas.codec import DRAFT_BYTES_MAX, decode, encode
from schemas.commands import CloseDocument
from schemas.draft import DocumentKind, DocumentScope, DraftBody, body_hash
from schemas.entry import EVENT_KINDS
from schemas.errors import ConservationBroken
from schemas.facts import DocumentDrafted

_LAST_BEGIN = datetime(2999, 11, 30, tzinfo=UTC)
"""From here on a wait would end after the last instant that a record can hold."""


def apply_close(book: Book, catalog: Catalog, command: CloseDocument, cause: Cause, effects: Effects) -> None:
    """Open a close: keep what it drafts, and note what it still waits for. `progress` carries it on."""
    scope = command.scope
    if scope.kind is DocumentKind.UNKNOWN:
        detail = "This version knows invoices and credit notes."
        refuse(book, command, "document_kind_unknown", detail, cause, effects, scope)
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
    looked = look(book, catalog, terms.agreement)
    key = close_key(cause.offset, command.command_id)
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
            corrects=tuple(row.document_id for row in looked),
        ),
    )
    _freeze(book, key, terms, scope, looked)


def _with_an_end(book: Book, terms: Terms, command: CloseDocument, cause: Cause) -> CloseDocument:
    """A close that names no end of its wait gets the contract's, so that an answer that never comes blocks nobody. The
    wait begins at the book's time; before the first tick at the command's.
    """
    if command.wait_until is not None:
        return command
    begun = min(clock_of(book) or cause.recorded_at, _LAST_BEGIN)
    wait = timedelta(hours=terms.agreement.document.close.decision_wait_hours)
    return command.model_copy(update={"wait_until": begun + wait})


def _freeze(book: Book, key: str, terms: Terms, scope: DocumentScope, looked: Sequence[SettledRow]) -> None:
    rows = rows_for(book, terms, scope, looked)
    for row in rows.values():
        book.put(key_of(key, row.entry_id), FrozenRow(entry=row))
        if is_of(terms.agreement, row) and needs_decision(row):
            pending.wait_for_decision(book, key, row.entry_id)
    used = currencies_of(terms, rows.values())
    for rate_key, rate in list(book.scan(RateRow)):
        base, quote, _ = rate_key.split(SEPARATOR)
        if base in used and quote == terms.agreement.compiled.currency:
            book.put(key + SEPARATOR + rate_key, FrozenRateRow(rate=rate.rate, rate_source=rate.rate_source))


def needs_decision(row: EntryRow) -> bool:
    """Whether a close has to wait for an answer about this entry."""
    return row.decision is None and row.person_decision is None and not row.running and row.kind not in EVENT_KINDS


def _taken(book: Book, scope: DocumentScope) -> tuple[str, str] | None:
    """Why a scope cannot be drafted: some of its days stand, or are about to stand, on another document."""
    for document in live_documents(book, scope):
        same = (document.date_from, document.date_to) == (scope.date_from.isoformat(), scope.date_to.isoformat())
        if not same:
            text = f"Document {document.document_id} already covers {document.date_from}..{document.date_to}."
            return "period_overlaps", text
    return None


def _closing_elsewhere(book: Book, scope: DocumentScope) -> tuple[str, str] | None:
    for _, close in open_closes(book):
        if close.contract_id != scope.contract_id:
            continue
        other = command_of(close).scope
        overlaps = other.date_from < scope.date_to and scope.date_from < other.date_to
        same = (other.contract_id, other.kind) == (scope.contract_id, scope.kind)
        if same and other != scope and overlaps:
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
        frozen, close = book.get(FrozenRow, key_of(key, row.entry_id)), book.get(CloseRow, key)
        assert frozen is not None, "a close waits only for entries that it froze"
        assert close is not None, "a close that waits has a row"
        if close.proposed:
            continue  # What it drafted is on its way to the journal, and these rows are what it was made of.
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
    """Propose the verdict: drafts, or a refusal when there is nothing to draft."""
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
    looked = [row for one in close.corrects if (row := settled_of(book, close.contract_id, one)) is not None]
    facts = Facts(terms, _frozen(book, key), frozen_rates(book, key))
    try:
        bodies = compose(book, facts, command.scope, looked).bodies
    except ConservationBroken as breach:
        refuse_breach(book, command, command.scope, breach, cause, effects)
        return
    if not bodies:
        reason, detail = _nothing(command.scope)
        refuse(book, command, reason, detail, cause, effects, command.scope)
        return
    missing = _waits_for(book, key, close)
    drafts = [_fact(close, command, body, missing, cause, is_last=body is bodies[-1]) for body in bodies]
    framed = [encode(fact) for fact in drafts]
    for fact, value in zip(drafts, framed, strict=True):
        if len(value) > DRAFT_BYTES_MAX:
            _refuse_size(book, command, fact, len(value), cause, effects)
            return
    for fact, value in zip(drafts, framed, strict=True):
        if not is_known(book, fact.fact_id):
            propose_framed(book, fact.fact_id, value, cause, effects)


def _nothing(scope: DocumentScope) -> tuple[str, str]:
    """Why there is nothing to draft."""
    if scope.kind is DocumentKind.CREDIT_NOTE:
        return "nothing_to_credit", "The client is owed nothing for this period."
    return "already_approved", "This period is approved, and nothing has changed since."


def _fact(
    close: CloseRow, command: CloseDocument, body: DraftBody, missing: list[str], cause: Cause, *, is_last: bool
) -> DocumentDrafted:
    """One draft of a close; the last one carries the close's own id, credit notes before it one for each document."""
    command_id = command.command_id
    if not is_last:
        command_id = credit_command(command_id, body.corrections[0].document_id)
    fact_id = fact_id_of_command(command_id)
    return DocumentDrafted(
        envelope=cause.envelope("fact", fact_id),
        fact_id=fact_id,
        command_id=command_id,
        close_offset=close.offset,
        decided_offset=cause.offset,
        code_version=FOLD_VERSION,
        content=body_hash(body),
        missing=tuple(missing),
        body=body,
    )


def _refuse_size(
    book: Book, command: CloseDocument, fact: DocumentDrafted, size_bytes: int, cause: Cause, effects: Effects
) -> None:
    detail = (
        f"The document would have {size_bytes} bytes with {len(fact.body.lines)} lines; at most {DRAFT_BYTES_MAX} bytes"
        " are stored. Bill the work in shorter periods."
    )
    refuse(book, command, "document_too_large", detail, cause, effects, command.scope)


def _frozen(book: Book, key: str) -> tuple[EntryRow, ...]:
    """The rows of a close with the decisions of this moment, which it keeps from now on."""
    found = []
    kept = list(book.scan(FrozenRow, key))
    book.expect(DecisionRow, [key_of(one.entry.entry_id, one.entry.input_hash) for _, one in kept])
    for frozen_key, frozen in kept:
        row = frozen.entry
        decided = book.get(DecisionRow, key_of(row.entry_id, row.input_hash))
        if decided is not None and decided.part != row.decision:
            row = msgspec.structs.replace(row, decision=decided.part)
            book.put(frozen_key, FrozenRow(entry=row))
        found.append(row)
    return tuple(found)


def forget_close(book: Book, command_id: str) -> None:
    """Remove a close, and what it kept unless a document was made of it: its verdict was read back."""
    for key, close in open_closes(book):
        if command_of(close).command_id == command_id:
            pending.forget_close(book, key)
            drop_unused(book, key)


def clock_of(book: Book) -> datetime | None:
    """The time of the last tick."""
    row = book.get(ClockRow, "clock")
    return None if row is None else instant_of(row.at_micros)
