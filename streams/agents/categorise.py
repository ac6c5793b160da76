"""The `categorise` agent: requests to decide in, decisions out. Deciders may be slow; answers are recorded once.

A decision names the request's input hash, so it fits every version of the entry with the same inputs. Repeats are
harmless: the same request gets a decision with the same id.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from aiokafka import ConsumerRecord

from runtime.clock import Clock
from schemas.canonical import deterministic_id
from schemas.codec import decode, encode, record_type_of
from schemas.envelope import Envelope
from schemas.errors import Unreadable
from schemas.inputs import Decision
from schemas.work import DecideEntry
from streams.deciding.port import Decider, Verdict
from streams.engine.batch import Batch
from streams.engine.publisher import Outgoing, Publisher
from streams.letters import Place, dead_letter, reason_of
from streams.topics import RESULTS, book_partition

STAGE = "categorise"


@dataclass(frozen=True, slots=True)
class CategoriseSettings:
    """Of whom unreadable records are, and how many partitions the installation has."""

    tenant: str
    book: str
    partitions: int


class CategoriseHandler:
    """The batch handler of `work`; requests to deliver are another agent's and pass."""

    def __init__(
        self,
        settings: CategoriseSettings,
        publisher: Publisher,
        decider: Decider,
        clock: Clock,
        on_dead_letter: Callable[[str, str], None] = lambda topic, reason: None,
    ) -> None:
        self._settings = settings
        self._publisher = publisher
        self._decider = decider
        self._clock = clock
        self._on_dead_letter = on_dead_letter

    async def assigned(self, partition: int, committed: int | None) -> int | None:
        """Go on where the group stands."""
        return None

    async def process(self, batch: Batch) -> None:
        """Decide all requests of a batch; returns when their decisions are acknowledged."""
        requests: list[DecideEntry] = []
        letters: list[Outgoing] = []
        for record in batch.records:
            try:
                if record_type_of(record.value or b"") is DecideEntry:
                    request = decode(record.value or b"")
                    assert isinstance(request, DecideEntry), type(request).__name__
                    requests.append(request)
            except Unreadable as error:
                letters.append(self._letter(batch, record, error))
        now = self._clock.now()
        decisions = await categorise(requests, self._decider, now, self._settings.partitions)
        await self._publisher.publish([*letters, *decisions])

    async def revoked(self, partition: int) -> None:
        """Nothing to give up."""

    def _letter(
        self, batch: Batch, record: "ConsumerRecord[bytes | None, bytes | None]", error: Unreadable
    ) -> Outgoing:
        place = Place(batch.topic, batch.partition, record.offset, record.timestamp, record.key, record.value)
        reason, detail = reason_of(error)
        self._on_dead_letter(batch.topic, reason)
        return dead_letter(place, self._settings.tenant, self._settings.book, STAGE, reason, detail)


async def categorise(
    requests: Sequence[DecideEntry], decider: Decider, now: datetime, partitions: int
) -> list[Outgoing]:
    """The decisions for some requests, ready for `results`."""
    verdicts = await decider.decide(requests)
    return [
        _outgoing(decision_of(request, verdict, decider, now), partitions)
        for request, verdict in zip(requests, verdicts, strict=True)
    ]


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
