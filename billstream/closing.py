"""Orders about documents: close, approve, issue, reject; each waits for its answer and shows the document."""

from collections.abc import Sequence
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
from books.catalog import Agreement
from books.rows import DocumentRow
from schemas.canonical import deterministic_id
from schemas.commands import ApproveDocument, CloseDocument, Command, IssueDocument, RejectDocument
from schemas.draft import DocumentScope, DocumentState
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
    agreements = agreements_of(desk, clients, period)
    at = now()
    commands = [_close_command(desk, one, period, at, order) for one in agreements]
    await desk.publish_orders(commands)
    return await _answers(desk, commands, [_about(one) for one in commands], order.wait_seconds)


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
    command_id, head = _head(desk, "close", {"scope": scope.model_dump()}, at)
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


def _head(desk: Desk, verb: str, named: dict[str, object], at: datetime) -> tuple[str, Envelope]:
    """The id of a command, which holds the moment it was given, and its envelope."""
    settings = desk.installation.settings
    command_id = deterministic_id(verb, {"tenant": settings.tenant, "book": settings.book, "at": at, **named})
    return command_id, envelope(desk.installation, command_id, at)


async def approve(desk: Desk, named: Sequence[str], order: Order, *, issue_too: bool) -> DocumentsResult:
    """Approve exactly the revisions that are there now; with `issue_too` also give them their numbers."""
    rows = await _documents(desk, named, DocumentState.DRAFT)
    at = now()
    commands: list[Command] = []
    for row in rows:
        command_id, head = _head(desk, "approve", {"document": row.document_id, "revision": row.revision}, at)
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
    result = await _answers(desk, commands, [row.document_id for row in rows], order.wait_seconds)
    if not issue_too or result.refused or result.waiting:
        return result
    return await issue(desk, [row.document_id for row in rows], order)


async def issue(desk: Desk, named: Sequence[str], order: Order) -> DocumentsResult:
    """Give approved documents their numbers."""
    rows = await _documents(desk, named, DocumentState.APPROVED)
    at = now()
    commands: list[Command] = []
    for row in rows:
        command_id, head = _head(desk, "issue", {"document": row.document_id}, at)
        person = speaker(desk.installation, order.person)
        commands.append(
            IssueDocument(
                envelope=head, command_id=command_id, person=person, reason=order.reason, document_id=row.document_id
            )
        )
    await desk.publish_orders(commands)
    return await _answers(desk, commands, [row.document_id for row in rows], order.wait_seconds)


async def reject(desk: Desk, named: Sequence[str], order: Order) -> DocumentsResult:
    """Send drafts back with a comment; their time is unbilled again."""
    rows = await _documents(desk, named, DocumentState.DRAFT)
    at = now()
    commands: list[Command] = []
    for row in rows:
        command_id, head = _head(desk, "reject", {"document": row.document_id, "revision": row.revision}, at)
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
    return await _answers(desk, commands, [row.document_id for row in rows], order.wait_seconds)


async def _documents(desk: Desk, named: Sequence[str], state: DocumentState) -> list[DocumentRow]:
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


async def _answers(desk: Desk, commands: Sequence[Command], about: Sequence[str], wait_seconds: int) -> DocumentsResult:
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
            row = _row_of(rows, command)
            documents.append(document_item(desk, row, verdict.missing))
    return DocumentsResult(documents=tuple(documents), refused=tuple(refused), waiting=tuple(waiting))


def _row_of(rows: Sequence[DocumentRow], command: Command) -> DocumentRow:
    """The document a carried-out command is about."""
    match command:
        case CloseDocument():
            scope = command.scope
            key = (scope.contract_id, scope.date_from.isoformat(), scope.date_to.isoformat())
            return next(row for row in rows if (row.contract_id, row.date_from, row.date_to) == key)
        case ApproveDocument() | IssueDocument() | RejectDocument():
            return next(row for row in rows if row.document_id == command.document_id)
        case _:
            raise AssertionError(f"{command.schema_name} is not about a document")


def _about(command: CloseDocument) -> str:
    return f"{command.scope.client_id} {command.scope.date_from}..{command.scope.date_to}"
