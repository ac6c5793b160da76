"""A fold of our own that follows the journal: the same rows as the workers have, and how each command ended."""

from collections.abc import Sequence
from dataclasses import dataclass

from books.book import Book
from books.catalog import Catalog
from books.effects import Effects
from books.facts import fact_id_of_command
from books.fold import Fold
from books.rows import OpenFactRow, SeenRow
from books.stores.memory import MemoryStore
from books.version import FOLD_VERSION
from schemas import facts
from schemas.commands import Command
from schemas.outputs import Alert
from schemas.values import Record


@dataclass(frozen=True)
class Verdict:
    """How a command ended: `reason` is empty when it was carried out."""

    command_id: str
    reason: str = ""
    detail: str = ""
    document_id: str = ""
    missing: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether the command was refused."""
        return bool(self.reason)


class Follower:
    """Rows of one book in memory; what the fold would publish is looked at and dropped, because workers publish it."""

    def __init__(self, tenant: str, book: str) -> None:
        self._store = MemoryStore(FOLD_VERSION)
        self._fold = Fold()
        self._verdicts: dict[str, Verdict] = {}
        self._orders: set[str] = set()
        self.book = Book(self._store.rows, tenant, book)
        self.alerts: list[Alert] = []

    @property
    def next_offset(self) -> int:
        """The journal offset after the last applied record."""
        return self._store.position.next_offset

    @property
    def catalog(self) -> Catalog:
        """The directory and contracts in force."""
        return Catalog(self.book)

    def apply(self, records: Sequence[tuple[int, Record]], next_offset: int) -> Effects:
        """Apply records of the journal, all below `next_offset`; records of other books are passed over."""
        effects = Effects()
        with self._store.transaction(self._store.position.next_offset, next_offset) as rows:
            for offset, record in records:
                if _belongs(record, self.book):
                    self._fold.apply(rows, offset, record, effects)
                    self._note(record)
        self.alerts += [alert for _, alert in effects.alerts]
        return effects

    def verdict(self, command_id: str) -> Verdict | None:
        """How a command ended; None while its answer is not in the journal yet."""
        known = self._verdicts.get(command_id)
        if known is not None or command_id not in self._orders or not self.book.has(SeenRow, command_id):
            return known
        # Orders about entries take effect where they stand; only a refusal of them is a fact.
        return None if self.book.has(OpenFactRow, fact_id_of_command(command_id)) else Verdict(command_id)

    def _note(self, record: Record) -> None:
        """Remember commands, and the first fact about each."""
        match record:
            case facts.CommandRefused():
                verdict = Verdict(record.command_id, record.reason, record.detail, record.document_id)
            case facts.DocumentDrafted():
                verdict = Verdict(record.command_id, missing=record.missing)
            case facts.DocumentApproved() | facts.DocumentIssued() | facts.DocumentVoided():
                verdict = Verdict(record.command_id, document_id=record.document_id)
            case Command():
                if record.schema_name not in _ANSWERED_BY_FACTS:
                    self._orders.add(record.command_id)
                return
            case _:
                return
        self._verdicts.setdefault(verdict.command_id, verdict)


_ANSWERED_BY_FACTS = frozenset({"close_document", "approve_document", "issue_document", "void_document"})


def _belongs(record: Record, book: Book) -> bool:
    envelope = record.envelope  # type: ignore[attr-defined]  # every record of the journal has one
    return bool(envelope.tenant == book.tenant and envelope.book == book.book)
