"""The `categorise` agent's work: requests to decide in, decisions out. Deciders may be slow; answers are recorded once.

A decision names the request's input hash, so it fits every version of the entry with the same inputs.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from schemas.canonical import deterministic_id
from schemas.codec import encode
from schemas.envelope import Envelope
from schemas.inputs import Decision
from schemas.work import DecideEntry
from streams.deciding.port import Decider, Verdict
from streams.engine.publisher import Outgoing
from streams.topics import RESULTS, book_partition

UNDER_WAY_MAX = 32


async def categorise(
    requests: Sequence[DecideEntry], decider: Decider, now: datetime, partitions: int
) -> list[Outgoing]:
    """The decisions for some requests, ready for `results`; at most UNDER_WAY_MAX are asked at once."""
    limit = asyncio.Semaphore(UNDER_WAY_MAX)

    async def one(request: DecideEntry) -> Outgoing:
        async with limit:
            verdict = await decider.decide(request)
        return _outgoing(decision_of(request, verdict, decider, now), partitions)

    return list(await asyncio.gather(*(one(request) for request in requests)))


def decision_of(request: DecideEntry, verdict: Verdict, decider: Decider, now: datetime) -> Decision:
    """The record of a verdict; its id is that of the request and the decider, so a repeat is the same event."""
    asked = request.envelope
    identity = {"request": request.request_id, "decider": decider.name, "version": decider.version}
    return Decision(
        envelope=Envelope(
            event_id=deterministic_id("decision", {"tenant": asked.tenant, "book": asked.book, **identity}),
            tenant=asked.tenant,
            book=asked.book,
            causation=asked.event_id,
            correlation=asked.correlation,
            origin=f"categorise:{decider.name}",
            recorded_at=now,
            producer=f"billstream-categorise/{decider.version}",
        ),
        request_id=request.request_id,
        entry_id=request.entry_id,
        input_hash=request.input_hash,
        rank=verdict.rank,
        decider=decider.name,
        decider_version=decider.version,
        category=verdict.category,
        service_item=verdict.service_item,
        utbms_task=verdict.utbms_task,
        utbms_activity=verdict.utbms_activity,
        confidence=verdict.confidence,
        evidence=verdict.evidence,
        held_reason=verdict.held_reason,
    )


def _outgoing(decision: Decision, partitions: int) -> Outgoing:
    home = book_partition(decision.envelope.tenant, decision.envelope.book, partitions)
    return Outgoing(RESULTS, home, decision.request_id.encode(), encode(decision))
