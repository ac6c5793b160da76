"""What a follower's book says about commands: how each ended, from the facts that were read back."""

from collections.abc import Iterable
from dataclasses import dataclass

from books.book import Book
from books.facts import fact_id_of_command
from books.rows import OpenFactRow, SeenRow
from schemas import facts
from schemas.commands import ApproveDocument, CloseDocument, Command, IssueDocument, VoidDocument
from schemas.values import Record

# Only these are carried out by a fact; every other order takes effect where it stands, and only its refusal is a fact.
_ANSWERED_BY_FACTS = (CloseDocument, ApproveDocument, IssueDocument, VoidDocument)


@dataclass(frozen=True)
class Verdict:
    """How a command ended: `reason` is empty when it was carried out."""

    command_id: str
    reason: str = ""
    detail: str = ""
    missing: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether the command was refused."""
        return bool(self.reason)


class Verdicts:
    """Collects the ends of commands while a journal is followed."""

    def __init__(self) -> None:
        self._found: dict[str, Verdict] = {}
        self._orders: set[str] = set()

    def note(self, records: Iterable[Record]) -> None:
        """Look at journal records in order; the first fact about a command counts."""
        for record in records:
            if isinstance(record, Command):
                if not isinstance(record, _ANSWERED_BY_FACTS):
                    self._orders.add(record.command_id)
            elif (verdict := _verdict_of(record)) is not None:
                self._found.setdefault(verdict.command_id, verdict)

    def of(self, command_id: str, book: Book) -> Verdict | None:
        """How a command ended; None while its answer is not in the journal yet."""
        known = self._found.get(command_id)
        if known is not None or command_id not in self._orders or not book.has(SeenRow, command_id):
            return known
        return None if book.has(OpenFactRow, fact_id_of_command(command_id)) else Verdict(command_id)


def _verdict_of(record: Record) -> Verdict | None:
    match record:
        case facts.CommandRefused():
            return Verdict(record.command_id, record.reason, record.detail)
        case facts.DocumentDrafted():
            return Verdict(record.command_id, missing=record.missing)
        case facts.DocumentApproved() | facts.DocumentIssued() | facts.DocumentVoided():
            return Verdict(record.command_id)
        case _:
            return None
