"""What a breach of conservation does to the command that met it: refused and alerted, and the book goes on (rule 8)."""

from decimal import Decimal

from books.book import Book
from books.effects import Cause, Effects
from books.facts import propose, refuse
from schemas.canonical import deterministic_id
from schemas.commands import Command
from schemas.draft import DocumentScope
from schemas.errors import ConservationBroken
from schemas.facts import AlertRaised

CONSERVATION_BREAK = "conservation_break"


def refuse_breach(
    book: Book,
    command: Command,
    scope: DocumentScope,
    breach: ConservationBroken,
    cause: Cause,
    effects: Effects,
    document_id: str = "",
) -> None:
    """Refuse a close or an approval whose invoice does not add up, and tell whoever reads the alerts."""
    refuse(book, command, "conservation_broken", breach.message, cause, effects, scope, document_id)
    identity = {"tenant": book.tenant, "book": book.book, "kind": CONSERVATION_BREAK, "command": command.command_id}
    fact_id = deterministic_id("alert", identity)
    alert = AlertRaised(
        envelope=cause.envelope("fact", fact_id),
        fact_id=fact_id,
        kind=CONSERVATION_BREAK,
        client_id=scope.client_id,
        contract_id=scope.contract_id,
        cap="",
        pool="",
        window=f"{scope.date_from}/{scope.date_to}",
        thresholds=(),
        used_seconds=0,
        limit_seconds=0,
        used_percent=Decimal(0),
        cause_entry_id="",
        text=breach.message,
    )
    propose(book, alert, cause, effects)
