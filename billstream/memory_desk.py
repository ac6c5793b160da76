"""A desk without a broker: its journal is a list, and it does a worker's part at once. For previews and tests.

Documents are not delivered from here; requests for delivery stay open.
"""

from collections.abc import Callable, Mapping, Sequence

from billstream.follower import Follower, Verdict
from billstream.gateway import EntryInput, OnPublished, Order, no_report
from billstream.settings import Installation
from books.book import Book
from books.catalog import Catalog
from books.effects import Effects
from schemas.inputs import Decision
from schemas.outputs import Alert
from schemas.values import Record
from schemas.work import DecideEntry

Decide = Callable[[DecideEntry], Decision]
ROUNDS_MAX = 1_000


class MemoryDesk:
    """The whole conveyor in one object: records go in, facts and decisions are read back until nothing is left."""

    def __init__(self, installation: Installation, decide: Decide) -> None:
        self._installation = installation
        self._decide = decide
        self._follower = Follower(installation.settings.tenant, installation.settings.book)

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
        return self._follower.book

    @property
    def catalog(self) -> Catalog:
        """See `Desk`."""
        return self._follower.catalog

    @property
    def next_offset(self) -> int:
        """See `Desk`."""
        return self._follower.next_offset

    @property
    def alerts(self) -> Sequence[Alert]:
        """All alerts so far."""
        return self._follower.alerts

    async def catch_up(self) -> None:
        """See `Desk`; there is nothing to wait for."""

    async def publish_orders(self, orders: Sequence[Order]) -> None:
        """See `Desk`."""
        self._append(orders)

    async def publish_entries(self, records: Sequence[EntryInput], on_published: OnPublished = no_report) -> None:
        """See `Desk`."""
        self._append(records)
        on_published(len(records))

    async def verdicts(self, command_ids: Sequence[str], timeout_seconds: int) -> Mapping[str, Verdict]:
        """See `Desk`."""
        found = {command_id: self._follower.verdict(command_id) for command_id in command_ids}
        return {command_id: verdict for command_id, verdict in found.items() if verdict is not None}

    def append(self, records: Sequence[Record]) -> None:
        """Put any records into the journal, clock ticks for example."""
        self._append(records)

    def _append(self, records: Sequence[Record]) -> None:
        pending: Sequence[Record] = records
        for _ in range(ROUNDS_MAX):
            if not pending:
                return
            start = self._follower.next_offset
            effects = self._follower.apply(list(enumerate(pending, start)), start + len(pending))
            pending = self._answers(effects)
        raise AssertionError("the fold keeps proposing")

    def _answers(self, effects: Effects) -> list[Record]:
        proposed: list[Record] = [fact for _, fact in effects.facts]
        proposed += [self._decide(work) for _, work in effects.work if isinstance(work, DecideEntry)]
        return proposed
