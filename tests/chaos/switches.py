"""Protections switched off one by one, as patches of the product: who uses them must be seen to turn red.

The product has no such switches. `replace` is `setattr` in a process of its own, or a fixture that puts things back.
"""

from collections.abc import Callable

import books.entries
import books.facts
import books.versions
from books.book import Book
from books.effects import Cause, Effects
from books.fold import Fold
from books.rows import EntryRow
from books.stores.port import Mark, Rows
from schemas.codec import decode
from schemas.facts import Fact
from schemas.values import Record
from streams.agents.fold import FoldHandler, _Owned
from streams.agents.sequence import SequenceHandler
from streams.engine.batch import Batch, Settling
from streams.engine.publisher import Outgoing
from streams.tails import fingerprint
from streams.topics import DEAD_LETTERS

Replace = Callable[[object, str, object], None]
Die = Callable[[], None]


def version_order_off(replace: Replace, die: Die) -> None:
    """The last version to arrive counts."""

    def arrival(row: EntryRow, other: EntryRow) -> EntryRow:
        return books.versions._raised(row, other)

    replace(books.entries, "merge", arrival)


def outputs_first_off(replace: Replace, die: Die) -> None:
    """Rows and offset are committed, then outputs are published; the process may die between."""
    post = FoldHandler._post

    async def late(
        self: FoldHandler, owned: _Owned, batch: Batch, effects: Effects, letters: list[Outgoing]
    ) -> list[Settling]:
        owned.transaction.extend(batch.next_offset, Mark(batch.last_offset, fingerprint(batch.records[-1])))
        await owned.transaction.commit()
        if effects.documents and owned.caught_up:
            die()
        owned.transaction.begin(owned.next_offset)
        return await post(self, owned, batch, effects, letters)

    replace(FoldHandler, "_post", late)


def read_back_off(replace: Replace, die: Die) -> None:
    """A fact counts at once, in the rows of the one that proposes it; what stands in the journal comes too late."""
    apply = Fold.apply

    def at_once(self: Fold, rows: Rows, offset: int, record: Record, effects: Effects) -> None:
        known = len(effects.facts)
        apply(self, rows, offset, record, effects)
        envelope = record.envelope
        while known < len(effects.facts):
            framed = effects.facts[known]
            known += 1
            fact, book = decode(framed.value), Book(rows, framed.tenant, framed.book)
            assert isinstance(fact, Fact), type(fact).__name__
            story = envelope.correlation or envelope.event_id
            where = (framed.tenant, framed.book, envelope.recorded_at)
            cause = Cause(offset, envelope.event_id, story, *where, "chaos")
            if books.facts.settle(book, fact, offset):
                self._fact(book, fact, cause, effects)

    replace(Fold, "apply", at_once)


def dead_letters_off(replace: Replace, die: Die) -> None:
    """What cannot be read or applied is dropped."""
    outgoing = SequenceHandler._outgoing

    async def process(self: SequenceHandler, batch: Batch) -> Settling:
        found = [outgoing(self, batch, record, []) for record in batch.records]
        return await self._publisher.post([one for one in found if one.topic != DEAD_LETTERS])

    replace(SequenceHandler, "process", process)


SWITCHES: dict[str, Callable[[Replace, Die], None]] = {
    "version_order": version_order_off,
    "outputs_first": outputs_first_off,
    "read_back": read_back_off,
    "dead_letters": dead_letters_off,
}
