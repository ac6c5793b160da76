"""The deliver agent: what is for it ends as a receipt, what can heal is waited for, the rest is left to others."""

import asyncio

import pytest

from schemas.codec import encode
from schemas.entry import EntryKind
from schemas.errors import BillstreamError, OutcomeUnknown, Retryable
from schemas.inputs import DeliveryState
from schemas.work import DecideEntry
from streams.agents.deliver import DeliverAgent, Patience
from streams.agents.delivery import give_up
from streams.engine.guard import RawRecord
from tests.streams.agents.asking import envelope, request_for
from tests.streams.agents.desk import Desk


def record(value: bytes | None) -> RawRecord:
    return RawRecord("work", 0, 7, 0, b"k", value, ())


def agent_of(desk: Desk) -> DeliverAgent:
    settled: list[tuple[str, DeliveryState]] = []
    return DeliverAgent(
        sinks={"json_file": desk.sink},
        outbox=desk.outbox,
        publish_receipt=desk.publish,
        clock=desk.clock,
        patience=Patience(first_seconds=1, longest_seconds=8, total_seconds=30),
        on_settled=lambda sink, state, seconds: settled.append((sink, state)),
    )


async def passing(desk: Desk, working: "asyncio.Task[None]") -> float:
    """Let simulated time pass until the agent is done; the seconds it took."""
    while not working.done():
        for _ in range(20):
            await asyncio.sleep(0)
        if not working.done():
            await asyncio.to_thread(lambda: None)
            desk.clock.advance(1)
    await working
    return desk.clock.monotonic_seconds()


async def test_the_agent_delivers_what_is_for_it(desk: Desk) -> None:
    """A framed request ends as a file and a receipt."""
    await agent_of(desk)(record(encode(request_for())))
    assert [receipt.state for receipt in desk.receipts] == [DeliveryState.DELIVERED]


def decide_request() -> DecideEntry:
    return DecideEntry(
        envelope=envelope("e"),
        request_id="r",
        entry_id="e",
        input_hash="h",
        kind=EntryKind.TIME,
        client_id="c",
        role="r",
        project_ref="",
        task_ref="",
        service_item="",
        tags=(),
        description="text",
        billable_hint=None,
        remembered=None,
        facts="{}",
    )


@pytest.mark.parametrize("value", [encode(decide_request()), b"", b"\xff rubbish", None])
async def test_the_agent_leaves_the_rest_to_others(value: bytes | None, desk: Desk) -> None:
    """Other requests and bytes without a frame are not for it."""
    await agent_of(desk)(record(value))
    assert desk.receipts == []


async def test_a_broken_request_is_raised_for_its_dead_letter(desk: Desk) -> None:
    """A request of ours that cannot be read is not passed over."""
    with pytest.raises(BillstreamError, match="avro"):
        await agent_of(desk)(record(encode(request_for())[:-20]))


async def test_a_sink_that_is_not_there_needs_a_person(desk: Desk) -> None:
    """A contract may name a sink that this worker was not given."""
    await agent_of(desk)(record(encode(request_for(sink="s3"))))
    assert [receipt.state for receipt in desk.receipts] == [DeliveryState.NEEDS_PERSON]
    assert "sink_missing" in desk.receipts[0].message


async def test_the_agent_waits_while_it_can_heal(desk: Desk) -> None:
    """Two faults, two waits (1 s, 2 s), then the delivery."""
    desk.sink.faults["find"] = [Retryable("down", "Down."), Retryable("down", "Down.")]
    working = asyncio.create_task(agent_of(desk)(record(encode(request_for()))))
    await passing(desk, working)
    assert [receipt.state for receipt in desk.receipts] == [DeliveryState.DELIVERED]
    assert desk.clock.monotonic_seconds() >= 3


async def test_patience_ends_with_a_receipt(desk: Desk) -> None:
    """A sink that stays down does not block the partition for ever, and the failure is told."""
    desk.sink.faults["find"] = [Retryable("down", "The sink is down.") for _ in range(50)]
    working = asyncio.create_task(agent_of(desk)(record(encode(request_for()))))
    await passing(desk, working)
    assert [receipt.state for receipt in desk.receipts] == [DeliveryState.FAILED]
    assert "The sink is down." in desk.receipts[0].message


async def test_giving_up_on_what_may_be_there_does_not_close_it(desk: Desk) -> None:
    """`unknown_outcome` is told but not settled: a later look still finds and delivers."""
    desk.sink.answers_lost = 1
    with pytest.raises(OutcomeUnknown) as lost:
        await desk.deliver(request_for())
    receipt = await give_up(request_for(), lost.value, desk.outbox, desk.publish, desk.clock)
    assert receipt.state is DeliveryState.UNKNOWN_OUTCOME
    assert (await desk.deliver(request_for())).state is DeliveryState.DELIVERED
    assert desk.sink.creates == 1
