"""Proposing facts and requesting work: an open row keeps a proposal until it is read back from the journal (design
section 1).
"""

from collections.abc import Iterator

import msgspec

from books.book import SEPARATOR, Book
from books.effects import Cause, Effects, Framed
from books.rows import OpenFactRow, OpenWorkRow, SeenRow
from books.stores.port import Rows
from schemas.codec import encode
from schemas.commands import Command
from schemas.draft import DocumentScope
from schemas.facts import CommandRefused, Fact


def propose(book: Book, fact: Fact, cause: Cause, effects: Effects) -> None:
    """Ask for a fact to be appended, unless one of this id counted already or is on its way."""
    if not is_known(book, fact.fact_id):
        propose_framed(book, fact.fact_id, encode(fact), cause, effects)


def is_known(book: Book, fact_id: str) -> bool:
    """Whether a fact of this id counted already or is on its way."""
    return book.has(SeenRow, fact_id) or book.has(OpenFactRow, fact_id)


def propose_framed(book: Book, fact_id: str, value: bytes, cause: Cause, effects: Effects) -> None:
    """Ask for a framed fact to be appended; the caller knows that none of this id is known."""
    book.put(fact_id, OpenFactRow(origin_offset=cause.offset, value=value))
    effects.facts.append(Framed(cause.offset, book.tenant, book.book, fact_id, value))


def request_work(book: Book, request_id: str, value: bytes, cause: Cause, effects: Effects) -> None:
    """Ask for slow work with a framed request; the caller knows that this request is not open."""
    book.put(request_id, OpenWorkRow(origin_offset=cause.offset, value=value))
    effects.work.append(Framed(cause.offset, book.tenant, book.book, request_id, value))


def open_facts(rows: Rows) -> Iterator[Framed]:
    """All facts of a partition that were proposed and not read back, in origin order."""
    return _open(rows, OpenFactRow)


def open_work(rows: Rows) -> Iterator[Framed]:
    """All work of a partition without an answer, in origin order."""
    return _open(rows, OpenWorkRow)


def _open(rows: Rows, kind: type[OpenFactRow] | type[OpenWorkRow]) -> Iterator[Framed]:
    found = []
    for key, value in rows.scan(kind.table):
        tenant, book, identity = key.split(SEPARATOR, 2)
        row = msgspec.msgpack.decode(value, type=kind)
        found.append(Framed(row.origin_offset, tenant, book, identity, row.value))
    return iter(sorted(found, key=lambda framed: (framed.origin_offset, framed.identity)))


def settle(book: Book, fact: Fact, offset: int) -> bool:
    """Read a fact back: True when it is the first of its id, and so counts."""
    book.delete(OpenFactRow, fact.fact_id)
    if book.has(SeenRow, fact.fact_id):
        return False
    book.put(fact.fact_id, SeenRow(offset=offset))
    return True


def fact_id_of_command(command_id: str) -> str:
    """The fact id of a command's verdict; commands and facts are counted in one table, so it must differ from the
    command's.
    """
    return f"verdict:{command_id}"


def refuse(
    book: Book,
    command: Command,
    reason: str,
    detail: str,
    cause: Cause,
    effects: Effects,
    scope: DocumentScope | None = None,
    document_id: str = "",
) -> None:
    """Propose that a command is refused, with the reason code and a sentence."""
    fact_id = fact_id_of_command(command.command_id)
    fact = CommandRefused(
        envelope=cause.envelope("fact", fact_id),
        fact_id=fact_id,
        command_id=command.command_id,
        command=command.schema_name,
        scope=scope,
        document_id=document_id,
        reason=reason,
        detail=detail,
    )
    propose(book, fact, cause, effects)
