"""A document told from its totals down to the entries: taxes, held money, balances, buckets, lines, as recorded."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import islice

from billstream.cli.output import hours, money
from billstream.cli.results import StoryNode
from books.rows import DocumentRow
from schemas.draft import Charge, DraftBody, DraftLine, HeldMoneyUse, LineSource, RetainerBalance, TaxRow

SOURCES_SHOWN_MAX = 200
SHORT_ID = 12
HOUR_SECONDS = 3600


def node_of(text: str, *below: StoryNode, kind: str = "", facts: Mapping[str, str | int] | None = None) -> StoryNode:
    """A statement with what it rests on."""
    return StoryNode(text=text, below=below, kind=kind, facts=facts or {})


def name_of(row: DocumentRow) -> str:
    """What people call a document: its number, or the beginning of its id."""
    return row.number or row.document_id[:SHORT_ID]


def document_node(row: DocumentRow) -> StoryNode:
    """Which document something stands on."""
    text = f"On document {name_of(row)}, {row.state}, revision {row.revision}"
    return node_of(text, kind="document", facts=_facts_of(row))


def _facts_of(row: DocumentRow) -> dict[str, str | int]:
    return {
        "document_id": row.document_id,
        "number": row.number,
        "state": row.state,
        "revision": row.revision,
        "close_offset": row.close_offset,
    }


def document_story(row: DocumentRow, body: DraftBody) -> StoryNode:
    """The whole document: what its sums are made of, where its time went, and every line."""
    name = name_of(row)
    drafted = (
        f"Drafted from the journal up to offset {row.close_offset}, decisions up to {row.decided_offset}, "
        f"by code {row.code_version}"
    )
    return node_of(
        f"Document {name}, {row.state}, revision {row.revision}: {_sums(body)}",
        node_of(f"Client {body.scope.client_id}, contract {body.scope.contract_id}, {row.date_from}..{row.date_to}"),
        node_of(drafted),
        *body_nodes(body, name),
        kind="document",
        facts=_facts_of(row) | _totals_of(body),
    )


def preview_story(body: DraftBody) -> StoryNode:
    """The same of an invoice that nobody has drafted yet."""
    scope, period = body.scope, f"{body.scope.date_from}..{body.scope.date_to}"
    return node_of(
        f"Preview of {scope.client_id}, contract {scope.contract_id}, {period}: {_sums(body)}",
        *body_nodes(body, "preview"),
        kind="document",
        facts=_totals_of(body),
    )


def _sums(body: DraftBody) -> str:
    sums = f"net {money(body.net, body.currency)} + tax {money(body.tax, body.currency)}"
    return f"{sums} = {money(body.gross, body.currency)}"


def _totals_of(body: DraftBody) -> dict[str, str | int]:
    return {
        "net": f"{body.net:f}",
        "tax": f"{body.tax:f}",
        "gross": f"{body.gross:f}",
        "due": f"{body.due:f}",
        "currency": body.currency,
        "worked_seconds": body.worked_seconds,
    }


def body_nodes(body: DraftBody, name: str) -> Iterator[StoryNode]:
    """What stands below a document: each of its figures with what it rests on."""
    yield from (_tax_node(row, body.currency) for row in body.taxes)
    uses = tuple(_held_node(one, body.currency) for one in body.held_money)
    if uses or body.due != body.gross:
        text = f"Due: {money(body.gross, body.currency)} less what is paid = {money(body.due, body.currency)}"
        yield node_of(text, *uses, kind="due", facts={"gross": f"{body.gross:f}", "due": f"{body.due:f}"})
    yield from (_balance_node(one) for one in body.retainers)
    buckets = [
        node_of(
            f"{one.bucket.value} {one.reason}".strip() + f": {hours(one.seconds)} in {one.entries} entries",
            kind="bucket",
            facts={"bucket": one.bucket.value, "reason": one.reason, "seconds": one.seconds, "entries": one.entries},
        )
        for one in body.buckets
    ]
    yield node_of(f"Worked {hours(body.worked_seconds)}; every second is in one bucket", *buckets)
    yield from (
        node_of(f"Note: {one.text}", kind="finding", facts={"code": one.code}) for one in body.findings if one.text
    )
    if body.certificate is not None:
        said = body.certificate.statement
        text = f"Certificate of minutes {said[:SHORT_ID]}: `billstream verify` checks it from the journal"
        yield node_of(text, kind="certificate", facts={"statement": said})
    yield from (line_story(line, body.currency, name) for line in body.lines)


def _tax_node(row: TaxRow, currency: str) -> StoryNode:
    because = f" ({row.reason})" if row.reason else ""
    text = f"Tax {row.category} {row.rate:f} % of {money(row.base, currency)} = {money(row.tax, currency)}{because}"
    facts: dict[str, str | int] = {
        "category": row.category,
        "rate": f"{row.rate:f}",
        "base": f"{row.base:f}",
        "amount": f"{row.tax:f}",
        "reason": row.reason,
    }
    return node_of(text, kind="tax", facts=facts)


def _held_node(one: HeldMoneyUse, currency: str) -> StoryNode:
    """An account of the client's money before and after."""
    before, after = money(one.balance_before, currency), money(one.balance_after, currency)
    text = f"{one.name or one.held_id}: {before} + {money(one.received, currency)} received"
    text += f" - {money(one.applied, currency)} used here = {after}"
    if one.requested:
        text += f"; {money(one.requested, currency)} are asked for"
    facts: dict[str, str | int] = {
        "held_id": one.held_id,
        "before": f"{one.balance_before:f}",
        "received": f"{one.received:f}",
        "applied": f"{one.applied:f}",
        "after": f"{one.balance_after:f}",
        "requested": f"{one.requested:f}",
    }
    return node_of(text, kind="held_money", facts=facts)


def _balance_node(one: RetainerBalance) -> StoryNode:
    """The hours of a retainer or block over the period."""
    used = one.used_rolled_in_seconds + one.used_granted_seconds + one.used_deficit_seconds
    parts = {
        "rolled_in": one.rolled_in_seconds,
        "granted": one.granted_seconds,
        "used": used,
        "lapsed": one.lapsed_seconds,
        "credited": one.credited_seconds,
        "rolled_out": one.rolled_out_seconds,
        "owed_before": one.deficit_in_seconds,
        "owed_after": one.deficit_out_seconds,
        "beyond": one.beyond_seconds,
    }
    words = [f"{_hours_text(seconds)} {name.replace('_', ' ')}" for name, seconds in parts.items() if seconds]
    facts: dict[str, str | int] = {f"{name}_seconds": f"{seconds:f}" for name, seconds in parts.items()}
    text = f"Hours of {one.name or one.engagement_id}: " + (", ".join(words) or "nothing")
    return node_of(text, kind="balance", facts={"engagement": one.engagement_id, **facts})


def _hours_text(seconds: Decimal) -> str:
    return hours(int(seconds)) if seconds == int(seconds) else f"{seconds / HOUR_SECONDS:.4f} h"


def line_story(line: DraftLine, currency: str, name: str) -> StoryNode:
    """A line as it was recorded: its charges with their steps, and the entries."""
    quantity = f"{line.quantity} {line.unit} x {money(line.unit_price, currency)}"
    adjustment = f", adjustment {money(line.adjustment, currency)}" if line.adjustment else ""
    head = f"Line {line.position} '{line.text}': {quantity}{adjustment} = {money(line.amount, currency)}"
    return node_of(
        f"{head} (line {line.line_id}, document {name})",
        *(charge_story(charge, currency) for charge in line.charges),
        _sources_story(line.sources, currency),
        kind="line",
        facts={
            "line_id": line.line_id,
            "position": line.position,
            "kind": line.kind.value,
            "quantity": f"{line.quantity:f}",
            "unit_price": f"{line.unit_price:f}",
            "seconds": line.seconds,
            "adjustment": f"{line.adjustment:f}",
            "amount": f"{line.amount:f}",
            "currency": currency,
        },
    )


def charge_story(charge: Charge, currency: str) -> StoryNode:
    """A charge with its steps and the rates that lost, as recorded."""
    head = f"{charge.quantity} x {charge.unit_price} = {money(charge.amount, currency)}; rate: {charge.rate_origin}"
    return node_of(
        head,
        *(node_of(step, kind="step") for step in charge.steps),
        *(node_of(f"lost: {text}", kind="lost", facts={"candidate": text}) for text in charge.lost),
        kind="charge",
        facts={"seconds": charge.seconds, "unit_price": f"{charge.unit_price:f}", "amount": f"{charge.amount:f}"},
    )


def _sources_story(sources: Iterable[LineSource], currency: str) -> StoryNode:
    every = tuple(sources)
    shown = [
        node_of(
            f"{one.work_date} {one.person_id} {hours(one.worked_seconds)}"
            + (f" {one.delta_seconds:+d} s rounding" if one.delta_seconds else "")
            + f", {money(one.amount, currency)}: {one.description or '(no text)'} [{one.entry_id[:SHORT_ID]}]",
            kind="allocation",
            facts={
                "entry_id": one.entry_id,
                "work_date": one.work_date.isoformat(),
                "worked_seconds": one.worked_seconds,
                "delta_seconds": one.delta_seconds,
                "amount": f"{one.amount:f}",
            },
        )
        for one in islice(every, SOURCES_SHOWN_MAX)
    ]
    return node_of(f"From {len(every)} entries", *shown)
