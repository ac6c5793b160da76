"""A desk for tests of deliveries: a real sink behind a bad line, an outbox and receipts, and simulated time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from runtime.clock import SimulatedClock
from schemas.errors import BillstreamError, OutcomeUnknown
from schemas.inputs import DeliveryState, SinkReceipt
from schemas.work import DeliverDocument
from sinks.base import DraftKey, DraftSink, DraftToSend, Receipt, SeenDraft, SinkSpec
from streams.agents.delivery import deliver
from streams.agents.outbox import MemoryOutbox
from tests.streams.agents.asking import NOON

SPEC = SinkSpec(name="json_file", create_deadline_seconds=30, settle_seconds=60)


@dataclass
class UnreliableSink:
    """A real sink behind a bad line: faults are taken from the front of `faults`, one a call of that verb."""

    inner: DraftSink
    spec: SinkSpec = SPEC
    faults: dict[str, list[BillstreamError]] = field(default_factory=dict)
    answers_lost: int = 0
    hidden_looks: int = 0
    creates: int = 0
    seen: Callable[[SeenDraft], SeenDraft] = lambda seen: seen

    async def find(self, draft: DraftToSend, key: DraftKey) -> Receipt | None:
        self._fail("find")
        found = await self.inner.find(draft, key)
        if found and self.hidden_looks:
            self.hidden_looks -= 1
            return None
        return found

    async def create(self, draft: DraftToSend, key: DraftKey) -> Receipt:
        self._fail("create")
        receipt = await self.inner.create(draft, key)
        self.creates += 1
        if self.answers_lost:
            self.answers_lost -= 1
            raise OutcomeUnknown("lost", "The line broke after it was sent.")
        return receipt

    async def read_back(self, receipt: Receipt) -> SeenDraft:
        self._fail("read_back")
        return self.seen(await self.inner.read_back(receipt))

    def _fail(self, verb: str) -> None:
        if self.faults.get(verb):
            raise self.faults[verb].pop(0)


@dataclass
class Desk:
    """Everything around a delivery; outbox, receipts and files outlive each run, as they do a process."""

    folder: Path
    sink: UnreliableSink
    outbox: MemoryOutbox = field(init=False)
    receipts: list[SinkReceipt] = field(default_factory=list)
    clock: SimulatedClock = field(default_factory=lambda: SimulatedClock(NOON))

    def __post_init__(self) -> None:
        self.outbox = MemoryOutbox(self.clock)

    async def publish(self, receipt: SinkReceipt) -> None:
        self.receipts.append(receipt)

    async def deliver(self, request: DeliverDocument) -> SinkReceipt:
        return await deliver(request, self.sink, self.outbox, self.publish, self.clock)

    def files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]

    def states(self) -> list[DeliveryState]:
        return [attempt.state for attempt in self.outbox.attempts.values()]
