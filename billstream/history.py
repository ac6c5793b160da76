"""Orders that take something back: reopen a period, void a document; and the list of documents with credit notes."""

from collections.abc import Sequence

from billstream.cli.results import DocumentListResult, DocumentsResult, ListedDocument
from billstream.closing import Order, agreements_of, answers_about, documents_named, head_of
from billstream.gateway import Desk
from billstream.project import now, speaker
from books.bodies import read_body
from books.rows import DocumentRow
from schemas.commands import Command, ReopenPeriod, VoidDocument
from schemas.draft import DocumentScope, DocumentState
from schemas.period import Period


async def reopen(desk: Desk, clients: Sequence[str], period: Period, order: Order) -> DocumentsResult:
    """Withdraw what was drafted or approved of a period for the named clients; refused where something was issued."""
    await desk.catch_up()
    at = now()
    commands: list[Command] = []
    for agreement in agreements_of(desk, clients, period):
        scope = DocumentScope(
            client_id=agreement.client_id, contract_id=agreement.contract_id, date_from=period.start, date_to=period.end
        )
        command_id, head = head_of(desk, "reopen", {"scope": scope.model_dump()}, at)
        person = speaker(desk.installation, order.person)
        commands.append(
            ReopenPeriod(envelope=head, command_id=command_id, person=person, reason=order.reason, scope=scope)
        )
    await desk.publish_orders(commands)
    about = [agreement.client_id for agreement in agreements_of(desk, clients, period)]
    return await answers_about(desk, commands, [f"{one} {period.text}" for one in about], order.wait_seconds)


async def void(desk: Desk, named: Sequence[str], order: Order, *, rebill: bool) -> DocumentsResult:
    """Void issued documents through credit notes; with `rebill` what was credited may be billed again."""
    rows = await documents_named(desk, named, DocumentState.ISSUED)
    at = now()
    commands: list[Command] = []
    for row in rows:
        command_id, head = head_of(desk, "void", {"document": row.document_id}, at)
        person = speaker(desk.installation, order.person)
        commands.append(
            VoidDocument(
                envelope=head,
                command_id=command_id,
                person=person,
                reason=order.reason,
                document_id=row.document_id,
                rebill=rebill,
            )
        )
    await desk.publish_orders(commands)
    return await answers_about(desk, commands, [row.document_id for row in rows], order.wait_seconds)


async def list_documents(desk: Desk, clients: Sequence[str]) -> DocumentListResult:
    """All documents of the book, or of some clients, by client and period; credit notes name what they correct."""
    await desk.catch_up()
    rows = [row for _, row in desk.book.scan(DocumentRow) if not clients or row.client_id in clients]
    ordered = sorted(rows, key=lambda row: (row.client_id, row.date_from, row.contract_id, row.kind, row.sequence))
    return DocumentListResult(documents=tuple(_listed(desk, row) for row in ordered))


def _listed(desk: Desk, row: DocumentRow) -> ListedDocument:
    body = read_body(desk.book, row.document_id)
    return ListedDocument(
        document_id=row.document_id,
        kind=row.kind,
        client=row.client_id,
        contract=row.contract_id,
        date_from=body.scope.date_from,
        date_to=body.scope.date_to,
        state=row.state,
        revision=row.revision,
        number=row.number,
        net=body.net,
        gross=body.gross,
        currency=body.currency,
        corrects=tuple(one.number or one.document_id for one in body.corrections),
    )
