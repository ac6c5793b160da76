"""Why this amount, why this category, why not on the invoice: a tree from documents, lines and entries.

The figures come from the invoice computed once more (`billing.explained`); where its inputs changed since, from the
document as it was recorded.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import islice

from billing.explained import Explanations
from billing.invoice import Traced
from billing.nodes import Node, NodeKind
from billstream.cli.exits import Exit
from billstream.cli.failure import CommandFailed
from billstream.cli.output import hours, money
from billstream.cli.results import ExplainResult, StoryNode
from billstream.closing import find_document
from billstream.entry_orders import find_entry
from billstream.gateway import Desk
from billstream.reporting import held_reason
from books.bodies import read_body
from books.entries import decision_of, holds_of
from books.rows import DecisionPart, DocumentRow, EntryRow
from books.tracing import trace_document, trace_preview
from books.versions import is_deleted
from schemas.draft import Charge, DocumentScope, DraftBody, DraftLine, LineSource
from schemas.inputs import RANK_ORDER

SHORTEST_LINE_ID = 6
SOURCES_SHOWN_MAX = 200
PREVIEWS_LOOKED_AT_MAX = 100


async def explain(desk: Desk, name: str) -> ExplainResult:
    """The story of a document, a line or an entry; a line is looked for in all documents, then in previews."""
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
        return ExplainResult(id=document.document_id, kind="document", story=(_document_story(document, body),))
    try:
        entry = find_entry(desk, name)
    except CommandFailed:
        return _previewed_line(desk, name)
    return ExplainResult(id=entry.entry_id, kind="entry", story=(_entry_story(desk, entry, bodies),))


def _is_called(identifier: str, name: str) -> bool:
    return identifier == name or (len(name) >= SHORTEST_LINE_ID and identifier.startswith(name))


def _previewed_line(desk: Desk, name: str) -> ExplainResult:
    """A line that is on no document yet; its id is the same in every preview of its period."""
    newest = islice(_scopes_with_entries(desk), PREVIEWS_LOOKED_AT_MAX)
    for scope in newest if len(name) >= SHORTEST_LINE_ID else ():
        traced = trace_preview(desk.book, desk.catalog, scope)
        node = None if traced is None else Explanations(traced).line_of(name)
        if node is not None:
            where = _node(f"On a preview of {scope.client_id}, {scope.date_from}..{scope.date_to}", kind="document")
            told = _told(desk, node)
            line = told.model_copy(update={"below": (where, *told.below)})
            return ExplainResult(id=str(node.facts["line_id"]), kind="line", story=(line,))
    message = f"Nothing is called '{name}': no line, document or entry."
    fix = "`billstream status` lists documents, `billstream preview` and `entries held` list the rest."
    raise CommandFailed("not_found", message, fix, Exit.NOT_FOUND)


def _scopes_with_entries(desk: Desk) -> Iterator[DocumentScope]:
    """The billing periods of all contracts that have entries, the newest first."""
    found: set[tuple[date, date, str, str]] = set()
    for _, row in desk.book.scan(EntryRow):
        agreement = desk.catalog.agreements.get(row.contract_id)
        if agreement is not None and row.local_date:
            period = agreement.compiled.period_of(date.fromisoformat(row.local_date))
            found.add((period.start, period.end, agreement.client_id, agreement.contract_id))
    for start, end, client, contract in sorted(found, reverse=True):
        yield DocumentScope(client_id=client, contract_id=contract, date_from=start, date_to=end)


def _node(text: str, *below: StoryNode, kind: str = "", facts: Mapping[str, str | int] | None = None) -> StoryNode:
    return StoryNode(text=text, below=below, kind=kind, facts=facts or {})


def _told(desk: Desk, node: Node) -> StoryNode:
    """A node of billing with what only the book knows: who decided, and why."""
    below = [_told(desk, one) for one in node.below if node.kind is not NodeKind.ENTRY]
    if node.kind is NodeKind.ENTRY:
        row = desk.book.get(EntryRow, str(node.facts["entry_id"]))
        known = row is not None and row.content == node.facts["version"]
        for one in node.below:
            is_decision = one.kind is NodeKind.DECISION and known and row is not None
            below.append(_decision_story(decision_of(row)) if is_decision and row is not None else _told(desk, one))
    return StoryNode(text=node.text, kind=node.kind.value, facts=node.facts, below=tuple(below))


def _line_tree(desk: Desk, row: DocumentRow, body: DraftBody, line: DraftLine) -> StoryNode:
    """The whole tree of a line as it is computed once more; as recorded, when its inputs changed since."""
    if line.corrects:
        recorded = _line_story(row, body, line)
        below = (_document_node(row), *_corrected_nodes(body, line), *recorded.below)
        return recorded.model_copy(update={"below": below})
    traced = trace_document(desk.book, row.document_id)
    node = None if traced is None else Explanations(traced).line_of(line.line_id)
    if node is None or node.facts["amount"] != f"{line.amount:f}":
        recorded = _line_story(row, body, line)
        note = _node("As recorded: entries or decisions changed since, so the tree cannot be computed again")
        return recorded.model_copy(update={"below": (_document_node(row), note, *recorded.below)})
    told = _told(desk, node)
    return told.model_copy(update={"below": (_document_node(row), *told.below)})


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
        yield _node(f"{text}{money(one.amount, body.currency)} ({reason})", kind="correction", facts=facts)
    named = {one.document_id for one in line.corrects}
    for document in body.corrections:
        if document.document_id in named:
            standing, fresh = money(document.standing, body.currency), money(document.fresh, body.currency)
            yield _node(f"Document {document.number}: {standing} stood, today's facts give {fresh}", kind="correction")


def _document_node(row: DocumentRow) -> StoryNode:
    text = f"On document {row.number or row.document_id[:12]}, {row.state}, revision {row.revision}"
    facts: dict[str, str | int] = {
        "document_id": row.document_id,
        "number": row.number,
        "state": row.state,
        "revision": row.revision,
        "close_offset": row.close_offset,
    }
    return _node(text, kind="document", facts=facts)


def _document_story(row: DocumentRow, body: DraftBody) -> StoryNode:
    totals = f"net {money(body.net, body.currency)} + tax {money(body.tax, body.currency)}"
    head = f"Document {row.number or row.document_id[:12]}, {row.state}, revision {row.revision}"
    buckets = [
        _node(f"{one.bucket.value} {one.reason}".strip() + f": {hours(one.seconds)} in {one.entries} entries")
        for one in body.buckets
    ]
    return _node(
        f"{head}: {totals} = {money(body.gross, body.currency)}",
        _node(f"Client {body.scope.client_id}, contract {body.scope.contract_id}, {row.date_from}..{row.date_to}"),
        _node(
            f"Drafted from the journal up to offset {row.close_offset}, decisions up to {row.decided_offset}, "
            f"by code {row.code_version}"
        ),
        _node(f"Worked {hours(body.worked_seconds)}; every second is in one bucket", *buckets),
        *_certificate_nodes(body),
        *(_line_story(row, body, line) for line in body.lines),
    )


def _certificate_nodes(body: DraftBody) -> list[StoryNode]:
    said = body.certificate
    if said is None:
        return []
    text = f"Certificate of minutes {said.statement[:12]}: `billstream verify` checks it from the journal"
    return [_node(text, kind="certificate", facts={"statement": said.statement})]


def _line_story(row: DocumentRow, body: DraftBody, line: DraftLine) -> StoryNode:
    quantity = f"{line.quantity} {line.unit} x {money(line.unit_price, body.currency)}"
    adjustment = f", adjustment {money(line.adjustment, body.currency)}" if line.adjustment else ""
    head = f"Line {line.position} '{line.text}': {quantity}{adjustment} = {money(line.amount, body.currency)}"
    return _node(
        f"{head} (line {line.line_id}, document {row.number or row.document_id[:12]})",
        *(_charge_story(charge, body.currency) for charge in line.charges),
        _sources_story(line.sources, body.currency),
    )


def _charge_story(charge: Charge, currency: str) -> StoryNode:
    head = f"{charge.quantity} x {charge.unit_price} = {money(charge.amount, currency)}; rate: {charge.rate_origin}"
    return _node(head, *(_node(step) for step in charge.steps), *(_node(f"lost: {text}") for text in charge.lost))


def _sources_story(sources: Iterable[LineSource], currency: str) -> StoryNode:
    every = tuple(sources)
    shown = [
        _node(
            f"{one.work_date} {one.person_id} {hours(one.worked_seconds)}"
            + (f" {one.delta_seconds:+d} s rounding" if one.delta_seconds else "")
            + f", {money(one.amount, currency)}: {one.description or '(no text)'} [{one.entry_id[:12]}]"
        )
        for one in islice(every, SOURCES_SHOWN_MAX)
    ]
    return _node(f"From {len(every)} entries", *shown)


def _entry_story(desk: Desk, row: EntryRow, bodies: list[tuple[DocumentRow, DraftBody]]) -> StoryNode:
    said = f"{row.source} of {row.account}, id {row.source_entry_id}, revision {row.source_revision}"
    refs = f"'{row.person_ref}' for '{row.client_ref}' / '{row.project_ref}' / '{row.task_ref}'"
    return _node(
        f"Entry {row.entry_id}: {hours(row.worked_seconds)} on {row.local_date or row.work_date}, '{row.description}'",
        _node(f"As the source has it: {said}, {refs}"),
        _node(
            f"Understood as: client {row.client_id or '?'}, person {row.person_id or '?'}, role {row.role or '?'}, "
            f"project {row.project_id or '?'}, contract {row.contract_id or 'none'}"
        ),
        _decision_story(decision_of(row)),
        *_state_story(row),
        *(_node(f"Counts {hours(part.seconds)} towards {_readable(part.key)}") for part in row.caps),
        *_whereabouts(desk, row, bodies),
    )


def _readable(key: str) -> str:
    return key.replace("\x1f", " / ")


def _decision_story(part: DecisionPart | None) -> StoryNode:
    if part is None:
        return _node("Not decided yet")
    rank = next((one.value for one, order in RANK_ORDER.items() if order == part.rank), "unknown")
    head = f"Decided {part.category} by {part.decider} ({rank}), confidence {part.confidence}"
    facts: dict[str, str | int] = {
        "category": part.category,
        "confidence": part.confidence,
        "decider": part.decider,
        "rank": rank,
    }
    return _node(head, *(_node(f"because {text}") for text in part.evidence), kind="decision", facts=facts)


def _state_story(row: EntryRow) -> list[StoryNode]:
    found = [_node("Deleted at its source")] if is_deleted(row) else []
    found += [_node(f"Held: {hold.reason}, {hold.detail}") for hold in holds_of(row)]
    reason = held_reason(row)
    if reason and not found:
        found.append(_node(f"Held: {reason}"))
    if row.written_off:
        found.append(_node(f"Written off by {row.written_off}"))
    return found


def _whereabouts(desk: Desk, row: EntryRow, bodies: list[tuple[DocumentRow, DraftBody]]) -> list[StoryNode]:
    """Where the entry's time is: on lines, or elsewhere with a reason; from a preview while nothing is drafted."""
    found: list[StoryNode] = []
    for document, body in bodies:
        recorded = _in_body(row.entry_id, body, f"document {document.number or document.document_id[:12]}")
        if recorded:
            traced = trace_document(desk.book, document.document_id)
            found.append(_document_node(document))
            found += _traced_entry(desk, traced, row.entry_id) or recorded
    if found:
        return found
    if not row.contract_id or not row.local_date:
        return [_node("On no document")]
    agreement = desk.catalog.agreements.get(row.contract_id)
    if agreement is None:
        return [_node("On no document")]
    period = agreement.compiled.period_of(date.fromisoformat(row.local_date))
    scope = DocumentScope(
        client_id=row.client_id, contract_id=row.contract_id, date_from=period.start, date_to=period.end
    )
    told = _traced_entry(desk, trace_preview(desk.book, desk.catalog, scope), row.entry_id)
    return [_node(f"On a preview of {period.text}", *told, kind="document")] if told else [_node("On no document")]


def _traced_entry(desk: Desk, traced: Traced | None, entry_id: str) -> list[StoryNode]:
    """What a computed invoice did with an entry: everything but the entry itself, which is told already."""
    node = None if traced is None else Explanations(traced).entry(entry_id)
    kept = () if node is None else (one for one in node.below if one.kind is not NodeKind.DECISION)
    return [_told(desk, one) for one in kept]


def _in_body(entry_id: str, body: DraftBody, where: str) -> list[StoryNode]:
    found = [
        _node(
            f"On {where}, line {line.position} '{line.text}' [{line.line_id}]: {hours(source.worked_seconds)}, "
            f"{money(source.amount, body.currency)}",
            *(_charge_story(charge, body.currency) for charge in line.charges),
        )
        for line in body.lines
        for source in line.sources
        if source.entry_id == entry_id
    ]
    found += [
        _node(f"On {where} as {one.bucket.value}: {hours(one.seconds)}, {one.reason} {one.detail}".rstrip())
        for one in body.placements
        if one.entry_id == entry_id
    ]
    return found
