"""Orders about documents: close, approve, issue, reject; each waits for its answer and shows the document."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from billstream.cli.exits import Exit
from billstream.cli.failure import CommandFailed
from billstream.cli.results import DocumentsResult, RefusedItem
from billstream.configuration.problems import nearest
from billstream.gateway import Desk
from billstream.project import envelope, now, speaker
from billstream.showing import document_item
from books.bodies import read_body
from books.catalog import Agreement
from books.rows import DocumentRow
from schemas.canonical import deterministic_id
from schemas.commands import (
    ApproveDocument,
    CloseDocument,
    Command,
    IssueDocument,
    RejectDocument,
    ReopenPeriod,
    VoidDocument,
)
from schemas.draft import DocumentKind, DocumentScope, DocumentState
from schemas.envelope import Envelope
from schemas.period import Period

SHORTEST_DOCUMENT_ID = 6


@dataclass(frozen=True)
class Order:
    """Who orders, why, and how long to wait for the answer."""

    person: str
    reason: str
    wait_seconds: int


async def close(desk: Desk, clients: Sequence[str], period: Period, order: Order) -> DocumentsResult:
    """Close a period for the named clients, or for all that have a contract in it."""
    await desk.catch_up()
    return await close_each(desk, [(one, period) for one in agreements_of(desk, clients, period)], order)


async def close_each(desk: Desk, wanted: Iterable[tuple[Agreement, Period]], order: Order) -> DocumentsResult:
    """Close these periods of these contracts."""
    at = now()
    commands = [_close_command(desk, agreement, period, at, order) for agreement, period in wanted]
    await desk.publish_orders(commands)
    return await answers_about(desk, commands, [_about(one) for one in commands], order.wait_seconds)


def agreements_of(desk: Desk, clients: Sequence[str], period: Period) -> list[Agreement]:
    """The contracts of the clients (all, if none is named) that are valid on a day of the period."""
    catalog = desk.catalog
    people = catalog.people
    if people is None:
        fix = "Run `billstream contracts apply` first."
        raise CommandFailed("no_directory", "The book has no directory and no contracts yet.", fix, Exit.NOT_FOUND)
    known = {client.id for client in people.document.clients}
    for client in clients:
        if client not in known:
            raise CommandFailed(
                "client_unknown", f"There is no client '{client}'.", nearest(client, known), Exit.NOT_FOUND
            )
    days = [period.start + timedelta(days=day) for day in range((period.end - period.start).days)]
    found = [
        agreement
        for _, agreement in sorted(catalog.agreements.items())
        if (not clients or agreement.client_id in clients) and any(agreement.document.covers(day) for day in days)
    ]
    if not found:
        raise CommandFailed("no_contract", f"No contract is valid in {period.text}.", "", Exit.NOT_FOUND)
    return found


def _close_command(desk: Desk, agreement: Agreement, period: Period, at: datetime, order: Order) -> CloseDocument:
    scope = DocumentScope(
        client_id=agreement.client_id, contract_id=agreement.contract_id, date_from=period.start, date_to=period.end
    )
    command_id, head = head_of(desk, "close", {"scope": scope.model_dump()}, at)
    schedule = agreement.document.close
    wait = timedelta(minutes=desk.installation.settings.policy.decision_wait_minutes)
    end = datetime.combine(period.end, time(), ZoneInfo(agreement.document.zone))
    return CloseDocument(
        envelope=head,
        command_id=command_id,
        person=speaker(desk.installation, order.person),
        reason=order.reason,
        scope=scope,
        sources=schedule.wait_for,
        watermark_until=end if schedule.wait_for else None,
        wait_until=at + wait,
    )


def head_of(desk: Desk, verb: str, named: dict[str, object], at: datetime) -> tuple[str, Envelope]:
    """The id of a command, which holds the moment it was given, and its envelope."""
    settings = desk.installation.settings
    command_id = deterministic_id(verb, {"tenant": settings.tenant, "book": settings.book, "at": at, **named})
    return command_id, envelope(desk.installation, command_id, at)


async def approve(desk: Desk, named: Sequence[str], order: Order, *, issue_too: bool) -> DocumentsResult:
    """Approve exactly the revisions that are there now; with `issue_too` also give them their numbers."""
    rows, empty = with_lines(desk, named, await documents_named(desk, named, DocumentState.DRAFT))
    notes = [row for row in rows if row.kind == DocumentKind.CREDIT_NOTE.value]
    # What is billed anew waits for the credit note that gave it back.
    result = await _approve(desk, notes, order)
    others = await _approve(desk, [row for row in rows if row not in notes], order)
    result = joined(result, others).model_copy(update={"empty": empty})
    if not rows or not issue_too or result.refused or result.waiting:
        return result
    issued = await issue(desk, [row.document_id for row in rows], order)
    return issued.model_copy(update={"empty": empty})


def with_lines(
    desk: Desk, named: Sequence[str], rows: Sequence[DocumentRow]
) -> tuple[list[DocumentRow], tuple[str, ...]]:
    """Of all documents those with a line, and the ids of the others: nobody wants an invoice of nothing in the post, or
    a number for it, but who names it gets it.
    """
    if named:
        return list(rows), ()
    empty = {row.document_id for row in rows if not read_body(desk.book, row.document_id).lines}
    return [row for row in rows if row.document_id not in empty], tuple(sorted(empty))


async def _approve(desk: Desk, rows: Sequence[DocumentRow], order: Order) -> DocumentsResult:
    if not rows:
        return DocumentsResult(documents=())
    at = now()
    commands: list[Command] = []
    for row in rows:
        command_id, head = head_of(desk, "approve", {"document": row.document_id, "revision": row.revision}, at)
        person = speaker(desk.installation, order.person)
        commands.append(
            ApproveDocument(
                envelope=head,
                command_id=command_id,
                person=person,
                reason=order.reason,
                document_id=row.document_id,
                revision=row.revision,
                content=row.content,
            )
        )
    await desk.publish_orders(commands)
    return await answers_about(desk, commands, [row.document_id for row in rows], order.wait_seconds)


def joined(*results: DocumentsResult) -> DocumentsResult:
    """The answers of several groups of commands as one."""
    return DocumentsResult(
        documents=tuple(one for result in results for one in result.documents),
        refused=tuple(one for result in results for one in result.refused),
        waiting=tuple(one for result in results for one in result.waiting),
    )


async def issue(desk: Desk, named: Sequence[str], order: Order) -> DocumentsResult:
    """Give approved documents their numbers."""
    rows, empty = with_lines(desk, named, await documents_named(desk, named, DocumentState.APPROVED))
    at = now()
    commands: list[Command] = []
    for row in rows:
        command_id, head = head_of(desk, "issue", {"document": row.document_id}, at)
        person = speaker(desk.installation, order.person)
        commands.append(
            IssueDocument(
                envelope=head, command_id=command_id, person=person, reason=order.reason, document_id=row.document_id
            )
        )
    await desk.publish_orders(commands)
    result = await answers_about(desk, commands, [row.document_id for row in rows], order.wait_seconds)
    return result.model_copy(update={"empty": empty})


async def reject(desk: Desk, named: Sequence[str], order: Order) -> DocumentsResult:
    """Send drafts back with a comment; their time is unbilled again."""
    rows = await documents_named(desk, named, DocumentState.DRAFT)
    at = now()
    commands: list[Command] = []
    for row in rows:
        command_id, head = head_of(desk, "reject", {"document": row.document_id, "revision": row.revision}, at)
        person = speaker(desk.installation, order.person)
        commands.append(
            RejectDocument(
                envelope=head,
                command_id=command_id,
                person=person,
                reason=order.reason,
                document_id=row.document_id,
                revision=row.revision,
            )
        )
    await desk.publish_orders(commands)
    return await answers_about(desk, commands, [row.document_id for row in rows], order.wait_seconds)


async def documents_named(desk: Desk, named: Sequence[str], state: DocumentState) -> list[DocumentRow]:
    """The named documents, or all in this state when none is named; unknown ones are an error."""
    await desk.catch_up()
    rows = [row for _, row in desk.book.scan(DocumentRow)]
    if not named:
        found = [row for row in rows if row.state == state.value]
        if not found:
            raise CommandFailed("nothing_to_do", f"No document is in the state '{state.value}'.", "", Exit.NOT_FOUND)
        return found
    return [find_document(rows, name) for name in named]


def find_document(rows: Sequence[DocumentRow], name: str) -> DocumentRow:
    """The document of an id, a number, or the beginning of an id that fits only one."""
    exact = [row for row in rows if name in (row.document_id, row.number)]
    begins = [row for row in rows if len(name) >= SHORTEST_DOCUMENT_ID and row.document_id.startswith(name)]
    found = exact or begins
    if len(found) == 1:
        return found[0]
    said = f"'{name}' fits {len(found)} documents." if found else f"There is no document '{name}'."
    raise CommandFailed("document_unknown", said, "`billstream status` lists documents and their ids.", Exit.NOT_FOUND)


async def answers_about(
    desk: Desk, commands: Sequence[Command], about: Sequence[str], wait_seconds: int
) -> DocumentsResult:
    """Wait for the verdicts and show the documents they are about as they are now."""
    verdicts = await desk.verdicts([command.command_id for command in commands], wait_seconds)
    refused, waiting, documents = [], [], []
    rows = [row for _, row in desk.book.scan(DocumentRow)]
    for command, named in zip(commands, about, strict=True):
        verdict = verdicts.get(command.command_id)
        if verdict is None:
            waiting.append(command.command_id)
        elif verdict.refused:
            refused.append(
                RefusedItem(command_id=command.command_id, about=named, reason=verdict.reason, detail=verdict.detail)
            )
        else:
            documents += [document_item(desk, row, verdict.missing) for row in _rows_of(rows, command)]
    return DocumentsResult(documents=tuple(documents), refused=tuple(refused), waiting=tuple(waiting))


def _rows_of(rows: Sequence[DocumentRow], command: Command) -> list[DocumentRow]:
    """The documents a carried-out command is about; a close may draft credit notes beside its invoice."""
    match command:
        case CloseDocument():
            made = [row for row in rows if row.inputs.partition("-")[2] == command.command_id]
            return sorted(made, key=lambda row: (row.kind, row.date_from))
        case VoidDocument():
            return _voided(rows, command.document_id)
        case ReopenPeriod():
            return [row for row in rows if row.state == DocumentState.WITHDRAWN.value and _is_in(row, command.scope)]
        case ApproveDocument() | IssueDocument() | RejectDocument():
            return [row for row in rows if row.document_id == command.document_id]
        case _:
            raise AssertionError(f"{command.schema_name} is not about a document")


def _voided(rows: Sequence[DocumentRow], document_id: str) -> list[DocumentRow]:
    """A void document and the credit note that was issued with it: the newest of its period."""
    (row,) = [one for one in rows if one.document_id == document_id]
    same = (row.contract_id, row.date_from, row.date_to, DocumentKind.CREDIT_NOTE.value)
    notes = [one for one in rows if (one.contract_id, one.date_from, one.date_to, one.kind) == same]
    return [row, *sorted(notes, key=lambda one: one.sequence)[-1:]]


def _is_in(row: DocumentRow, scope: DocumentScope) -> bool:
    same = (row.client_id, row.contract_id) == (scope.client_id, scope.contract_id)
    return same and row.date_from < scope.date_to.isoformat() and scope.date_from.isoformat() < row.date_to


def _about(command: CloseDocument) -> str:
    return f"{command.scope.client_id} {command.scope.date_from}..{command.scope.date_to}"
