"""How the front door talks to a book: it publishes records, and it folds the journal itself to see what came of them.

No worker is asked for anything: the follower's rows are the same as the workers', because both apply one journal.
Two desks exist: one over Kafka, and one in memory for previews on files and for tests.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from billstream.follower import Verdict
from billstream.settings import Installation
from books.book import Book
from books.catalog import Catalog
from schemas.commands import Command
from schemas.entry import EntryVersion
from schemas.inputs import ContractRevision, DirectoryRevision, ExchangeRate, ImportCompleted, Payment, SourceWatermark
from schemas.outputs import Alert
from schemas.values import Record

EntryInput = EntryVersion | ImportCompleted | SourceWatermark
Order = Command | DirectoryRevision | ContractRevision | ExchangeRate | Payment
OnPublished = Callable[[int], None]


def no_report(published: int) -> None:
    """Tell nobody how many records are acknowledged."""


class Desk(Protocol):
    """A place from which one book is read and ordered about. Reading methods are as of the last `catch_up`."""

    @property
    def installation(self) -> Installation:
        """The project this desk belongs to."""

    @property
    def broker(self) -> str:
        """Where the journal lives, for people."""

    @property
    def book(self) -> Book:
        """The book's rows; never change them."""

    @property
    def catalog(self) -> Catalog:
        """The directory and contracts in force."""

    @property
    def alerts(self) -> Sequence[Alert]:
        """The alerts of the book, oldest first."""

    @property
    def next_offset(self) -> int:
        """The journal offset after the last record that the rows reflect."""

    @property
    def at(self) -> datetime:
        """The moment that the desk speaks of: now, but for a desk that shows the past."""

    async def catch_up(self) -> None:
        """Apply the journal up to its present end."""

    def journal(self) -> AsyncIterator[Sequence[tuple[int, Record]]]:
        """The book's records with their offsets, from the first one to the present end, in batches."""

    async def publish_orders(self, orders: Sequence[Order]) -> None:
        """Send commands and revisions; returns when the broker acknowledged all of them."""

    async def publish_entries(self, records: Iterable[EntryInput], on_published: OnPublished = no_report) -> None:
        """Send what a connector read, in order; returns when the broker acknowledged all of it."""

    async def verdicts(self, command_ids: Sequence[str], timeout_seconds: int) -> Mapping[str, Verdict]:
        """Follow the journal until each command has an answer or the time is over; those without one are left out."""

    async def until(self, reached: Callable[[], bool], timeout_seconds: int) -> bool:
        """Follow the journal until a condition of the rows holds; False when the time is over."""
