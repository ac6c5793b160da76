"""The `fold` agent: a journal into rows. Outputs are acknowledged before rows and offset are committed together.

On start it applies silently to the journal's end; then it publishes what its rows hold as open, and of documents,
alerts and hours what lies at or after the highest origin that stands in their topic (rules 1 and 2).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Protocol, TypeAlias

from aiokafka import ConsumerRecord

from books.effects import ChangedHours, Effects, Framed, hours_records
from books.facts import open_facts, open_work
from books.fold import Fold
from books.stores.port import Mark, Rows, Store
from runtime.failpoints import failpoint
from runtime.threads import in_thread
from schemas.codec import decode, encode
from schemas.draft import PublishedDocument
from schemas.entry import EntryVersion
from schemas.errors import NewerSchema, Unreadable
from schemas.inputs import ContractRevision, DirectoryRevision
from schemas.outputs import Alert
from schemas.values import Record
from streams.agents.transaction import SharedTransaction
from streams.engine.batch import Batch, Settling
from streams.engine.errors import EngineFault, OwnershipLost, PublishUnknown
from streams.engine.publisher import Outgoing, Publisher
from streams.engine.slices import Slices
from streams.letters import Place, dead_letter, reason_of
from streams.tails import fingerprint
from streams.topics import ALERTS, DOCUMENTS, HOURS, JOURNAL, WORK, book_name, work_partition

STAGE = "fold"
READ_TOGETHER = 250
"""How many records are decoded before the first of them is applied, so that their rows are read in one go."""
PUBLISHED_TOGETHER_MAX = 2_000
"""How many records are made and handed to the publisher at once, whatever a batch or a start has to publish."""
ORDERED = (DOCUMENTS, ALERTS, HOURS)
_REACH_FAR = (DirectoryRevision, ContractRevision)
"""One of these touches all entries of a book, or of a client: it is applied in a thread while the loop goes on.

Measured with 30,000 entries that all change: 4.4 s, of which the loop stood still 0.3 s at a time, and 55 MB for the
requests of work it causes, which stay in memory as framed bytes until they are published.
"""

Bring = Callable[[int, tuple[int, int]], Awaitable[None]]
"""(partition, the journal's bounds): put a store in its place that goes on further than the one that is there."""
JournalRecord: TypeAlias = "ConsumerRecord[bytes | None, bytes | None]"

log = logging.getLogger(__name__)


class Tails(Protocol):
    """How far the outputs of a partition were published, and where its journal ends."""

    async def highest_origins(self, partition: int) -> Mapping[str, int]:
        """Ordered topic -> highest origin in it, -1 for none."""

    async def journal_bounds(self, partition: int) -> tuple[int, int]:
        """The first offset of the journal, and the one its next record will get."""

    async def journal_fingerprint(self, partition: int, offset: int) -> str | None:
        """The fingerprint of the journal's record at an offset, see `streams.tails`; None when none stands there."""


@dataclass(frozen=True, slots=True)
class FoldSettings:
    """Of whom unreadable records are, and how many partitions the installation has."""

    tenant: str
    book: str
    partitions: int


@dataclass(slots=True)
class _Owned:
    """A partition this worker folds.

    What lies below `silent_until` was in the journal when we came, and the letters below `lettered_until` were
    acknowledged before the group's offset was committed.
    """

    partition: int
    store: Store
    fold: Fold
    transaction: SharedTransaction
    silent_until: int
    tails: Mapping[str, int]
    lettered_until: int
    assigned_seconds: float
    caught_up: bool = False
    in_thread: bool = False

    @property
    def next_offset(self) -> int:
        """Where the rows stand."""
        return self.transaction.next_offset


@dataclass(slots=True)
class Applied:
    """What a batch did, for metrics: only what is new, nothing that a recovery applied again.

    `records` are those that changed something or could have, `ignored` the entry versions that changed nothing.
    """

    records: list[Record] = field(default_factory=list)
    ignored: list[EntryVersion] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Recovery:
    """How far the partitions of this worker have come towards the journals' ends that they were given with."""

    partitions: frozenset[int]
    done: int
    total: int
    behind: tuple[int, ...]


class FoldHandler:
    """The batch handler of the journal."""

    def __init__(
        self,
        settings: FoldSettings,
        open_store: Callable[[int], Store],
        publisher: Publisher,
        tails: Tails,
        on_applied: Callable[[Applied], None] = lambda applied: None,
        on_dead_letter: Callable[[str, str], None] = lambda topic, reason: None,
        on_recovered: Callable[[float], None] = lambda seconds: None,
        bring: Bring | None = None,
    ) -> None:
        self._settings = settings
        self._open_store = open_store
        self._publisher = publisher
        self._tails = tails
        self._on_applied = on_applied
        self._on_dead_letter = on_dead_letter
        self._on_recovered = on_recovered
        self._bring = bring
        self._owned: dict[int, _Owned] = {}

    async def assigned(self, partition: int, committed: int | None) -> int | None:
        """Open the store and go on at its offset, whatever the group's is; a store of another journal begins anew.

        Raises EngineFault before anything is published when the journal does not hold what comes next.
        """
        began_seconds = self._seconds()
        bounds = await self._tails.journal_bounds(partition)
        tails = await self._tails.highest_origins(partition)
        if self._bring is not None:
            await self._bring(partition, bounds)
        store = self._open_store(partition)
        try:
            is_its_own = await self._bind(store, partition, bounds)
        except BaseException:
            store.close()
            raise
        # The group's offset was one of the other journal, too.
        lettered_until = committed if is_its_own and committed is not None else 0
        owned = self._own(partition, store, bounds[1], tails, lettered_until, began_seconds)
        self._owned[partition] = owned
        if owned.next_offset >= owned.silent_until:
            await self._catch_up(owned, partition)
        return owned.next_offset

    def _own(
        self,
        partition: int,
        store: Store,
        silent_until: int,
        tails: Mapping[str, int],
        lettered_until: int,
        began_seconds: float,
    ) -> _Owned:
        fold = Fold()

        async def post_hours(hours: ChangedHours, rows: Rows) -> list[Settling]:
            return await self._post_all(self._hours(owned, hours, rows))

        transaction = SharedTransaction(store, post_hours, fold.forget)
        owned = _Owned(partition, store, fold, transaction, silent_until, tails, lettered_until, began_seconds)
        return owned

    async def _bind(self, store: Store, partition: int, bounds: tuple[int, int]) -> bool:
        """Make sure that what the store reflects is the beginning of this journal; False when it was another one's."""
        position = store.position
        is_its_own = True
        beginning, end = bounds
        if position.next_offset and beginning <= position.next_offset <= end:
            mark = position.mark
            found = None if mark is None else await self._tails.journal_fingerprint(partition, mark.offset)
            if mark is None or found != mark.fingerprint:
                log.warning("The store of journal %s reflects another journal; it is built again.", partition)
                store.start_over()
                is_its_own = False
        start = store.position.next_offset
        if not beginning <= start <= end:
            raise EngineFault(
                "records_gone",
                f"The store of journal {partition} goes on at {start}, but the broker holds {beginning} to {end}.",
                "Restore the topic or, if the loss is accepted, remove the store.",
            )
        return is_its_own

    async def process(self, batch: Batch) -> Settling:
        """Apply a batch inside the store's transaction; what it causes is acknowledged before it can be committed."""
        owned = self._owned[batch.partition]
        async with owned.transaction.lock:
            if owned.transaction.failure is not None:
                raise owned.transaction.failure  # While we waited, too: the rows are not where this batch begins.
            try:
                return await self._process(owned, batch, Effects(), Applied())
            except BaseException as error:
                owned.transaction.roll_back(error)
                raise

    async def _process(self, owned: _Owned, batch: Batch, effects: Effects, applied: Applied) -> Settling:
        transaction = owned.transaction
        letters = await self._apply_all(owned, transaction.begin(batch.next_offset), batch, effects, applied)
        failpoint("fold_before_publish")
        posted = await self._post(owned, batch, effects, letters)
        applied.alerts = [alert for origin, alert in effects.alerts if origin >= owned.silent_until]
        settling = asyncio.ensure_future(self._settle(owned, posted, applied))
        transaction.wait_for(settling)
        transaction.extend(batch.next_offset, Mark(batch.last_offset, fingerprint(batch.records[-1])))
        await transaction.commit_when_due()
        return settling

    async def _settle(self, owned: _Owned, posted: Sequence[Settling], applied: Applied) -> None:
        """Wait for a batch's acknowledgements. One that fails or is cancelled stays, and nothing is committed then."""
        try:
            for one in posted:
                await one
        except BaseException:
            for one in posted:
                one.cancel()
            owned.transaction.break_off()
            raise
        self._on_applied(applied)

    async def revoked(self, partition: int) -> None:
        """Commit what is acknowledged and close the store; another owner has its own.

        Nothing to do for a partition that was taken away while `assigned` was still on its way.
        """
        owned = self._owned.pop(partition, None)
        if owned is None:
            return
        try:
            await owned.transaction.give_up()
        except (OwnershipLost, PublishUnknown, TimeoutError) as error:
            log.warning("What journal %s caused last is not acknowledged and will be done again: %s", partition, error)
        finally:
            owned.store.close()

    @staticmethod
    def _seconds() -> float:
        return asyncio.get_running_loop().time()

    def rows(self, partition: int) -> Rows | None:
        """The rows of an owned partition, for metrics; None also while a thread changes them."""
        owned = self._owned.get(partition)
        return None if owned is None or owned.in_thread else owned.store.rows

    def owns(self, partition: int) -> bool:
        """Whether a partition is ours and has caught up."""
        owned = self._owned.get(partition)
        return owned is not None and owned.caught_up

    def positions(self) -> Mapping[int, int]:
        """Partition that is ours and has caught up -> the journal offset its rows stand at."""
        return {partition: owned.next_offset for partition, owned in self._owned.items() if owned.caught_up}

    def recovery(self) -> Recovery:
        """How far the partitions have come; all that are owned are named, also those that have caught up."""
        return Recovery(
            partitions=frozenset(self._owned),
            done=sum(min(owned.next_offset, owned.silent_until) for owned in self._owned.values()),
            total=sum(owned.silent_until for owned in self._owned.values()),
            behind=tuple(sorted(partition for partition, owned in self._owned.items() if not owned.caught_up)),
        )

    async def _apply_all(
        self, owned: _Owned, rows: Rows, batch: Batch, effects: Effects, applied: Applied
    ) -> list[Outgoing]:
        """Apply the records in slices of time, so that heartbeats and probes are answered; returns the letters."""
        letters: list[Outgoing] = []
        slices = Slices()
        due = [record for record in batch.records if record.offset >= owned.next_offset]
        for first in range(0, len(due), READ_TOGETHER):
            part: list[tuple[JournalRecord, Record | Unreadable]] = []
            for record in due[first : first + READ_TOGETHER]:
                part.append((record, _read(record)))
                if slices.is_over():
                    await slices.rest()
            owned.fold.expect(rows, [found for _, found in part if isinstance(found, Record)])
            for record, found in part:
                letter = await self._apply(owned, rows, batch, record, found, effects, applied)
                if letter is not None:
                    letters.append(letter)
                if slices.is_over():
                    await slices.rest()
        applied.seconds += slices.worked_seconds
        return letters

    async def _apply(
        self,
        owned: _Owned,
        rows: Rows,
        batch: Batch,
        record: JournalRecord,
        found: Record | Unreadable,
        effects: Effects,
        applied: Applied,
    ) -> Outgoing | None:
        if isinstance(found, Unreadable):
            return self._letter(owned, batch, record, *reason_of(found))
        known, ignored = len(effects.unapplied), owned.fold.versions_ignored
        if isinstance(found, _REACH_FAR):
            owned.in_thread = True
            try:
                await in_thread(lambda: owned.fold.apply(rows, record.offset, found, effects))
            finally:
                owned.in_thread = False
        else:
            owned.fold.apply(rows, record.offset, found, effects)
        if record.offset >= owned.silent_until:
            applied.records.append(found)
            if isinstance(found, EntryVersion) and owned.fold.versions_ignored > ignored:
                applied.ignored.append(found)
        if len(effects.unapplied) > known:
            _, reason, detail = effects.unapplied[-1]
            return self._letter(owned, batch, record, reason, detail)
        return None

    def _letter(
        self,
        owned: _Owned,
        batch: Batch,
        record: JournalRecord,
        reason: str,
        detail: str,
    ) -> Outgoing | None:
        """The letter of a record; None for one that was acknowledged before the group's offset went past it."""
        if record.offset < owned.lettered_until:
            return None
        place = Place(batch.topic, batch.partition, record.offset, record.timestamp, record.key, record.value)
        self._on_dead_letter(batch.topic, reason)
        return dead_letter(place, self._settings.tenant, self._settings.book, STAGE, reason, detail)

    async def _post(self, owned: _Owned, batch: Batch, effects: Effects, letters: list[Outgoing]) -> list[Settling]:
        owned.transaction.changed(effects.hours)
        ordered = self._ordered(owned, batch.partition, effects)
        if owned.caught_up:
            asked = self._asked(batch.partition, effects.facts, effects.work)
            return await self._post_all(chain(letters, ordered, asked))
        posted = await self._post_all(chain(letters, ordered))
        if batch.next_offset >= owned.silent_until:
            await self._catch_up(owned, batch.partition)
        return posted

    async def _post_all(self, outgoing: Iterable[Outgoing]) -> list[Settling]:
        """Post some at a time: neither all of them nor the time to make them is there at once."""
        waiting = iter(outgoing)
        posted: list[Settling] = []
        slices = Slices()
        while True:
            chunk: list[Outgoing] = []
            for one in islice(waiting, PUBLISHED_TOGETHER_MAX):
                chunk.append(one)
                if slices.is_over():
                    await slices.rest()
            if not chunk:
                return posted
            posted.append(await self._publisher.post(chunk))

    async def _catch_up(self, owned: _Owned, partition: int) -> None:
        """The journal's end is reached: publish what is open, and be live from now on."""
        rows = owned.store.rows
        for posted in await self._post_all(self._asked(partition, open_facts(rows), open_work(rows))):
            await posted
        owned.caught_up = True
        self._on_recovered(self._seconds() - owned.assigned_seconds)

    def _asked(self, partition: int, facts: Iterable[Framed], work: Iterable[Framed]) -> Iterator[Outgoing]:
        yield from (self._fact(partition, framed) for framed in facts)
        yield from (self._work(framed) for framed in work)

    def _fact(self, partition: int, framed: Framed) -> Outgoing:
        return Outgoing(JOURNAL, partition, book_name(framed.tenant, framed.book).encode(), framed.value)

    def _work(self, framed: Framed) -> Outgoing:
        request = f"{book_name(framed.tenant, framed.book)}/{framed.identity}"
        return Outgoing(WORK, work_partition(request, self._settings.partitions), request.encode(), framed.value)

    def _ordered(self, owned: _Owned, partition: int, effects: Effects) -> Iterator[Outgoing]:
        """Documents and alerts, in origin order within their topics."""
        for origin, document in effects.documents:
            if self._wanted(owned, DOCUMENTS, origin):
                yield Outgoing(DOCUMENTS, partition, _document_key(document), encode(document))
        for origin, alert in effects.alerts:
            if self._wanted(owned, ALERTS, origin):
                yield Outgoing(ALERTS, partition, _alert_key(alert), encode(alert))

    def _hours(self, owned: _Owned, hours: ChangedHours, rows: Rows) -> Iterator[Outgoing]:
        """The hours that the transaction changed, in origin order."""
        for origin, key, total in hours_records(hours, rows):
            if self._wanted(owned, HOURS, origin):
                yield Outgoing(HOURS, owned.partition, key.encode(), total)

    @staticmethod
    def _wanted(owned: _Owned, topic: str, origin: int) -> bool:
        return origin >= owned.silent_until or origin >= owned.tails[topic]


def _read(record: JournalRecord) -> Record | Unreadable:
    """The record. Only workers write a journal: to pass over what a newer one wrote would be to lose it, so we stop."""
    try:
        return decode(record.value or b"")
    except NewerSchema as error:
        raise EngineFault(
            "journal_newer",
            f"Journal {record.partition} holds at {record.offset} a record of a newer release, and rows without it"
            " would be wrong.",
            "Upgrade this worker; until then one of the newer release folds this journal.",
            error.message,
        ) from error
    except Unreadable as error:
        return error


def _document_key(document: PublishedDocument) -> bytes:
    envelope = document.envelope
    return f"{book_name(envelope.tenant, envelope.book)}/{document.document_id}/{document.revision}".encode()


def _alert_key(alert: Alert) -> bytes:
    return f"{book_name(alert.envelope.tenant, alert.envelope.book)}/{alert.alert_id}".encode()
