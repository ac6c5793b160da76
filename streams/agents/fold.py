"""The `fold` agent: one partition's journal into rows. Outputs are acknowledged before rows and offset are committed
together.

On start it applies silently to the journal's end; then it publishes what its rows hold as open, and of documents,
alerts
and hours what lies at or after the highest origin that stands in their topic (rules 1 and 2).
"""

from collections.abc import Callable, Mapping, Sequence
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
from schemas.errors import Unreadable
from schemas.outputs import Alert
from schemas.values import Record
from streams.engine.batch import Batch
from streams.engine.publisher import Outgoing, Publisher
from streams.letters import Place, dead_letter, reason_of
from streams.topics import ALERTS, DOCUMENTS, HOURS, JOURNAL, WORK, book_name, work_partition

STAGE = "fold"
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
    """A partition this worker folds."""

    store: Store
    fold: Fold
    silent_until: int
    tails: Mapping[str, int]
    caught_up: bool = False


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
        store = self._open_store(partition)
        end = await self._tails.journal_end(partition)
        owned = _Owned(store, Fold(), end, await self._tails.highest_origins(partition))
        self._owned[partition] = owned
        if store.position.next_offset >= end:
            await self._catch_up(owned)
        return store.position.next_offset

    async def process(self, batch: Batch) -> None:
        """Apply a batch inside a transaction of its store; what it causes is acknowledged before it is committed."""
        owned = self._owned[batch.partition]
        begin = owned.store.position.next_offset
        effects = Effects()
        applied: list[Record] = []
        ignored = owned.fold.versions_ignored
        try:
            with owned.store.transaction(begin, max(begin, batch.next_offset)) as rows:
                letters = [
                    letter
                    for record in batch.records
                    if record.offset >= begin and (letter := self._apply(owned, rows, batch, record, effects, applied))
                ]
                failpoint("fold_before_publish")
                await self._publish(owned, rows, batch, effects, letters)
                failpoint("fold_after_publish")
        except BaseException:
            # Cancelled, refused or failed: the rows were rolled back, so what was compiled from them goes too.
            owned.fold.forget()
            raise
        failpoint("fold_after_commit")
        self._on_applied(applied, effects, owned.fold.versions_ignored - ignored)

    async def revoked(self, partition: int) -> None:
        """Close the store; another owner has its own."""
        self._owned.pop(partition).store.close()

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

    async def _catch_up(self, owned: _Owned) -> None:
        partition = next(number for number, one in self._owned.items() if one is owned)
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
