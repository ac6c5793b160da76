"""Rows and bodies of documents as the published answers show them."""

from collections.abc import Iterable

from billstream.cli.results import BucketItem, DocumentItem, LineItem, MoneyTotals
from billstream.gateway import Desk
from books.bodies import read_body
from books.book import SEPARATOR
from books.rows import DocumentRow, ReceiptRow
from schemas.draft import DraftBody


def document_item(desk: Desk, row: DocumentRow, missing: Iterable[str] = ()) -> DocumentItem:
    """A stored document with what its sinks answered."""
    shown = body_item(read_body(desk.book, row.document_id))
    return shown.model_copy(
        update={
            "document_id": row.document_id,
            "state": row.state,
            "revision": row.revision,
            "number": row.number,
            "content": row.content,
            "missing": tuple(missing),
            "files": _files(desk, row.document_id),
        }
    )


def _files(desk: Desk, document_id: str) -> tuple[str, ...]:
    """Where the sinks put a document: paths below the project's folder, or the sink's own word for the place."""
    sinks = desk.installation.settings.sinks
    found = set()
    for key, receipt in desk.book.scan(ReceiptRow, document_id):
        sink = sinks.get(key.rsplit(SEPARATOR, 1)[1])
        if receipt.location:
            found.add(receipt.location if sink is None else str(sink.folder / receipt.location))
    return tuple(sorted(found))


def body_item(body: DraftBody) -> DocumentItem:
    """A body, stored or not."""
    return DocumentItem(
        client=body.scope.client_id,
        contract=body.scope.contract_id,
        date_from=body.scope.date_from,
        date_to=body.scope.date_to,
        state="preview",
        totals=MoneyTotals(net=body.net, tax=body.tax, gross=body.gross, due=body.due, currency=body.currency),
        worked_seconds=body.worked_seconds,
        lines=tuple(
            LineItem(
                line_id=line.line_id,
                text=line.text,
                seconds=line.seconds,
                quantity=line.quantity,
                unit=line.unit,
                unit_price=line.unit_price,
                adjustment=line.adjustment,
                amount=line.amount,
            )
            for line in body.lines
        ),
        buckets=tuple(
            BucketItem(bucket=one.bucket.value, reason=one.reason, seconds=one.seconds, entries=one.entries)
            for one in body.buckets
        ),
        findings=tuple(finding.text for finding in body.findings),
    )
