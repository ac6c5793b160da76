"""A destination whose answers may be lost: what it was sent is there at once, later, or not at all."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import assert_never

from billstream.simulating.process import Process
from schemas.errors import OutcomeUnknown, Rejected, Retryable
from sinks.base import DraftKey, DraftToSend, Receipt, SeenDraft, SeenLine, SinkSpec

KEY_LIFE_SECONDS = 60.0
SHOWN_AFTER_SECONDS = 20.0
LATE_SECONDS = 8.0
SILENT_SECONDS = 10_000.0
Identity = tuple[str, int, str, int]


class Mood(StrEnum):
    """How a sink takes its next call."""

    FINE = "fine"
    DROPPED = "made it, and the connection dropped"
    LATE = "makes it later, and the connection dropped"
    SILENT = "made it, and never answers"
    BUSY = "is busy"
    REFUSING = "refuses"


@dataclass(frozen=True, slots=True)
class Made:
    """A document at the sink: what it is, when it came, and whether others can see it already."""

    identity: Identity
    key: str
    content: str
    at_seconds: float
    looked_seconds: float
    draft: DraftToSend


@dataclass
class Destination:
    """What stands at one sink. One with keys knows a create again for as long as the key lives."""

    name: str
    has_keys: bool
    made: list[Made] = field(default_factory=list)
    moods: deque[Mood] = field(default_factory=deque)
    looks: dict[tuple[str, Identity], float] = field(default_factory=dict)
    """(process, document) -> when it last asked the outbox: from then on it acts on what it saw."""

    def make(self, draft: DraftToSend, key: DraftKey, now_seconds: float, looked_seconds: float) -> Made:
        """Make the document, unless the key says that it was made: all that such a sink looks at is the key."""
        word = key.idempotency_key
        for one in self.made:
            lives = now_seconds - one.at_seconds <= KEY_LIFE_SECONDS
            if self.has_keys and lives and one.key == word:
                return one
        made = Made(identity_of(draft, key), word, draft.content, now_seconds, looked_seconds, draft)
        self.made.append(made)
        return made


def identity_of(draft: DraftToSend, key: DraftKey) -> Identity:
    """What must be there once."""
    return draft.document_id, draft.revision, draft.state.value, key.generation


class SimulatedSink:
    """A destination as one process sees it."""

    def __init__(self, destination: Destination, process: Process) -> None:
        self.spec = SinkSpec(destination.name, create_deadline_seconds=15, settle_seconds=30, timeout_seconds=10)
        self._destination = destination
        self._process = process

    async def find(self, draft: DraftToSend, key: DraftKey) -> Receipt | None:
        """See `DraftSink`; what was made just now is not found yet."""
        await self._process.gate(f"looks at {self.spec.name}")
        now_seconds = self._process.loop.time()
        for one in self._destination.made:
            is_shown = now_seconds - one.at_seconds >= SHOWN_AFTER_SECONDS
            if one.identity == identity_of(draft, key) and is_shown:
                return self._receipt(one)
        return None

    async def create(self, draft: DraftToSend, key: DraftKey) -> Receipt:
        """See `DraftSink`."""
        place, loop = self._destination, self._process.loop
        mood = place.moods.popleft() if place.moods else Mood.FINE
        self._process.tell(f"sends {draft.document_id[:8]}/{draft.revision} {draft.state} to {place.name}: {mood}")
        sent_seconds = loop.time()
        looked_seconds = place.looks[self._process.name, identity_of(draft, key)]
        match mood:
            case Mood.FINE:
                made = place.make(draft, key, sent_seconds, looked_seconds)
                await self._process.gate(f"hears from {place.name}")
                return self._receipt(made)
            case Mood.DROPPED:
                place.make(draft, key, sent_seconds, looked_seconds)
            case Mood.LATE:
                loop.call_later(
                    LATE_SECONDS, lambda: place.make(draft, key, sent_seconds + LATE_SECONDS, looked_seconds)
                )
            case Mood.SILENT:
                place.make(draft, key, sent_seconds, looked_seconds)
                await asyncio.sleep(SILENT_SECONDS)
            case Mood.BUSY:
                raise Retryable("sink_busy", "Too many requests.", after_seconds=5)
            case Mood.REFUSING:
                raise Rejected("sink_refused", "No.")
            case _:
                assert_never(mood)
        await self._process.gate(f"hears nothing from {place.name}")
        raise OutcomeUnknown("sink_outcome_unknown", "The connection dropped.")

    async def read_back(self, receipt: Receipt) -> SeenDraft:
        """See `DraftSink`."""
        await self._process.gate(f"reads {self.spec.name}")
        body = self._destination.made[int(receipt.location)].draft.body
        lines = tuple(SeenLine(position=line.position, amount=line.amount) for line in body.lines)
        net = sum((line.amount for line in body.lines), Decimal(0))
        return SeenDraft(
            net=net, tax=body.tax, gross=body.gross, currency=body.currency, lines=lines, sink_hash=receipt.sink_hash
        )

    def _receipt(self, made: Made) -> Receipt:
        return Receipt(location=str(self._destination.made.index(made)), sink_hash=made.content)


def sinks_for(process: Process, destinations: Mapping[str, Destination]) -> Mapping[str, SimulatedSink]:
    """All destinations, as a process sees them."""
    return {name: SimulatedSink(one, process) for name, one in destinations.items()}
