"""The desk over Kafka: an idempotent producer for what is sent, a follower of the book's journal for what is seen."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from itertools import islice

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from billstream.connection import connection_of
from billstream.dead_letters.port import Raw
from billstream.follower import Verdict, Verdicts
from billstream.follower_store import FollowerStore, cluster_of, open_follower_store
from billstream.gateway import EntryInput, OnPublished, Order, no_report
from billstream.project import now
from billstream.settings import Installation
from books.book import Book
from books.catalog import Catalog
from books.local import Follower
from books.stores.memory import MemoryStore
from books.version import FOLD_VERSION
from runtime.clock import SystemClock
from runtime.errors import Unavailable
from runtime.kafka import KafkaConnection, ensure_topics
from schemas.codec import decode, encode
from schemas.commands import Command
from schemas.entry import EntryVersion
from schemas.errors import NewerSchema, Unreadable
from schemas.inputs import ImportCompleted
from schemas.outputs import Alert
from schemas.values import Record
from streams.engine.publisher import Outgoing, Publisher
from streams.letter_log import LetterLog
from streams.pacing import Pace, PaceLimits, Waited, standings_of
from streams.slots import Role
from streams.topics import COMMANDS, JOURNAL, TIME_ENTRIES, book_name, book_partition, topic_specs

POLL_MILLISECONDS = 100
FETCH_WAIT_MILLISECONDS = 50
"""A command that ends does not wait longer than this for a poll that it no longer needs."""
FETCH_BYTES_MAX = 32 * 1024 * 1024
PUBLISHED_AT_ONCE = 1_000
ASK_SECONDS = 10
LETTER_HEADER = "dead-letter"

OnAlert = Callable[[Alert], None]


def no_alert(alert: Alert) -> None:
    """Tell nobody."""


OnLook = Callable[[Waited], None]


def no_look(waited: Waited) -> None:
    """Tell nobody."""


class KafkaDesk:
    """One book of a cluster, seen from the front door."""

    def __init__(
        self,
        installation: Installation,
        connection: KafkaConnection,
        on_alert: OnAlert = no_alert,
        kept: FollowerStore | None = None,
        on_look: OnLook = no_look,
    ) -> None:
        settings = installation.settings
        self._installation = installation
        self._connection = connection
        self._partition = book_partition(settings.tenant, settings.book, settings.partitions)
        self._place = TopicPartition(JOURNAL, self._partition)
        self._publisher = Publisher(connection.client_arguments())
        self._consumer: AIOKafkaConsumer[bytes | None, bytes | None] = AIOKafkaConsumer(
            **connection.client_arguments(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=FETCH_WAIT_MILLISECONDS,
            fetch_max_bytes=FETCH_BYTES_MAX,
            max_partition_fetch_bytes=FETCH_BYTES_MAX,
        )
        self._kept = kept or FollowerStore(MemoryStore(FOLD_VERSION))
        self._follower = Follower(self._kept.store)
        self._verdicts = Verdicts()
        self._on_alert = on_alert
        self._on_look = on_look
        self._imports: set[str] = set()
        self._watched: set[str] = set()
        self._arrivals: dict[str, str] = {}
        self._seen_offset = 0
        self.alerts: list[Alert] = []

    @property
    def installation(self) -> Installation:
        """See `Desk`."""
        return self._installation

    @property
    def broker(self) -> str:
        """See `Desk`."""
        return self._connection.bootstrap_servers

    @property
    def book(self) -> Book:
        """See `Desk`."""
        settings = self._installation.settings
        return Book(self._follower.rows, settings.tenant, settings.book)

    @property
    def catalog(self) -> Catalog:
        """See `Desk`."""
        return Catalog(self.book)

    @property
    def next_offset(self) -> int:
        """See `Desk`."""
        return self._seen_offset

    @property
    def at(self) -> datetime:
        """See `Desk`."""
        return now()

    async def start(self) -> None:
        """Connect; Unavailable when no broker answers, Misconfigured when topics are not as they must be."""
        settings = self._installation.settings
        await ensure_topics(self._connection, topic_specs(settings.partitions, settings.broker.replication_factor))
        try:
            await self._consumer.start()
            await self._publisher.start()
        except KafkaError as error:
            raise self._unreachable(error) from error
        self._consumer.assign([self._place])
        await self._go_on()

    async def _go_on(self) -> None:
        """Begin to read where the kept rows end; rows that are ahead of the journal are of another one."""
        end = (await self._consumer.end_offsets([self._place]))[self._place]
        if self._follower.next_offset > end:
            self._kept.discard()
            self._follower = Follower(self._kept.store)
        self._seen_offset = self._follower.next_offset
        self._consumer.seek(self._place, self._seen_offset)

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()
        await self._publisher.stop()
        self._kept.close()

    async def ask(self) -> None:
        """Ask the journal's broker one question; raises KafkaError or TimeoutError when it gives no answer."""
        async with asyncio.timeout(ASK_SECONDS):
            await self._consumer.end_offsets([self._place])

    async def catch_up(self) -> None:
        """See `Desk`."""
        end = (await self._consumer.end_offsets([self._place]))[self._place]
        while self._seen_offset < end:
            await self.follow()

    async def journal(self) -> AsyncIterator[Sequence[tuple[int, Record]]]:
        """See `Desk`. The follower's own place in the journal is kept."""
        end = (await self._consumer.end_offsets([self._place]))[self._place]
        try:
            self._consumer.seek(self._place, (await self._consumer.beginning_offsets([self._place]))[self._place])
            while (position := await self._consumer.position(self._place)) < end:
                fetched = await self._consumer.getmany(self._place, timeout_ms=POLL_MILLISECONDS)
                decoded = [(one.offset, self._read(one.value)) for one in fetched.get(self._place, [])]
                yield [(offset, record) for offset, record in decoded if record is not None and offset >= position]
        finally:
            self._consumer.seek(self._place, self._seen_offset)

    async def follow(self, wait_milliseconds: int = POLL_MILLISECONDS) -> int:
        """Apply what the journal has next, waiting a little when it has nothing; returns how many records it was."""
        fetched = await self._consumer.getmany(self._place, timeout_ms=wait_milliseconds)
        records = fetched.get(self._place, [])
        if not records:
            # A journal may end in records that are no data; the position knows.
            self._seen_offset = max(self._seen_offset, await self._consumer.position(self._place))
            return 0
        mine = []
        for record in records:
            decoded = self._read(record.value)
            if decoded is not None:
                mine.append((record.offset, decoded))
        effects = self._follower.apply(mine)
        self._note_arrivals(mine, effects.unapplied)
        self._verdicts.note(one for _, one in mine)
        self._imports |= {one.import_id for _, one in mine if isinstance(one, ImportCompleted)}
        for _, alert in effects.alerts:
            self.alerts.append(alert)
            self._on_alert(alert)
        self._seen_offset = records[-1].offset + 1
        return len(records)

    def _read(self, value: bytes | None) -> Record | None:
        """A record of this book; None for another book's, and for what the workers have put among the dead letters."""
        try:
            record = decode(value or b"")
        except NewerSchema:
            raise  # a preview without it would be wrong
        except Unreadable:
            return None
        settings = self._installation.settings
        same = (record.envelope.tenant, record.envelope.book) == (settings.tenant, settings.book)
        return record if same else None

    async def publish_orders(self, orders: Sequence[Order]) -> None:
        """See `Desk`."""
        await self._publisher.publish([self._outgoing(COMMANDS, _key_of(order), order) for order in orders])

    async def publish_entries(self, records: Iterable[EntryInput], on_published: OnPublished = no_report) -> None:
        """See `Desk`. What is more than one part is a back-fill: it waits while live work is behind."""
        waiting = iter(records)
        published = 0
        async with AsyncExitStack() as stack:
            pace: Pace | None = None
            while part := list(islice(waiting, PUBLISHED_AT_ONCE)):
                if published:
                    pace = pace or await self._pace(stack)
                    await pace.turn()
                await self._publisher.publish(
                    [self._outgoing(TIME_ENTRIES, _key_of(record), record) for record in part]
                )
                published += len(part)
                on_published(published)

    async def _pace(self, stack: AsyncExitStack) -> Pace:
        from streams.installation import APPLICATION_ID, group_of

        settings = self._installation.settings
        reads = {
            group_of(APPLICATION_ID, Role.SEQUENCE): (TIME_ENTRIES, COMMANDS),
            group_of(APPLICATION_ID, Role.FOLD): (JOURNAL,),
        }
        look = await stack.enter_async_context(standings_of(self._connection, reads, settings.partitions))
        limits = PaceLimits(settings.imports.live_lag_seconds, settings.imports.ahead_records)
        return Pace(look, SystemClock(), limits, self._on_look)

    async def publish_records(self, orders: Sequence[Record]) -> None:
        """Send other records of `commands`, clock ticks for example."""
        await self._publisher.publish([self._outgoing(COMMANDS, self._name, order) for order in orders])

    async def verdicts(self, command_ids: Sequence[str], timeout_seconds: int) -> Mapping[str, Verdict]:
        """See `Desk`."""
        found: dict[str, Verdict] = {}
        try:
            async with asyncio.timeout(timeout_seconds):
                while len(found) < len(set(command_ids)):
                    await self.follow()
                    for command_id in command_ids:
                        if (verdict := self._verdicts.of(command_id, self.book)) is not None:
                            found[command_id] = verdict
        except TimeoutError:
            return found
        return found

    async def until(self, reached: Callable[[], bool], timeout_seconds: int) -> bool:
        """See `Desk`."""
        try:
            async with asyncio.timeout(timeout_seconds):
                while not reached():
                    await self.follow()
        except TimeoutError:
            return False
        return True

    @property
    def letters(self) -> LetterLog:
        """See `LetterDesk`."""
        return LetterLog(self._connection, self._installation.settings.partitions)

    async def send_again(self, raws: Iterable[Raw]) -> None:
        """See `LetterDesk`; a header names the letter."""
        await self._publisher.publish(
            [
                Outgoing(one.topic, one.partition, one.key, one.value, ((LETTER_HEADER, one.letter_id.encode()),))
                for one in raws
            ]
        )

    def watch(self, event_ids: Iterable[str]) -> None:
        """See `LetterDesk`."""
        self._watched |= set(event_ids)

    @property
    def arrivals(self) -> Mapping[str, str]:
        """See `LetterDesk`."""
        return self._arrivals

    def _note_arrivals(self, records: Sequence[tuple[int, Record]], unapplied: Sequence[tuple[int, str, str]]) -> None:
        reasons = {offset: f"{reason}: {detail}" for offset, reason, detail in unapplied}
        for offset, record in records:
            if record.envelope.event_id in self._watched:
                self._arrivals[record.envelope.event_id] = reasons.get(offset, "")

    def imported(self, import_id: str) -> bool:
        """Whether the end of an import stands in the journal."""
        return import_id in self._imports

    @property
    def _name(self) -> str:
        settings = self._installation.settings
        return book_name(settings.tenant, settings.book)

    def _outgoing(self, topic: str, key: str, record: Record) -> Outgoing:
        return Outgoing(topic, self._partition, key.encode(), encode(record))

    def _unreachable(self, error: KafkaError) -> Unavailable:
        return Unavailable(
            "kafka-unreachable",
            f"Kafka at {self._connection.bootstrap_servers} does not answer ({type(error).__name__}).",
            "Start it with `billstream up`, or check BILLSTREAM_BROKERS.",
        )


def _key_of(record: Record) -> str:
    """Entries by entry, commands by command, the rest by event: the topics' keys of the design."""
    match record:
        case EntryVersion():
            return record.entry_id
        case Command():
            return record.command_id
        case _:
            return record.envelope.event_id


@asynccontextmanager
async def open_desk(installation: Installation) -> AsyncIterator[KafkaDesk]:
    """A desk of the project's broker: the configured one, or the embedded one that `billstream up` runs."""
    connection = connection_of(installation)
    kept = open_follower_store(installation, await cluster_of(connection))
    desk = KafkaDesk(installation, connection, kept=kept)
    try:
        await desk.start()
        yield desk
    finally:
        await desk.stop()
