"""Where a request waits for its turn: in the lane of its sink, behind what is still to be done to its document."""

import asyncio
from datetime import UTC, datetime

import pytest

from books.testing import Story, entry
from runtime.clock import SimulatedClock
from schemas.codec import encode
from schemas.inputs import SinkReceipt
from schemas.outputs import OutboxAttempt
from schemas.work import DecideEntry, DeliverDocument
from sinks.base import DraftToSend
from sinks.testing import example_draft
from streams.agents.deliver import DeliverAgent, turn_of
from streams.agents.outbox import MemoryOutbox
from streams.engine.guard import RawRecord
from streams.engine.lanes import Turn
from tests.streams.agents.asking import request_for


def asked(draft: DraftToSend, sink: str = "json_file") -> bytes:
    """A request to deliver, framed."""
    return encode(request_for(draft, sink=sink))


def record(value: bytes | None) -> RawRecord:
    """A record of `work`."""
    return RawRecord("work", 0, 7, 0, b"k", value, ())


def turn(value: bytes | None) -> Turn | None:
    """Its turn."""
    return turn_of(record(value))


def test_requests_wait_by_sink_and_document() -> None:
    """Revisions and states of a document come one after the other at a sink; other documents and sinks go beside."""
    draft = example_draft()
    later = draft.model_copy(update={"revision": draft.revision + 1})
    other = draft.model_copy(update={"document_id": "other"})
    turns = [turn(asked(one)) for one in (draft, later, example_draft(number="1"), other)]
    assert turns == [Turn("json_file", draft.document_id)] * 3 + [Turn("json_file", "other")]
    assert turn(asked(draft, "s3")) == Turn("s3", draft.document_id)


@pytest.mark.parametrize("value", [b"", b"\xff rubbish", None])
def test_what_is_no_record_waits_nowhere(value: bytes | None) -> None:
    """Its dead letter is another agent's."""
    assert turn(value) is None


def test_a_question_for_deciders_waits_nowhere() -> None:
    """It is done with at once."""
    questions: list[bytes] = []

    def ask(request: DecideEntry | DeliverDocument) -> None:
        questions.append(encode(request))

    Story(ask).begin().say(entry("a"))
    assert [turn(one) for one in questions] == [None]


def test_a_broken_request_waits_for_no_sink() -> None:
    """Its dead letter is due at once, and each has its own."""
    assert turn(asked(example_draft())[:-20]) == Turn("", "0/7")


class Stuck(MemoryOutbox):
    """An outbox that does not tell about one document until it is let go."""

    def __init__(self, clock: SimulatedClock, document_id: str) -> None:
        super().__init__(clock)
        self.document_id = document_id
        self.let_go = asyncio.Event()

    async def last(self, request: DeliverDocument) -> OutboxAttempt | None:
        """See `Outbox`."""
        if request.document_id == self.document_id:
            await self.let_go.wait()
        return await super().last(request)


async def test_the_oldest_delivery_under_way_tells_how_long_it_takes() -> None:
    """One that hangs is seen behind others that come and go."""

    async def publish(receipt: SinkReceipt) -> None:
        """Nobody reads it."""

    draft = example_draft()
    clock = SimulatedClock(datetime(2026, 11, 2, 12, 0, tzinfo=UTC))
    outbox = Stuck(clock, draft.document_id)
    agent = DeliverAgent(sinks={}, outbox=outbox, publish_receipt=publish, clock=clock)
    assert agent.busy_seconds() == 0
    slow = asyncio.create_task(agent(record(asked(draft))))
    await asyncio.sleep(0)
    clock.advance(5)
    await agent(record(asked(draft.model_copy(update={"document_id": "other"}))))
    assert agent.busy_seconds() == 5
    outbox.let_go.set()
    await slow
    assert agent.busy_seconds() == 0
