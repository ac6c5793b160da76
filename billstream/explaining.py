"""Why this amount, why this category, why not on the invoice: a tree from documents, lines and entries.

The figures come from the invoice computed once more (`billing.explained`); where its inputs changed since, from the
document as it was recorded.
"""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import islice
from pathlib import Path

from billing.explained import Explanations
from billing.invoice import Traced
from billing.nodes import Node, NodeKind
from billstream.cli.exits import Exit
from billstream.cli.failure import CommandFailed
from billstream.cli.output import hours, money
from billstream.cli.results import ExplainResult, StoryNode
from billstream.cli.running import collect_seldom
from billstream.cli.session import Session
from billstream.closing import find_document
from billstream.document_story import (
    charge_story,
    document_node,
    document_story,
    line_story,
    name_of,
    node_of,
    preview_story,
)
from billstream.entry_orders import find_entry
from billstream.file_preview import desk_of_files
from billstream.gateway import Desk
from billstream.reporting import fix_of, held_reason
from books.bodies import read_body
from books.duplicates import UNASSIGNED
from books.entries import decision_of, holds_of
from books.preview import preview
from books.rows import DocumentRow, EntryRow
from books.tracing import trace_document, trace_preview
from books.versions import is_deleted
from schemas.draft import DocumentScope, DraftBody, DraftLine
from schemas.entry import EVENT_KINDS
from schemas.inputs import RANK_ORDER

SHORTEST_LINE_ID = 6
PREVIEWS_LOOKED_AT_MAX = 100


def explain_files(session: Session, name: str, entries: Sequence[Path], contracts: Path | None) -> ExplainResult:
    """The same on files alone, without a broker: a line of a preview, or an entry that is on one or on none."""

    async def ask() -> ExplainResult:
        desk, _ = await desk_of_files(session, entries, contracts)
        return await explain(desk, name)

    collect_seldom()
    return asyncio.run(ask())


async def explain(desk: Desk, name: str) -> ExplainResult:
    """The story of a document, a line or an entry, or of a client's newest previews.

    A line is looked for in all documents, then in previews.
    """
    await desk.catch_up()
    rows = [row for _, row in desk.book.scan(DocumentRow)]
    bodies = [(row, read_body(desk.book, row.document_id)) for row in rows]
    for row, body in bodies:
        for line in body.lines:
            if _is_called(line.line_id, name):
                return ExplainResult(id=line.line_id, kind="line", story=(_line_tree(desk, row, body, line),))
    try:
        document = find_document(rows, name)
    except CommandFailed:
        document = None
    if document is not None:
        body = read_body(desk.book, document.document_id)
        return ExplainResult(id=document.document_id, kind="document", story=(document_story(document, body),))
    try:
        entry = find_entry(desk, name)
    except CommandFailed:
        return _previews_of(desk, name) or _previewed_line(desk, name)
    return ExplainResult(id=entry.entry_id, kind="entry", story=(_entry_story(desk, entry, bodies),))


def _is_called(identifier: str, name: str) -> bool:
    return identifier == name or (len(name) >= SHORTEST_LINE_ID and identifier.startswith(name))


def _previewed_line(desk: Desk, name: str) -> ExplainResult:
    """A line that is on no document yet; its id is the same in every preview of its period."""
    newest = islice(scopes_with_entries(desk), PREVIEWS_LOOKED_AT_MAX)
    for scope in newest if len(name) >= SHORTEST_LINE_ID else ():
        traced = trace_preview(desk.book, desk.catalog, scope)
        node = None if traced is None else Explanations(traced).line_of(name)
        if node is not None:
            where = node_of(f"On a preview of {scope.client_id}, {scope.date_from}..{scope.date_to}", kind="document")
            told = _told(desk, node)
            line = told.model_copy(update={"below": (where, *told.below)})
            return ExplainResult(id=str(node.facts["line_id"]), kind="line", story=(line,))
    message = f"Nothing is called '{name}': no line, document, entry or client."
    fix = "`billstream status` lists documents, `billstream preview` and `entries held` list the rest."
    if len(name) < SHORTEST_LINE_ID:
        fix = f"Write at least {SHORTEST_LINE_ID} characters of an id. {fix}"
    raise CommandFailed("not_found", message, fix, Exit.NOT_FOUND)


def _previews_of(desk: Desk, name: str) -> ExplainResult | None:
    """The newest preview of each contract of a client, or of one contract; None when nothing is called so."""
    newest: dict[str, DocumentScope] = {}
    for scope in scopes_with_entries(desk):
        if name in (scope.client_id, scope.contract_id):
            newest.setdefault(scope.contract_id, scope)
    bodies = (preview(desk.book, desk.catalog, scope) for scope in newest.values())
    story = tuple(preview_story(body) for body in bodies if body is not None)
    return ExplainResult(id=name, kind="preview", story=story) if story else None


def scopes_with_entries(desk: Desk) -> Iterator[DocumentScope]:
    """The billing periods of all contracts that have entries, the newest first."""
    found: set[tuple[date, date, str, str]] = set()
    for _, row in desk.book.scan(EntryRow):
        agreement = desk.catalog.agreements.get(row.contract_id)
        if agreement is not None and row.local_date:
            period = agreement.compiled.period_of(date.fromisoformat(row.local_date))
            found.add((period.start, period.end, agreement.client_id, agreement.contract_id))
    for start, end, client, contract in sorted(found, reverse=True):
        yield DocumentScope(client_id=client, contract_id=contract, date_from=start, date_to=end)


def _told(desk: Desk, node: Node) -> StoryNode:
    """A node of billing with what only the book knows: who decided, and why."""
    below = [_told(desk, one) for one in node.below if node.kind is not NodeKind.ENTRY]
    if node.kind is NodeKind.ENTRY:
        row = desk.book.get(EntryRow, str(node.facts["entry_id"]))
        known = row is not None and row.content == node.facts["version"]
        for one in node.below:
            is_decision = one.kind is NodeKind.DECISION and known and row is not None
            below.append(_decision_story(row) if is_decision and row is not None else _told(desk, one))
    return StoryNode(text=node.text, kind=node.kind.value, facts=node.facts, below=tuple(below))


def _line_tree(desk: Desk, row: DocumentRow, body: DraftBody, line: DraftLine) -> StoryNode:
    """The whole tree of a line as it is computed once more; as recorded, when its inputs changed since."""
    if line.corrects:
        recorded = line_story(line, body.currency, name_of(row))
        below = (document_node(row), *_corrected_nodes(body, line), *recorded.below)
        return recorded.model_copy(update={"below": below})
    traced = trace_document(desk.book, row.document_id)
    node = None if traced is None else Explanations(traced).line_of(line.line_id)
    if node is None or node.facts["amount"] != f"{line.amount:f}":
        recorded = line_story(line, body.currency, name_of(row))
        note = node_of("As recorded: entries or decisions changed since, so the tree cannot be computed again")
        return recorded.model_copy(update={"below": (document_node(row), note, *recorded.below)})
    told = _told(desk, node)
    return told.model_copy(update={"below": (document_node(row), *told.below)})


def _corrected_nodes(body: DraftBody, line: DraftLine) -> Iterator[StoryNode]:
    """What an adjustment changes, line by line, and what stands against what of the documents that it corrects."""
    reason = "" if line.correction_reason is None else line.correction_reason.value
    for one in line.corrects:
        text = f"Corrects line {one.line_id} of document {one.number or one.document_id[:12]}: "
        facts: dict[str, str | int] = {
            "line_id": one.line_id,
            "document_id": one.document_id,
            "seconds": one.seconds,
            "amount": f"{one.amount:f}",
            "reason": reason,
        }
        yield node_of(f"{text}{money(one.amount, body.currency)} ({reason})", kind="correction", facts=facts)
    named = {one.document_id for one in line.corrects}
    for document in body.corrections:
        if document.document_id in named:
            standing, fresh = money(document.standing, body.currency), money(document.fresh, body.currency)
            yield node_of(
                f"Document {document.number}: {standing} stood, today's facts give {fresh}", kind="correction"
            )


def _entry_story(desk: Desk, row: EntryRow, bodies: list[tuple[DocumentRow, DraftBody]]) -> StoryNode:
    said = f"{row.source} of {row.account}, id {row.source_entry_id}, revision {row.source_revision}"
    known: dict[str, str | int] = {
        "client": "" if row.client_id == UNASSIGNED else row.client_id,
        "person": row.person_id,
        "role": row.role,
        "project": row.project_id,
        "contract": row.contract_id,
    }
    refs = f"'{row.person_ref}' for '{row.client_ref}' / '{row.project_ref}' / '{row.task_ref}'"
    return node_of(
        f"Entry {row.entry_id}: {hours(row.worked_seconds)} on {row.local_date or row.work_date}, '{row.description}'",
        node_of(f"As the source has it: {said}, {refs}", kind="source", facts=_source_facts(row)),
        node_of(
            f"Understood as: client {known['client'] or '?'}, person {row.person_id or '?'}, role {row.role or '?'}, "
            f"project {row.project_id or '?'}, contract {row.contract_id or 'none'}",
            kind="understood",
            facts=known,
        ),
        _decision_story(row),
        *_state_story(row),
        *(node_of(f"Counts {hours(part.seconds)} towards {_readable(part.key)}") for part in row.caps),
        *_whereabouts(desk, row, bodies),
        kind="entry",
        facts={
            "entry_id": row.entry_id,
            "version": row.content,
            "worked_seconds": row.worked_seconds,
            "work_date": row.local_date or row.work_date,
            "description": row.description,
        },
    )


def _source_facts(row: EntryRow) -> dict[str, str | int]:
    return {
        "source": row.source,
        "account": row.account,
        "source_entry_id": row.source_entry_id,
        "revision": row.source_revision,
        "person": row.person_ref,
        "client": row.client_ref,
        "project": row.project_ref,
        "task": row.task_ref,
    }


def _readable(key: str) -> str:
    return key.replace("\x1f", " / ")


def _decision_story(row: EntryRow) -> StoryNode:
    part = decision_of(row)
    if part is None:
        says_itself = f"Nobody is asked what it is: it says itself that it is of kind {row.kind}"
        return node_of(says_itself if row.kind in EVENT_KINDS else "Not decided yet")
    rank = next((one.value for one, order in RANK_ORDER.items() if order == part.rank), "unknown")
    head = f"Decided {part.category} by {part.decider} ({rank}), confidence {part.confidence}"
    facts: dict[str, str | int] = {
        "category": part.category,
        "confidence": part.confidence,
        "decider": part.decider,
        "rank": rank,
    }
    return node_of(head, *(node_of(f"because {text}") for text in part.evidence), kind="decision", facts=facts)


def _state_story(row: EntryRow) -> list[StoryNode]:
    found = [node_of("Deleted at its source")] if is_deleted(row) else []
    holds = [(hold.reason, hold.detail) for hold in holds_of(row)]
    reason = held_reason(row)
    if reason and reason not in (one for one, _ in holds):
        holds.append((reason, ""))
    for name, detail in holds:
        about = f"Held: {name}" + (f", {detail}" if detail else "")
        fix = fix_of(name, row.entry_id)
        facts: dict[str, str | int] = {"reason": name, "detail": detail, "fix": fix}
        found.append(node_of(about, node_of(f"Settle it: {fix}"), kind="hold", facts=facts))
    if row.written_off:
        found.append(node_of(f"Written off by {row.written_off}"))
    return found


def _whereabouts(desk: Desk, row: EntryRow, bodies: list[tuple[DocumentRow, DraftBody]]) -> list[StoryNode]:
    """Where the entry's time is: on lines, or elsewhere with a reason; from a preview while nothing is drafted."""
    found: list[StoryNode] = []
    for document, body in bodies:
        recorded = _in_body(row.entry_id, body, f"document {document.number or document.document_id[:12]}")
        if recorded:
            traced = trace_document(desk.book, document.document_id)
            found.append(document_node(document))
            found += _traced_entry(desk, traced, row.entry_id) or recorded
    if found:
        return found
    if not row.contract_id or not row.local_date:
        return [node_of("On no document")]
    agreement = desk.catalog.agreements.get(row.contract_id)
    if agreement is None:
        return [node_of("On no document")]
    period = agreement.compiled.period_of(date.fromisoformat(row.local_date))
    scope = DocumentScope(
        client_id=row.client_id, contract_id=row.contract_id, date_from=period.start, date_to=period.end
    )
    told = _traced_entry(desk, trace_preview(desk.book, desk.catalog, scope), row.entry_id)
    return [node_of(f"On a preview of {period.text}", *told, kind="document")] if told else [node_of("On no document")]


def _traced_entry(desk: Desk, traced: Traced | None, entry_id: str) -> list[StoryNode]:
    """What a computed invoice did with an entry: everything but the entry itself, which is told already."""
    node = None if traced is None else Explanations(traced).entry(entry_id)
    kept = () if node is None else (one for one in node.below if one.kind is not NodeKind.DECISION)
    return [_told(desk, one) for one in kept]


def _in_body(entry_id: str, body: DraftBody, where: str) -> list[StoryNode]:
    found = [
        node_of(
            f"On {where}, line {line.position} '{line.text}' [{line.line_id}]: {hours(source.worked_seconds)}, "
            f"{money(source.amount, body.currency)}",
            *(charge_story(charge, body.currency) for charge in line.charges),
        )
        for line in body.lines
        for source in line.sources
        if source.entry_id == entry_id
    ]
    found += [
        node_of(f"On {where} as {one.bucket.value}: {hours(one.seconds)}, {one.reason} {one.detail}".rstrip())
        for one in body.placements
        if one.entry_id == entry_id
    ]
    return found
