"""A desk without a broker: its journal is a list, and it does a worker's part at once. For previews and tests.

Documents are not delivered from here; requests for delivery stay open.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import datetime

from billstream.dead_letters.memory import MemoryLetters
from billstream.dead_letters.port import Raw
from billstream.follower import Verdict, Verdicts
from billstream.gateway import EntryInput, OnPublished, Order, no_report
from billstream.project import now
from billstream.settings import Installation
from books.book import Book
from books.catalog import Catalog
from books.local import LocalJournal
from schemas.inputs import Decision
from schemas.outputs import Alert
from schemas.values import Record
from schemas.work import DecideEntry, DeliverDocument

Decide = Callable[[DecideEntry], Decision]


class MemoryDesk:
    """The whole conveyor in one object: records go in, facts and decisions are read back until nothing is left."""

    def __init__(self, installation: Installation, decide: Decide) -> None:
        self._installation = installation
        self._decide = decide
        self._journal = LocalJournal(self._answer)
        self._noted = 0
        self._watched: set[str] = set()
        self.letters = MemoryLetters(installation)
        self._verdicts = Verdicts()

    @property
    def installation(self) -> Installation:
        """See `Desk`."""
        return self._installation

    @property
    def broker(self) -> str:
        """See `Desk`."""
        return "memory"

    @property
    def book(self) -> Book:
        """See `Desk`."""
        settings = self._installation.settings
        return Book(self._journal.rows, settings.tenant, settings.book)

    @property
    def catalog(self) -> Catalog:
        """See `Desk`."""
        return Catalog(self.book)

    @property
    def next_offset(self) -> int:
        """See `Desk`."""
        return len(self._journal.records)

    @property
    def records(self) -> Sequence[Record]:
        """The journal."""
        return self._journal.records

    @property
    def alerts(self) -> Sequence[Alert]:
        """See `Desk`."""
        return self._journal.alerts

    @property
    def at(self) -> datetime:
        """See `Desk`."""
        return now()

    async def catch_up(self) -> None:
        """See `Desk`; there is nothing to wait for."""

    async def journal(self) -> AsyncIterator[Sequence[tuple[int, Record]]]:
        """See `Desk`."""
        yield list(enumerate(self._journal.records))

    async def publish_orders(self, orders: Sequence[Order]) -> None:
        """See `Desk`."""
        self.append(orders)

    async def publish_entries(self, records: Iterable[EntryInput], on_published: OnPublished = no_report) -> None:
        """See `Desk`."""
        every = list(records)
        self.append(every)
        on_published(len(every))

    async def verdicts(self, command_ids: Sequence[str], timeout_seconds: int) -> Mapping[str, Verdict]:
        """See `Desk`; every answer is there at once."""
        book = self.book
        found = {command_id: self._verdicts.of(command_id, book) for command_id in command_ids}
        return {command_id: verdict for command_id, verdict in found.items() if verdict is not None}

    async def until(self, reached: Callable[[], bool], timeout_seconds: int) -> bool:
        """See `Desk`; whatever follows has followed already."""
        return reached()

    def append(self, records: Sequence[Record]) -> None:
        """Put any records into the journal, clock ticks for example."""
        self._journal.append(*records)
        self._verdicts.note(self._journal.records[self._noted :])
        self._noted = len(self._journal.records)

    async def send_again(self, raws: Iterable[Raw]) -> None:
        """See `LetterDesk`; what a worker would not take becomes a letter at once."""
        for one in raws:
            record = self.letters.taken(one)
            if record is not None:
                self.append([record])

    def watch(self, event_ids: Iterable[str]) -> None:
        """See `LetterDesk`."""
        self._watched |= set(event_ids)

    @property
    def arrivals(self) -> Mapping[str, str]:
        """See `LetterDesk`."""
        unapplied = {offset: f"{reason}: {detail}" for offset, reason, detail in self._journal.unapplied}
        return {
            record.envelope.event_id: unapplied.get(offset, "")
            for offset, record in enumerate(self._journal.records)
            if record.envelope.event_id in self._watched
        }

    def _answer(self, request: DecideEntry | DeliverDocument) -> Record | None:
        return self._decide(request) if isinstance(request, DecideEntry) else None
