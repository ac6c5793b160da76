"""The fold: a deterministic state machine that applies one journal record after another to the rows of its book."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from books import approving, closing, documents, reopening, schedule, voiding
from books.book import Book, key_of
from books.catalog import Catalog
from books.counting import judge_caps
from books.decisions import apply_decision
from books.effects import Cause, Effects
from books.entries import apply_version
from books.facts import settle
from books.forecasting import judge_forecasts
from books.held_money import apply_payment
from books.imports import apply_import
from books.invoicing import CLOCK
from books.letters import apply_settlement
from books.orders import EntryOrder, apply_order
from books.revisions import apply_contract, apply_directory, keeps_currency, usable
from books.rows import ClockRow, DecisionRow, EntryRow, OpenWorkRow, RateRow, ReceiptRow, SeenRow, WatermarkRow
from books.stores.port import Rows
from books.version import FOLD_VERSION
from schemas import commands, facts, inputs
from schemas.canonical import instant_micros
from schemas.entry import Deletion, EntryVersion
from schemas.outputs import Alert
from schemas.values import Record

PRODUCER = f"billstream-fold/{FOLD_VERSION}"
# Records after which a waiting close may go on. Entries are left out because a close does not look at later entries,
# decisions because each says itself whether it was the last one.
_MAY_END_A_WAIT = (
    inputs.SourceWatermark,
    inputs.ClockTick,
    commands.CloseDocument,
    commands.ApproveDocument,
    commands.ReopenPeriod,
    facts.DocumentDrafted,
    facts.CommandRefused,
    facts.DocumentApproved,
    facts.DocumentVoided,
)
# Of these the last one counts, so an old one that is appended a second time, by a writer that was slow to die, would
# undo what came after it. Each event counts once.
_LAST_COUNTS = (
    inputs.DirectoryRevision,
    inputs.ContractRevision,
    inputs.ExchangeRate,
    inputs.ImportCompleted,
    inputs.SinkReceipt,
)


_TICK_AHEAD_MAX = timedelta(days=1)

# A delivery in one of these states stays open: it is asked for again, and then looked up before anything is sent.
_UNSETTLED = frozenset(
    {
        inputs.DeliveryState.PLANNED,
        inputs.DeliveryState.SENDING,
        inputs.DeliveryState.UNKNOWN_OUTCOME,
        inputs.DeliveryState.UNKNOWN,
    }
)


class Fold:
    """Applies records to rows. It keeps nothing of its own but compiled catalogs, which follow from the rows."""

    def __init__(self) -> None:
        self._catalogs: dict[tuple[str, str], Catalog] = {}
        self.versions_ignored = 0

    def apply(self, rows: Rows, offset: int, record: Record, effects: Effects) -> None:
        """Apply the record at a journal offset. The result depends on rows and record only."""
        envelope = record.envelope
        cause = Cause(
            offset=offset,
            event_id=envelope.event_id,
            correlation=envelope.correlation or envelope.event_id,
            tenant=envelope.tenant,
            book=envelope.book,
            recorded_at=envelope.recorded_at,
            producer=PRODUCER,
        )
        book = Book(rows, envelope.tenant, envelope.book)
        self._apply(book, record, cause, effects)
        if effects.caps:
            judge_caps(book, self._catalog(book).agreements, cause, effects)

    def _apply(self, book: Book, record: Record, cause: Cause, effects: Effects) -> None:
        if isinstance(record, EntryVersion):
            self._version(book, record, cause, effects)
            return
        if isinstance(record, commands.Command):
            if book.has(SeenRow, record.command_id):
                return
            book.put(record.command_id, SeenRow(offset=cause.offset))
            self._command(book, record, cause, effects)
        elif isinstance(record, facts.Fact):
            if settle(book, record, cause.offset):
                self._fact(book, record, cause, effects)
        else:
            self._input(book, record, cause, effects)
        if isinstance(record, _MAY_END_A_WAIT):
            closing.progress(book, self._catalog(book), cause, effects)

    @staticmethod
    def expect(rows: Rows, records: Iterable[Record]) -> None:
        """These records are applied next: what nearly each of them asks for is read together."""
        entries: dict[tuple[str, str], list[str]] = {}
        decisions: dict[tuple[str, str], list[str]] = {}
        for record in records:
            if isinstance(record, EntryVersion | inputs.Decision):
                name = record.envelope.tenant, record.envelope.book
                entries.setdefault(name, []).append(record.entry_id)
                if isinstance(record, inputs.Decision):
                    decisions.setdefault(name, []).append(key_of(record.entry_id, record.input_hash))
        for kind, by_book in ((EntryRow, entries), (DecisionRow, decisions)):
            for (tenant, book), keys in by_book.items():
                Book(rows, tenant, book).expect(kind, keys)

    def forget(self) -> None:
        """Drop the compiled catalogs: the rows were rolled back or replaced."""
        self._catalogs.clear()

    def _catalog(self, book: Book) -> Catalog:
        key = (book.tenant, book.book)
        found = self._catalogs.get(key)
        if found is None:
            found = self._catalogs[key] = Catalog(book)
        return found

    def _version(self, book: Book, version: EntryVersion, cause: Cause, effects: Effects) -> None:
        catalog = self._catalog(book)
        if not apply_version(book, catalog, version, cause, effects):
            self.versions_ignored += 1
            return
        row = book.get(EntryRow, version.entry_id) if version.deletion is not Deletion.NONE else None
        if row is not None and closing.settled_by_hand(book, row):
            closing.progress(book, catalog, cause, effects)

    def _input(self, book: Book, record: Record, cause: Cause, effects: Effects) -> None:
        if isinstance(record, _LAST_COUNTS) and not _first_time(book, record, cause):
            return
        match record:
            case inputs.Decision():
                if apply_decision(book, self._catalog(book), record, cause, effects):
                    closing.progress(book, self._catalog(book), cause, effects)
            case inputs.SourceWatermark():
                _seen(book, record)
            case inputs.ImportCompleted():
                apply_import(book, self._catalog(book), record, cause, effects)
            case inputs.DirectoryRevision():
                if usable(record, cause, effects):
                    self._catalogs[book.tenant, book.book] = apply_directory(book, record, cause, effects)
            case inputs.ContractRevision():
                if usable(record, cause, effects) and keeps_currency(self._catalog(book), record, cause, effects):
                    self._catalogs[book.tenant, book.book] = apply_contract(book, record, cause, effects)
            case inputs.ExchangeRate():
                row = RateRow(rate=format(record.rate, "f"), rate_source=record.rate_source)
                book.put(key_of(record.base, record.quote, record.on.isoformat()), row)
            case inputs.SinkReceipt():
                _received(book, record)
            case inputs.ClockTick():
                self._tick(book, record.at, cause, effects)
            case inputs.Payment():
                apply_payment(book, self._catalog(book), record, cause, effects)
            case _:
                # Only a foreign writer brings one here; an error would stop the book for ever.
                detail = f"a {record.schema_name} has no place in a journal"
                effects.unapplied.append((cause.offset, "record_misplaced", detail))

    def _command(self, book: Book, command: commands.Command, cause: Cause, effects: Effects) -> None:
        catalog = self._catalog(book)
        match command:
            case commands.CloseDocument():
                closing.apply_close(book, catalog, command, cause, effects)
            case commands.ApproveDocument():
                approving.apply_approve(book, catalog, command, cause, effects)
            case commands.IssueDocument():
                documents.apply_issue(book, command, cause, effects)
            case commands.RejectDocument():
                documents.apply_reject(book, command, cause, effects)
            case commands.ReopenPeriod():
                reopening.apply_reopen(book, catalog, command, cause, effects)
            case commands.VoidDocument():
                voiding.apply_void(book, catalog, command, cause, effects)
            case commands.SettleDeadLetter():
                apply_settlement(book, command, cause)
            case _:
                assert isinstance(command, EntryOrder), type(command).__name__
                if apply_order(book, catalog, command, cause, effects):
                    closing.progress(book, catalog, cause, effects)

    def _fact(self, book: Book, fact: facts.Fact, cause: Cause, effects: Effects) -> None:
        catalog = self._catalog(book)
        match fact:
            case facts.DocumentDrafted():
                documents.drafted(book, catalog, fact, cause, effects)
                closing.forget_close(book, fact.command_id)
            case facts.CommandRefused():
                documents.withdraw_obsolete(book, fact, cause, effects)
                closing.forget_close(book, fact.command_id)
            case facts.DocumentApproved():
                approving.approved(book, catalog, fact, cause, effects)
            case facts.DocumentIssued():
                documents.issued(book, catalog, fact, cause, effects)
            case facts.DocumentVoided():
                voiding.voided(book, catalog, fact, cause, effects)
            case facts.AlertRaised():
                effects.alerts.append((cause.offset, _alert(fact, cause)))
            case _:
                raise AssertionError(f"nothing proposes {type(fact).__name__}")

    def _tick(self, book: Book, at: datetime, cause: Cause, effects: Effects) -> None:
        """Time goes on. A tick far ahead of its own record is a wrong clock: it would stop all later ticks."""
        if at - cause.recorded_at > _TICK_AHEAD_MAX:
            detail = f"a tick for {at:%Y-%m-%dT%H:%MZ} was recorded at {cause.recorded_at:%Y-%m-%dT%H:%MZ}"
            effects.unapplied.append((cause.offset, "tick_ahead", detail))
            return
        before = book.get(ClockRow, CLOCK)
        micros = instant_micros(at)
        if before is not None and before.at_micros >= micros:
            return
        book.put(CLOCK, ClockRow(at_micros=micros))
        closing.end_waits(book, at)
        schedule.scheduled_closes(book, self._catalog(book), at, cause, effects)
        schedule.scheduled_corrections(book, self._catalog(book), at, cause, effects)
        judge_forecasts(book, self._catalog(book), at, cause, effects)


def _first_time(book: Book, record: Record, cause: Cause) -> bool:
    key = f"event:{record.envelope.event_id}"
    if book.has(SeenRow, key):
        return False
    book.put(key, SeenRow(offset=cause.offset))
    return True


def _seen(book: Book, record: inputs.SourceWatermark) -> None:
    key = key_of(record.source, record.account)
    before = book.get(WatermarkRow, key)
    seen = instant_micros(record.seen_until)
    if before is None or before.seen_micros < seen:
        book.put(key, WatermarkRow(seen_micros=seen))


def _received(book: Book, record: inputs.SinkReceipt) -> None:
    if record.state not in _UNSETTLED:
        book.delete(OpenWorkRow, record.request_id)
    key = key_of(record.document_id, str(record.revision), record.sink)
    book.put(key, ReceiptRow(state=record.state.value, location=record.location, message=record.message))


def _alert(fact: facts.AlertRaised, cause: Cause) -> Alert:
    return Alert(
        envelope=cause.envelope("alert", fact.fact_id),
        alert_id=fact.fact_id,
        kind=fact.kind,
        client_id=fact.client_id,
        contract_id=fact.contract_id,
        cap=fact.cap,
        pool=fact.pool,
        window=fact.window,
        thresholds=fact.thresholds,
        used_seconds=fact.used_seconds,
        limit_seconds=fact.limit_seconds,
        used_percent=fact.used_percent,
        text=fact.text,
        cause_entry_id=fact.cause_entry_id,
        origin_offset=cause.offset,
    )
