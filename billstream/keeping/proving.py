"""What has to hold before anything of a restored installation leaves: rows, documents, and what lies at the sinks."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from billstream.cli.keeping_results import ProofItem
from billstream.keeping.installation import StorePlace
from billstream.keeping.past import PastDesk
from billstream.keeping.rebuild import Rebuilder, Verdict
from billstream.verifying import verify_journal
from books.documents import CREDIT_NOTES, INVOICES
from books.effects import Effects
from books.rows import CounterRow
from runtime.errors import MachineryError
from runtime.kafka.listing import Span
from schemas.codec import decode
from schemas.errors import BillstreamError
from schemas.inputs import DeliveryState, SinkReceipt
from schemas.values import Record
from schemas.work import DeliverDocument
from sinks.base import DraftSink, confirm, draft_of, key_of

_NAMED_MAX = 5


@dataclass
class Deliveries:
    """The orders to deliver that a journal gives, and how each ended."""

    requests: dict[str, DeliverDocument] = field(default_factory=dict)
    receipts: dict[str, SinkReceipt] = field(default_factory=dict)

    def note_effects(self, effects: Effects) -> None:
        """Look at what the fold asked for."""
        for framed in effects.work:
            request = decode(framed.value) if framed.identity.startswith("deliver:") else None
            if isinstance(request, DeliverDocument):
                self.requests[request.request_id] = request

    def note_records(self, records: Sequence[tuple[int, Record]]) -> None:
        """Look at the journal's receipts; the last one of a request counts."""
        self.receipts |= {one.request_id: one for _, one in records if isinstance(one, SinkReceipt)}

    def newest(self) -> Iterator[tuple[DeliverDocument, SinkReceipt | None]]:
        """Of each document and sink the last order, for a sink may keep the newest state only."""
        last = {(one.document_id, one.sink): one for one in self.requests.values()}
        for request in last.values():
            yield request, self.receipts.get(request.request_id)


async def prove_stores(
    rebuilder: Rebuilder, places: Sequence[StorePlace], bounds: Mapping[int, Span]
) -> list[ProofItem]:
    """Each store is what its journal gives."""
    found = []
    for place in places:
        one = await rebuilder.rebuild(place, bounds[place.partition])
        rows = ", ".join(f"{row.table} {row.key}" for row in one.differences)
        detail = "" if one.verdict is Verdict.SAME else f"{one.verdict.value}: {rows or 'nothing to compare'}"
        about = f"rows of partition {place.partition} at offset {one.offset}"
        found.append(ProofItem(about=about, holds=one.verdict is Verdict.SAME, detail=detail))
    return found


async def prove_documents(desk: PastDesk) -> tuple[int, list[ProofItem]]:
    """Every document is computed anew from the journal; how many there are."""
    result = await verify_journal(desk, [], [])
    wrong = [
        f"{one.number or one.document_id}: {check.name} {check.detail}"
        for one in result.documents
        for check in one.checks
        if not check.holds
    ]
    about = f"{len(result.documents)} documents, computed again from the journal"
    return len(result.documents), [ProofItem(about=about, holds=not wrong, detail="; ".join(wrong[:_NAMED_MAX]))]


async def prove_receipts(deliveries: Deliveries, sinks: Mapping[str, DraftSink]) -> tuple[int, list[ProofItem]]:
    """What was delivered lies at its sink with the content of its receipt; what is open is looked up, too."""
    delivered, there, wrong = 0, 0, []
    for request, receipt in deliveries.newest():
        is_delivered = receipt is not None and receipt.state is DeliveryState.DELIVERED
        delivered += is_delivered
        said = await _seen(request, receipt if is_delivered else None, sinks.get(request.sink))
        if said is None:
            there += not is_delivered
        elif is_delivered or said:
            wrong.append(f"{request.sink} {request.number or request.document_id[:12]}: {said or 'it is not there'}")
    items = [
        ProofItem(
            about=f"{delivered} delivered documents, looked up at their sinks",
            holds=not wrong,
            detail="; ".join(wrong[:_NAMED_MAX]),
        )
    ]
    if there:
        detail = "They left after the backup was taken; they are found again and not sent a second time."
        items.append(ProofItem(about=f"{there} open deliveries are at their sinks already", holds=True, detail=detail))
    return delivered, items


async def _seen(request: DeliverDocument, receipt: SinkReceipt | None, sink: DraftSink | None) -> str | None:
    """None when the document is at the sink as it should be, empty when it is not there, else what is wrong."""
    if sink is None:
        return "the settings have no such sink" if receipt is not None else ""
    draft = draft_of(request)
    try:
        async with asyncio.timeout(sink.spec.timeout_seconds):
            found = await sink.find(draft, key_of(request))
            if found is None:
                return ""
            findings = confirm(draft, found, await sink.read_back(found))
    except (BillstreamError, MachineryError) as error:
        return str(error)
    except TimeoutError:
        return f"no answer within {sink.spec.timeout_seconds} s"
    if receipt is not None and receipt.sink_hash != found.sink_hash:
        return "its content is not the one of the receipt"
    return "; ".join(one.text for one in findings) or None


def next_numbers(desk: PastDesk) -> list[ProofItem]:
    """The numbers that are given next: a person compares them with the accounting system."""
    series = {"invoice": desk.book.get(CounterRow, INVOICES), "credit note": desk.book.get(CounterRow, CREDIT_NOTES)}
    detail = (
        "If the accounting system has this number or a later one, it was given after the backup: "
        "raise `first` of the series in the directory before you issue."
    )
    return [
        ProofItem(about=f"the next {kind} gets the number {row.count}", holds=True, detail=detail)
        for kind, row in series.items()
        if row is not None
    ]
