"""The procedure that brings a document to a sink, once for each request, whatever happens to this process (rule 9).

Look, note the attempt, create, read back, compare, note the end, publish the receipt. Killed anywhere, the next run
starts with the outbox and a look at the sink; it never sends blindly.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from runtime.clock import Clock
from runtime.failpoints import failpoint
from schemas.canonical import deterministic_id
from schemas.draft import Finding
from schemas.envelope import Envelope
from schemas.errors import (
    BillstreamError,
    ConfigurationError,
    Conflict,
    OutcomeUnknown,
    Rejected,
    Retryable,
    SignInNeeded,
)
from schemas.inputs import DeliveryState, SinkReceipt
from schemas.outputs import OutboxAttempt
from schemas.work import DeliverDocument
from sinks.base import DraftKey, DraftRefused, DraftSink, DraftToSend, Receipt, confirm, draft_of, is_whole, key_of
from streams.agents.outbox import SETTLED, Outbox
from streams.engine.errors import OwnershipLost
from streams.letters import PRODUCER

ORIGIN = "deliver"
MESSAGE_CHARACTERS_MAX = 4_000

PublishReceipt = Callable[[SinkReceipt], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _End:
    """How a delivery ended, before it is written down."""

    state: DeliveryState
    location: str = ""
    sink_hash: str = ""
    message: str = ""


async def deliver(
    request: DeliverDocument, sink: DraftSink, outbox: Outbox, publish_receipt: PublishReceipt, clock: Clock
) -> SinkReceipt:
    """Bring one document to one sink and publish the receipt; the same request again publishes the same receipt.

    Raises Retryable when it should be tried again later, OutcomeUnknown when the sink has to be asked later whether the
    document arrived. Refusals and conflicts are no errors here: they end as `needs_person`, with the reason.
    """
    known = await outbox.last(request)
    if known is None or known.state not in SETTLED:
        known = await _settle(request, known, await _end_of(request, known, sink, outbox, clock), outbox, clock)
    receipt = _receipt(request, known)
    failpoint("deliver_before_receipt")
    await publish_receipt(receipt)
    failpoint("deliver_after_receipt")
    return receipt


async def give_up(
    request: DeliverDocument,
    error: BillstreamError,
    outbox: Outbox,
    publish_receipt: PublishReceipt,
    clock: Clock,
) -> SinkReceipt:
    """Write down that patience has ended: `failed`, or `unknown_outcome` for what only a later look can settle."""
    known = await outbox.last(request)
    if known is None or known.state not in SETTLED:
        is_unknown = isinstance(error, OutcomeUnknown) or (known is not None and known.state is DeliveryState.SENDING)
        state = DeliveryState.UNKNOWN_OUTCOME if is_unknown else DeliveryState.FAILED
        known = await _settle(request, known, _End(state, message=_shortened(str(error))), outbox, clock)
    receipt = _receipt(request, known)
    await publish_receipt(receipt)
    return receipt


async def _end_of(
    request: DeliverDocument, known: OutboxAttempt | None, sink: DraftSink, outbox: Outbox, clock: Clock
) -> _End:
    draft, key = draft_of(request), key_of(request)
    if not await asyncio.to_thread(is_whole, draft):
        return _End(DeliveryState.NEEDS_PERSON, message="The body is not the one its content hash names.")
    try:
        receipt = await _found(draft, key, sink)
        if receipt is None:
            receipt = await _created(request, known, sink, outbox, clock)
        async with asyncio.timeout(sink.spec.timeout_seconds):
            differences = confirm(draft, receipt, await sink.read_back(receipt))
    except OwnershipLost:
        raise  # it says nothing about the sink: another worker does this request now
    except DraftRefused as error:
        problems = "\n".join(problem.text for problem in error.problems)
        return _End(DeliveryState.NEEDS_PERSON, message=_shortened(f"{error}\n{problems}"))
    except (Rejected, Conflict, ConfigurationError, SignInNeeded) as error:
        return _End(DeliveryState.NEEDS_PERSON, message=_shortened(str(error)))
    except TimeoutError as error:
        raise _slow(sink) from error
    failpoint("deliver_after_read_back")
    state = DeliveryState.NEEDS_PERSON if differences else DeliveryState.DELIVERED
    return _End(state, receipt.location, receipt.sink_hash, _texts(differences + receipt.notes))


async def _found(draft: DraftToSend, key: DraftKey, sink: DraftSink) -> Receipt | None:
    async with asyncio.timeout(sink.spec.timeout_seconds):
        return await sink.find(draft, key)


async def _created(
    request: DeliverDocument, known: OutboxAttempt | None, sink: DraftSink, outbox: Outbox, clock: Clock
) -> Receipt:
    """Create what a look just did not find. The attempt is acknowledged before; a late create is not sent."""
    looked_seconds = clock.monotonic_seconds()
    if known is not None:
        _wait_until_a_look_can_be_believed(outbox.quiet_seconds(request), sink)
    attempt = _attempt(request, (known.attempt if known else 0) + 1, _End(DeliveryState.SENDING), clock.now())
    failpoint("deliver_before_attempt")
    await outbox.record(attempt)
    failpoint("deliver_after_attempt")
    if clock.monotonic_seconds() - looked_seconds > sink.spec.create_deadline_seconds:
        raise Retryable("sink_look_too_old", "The look-up is too old to create on it; look again.")
    try:
        async with asyncio.timeout(sink.spec.timeout_seconds):
            receipt = await sink.create(draft_of(request), key_of(request))
    except (OutcomeUnknown, TimeoutError) as error:
        await outbox.record(_attempt(request, attempt.attempt, _End(DeliveryState.UNKNOWN_OUTCOME), clock.now()))
        if isinstance(error, OutcomeUnknown):
            raise
        message = f"{sink.spec.name} did not answer in time; the document may be there."
        raise OutcomeUnknown("sink_outcome_unknown", message, "Nothing to do: it is looked up later.") from error
    failpoint("deliver_after_create")
    return receipt


def _wait_until_a_look_can_be_believed(quiet_seconds: float, sink: DraftSink) -> None:
    """After an attempt without an answer, absence counts only once the sink had time to show what it made.

    When another worker wrote it, only its clock knows, and that may be wrong; what counts is when we heard of it.
    """
    wait_seconds = ceil(sink.spec.settle_seconds - quiet_seconds)
    if wait_seconds > 0:
        raise OutcomeUnknown(
            "sink_outcome_unknown",
            f"An earlier attempt at {sink.spec.name} has no answer, and a look-up may still miss what it made.",
            f"Nothing to do: it is looked up again in {wait_seconds} s.",
        )


def _slow(sink: DraftSink) -> Retryable:
    message = f"{sink.spec.name} did not answer a look-up within {sink.spec.timeout_seconds} s."
    return Retryable("sink_slow", message, "Check that the sink answers.")


async def _settle(
    request: DeliverDocument, known: OutboxAttempt | None, end: _End, outbox: Outbox, clock: Clock
) -> OutboxAttempt:
    """Write the end down. What another worker settled meanwhile stands, so that all receipts say the same."""
    latest = await outbox.last(request) or known
    if latest is not None and latest.state in SETTLED:
        return latest
    settled = _attempt(request, max(latest.attempt if latest else 0, 1), end, clock.now())
    failpoint("deliver_before_settled")
    await outbox.record(settled)
    failpoint("deliver_after_settled")
    return settled


def _attempt(request: DeliverDocument, number: int, end: _End, at: datetime) -> OutboxAttempt:
    identity = {"request_id": request.request_id, "attempt": number, "state": end.state.value}
    return OutboxAttempt(
        envelope=_envelope(request, deterministic_id("outbox_attempt", identity), at),
        request_id=request.request_id,
        document_id=request.document_id,
        sink=request.sink,
        generation=request.generation,
        attempt=number,
        state=end.state,
        location=end.location,
        sink_hash=end.sink_hash,
        message=end.message,
    )


def _receipt(request: DeliverDocument, attempt: OutboxAttempt) -> SinkReceipt:
    """Made of the attempt alone, so that a repeat is the same receipt."""
    identity = {"request_id": request.request_id, "state": attempt.state.value}
    return SinkReceipt(
        envelope=_envelope(request, deterministic_id("sink_receipt", identity), attempt.envelope.recorded_at),
        request_id=request.request_id,
        document_id=request.document_id,
        revision=request.revision,
        sink=request.sink,
        state=attempt.state,
        location=attempt.location,
        sink_hash=attempt.sink_hash,
        message=attempt.message,
    )


def _envelope(request: DeliverDocument, event_id: str, at: datetime) -> Envelope:
    asked = request.envelope
    return Envelope(
        event_id=event_id,
        tenant=asked.tenant,
        book=asked.book,
        causation=asked.event_id,
        correlation=asked.correlation or asked.event_id,
        origin=f"{ORIGIN}:{request.sink}",
        recorded_at=at,
        producer=PRODUCER,
    )


def _texts(findings: tuple[Finding, ...]) -> str:
    return _shortened("\n".join(f"{finding.text} [{finding.code}]" for finding in findings))


def _shortened(message: str) -> str:
    """Whole lines up to the limit, and how many are missing."""
    if len(message) <= MESSAGE_CHARACTERS_MAX:
        return message
    shown = message[:MESSAGE_CHARACTERS_MAX].rpartition("\n")[0] or message[:MESSAGE_CHARACTERS_MAX]
    return f"{shown}\n... and {message[len(shown) :].strip().count(chr(10)) + 1} more"
