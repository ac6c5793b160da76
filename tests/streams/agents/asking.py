"""Requests to deliver, as the fold makes them."""

from datetime import UTC, datetime

from schemas.envelope import Envelope
from schemas.work import DeliverDocument
from sinks.base import DraftToSend
from sinks.testing import example_draft

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def envelope(event_id: str, recorded_at: datetime = NOON) -> Envelope:
    """Of a record of the fold."""
    return Envelope(
        event_id=event_id, tenant="berg", book="main", origin="fold", recorded_at=recorded_at, producer="tests/1"
    )


def request_for(draft: DraftToSend | None = None, *, sink: str = "json_file") -> DeliverDocument:
    """The first request to bring this document to a sink."""
    shown = draft or example_draft()
    return DeliverDocument(
        envelope=envelope("asked"),
        request_id=f"deliver:{shown.document_id}:{shown.revision}:{shown.state.value}:{sink}",
        document_id=shown.document_id,
        sequence=shown.sequence,
        revision=shown.revision,
        state=shown.state.value,
        number=shown.number,
        issued_at=shown.issued_at,
        sink=sink,
        generation=1,
        content=shown.content,
        body=shown.body,
    )


def numbered_request(number: int, sink: str = "json_file") -> DeliverDocument:
    """The same for one of many documents."""
    draft = example_draft(number=f"2026-{number}").model_copy(update={"document_id": f"{number:032x}"})
    return request_for(draft, sink=sink)
