"""A book as it was: a desk whose rows reflect a journal up to a place in the past. It can send nothing.

The place is an offset, or an instant: then the state holds everything that stands before the first record which was
appended to the journal later than that (by the time stamp that a worker gave it when it appended it).
"""

import re
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from billstream.cli.exits import Exit
from billstream.cli.failure import CommandFailed
from billstream.cli.session import Session
from billstream.follower import Verdict
from billstream.gateway import EntryInput, OnPublished, Order, no_report
from billstream.keeping.folding import OnEffects, SilentFold, ignored
from billstream.keeping.installation import running_broker
from billstream.settings import Installation
from books.book import Book
from books.catalog import Catalog
from books.stores.sqlite import SqliteStore
from books.stores.view import StoreView
from books.version import FOLD_VERSION
from runtime.clock import SystemClock
from runtime.kafka import KafkaConnection, Span, spans
from runtime.kafka.reading import PartitionReader, RawRecord, partition_reader
from schemas.codec import decode
from schemas.errors import NewerSchema, Unreadable
from schemas.outputs import Alert
from schemas.values import Record
from streams.topics import JOURNAL, book_partition

_OFFSET = re.compile(r"\d{1,18}")
_ACCEPTED = "Give a journal offset, 2026-11-03T12:00, 2026-11-03T12:00+01:00, or 2026-11-03 for the end of that day."
_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(text: str, zone: str) -> int | datetime:
    """What a person typed: an offset, or an instant in UTC. Local times are the firm's, a date is its end.

    Raises CommandFailed for anything else, and for a local time that the clocks show twice or never.
    """
    if _OFFSET.fullmatch(text):
        return int(text)
    place = ZoneInfo(zone)
    try:
        if len(text) == len("2026-11-03"):
            following = date.fromisoformat(text) + timedelta(days=1)
            return datetime.combine(following, time(), place).astimezone(UTC) - _MILLISECOND
        said = datetime.fromisoformat(text)
    except ValueError:
        raise CommandFailed("moment_invalid", f"'{text}' is no place in a journal.", _ACCEPTED, Exit.USAGE) from None
    if said.tzinfo is not None:
        return said.astimezone(UTC)
    early, late = said.replace(tzinfo=place), said.replace(tzinfo=place, fold=1)
    if early.utcoffset() != late.utcoffset():
        message = f"The clocks of {zone} show {text} twice or never."
        raise CommandFailed("moment_invalid", message, f"Add the offset from UTC, as in {text}+01:00.", Exit.USAGE)
    return early.astimezone(UTC)


class PastDesk:
    """A desk (see `Desk`) at one place of the past. Whatever would send something is refused."""

    def __init__(
        self,
        installation: Installation,
        connection: KafkaConnection,
        reader: PartitionReader,
        folder: Path,
        on_effects: OnEffects = ignored,
    ) -> None:
        settings = installation.settings
        self._installation = installation
        self._connection = connection
        self._reader = reader
        self._store_path = folder / "past.sqlite"
        self._store = SqliteStore(self._store_path, FOLD_VERSION)
        self._partition = book_partition(settings.tenant, settings.book, settings.partitions)
        self._silent = SilentFold(self._store, self._is_mine, on_effects)
        self._until = 0
        self.said = ""
        self.seconds = 0.0
        self.journal_end = 0
        self.appended_at: datetime | None = None
        self.next_appended_at: datetime | None = None

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
        return Book(self._store.rows, settings.tenant, settings.book)

    @property
    def catalog(self) -> Catalog:
        """See `Desk`."""
        return Catalog(self.book)

    @property
    def alerts(self) -> Sequence[Alert]:
        """See `Desk`."""
        return self._silent.alerts

    @property
    def next_offset(self) -> int:
        """See `Desk`: where the past ends."""
        return self._until

    @property
    def at(self) -> datetime:
        """See `Desk`: when the last record of this past was appended."""
        return self.appended_at or _EPOCH

    @property
    def records(self) -> int:
        """How many records were read, those of other books in the partition included."""
        return self._silent.tally.records

    def digest(self) -> str:
        """The hash over all rows."""
        with StoreView(self._store_path) as view:
            return view.digest()

    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        with StoreView(self._store_path) as view:
            return view.counts()

    def close(self) -> None:
        """Give the rows up."""
        self._store.close()

    async def go_to(self, when: int | datetime | None) -> None:
        """Fold the journal up to a place, None for its end; CommandFailed when it lies beyond that."""
        span = await self._span()
        self.journal_end = span.end
        self._until = await self._offset_of(when, span)
        async for raw in self._reader.read(JOURNAL, self._partition, span.beginning, self._until):
            self._silent.apply(raw)
            self.appended_at = _appended_at(raw[-1])
        async for raw in self._reader.read(JOURNAL, self._partition, self._until, min(self._until + 1, span.end)):
            self.next_appended_at = _appended_at(raw[0])

    async def _span(self) -> Span:
        span = (await spans(self._connection, [JOURNAL]))[JOURNAL, self._partition]
        if span.beginning > 0:
            message = f"The journal begins at offset {span.beginning}: what stood before is gone."
            raise CommandFailed("journal_cut", message, "Restore the topics from a backup.", Exit.REFUSED)
        return span

    async def _offset_of(self, when: int | datetime | None, span: Span) -> int:
        if when is None:
            return span.end
        if isinstance(when, datetime):
            found = await self._reader.first_after(JOURNAL, self._partition, when)
            return span.end if found is None else found
        if when > span.end:
            message = f"The journal has {span.end} records; {when} lies beyond its end."
            raise CommandFailed("moment_invalid", message, _ACCEPTED, Exit.NOT_FOUND)
        return when

    async def catch_up(self) -> None:
        """See `Desk`; the past does not go on."""

    async def journal(self) -> AsyncIterator[Sequence[tuple[int, Record]]]:
        """See `Desk`."""
        async for raw in self._reader.read(JOURNAL, self._partition, 0, self._until):
            found = [(one.offset, _read(one)) for one in raw]
            yield [(offset, record) for offset, record in found if record is not None and self._is_mine(record)]

    async def publish_orders(self, orders: Sequence[Order]) -> None:
        """Raises CommandFailed: the past cannot be changed."""
        raise _unchangeable()

    async def publish_entries(self, records: Iterable[EntryInput], on_published: OnPublished = no_report) -> None:
        """Raises CommandFailed: the past cannot be changed."""
        raise _unchangeable()

    async def verdicts(self, command_ids: Sequence[str], timeout_seconds: int) -> Mapping[str, Verdict]:
        """See `Desk`; nothing was sent, so nothing is answered."""
        return {}

    async def until(self, reached: Callable[[], bool], timeout_seconds: int) -> bool:
        """See `Desk`; what has not happened by then does not happen."""
        return reached()

    def _is_mine(self, record: Record) -> bool:
        settings = self._installation.settings
        return (record.envelope.tenant, record.envelope.book) == (settings.tenant, settings.book)


def _read(raw: RawRecord) -> Record | None:
    try:
        return decode(raw.value or b"")
    except NewerSchema:
        raise  # a past without it would be another one
    except Unreadable:
        return None


def _appended_at(raw: RawRecord) -> datetime:
    return _EPOCH + timedelta(milliseconds=raw.timestamp)


def _unchangeable() -> CommandFailed:
    return CommandFailed(
        "past_is_past", "A past state can be looked at, not changed.", "Leave --as-of out.", Exit.USAGE
    )


@asynccontextmanager
async def open_past(session: Session, installation: Installation, when: str) -> AsyncIterator[PastDesk]:
    """The project's book as it was; its rows live in a temporary folder for the length of the block."""
    place = moment(when, installation.settings.zone)
    async with running_broker(session, installation) as connection, partition_reader(connection) as reader:
        with tempfile.TemporaryDirectory(prefix="billstream-") as folder:
            desk = PastDesk(installation, connection, reader, Path(folder))
            clock = SystemClock()
            began_seconds = clock.monotonic_seconds()
            try:
                await desk.go_to(place)
                desk.said, desk.seconds = when, clock.monotonic_seconds() - began_seconds
                yield desk
            finally:
                desk.close()
