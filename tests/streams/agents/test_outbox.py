"""The outbox of a worker that delivers side by side: what is settled is answered at once, without Kafka."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from runtime.clock import SimulatedClock
from runtime.kafka import KafkaConnection
from schemas.envelope import Envelope
from schemas.errors import Retryable
from schemas.inputs import DeliveryState
from schemas.outputs import OutboxAttempt
from schemas.work import DeliverDocument
from sinks.testing import example_draft
from streams.agents import outbox
from streams.agents.outbox import KafkaOutbox
from streams.engine.publisher import Outgoing

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


class Line:
    """Acknowledges everything."""

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        """See `Publisher`."""


@pytest.fixture
def request_() -> DeliverDocument:
    """A request for the example."""
    draft = example_draft()
    return DeliverDocument(
        envelope=Envelope(
            event_id="asked", tenant="berg", book="main", origin="fold", recorded_at=NOON, producer="tests/1"
        ),
        request_id="r",
        document_id=draft.document_id,
        sequence=draft.sequence,
        revision=draft.revision,
        state=draft.state.value,
        number=draft.number,
        issued_at=draft.issued_at,
        sink="books",
        generation=1,
        content=draft.content,
        body=draft.body,
    )


@pytest.mark.parametrize(("state", "asks"), [("sending", True), ("unknown_outcome", True), ("delivered", False)])
async def test_nobody_is_asked_about_what_is_settled(
    state: str, asks: bool, request_: DeliverDocument, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that starts again meets hundreds of them; of all others another worker may know more."""
    monkeypatch.setattr(outbox, "READ_LIMIT_SECONDS", 0)
    nowhere = KafkaConnection(bootstrap_servers="localhost:1")
    box = KafkaOutbox(nowhere, Line(), 1, SimulatedClock(NOON))  # type: ignore[arg-type]  # publishes nowhere
    attempt = OutboxAttempt(
        envelope=request_.envelope,
        request_id=request_.request_id,
        document_id=request_.document_id,
        sink=request_.sink,
        generation=1,
        attempt=1,
        state=DeliveryState(state),
    )
    await box.record(attempt)
    if asks:
        with pytest.raises(Retryable, match="outbox_unreadable"):
            await box.last(request_)
    else:
        assert await box.last(request_) == attempt
