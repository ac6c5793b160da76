"""What people did about dead letters, as the journal tells it. The letters themselves lie in a topic of their own."""

from books.book import Book
from books.effects import Cause
from books.rows import LetterRow, Settlement
from schemas.canonical import instant_micros
from schemas.commands import SettleDeadLetter

SETTLEMENTS_KEPT = 50
"""Of one letter, the newest. More than one means that somebody changed their mind, or sent it again once more."""


def apply_settlement(book: Book, command: SettleDeadLetter, cause: Cause) -> None:
    """Note who did what about a letter. Nothing is refused: the fold does not see the letters, and the last word
    counts.
    """
    known = book.get(LetterRow, command.dead_letter_id)
    settlement = Settlement(
        outcome=command.outcome.value,
        person=command.person,
        reason=command.reason,
        at_micros=instant_micros(command.envelope.recorded_at),
        sent=command.sent,
        offset=cause.offset,
    )
    before = () if known is None else known.settlements
    book.put(command.dead_letter_id, LetterRow(settlements=(*before, settlement)[-SETTLEMENTS_KEPT:]))
