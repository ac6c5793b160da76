"""Delivery: one document and one verdict for each request, whatever fails; never a blind second create."""

import asyncio
import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import failpoints
from runtime.clock import SimulatedClock
from runtime.failpoints import FailpointReached
from schemas.codec import encode
from schemas.errors import BillstreamError, OutcomeUnknown, Retryable, SignInNeeded
from schemas.inputs import DeliveryState
from schemas.outputs import OutboxAttempt
from sinks.base import DraftKey, DraftToSend, Receipt, SeenDraft, SinkSpec
from sinks.json_file import JsonFileSettings, JsonFileSink
from sinks.testing import example_body, example_draft, example_fee
from streams.agents.delivery import MESSAGE_CHARACTERS_MAX, deliver
from streams.agents.outbox import SETTLED, MemoryOutbox, goes_forward
from streams.engine.errors import OwnershipLost, PublishUnknown
from tests.streams.agents.asking import NOON, envelope, request_for
from tests.streams.agents.desk import Desk, UnreliableSink

FAILPOINTS = [
    "deliver_before_attempt",
    "deliver_after_attempt",
    "deliver_after_create",
    "deliver_after_read_back",
    "deliver_before_settled",
    "deliver_after_settled",
    "deliver_before_receipt",
    "deliver_after_receipt",
]


class DocumentMissing(AssertionError):
    """A test looked for a file that is not there."""


async def test_a_document_is_delivered_once_with_a_receipt(desk: Desk) -> None:
    """The file lies at the location of the receipt, and the outbox says delivered."""
    receipt = await desk.deliver(request_for())
    assert receipt.state is DeliveryState.DELIVERED
    assert desk.files() == [desk.folder / receipt.location]
    assert desk.states() == [DeliveryState.DELIVERED]
    assert desk.receipts == [receipt]
    assert receipt.envelope.causation == "asked"


async def test_the_same_request_again_is_the_same_receipt_without_touching_the_sink(desk: Desk) -> None:
    """At least once on `work` is once at the sink, and byte for byte one receipt."""
    first = await desk.deliver(request_for())
    desk.clock.advance(100)
    desk.sink.faults["find"] = [Retryable("down", "The sink must not be asked again.")]
    assert encode(await desk.deliver(request_for())) == encode(first)
    assert desk.sink.creates == 1


@pytest.mark.parametrize(("first", "second"), list(itertools.product(FAILPOINTS, [None, *FAILPOINTS])))
async def test_a_crash_anywhere_leaves_one_document_and_one_verdict(first: str, second: str | None, desk: Desk) -> None:
    """Killed at any step, and again at any step: the next run ends it with one file, one state, one receipt."""
    for name in filter(None, [first, second]):
        failpoints.arm(f"{name}=raise")
        try:
            await desk.deliver(request_for())
        except FailpointReached:
            desk.clock.advance(120)
    failpoints.arm("")
    await desk.deliver(request_for())
    assert len(desk.files()) == 1
    assert desk.states() == [DeliveryState.DELIVERED]
    assert len({encode(receipt) for receipt in desk.receipts}) == 1


@pytest.mark.parametrize("name", FAILPOINTS)
async def test_every_failpoint_is_on_the_way(name: str, desk: Desk) -> None:
    """The crash test above really crashes at each of its places."""
    failpoints.arm(f"{name}=raise")
    with pytest.raises(FailpointReached):
        await desk.deliver(request_for())


async def test_the_attempt_is_acknowledged_before_the_sink_is_touched(desk: Desk) -> None:
    """Without an acknowledged intent nothing is created."""

    class DeafOutbox(MemoryOutbox):
        async def record(self, attempt: OutboxAttempt) -> None:
            raise PublishUnknown("no acknowledgement")

    with pytest.raises(PublishUnknown):
        await deliver(request_for(), desk.sink, DeafOutbox(desk.clock), desk.publish, desk.clock)
    assert desk.files() == []


async def test_an_answer_that_was_lost_is_looked_up_not_sent_again(desk: Desk) -> None:
    """The state is `unknown_outcome` until a look finds what the first create made."""
    desk.sink.answers_lost = 1
    with pytest.raises(OutcomeUnknown):
        await desk.deliver(request_for())
    assert desk.states() == [DeliveryState.UNKNOWN_OUTCOME]
    assert desk.receipts == []
    assert (await desk.deliver(request_for())).state is DeliveryState.DELIVERED
    assert desk.sink.creates == 1


async def test_a_look_that_finds_nothing_is_believed_only_after_a_while(desk: Desk) -> None:
    """A sink shows late what it made: until its settle time has passed nothing is sent again."""
    desk.sink.answers_lost, desk.sink.hidden_looks = 1, 2
    for _ in range(3):
        with pytest.raises(OutcomeUnknown):
            await desk.deliver(request_for())
        desk.clock.advance(15)
    assert (await desk.deliver(request_for())).state is DeliveryState.DELIVERED
    assert desk.sink.creates == 1


async def test_what_never_arrived_is_sent_again_after_the_settle_time(desk: Desk) -> None:
    """Lost on the way there: a look after the settle time finds nothing, so it is created then."""
    desk.sink.faults["create"] = [OutcomeUnknown("lost", "The line broke.")]
    with pytest.raises(OutcomeUnknown):
        await desk.deliver(request_for())
    with pytest.raises(OutcomeUnknown, match="60 s"):
        await desk.deliver(request_for())
    assert desk.sink.creates == 0
    desk.clock.advance(60)
    assert (await desk.deliver(request_for())).state is DeliveryState.DELIVERED
    assert desk.sink.creates == 1


async def test_a_create_is_not_sent_on_an_old_look(desk: Desk) -> None:
    """When noting the attempt took longer than the deadline, somebody else may have created meanwhile: look again."""

    class SlowOutbox(MemoryOutbox):
        async def record(self, attempt: OutboxAttempt) -> None:
            await super().record(attempt)
            desk.clock.advance(31)

    with pytest.raises(Retryable, match="sink_look_too_old"):
        await deliver(request_for(), desk.sink, SlowOutbox(desk.clock), desk.publish, desk.clock)
    assert desk.files() == []


async def test_a_sink_that_hangs_is_an_unknown_outcome(desk: Desk) -> None:
    """A create without an answer in time may have happened."""

    class HangingSink(UnreliableSink):
        async def create(self, draft: DraftToSend, key: DraftKey) -> Receipt:
            await asyncio.Event().wait()
            raise AssertionError("unreachable")

    spec = SinkSpec(name="json_file", create_deadline_seconds=30, settle_seconds=0, timeout_seconds=0)
    with pytest.raises(OutcomeUnknown, match="did not answer"):
        await deliver(request_for(), HangingSink(PatientSink(desk), spec), desk.outbox, desk.publish, desk.clock)
    assert desk.states() == [DeliveryState.UNKNOWN_OUTCOME]


class PatientSink:
    """A sink whose look answers at once, with nothing."""

    def __init__(self, desk: Desk) -> None:
        self.spec = desk.sink.spec

    async def find(self, draft: DraftToSend, key: DraftKey) -> Receipt | None:
        return None

    async def create(self, draft: DraftToSend, key: DraftKey) -> Receipt:
        raise DocumentMissing

    async def read_back(self, receipt: Receipt) -> SeenDraft:
        raise DocumentMissing


async def test_what_heals_is_tried_again(desk: Desk) -> None:
    """A full disk is no verdict: nothing is settled, and the next run delivers."""
    desk.sink.faults["create"] = [Retryable("disk-full", "No room.")]
    with pytest.raises(Retryable):
        await desk.deliver(request_for())
    assert desk.receipts == []
    desk.clock.advance(60)
    assert (await desk.deliver(request_for())).state is DeliveryState.DELIVERED


async def test_a_refused_document_needs_a_person_and_leaves_nothing(ledes: Desk) -> None:
    """Each problem is told with line, field and fix; neither file nor attempt to send was made."""
    lines = [example_fee(number).model_copy(update={"utbms_task": ""}) for number in (1, 2)]
    receipt = await ledes.deliver(request_for(example_draft(example_body(*lines)), sink="ledes_1998b"))
    assert receipt.state is DeliveryState.NEEDS_PERSON
    assert "line 3, LINE_ITEM_TASK_CODE: a value is missing [ledes_required]" in receipt.message
    assert "line 4, LINE_ITEM_TASK_CODE" in receipt.message
    assert ledes.files() == []
    assert receipt.location == ""
    assert ledes.sink.creates == 0


async def test_a_message_has_an_end(ledes: Desk) -> None:
    """A document with hundreds of problems names the first and counts the rest, by whole lines."""
    lines = [example_fee(number).model_copy(update={"text": "打", "utbms_task": "X"}) for number in range(1, 200)]
    receipt = await ledes.deliver(request_for(example_draft(example_body(*lines)), sink="ledes_1998b"))
    assert len(receipt.message) < MESSAGE_CHARACTERS_MAX + 20
    shown, _, rest = receipt.message.rpartition("\n")
    assert int(rest.split()[2]) + shown.count("\n") == 398


async def test_what_the_format_cannot_carry_is_in_the_receipt(ledes: Desk) -> None:
    """A delivered file without its tax says so."""
    draft = example_draft(example_body(example_fee(1), tax="140.00"))
    receipt = await ledes.deliver(request_for(draft, sink="ledes_1998b"))
    assert receipt.state is DeliveryState.DELIVERED
    assert "[ledes_tax_not_expressed]" in receipt.message


async def test_a_different_file_in_the_way_needs_a_person(desk: Desk) -> None:
    """What we did not write is never overwritten."""
    receipt = await desk.deliver(request_for())
    (desk.folder / receipt.location).write_bytes(b"mine")
    desk.outbox.attempts.clear()
    again = await desk.deliver(request_for())
    assert again.state is DeliveryState.NEEDS_PERSON
    assert "sink_file_differs" in again.message
    assert str(desk.folder) not in again.message
    assert (desk.folder / receipt.location).read_bytes() == b"mine"


async def test_a_difference_at_the_sink_needs_a_person(desk: Desk) -> None:
    """What is seen is compared with what was meant; the location is told, because something lies there."""
    desk.sink.seen = lambda seen: seen.model_copy(update={"net": Decimal(1)})
    receipt = await desk.deliver(request_for())
    assert receipt.state is DeliveryState.NEEDS_PERSON
    assert "[sink_total_differs]" in receipt.message
    assert receipt.location


async def test_a_body_that_is_not_the_approved_one_is_not_delivered(desk: Desk) -> None:
    """The content hash of the request is checked before anything leaves."""
    receipt = await desk.deliver(request_for().model_copy(update={"content": "0" * 64}))
    assert receipt.state is DeliveryState.NEEDS_PERSON
    assert desk.files() == []


async def test_a_sign_in_that_ended_needs_a_person(desk: Desk) -> None:
    """Waiting does not bring a revoked token back."""
    desk.sink.faults["find"] = [SignInNeeded("signed-out", "Sign in again.")]
    assert (await desk.deliver(request_for())).state is DeliveryState.NEEDS_PERSON


async def test_a_lost_partition_is_no_verdict(desk: Desk) -> None:
    """A worker that lost its place says nothing about the document."""

    class LostOutbox(MemoryOutbox):
        async def record(self, attempt: OutboxAttempt) -> None:
            if attempt.state is DeliveryState.SENDING:
                raise OwnershipLost("rebalanced")
            await super().record(attempt)

    outbox = LostOutbox(desk.clock)
    with pytest.raises(OwnershipLost):
        await deliver(request_for(), desk.sink, outbox, desk.publish, desk.clock)
    assert (desk.receipts, outbox.attempts) == ([], {})


async def test_what_another_worker_settled_meanwhile_stands(desk: Desk) -> None:
    """All receipts of a request say the same, also when two workers come to different ends."""
    verdict = attempt_of(1, DeliveryState.NEEDS_PERSON).model_copy(update={"request_id": request_for().request_id})

    def settled_by_another(seen: SeenDraft) -> SeenDraft:
        desk.outbox.keep([verdict])
        return seen

    desk.sink.seen = settled_by_another
    assert (await desk.deliver(request_for())).state is DeliveryState.NEEDS_PERSON


async def test_two_workers_at_once_make_one_file_and_one_verdict(desk: Desk) -> None:
    """A zombie and the new owner may both be at it."""
    receipts = await asyncio.gather(*(desk.deliver(request_for()) for _ in range(5)))
    assert len(desk.files()) == 1
    assert len({encode(receipt) for receipt in receipts}) == 1


async def test_a_draft_and_its_issue_are_two_files(desk: Desk) -> None:
    """The issued document does not collide with the draft of the same revision."""
    states = [(await desk.deliver(request_for(example_draft(number=number)))).state for number in ("", "2026-1")]
    assert states == [DeliveryState.DELIVERED] * 2
    assert len(desk.files()) == 2


FAULTS: list[Callable[[], BillstreamError]] = [
    lambda: Retryable("down", "Down."),
    lambda: OutcomeUnknown("lost", "Lost."),
]


async def until_it_heals(desk: Desk, crashes: list[str], waits: list[int]) -> None:
    """Run after run, with crashes first and pauses between; the faults end some time, so must the runs."""
    pauses = itertools.chain(waits, itertools.repeat(90))
    for name in itertools.chain(crashes, itertools.repeat("", 40)):
        failpoints.arm(f"{name}=raise" if name else "")
        try:
            await desk.deliver(request_for())
        except (BillstreamError, FailpointReached):
            desk.clock.advance(next(pauses))
        else:
            if not name:
                return


@given(
    find=st.lists(st.sampled_from(FAULTS), max_size=3),
    create=st.lists(st.sampled_from(FAULTS), max_size=3),
    read_back=st.lists(st.sampled_from(FAULTS), max_size=3),
    crashes=st.lists(st.sampled_from([*FAILPOINTS, ""]), max_size=4),
    answers_lost=st.integers(0, 2),
    waits=st.lists(st.integers(0, 90), max_size=20),
)
def test_any_mix_of_faults_heals_to_one_document(
    find: list[Callable[[], BillstreamError]],
    create: list[Callable[[], BillstreamError]],
    read_back: list[Callable[[], BillstreamError]],
    crashes: list[str],
    answers_lost: int,
    waits: list[int],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """When the faults end, there is one file, one settled state, one receipt, and there was one create."""
    folder = tmp_path_factory.mktemp("desk")
    sink = UnreliableSink(JsonFileSink(JsonFileSettings(folder=folder)), answers_lost=answers_lost)
    sink.faults = {
        "find": [make() for make in find],
        "create": [make() for make in create],
        "read_back": [make() for make in read_back],
    }
    desk = Desk(folder, sink)
    asyncio.run(until_it_heals(desk, crashes, waits))
    failpoints.arm("")
    assert desk.states() == [DeliveryState.DELIVERED]
    assert len(desk.files()) == 1
    assert sink.creates == 1
    assert len({encode(receipt) for receipt in desk.receipts}) == 1


def attempt_of(number: int, state: DeliveryState, *, at: datetime = NOON) -> OutboxAttempt:
    return OutboxAttempt(
        envelope=envelope("a", at),
        request_id="r",
        document_id="d",
        sink="s",
        generation=1,
        attempt=number,
        state=state,
    )


@pytest.mark.parametrize(
    ("known", "attempt", "forward"),
    [
        ((1, "sending"), (1, "unknown_outcome"), True),
        ((1, "unknown_outcome"), (1, "sending"), False),
        ((1, "unknown_outcome"), (2, "sending"), True),
        ((2, "sending"), (1, "unknown_outcome"), False),
        ((1, "sending"), (1, "sending"), False),
        ((2, "sending"), (1, "delivered"), True),
        ((1, "delivered"), (2, "sending"), False),
        ((1, "delivered"), (1, "needs_person"), False),
        ((1, "needs_person"), (2, "delivered"), False),
    ],
)
def test_states_only_go_forward(known: tuple[int, str], attempt: tuple[int, str], forward: bool) -> None:
    """Later attempts and states win; the first settled one is the last word."""
    before = attempt_of(known[0], DeliveryState(known[1]))
    assert goes_forward(before, attempt_of(attempt[0], DeliveryState(attempt[1]))) is forward


@pytest.mark.parametrize("another", ["sending", "unknown_outcome"])
@pytest.mark.parametrize("ahead_seconds", [-7200, 0, 7200])
async def test_a_sink_has_its_time_from_the_last_attempt_that_was_heard_of(
    another: str, ahead_seconds: int, desk: Desk
) -> None:
    """Two workers number alike, and neither knows the other's clock: what counts is when this one heard of it."""
    desk.sink.faults["create"] = [OutcomeUnknown("lost", "The line broke.")]
    with pytest.raises(OutcomeUnknown):
        await desk.deliver(request_for())
    desk.clock.advance(59)
    (mine,) = desk.outbox.attempts.values()
    at = NOON + timedelta(seconds=ahead_seconds)
    theirs = attempt_of(1, DeliveryState(another), at=at).model_copy(update={"request_id": mine.request_id})
    desk.outbox.keep([mine, theirs])
    desk.clock.advance(59)
    with pytest.raises(OutcomeUnknown, match="1 s"):
        await desk.deliver(request_for())
    desk.clock.advance(1)
    assert (await desk.deliver(request_for())).state is DeliveryState.DELIVERED


@given(
    st.lists(st.builds(attempt_of, st.integers(1, 4), st.sampled_from(DeliveryState)), max_size=8).filter(
        lambda attempts: len({attempt.state for attempt in attempts} & SETTLED) <= 1
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_reading_does_not_change_the_last_word(attempts: list[OutboxAttempt], random: Random) -> None:
    """Compaction and repeats may show attempts in any order."""
    one, other = (MemoryOutbox(SimulatedClock(NOON)) for _ in range(2))
    one.keep(attempts)
    shuffled = list(attempts)
    random.shuffle(shuffled)
    other.keep(shuffled)
    states = [
        [(each.state, each.state in SETTLED or each.attempt) for each in box.attempts.values()] for box in (one, other)
    ]
    assert states[0] == states[1]
