"""The `categorise` agent: requests to decide in, decisions out. Deciders may be slow; answers are recorded once.

A decision names the request's input hash, so it fits every version of the entry with the same inputs. Repeats are
harmless: the same request gets a decision with the same id.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aiokafka import ConsumerRecord

from runtime.clock import Clock
from schemas.canonical import deterministic_id
from schemas.codec import decode, encode, record_type_of
from schemas.envelope import Envelope
from schemas.errors import BillstreamError, OutcomeUnknown, Rejected, Retryable, SignInNeeded, Unreadable
from schemas.inputs import Decision
from schemas.work import DecideEntry
from streams.deciding.port import Decider, Verdict
from streams.engine.batch import Batch, Settling
from streams.engine.publisher import Outgoing, Publisher
from streams.engine.slices import Slices
from streams.letters import Place, dead_letter, reason_of
from streams.topics import RESULTS, book_partition

STAGE = "categorise"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a batch waits for a decider, all its calls together; between them waits double from first to longest."""

    first_seconds: int = 1
    longest_seconds: int = 15
    total_seconds: int = 60


@dataclass(frozen=True, slots=True)
class CategoriseSettings:
    """Of whom unreadable records are, and how many partitions the installation has."""

    tenant: str
    book: str
    partitions: int
    patience: Patience = Patience()


@dataclass(frozen=True, slots=True)
class Asked:
    """A request and the record that brought it."""

    request: DecideEntry
    record: "ConsumerRecord[bytes | None, bytes | None]"


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of some requests: verdicts, requests that can never be answered, and those that nobody answered now."""

    verdicts: list[tuple[Asked, Verdict]] = field(default_factory=list)
    refused: list[tuple[Asked, Rejected]] = field(default_factory=list)
    left: list[tuple[Asked, BillstreamError]] = field(default_factory=list)


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

    async def process(self, batch: Batch) -> Settling:
        """Decide all requests of a batch; settled when their decisions are acknowledged.

        What no decider answers in time stays open in the rows of its book, and is asked again at the next start.
        """
        asked: list[Asked] = []
        letters: list[Outgoing] = []
        slices = Slices()
        for record in batch.records:
            if slices.is_over():
                await slices.rest()
            try:
                if record_type_of(record.value or b"") is DecideEntry:
                    request = decode(record.value or b"")
                    assert isinstance(request, DecideEntry), type(request).__name__
                    asked.append(Asked(request, record))
            except Unreadable as error:
                letters.append(self._letter(batch, record, error))
        decided = await decide_patiently(asked, self._decider, self._clock, self._settings.patience)
        letters += [self._letter(batch, one.record, error) for one, error in decided.refused]
        if decided.left:
            log.warning("%s requests stay undecided for now: %s", len(decided.left), decided.left[-1][1])
        now = self._clock.now()
        decisions: list[Outgoing] = []
        for one, verdict in decided.verdicts:
            decision = decision_of(one.request, verdict, self._decider, now)
            decisions.append(_outgoing(decision, self._settings.partitions))
            if slices.is_over():
                await slices.rest()
        return await self._publisher.post([*letters, *decisions])

    async def revoked(self, partition: int) -> None:
        """Nothing to give up."""

    def _letter(self, batch: Batch, record: "ConsumerRecord[bytes | None, bytes | None]", error: Rejected) -> Outgoing:
        place = Place(batch.topic, batch.partition, record.offset, record.timestamp, record.key, record.value)
        reason, detail = reason_of(error)
        self._on_dead_letter(batch.topic, reason)
        return dead_letter(place, self._settings.tenant, self._settings.book, STAGE, reason, detail)


async def decide_patiently(
    asked: Sequence[Asked], decider: Decider, clock: Clock, patience: Patience = Patience()
) -> Decided:
    """Ask the decider, again while that can heal; a request that is refused is found by asking about halves.

    It never takes longer than the patience: what is not decided by then is left.

    Raises what is nobody's fault but ours: a bug, or settings that a decider cannot work with.
    """
    decided = Decided()
    if asked:
        await _decide(asked, decider, clock, patience, clock.monotonic_seconds() + patience.total_seconds, decided)
    return decided


async def _decide(
    asked: Sequence[Asked],
    decider: Decider,
    clock: Clock,
    patience: Patience,
    until_seconds: float,
    decided: Decided,
) -> None:
    wait_seconds = patience.first_seconds
    while True:
        try:
            async with asyncio.timeout(max(0.0, until_seconds - clock.monotonic_seconds())):
                verdicts = await decider.decide([one.request for one in asked])
        except TimeoutError:
            message = f"{decider.name} did not answer in time."
            decided.left.extend((one, OutcomeUnknown("decider_slow", message)) for one in asked)
            return
        except Rejected as error:
            if len(asked) == 1:
                decided.refused.append((asked[0], error))
                return
            middle = len(asked) // 2
            for half in (asked[:middle], asked[middle:]):
                await _decide(half, decider, clock, patience, until_seconds, decided)
            return
        except (Retryable, OutcomeUnknown, SignInNeeded) as error:
            # To ask again is harmless: a decider changes nothing outside.
            after_seconds = error.after_seconds if isinstance(error, Retryable) else 0
            pause_seconds = max(wait_seconds, after_seconds)
            if isinstance(error, SignInNeeded) or clock.monotonic_seconds() + pause_seconds > until_seconds:
                decided.left.extend((one, error) for one in asked)
                return
        else:
            decided.verdicts.extend(zip(asked, verdicts, strict=True))
            return
        await clock.sleep(pause_seconds)
        wait_seconds = min(wait_seconds * 2, patience.longest_seconds)


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
