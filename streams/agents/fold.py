"""The `fold` agent: a journal into rows. Outputs are acknowledged before rows and offset are committed together.

On start it applies silently to the journal's end; then it publishes what its rows hold as open, and of documents,
alerts and hours what lies at or after the highest origin that stands in their topic (rules 1 and 2).
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Protocol

from aiokafka import ConsumerRecord

from books.effects import Effects, Framed
from books.facts import open_facts, open_work
from books.fold import Fold
from books.stores.port import Rows, Store
from runtime.failpoints import failpoint
from schemas.codec import decode, encode
from schemas.draft import PublishedDocument
from schemas.errors import BillstreamError, Unreadable
from schemas.outputs import Alert
from schemas.values import Record
from streams.engine.batch import Batch
from streams.engine.publisher import Outgoing, Publisher
from streams.letters import Place, dead_letter, reason_of
from streams.topics import ALERTS, DOCUMENTS, HOURS, JOURNAL, WORK, book_name, work_partition

STAGE = "fold"
COMMIT_SECONDS = 0.5
"""How long batches share a transaction. After a crash at most this much is applied again, with the same outputs."""
ORDERED = (DOCUMENTS, ALERTS, HOURS)


class Tails(Protocol):
    """How far the outputs of a partition were published, and where its journal ends."""

    async def highest_origins(self, partition: int) -> Mapping[str, int]:
        """Ordered topic -> highest origin in it, -1 for none."""

    async def journal_end(self, partition: int) -> int:
        """The offset the journal's next record will get."""


@dataclass(frozen=True, slots=True)
class FoldSettings:
    """Of whom unreadable records are, and how many partitions the installation has."""

    tenant: str
    book: str
    partitions: int


@dataclass(slots=True)
class _Owned:
    """A partition this worker folds. Batches share a transaction for a while: `next_offset` is where it stands."""

    store: Store
    fold: Fold
    silent_until: int
    tails: Mapping[str, int]
    next_offset: int
    caught_up: bool = False
    busy: bool = False
    transaction: AbstractContextManager[Rows] | None = None
    began_seconds: float = 0.0
    failure: BaseException | None = None


class FoldHandler:
    """The batch handler of the journal."""

    def __init__(
        self,
        settings: FoldSettings,
        open_store: Callable[[int], Store],
        publisher: Publisher,
        tails: Tails,
        on_applied: Callable[[Sequence[Record], Effects, int], None] = lambda records, effects, ignored: None,
        on_dead_letter: Callable[[str, str], None] = lambda topic, reason: None,
    ) -> None:
        self._settings = settings
        self._open_store = open_store
        self._publisher = publisher
        self._tails = tails
        self._on_applied = on_applied
        self._on_dead_letter = on_dead_letter
        self._owned: dict[int, _Owned] = {}

    async def assigned(self, partition: int, committed: int | None) -> int | None:
        """Open the store and go on at its offset, whatever the group's is."""
        end = await self._tails.journal_end(partition)
        tails = await self._tails.highest_origins(partition)
        # Opened last: whoever is interrupted before has nothing to close.
        store = self._open_store(partition)
        owned = _Owned(store, Fold(), end, tails, store.position.next_offset)
        self._owned[partition] = owned
        if owned.next_offset >= end:
            await self._catch_up(owned, partition)
        return owned.next_offset

    async def process(self, batch: Batch) -> None:
        """Apply a batch inside the store's transaction; what it causes is acknowledged before it can be committed."""
        owned = self._owned[batch.partition]
        if owned.failure is not None:
            raise owned.failure
        effects = Effects()
        applied: list[Record] = []
        ignored = owned.fold.versions_ignored
        owned.busy = True
        try:
            rows = self._begin(owned, batch)
            letters = [
                letter
                for record in batch.records
                if record.offset >= owned.next_offset
                and (letter := self._apply(owned, rows, batch, record, effects, applied))
            ]
            failpoint("fold_before_publish")
            await self._publish(owned, rows, batch, effects, letters)
            failpoint("fold_after_publish")
            owned.next_offset = max(owned.next_offset, batch.next_offset)
            owned.store.extend(owned.next_offset)
        except BaseException as error:
            self._roll_back(owned, error)
            raise
        finally:
            owned.busy = False
        self._commit_when_due(owned)
        self._on_applied(applied, effects, owned.fold.versions_ignored - ignored)

    async def revoked(self, partition: int) -> None:
        """Commit what is acknowledged and close the store; another owner has its own.

        Nothing to do for a partition that was taken away while `assigned` was still on its way.
        """
        owned = self._owned.pop(partition, None)
        if owned is None:
            return
        try:
            self._commit(owned)
        finally:
            owned.store.close()

    def _begin(self, owned: _Owned, batch: Batch) -> Rows:
        """The rows of the open transaction, a new one if there is none."""
        if owned.transaction is None:
            owned.transaction = owned.store.transaction(owned.next_offset, max(owned.next_offset, batch.next_offset))
            owned.began_seconds = self._seconds()
            return owned.transaction.__enter__()
        return owned.store.rows

    def _roll_back(self, owned: _Owned, error: BaseException) -> None:
        """Cancelled, refused or failed: rows go back to the last commit, and what was compiled from them goes too."""
        owned.fold.forget()
        transaction, owned.transaction = owned.transaction, None
        if transaction is not None:
            with suppress(type(error)):
                transaction.__exit__(type(error), error, error.__traceback__)
        owned.next_offset = owned.store.position.next_offset

    def _commit_when_due(self, owned: _Owned) -> None:
        """Commit now, or soon if nothing comes: the disk is asked a few times a second, not for each batch."""
        if self._seconds() - owned.began_seconds >= COMMIT_SECONDS:
            self._commit(owned)
        else:
            asyncio.get_running_loop().call_later(COMMIT_SECONDS, self._commit_if_idle, owned)

    def _commit_if_idle(self, owned: _Owned) -> None:
        due = self._seconds() - owned.began_seconds >= COMMIT_SECONDS
        if owned.transaction is None or owned.busy or not due:
            return
        try:
            self._commit(owned)
        except (BillstreamError, sqlite3.Error) as error:
            owned.failure = error  # the next batch stops the worker with it

    def _commit(self, owned: _Owned) -> None:
        transaction, owned.transaction = owned.transaction, None
        if transaction is not None:
            transaction.__exit__(None, None, None)
            failpoint("fold_after_commit")

    @staticmethod
    def _seconds() -> float:
        return asyncio.get_running_loop().time()

    def rows(self, partition: int) -> Rows | None:
        """The rows of an owned partition, for metrics."""
        owned = self._owned.get(partition)
        return None if owned is None else owned.store.rows

    def _apply(
        self,
        owned: _Owned,
        rows: Rows,
        batch: Batch,
        record: "ConsumerRecord[bytes | None, bytes | None]",
        effects: Effects,
        applied: list[Record],
    ) -> Outgoing | None:
        try:
            decoded = decode(record.value or b"")
        except Unreadable as error:
            return self._letter(batch, record, *reason_of(error))
        applied.append(decoded)
        known = len(effects.unapplied)
        owned.fold.apply(rows, record.offset, decoded, effects)
        if len(effects.unapplied) > known:
            _, reason, detail = effects.unapplied[-1]
            return self._letter(batch, record, reason, detail)
        return None

    def _letter(
        self, batch: Batch, record: "ConsumerRecord[bytes | None, bytes | None]", reason: str, detail: str
    ) -> Outgoing:
        place = Place(batch.topic, batch.partition, record.offset, record.timestamp, record.key, record.value)
        self._on_dead_letter(batch.topic, reason)
        return dead_letter(place, self._settings.tenant, self._settings.book, STAGE, reason, detail)

    async def _publish(
        self, owned: _Owned, rows: Rows, batch: Batch, effects: Effects, letters: list[Outgoing]
    ) -> None:
        ordered = self._ordered(owned, rows, batch.partition, effects)
        if owned.caught_up:
            await self._publisher.publish([*letters, *ordered, *self._asked(batch.partition, effects)])
            return
        await self._publisher.publish([*letters, *ordered])
        if batch.next_offset >= owned.silent_until:
            await self._publisher.publish(self._open(rows, batch.partition))
            owned.caught_up = True

    async def _catch_up(self, owned: _Owned, partition: int) -> None:
        await self._publisher.publish(self._open(owned.store.rows, partition))
        owned.caught_up = True

    def _open(self, rows: Rows, partition: int) -> list[Outgoing]:
        facts = [self._fact(partition, framed) for framed in open_facts(rows)]
        return facts + [self._work(framed) for framed in open_work(rows)]

    def _asked(self, partition: int, effects: Effects) -> list[Outgoing]:
        facts = [self._fact(partition, framed) for framed in effects.facts]
        return facts + [self._work(framed) for framed in effects.work]

    def _fact(self, partition: int, framed: Framed) -> Outgoing:
        return Outgoing(JOURNAL, partition, book_name(framed.tenant, framed.book).encode(), framed.value)

    def _work(self, framed: Framed) -> Outgoing:
        request = f"{book_name(framed.tenant, framed.book)}/{framed.identity}"
        return Outgoing(WORK, work_partition(request, self._settings.partitions), request.encode(), framed.value)

    def _ordered(self, owned: _Owned, rows: Rows, partition: int, effects: Effects) -> list[Outgoing]:
        """Documents, alerts and hours, in origin order within their topics."""
        found: list[Outgoing] = []
        for origin, document in effects.documents:
            if self._wanted(owned, DOCUMENTS, origin):
                found.append(Outgoing(DOCUMENTS, partition, _document_key(document), encode(document)))
        for origin, alert in effects.alerts:
            if self._wanted(owned, ALERTS, origin):
                found.append(Outgoing(ALERTS, partition, _alert_key(alert), encode(alert)))
        for origin, key, total in effects.hours_records(rows):
            if self._wanted(owned, HOURS, origin):
                found.append(Outgoing(HOURS, partition, key.encode(), total))
        return found

    @staticmethod
    def _wanted(owned: _Owned, topic: str, origin: int) -> bool:
        return origin >= owned.silent_until or origin >= owned.tails[topic]


def _document_key(document: PublishedDocument) -> bytes:
    envelope = document.envelope
    return f"{book_name(envelope.tenant, envelope.book)}/{document.document_id}/{document.revision}".encode()


def _alert_key(alert: Alert) -> bytes:
    return f"{book_name(alert.envelope.tenant, alert.envelope.book)}/{alert.alert_id}".encode()
