"""The programs of a simulated installation: the product's own handlers, wired to the log, the disks and the sinks."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from random import Random

from billstream.simulating.disk import Disk
from billstream.simulating.engine import Reader, run_agents
from billstream.simulating.log import Log
from billstream.simulating.process import Process
from billstream.simulating.sink import Destination, identity_of, sinks_for
from books.stores.port import Store
from books.testing import BOOK, TENANT
from schemas.canonical import deterministic_id
from schemas.codec import encode
from schemas.envelope import Envelope
from schemas.errors import OutcomeUnknown, Rejected, Retryable
from schemas.inputs import Category, ClockTick, DecisionRank, SinkReceipt
from schemas.outputs import OutboxAttempt
from schemas.work import DecideEntry, DeliverDocument
from sinks.base import draft_of, key_of
from streams.agents.categorise import CategoriseHandler, CategoriseSettings
from streams.agents.deliver import DeliverAgent, receipt_record, turn_of
from streams.agents.fold import ORDERED, FoldHandler, FoldSettings
from streams.agents.outbox import MemoryOutbox, outbox_key
from streams.agents.sequence import SequenceHandler, SequenceSettings
from streams.deciding.port import Verdict
from streams.engine.guard import GuardedAgent, RawRecord
from streams.engine.lanes import LaneLimits, Lanes
from streams.engine.publisher import Outgoing
from streams.engine.side_by_side import SETTLING_MAX, SideBySide
from streams.letters import Place, dead_letter, reason_of
from streams.tails import fingerprint, origin_of
from streams.topics import COMMANDS, JOURNAL, OUTBOX, RESULTS, TIME_ENTRIES, WORK, book_name

TICK_SECONDS = 300.0
BATCH_MAX = 5
AT_ONCE_MAX = 3
HELD_BYTES = 20_000
"""A few documents: then a delivery that hangs holds up the reading."""


def batches(random: Random) -> Callable[[], int]:
    """How much a process reads at once."""
    return lambda: random.randint(1, BATCH_MAX)


async def sequence(process: Process, random: Random, stop: asyncio.Event) -> None:
    """The way into the journal."""
    reader = Reader(process, "sequence", batches(random))
    settings = SequenceSettings(TENANT, BOOK, 1)
    topics = (TIME_ENTRIES, COMMANDS, RESULTS)
    process.on_lost = reader.tell_lost
    agents = [(topic, SequenceHandler(settings, process.publisher)) for topic in topics]
    await run_agents(process, reader, agents, stop)


class Tails:
    """What a starting fold asks the broker."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def highest_origins(self, partition: int) -> Mapping[str, int]:
        """See the product's: the origin of the last record of each topic."""
        await self._process.gate("looks how far its outputs came")
        return {topic: self._last(self._process.log, topic) for topic in ORDERED}

    async def journal_bounds(self, partition: int) -> tuple[int, int]:
        """See the product's."""
        await self._process.gate("looks for the journal's end")
        return 0, self._process.log.end(JOURNAL)

    async def journal_fingerprint(self, partition: int, offset: int) -> str | None:
        """See the product's."""
        await self._process.gate("compares its store with the journal")
        return fingerprint(self._process.log.topics[JOURNAL][offset])

    @staticmethod
    def _last(log: Log, topic: str) -> int:
        records = log.topics[topic]
        return origin_of(records[-1].value or b"") if records else -1


class FoldProgram:
    """The fold of the journal on a machine's disk, and the ticks of the clock."""

    def __init__(self, process: Process, random: Random, disk: Disk, version: str) -> None:
        self._process, self._random, self._disk = process, random, disk
        self.version = version
        self.handler = FoldHandler(FoldSettings(TENANT, BOOK, 1), self._open, process.publisher, Tails(process))
        self.store: Store | None = None

    def _open(self, partition: int) -> Store:
        self.store = store = self._disk.open(self._process.machine, self.version)
        self._process.tell(f"opens its store at {store.position.next_offset}")
        self._process.closers.append(lambda: self._disk.died(store))
        return store

    async def run(self, stop: asyncio.Event) -> None:
        """Fold until told to stop."""
        reader = Reader(self._process, "fold", batches(self._random))
        self._process.on_lost = reader.tell_lost
        ticking = asyncio.ensure_future(self._tick())
        await run_agents(self._process, reader, [(JOURNAL, self.handler)], stop)
        ticking.cancel()
        self._process.closers.clear()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            if self.handler.owns(0):
                now = self._process.clock.now()
                name = deterministic_id("tick", {"tenant": TENANT, "book": BOOK, "at": now})
                head = Envelope(
                    event_id=name, tenant=TENANT, book=BOOK, origin="clock", recorded_at=now, producer="sim/1"
                )
                tick = encode(ClockTick(envelope=head, at=now))
                await self._process.publisher.publish([Outgoing(COMMANDS, 0, book_name(TENANT, BOOK).encode(), tick)])


class Mind:
    """A decider that takes its time, changes its mind, and is sometimes out."""

    version = 1

    def __init__(self, process: Process, random: Random, is_calm: Callable[[], bool]) -> None:
        self.name = random.choice(["offline", "claude"])
        self.version = random.choice([1, 1, 2])
        self._process, self._random, self._is_calm = process, random, is_calm

    async def decide(self, requests: Sequence[DecideEntry]) -> Sequence[Verdict]:
        """See `Decider`."""
        await asyncio.sleep(self._random.choice([0, 0.1, 3]))
        await self._process.gate(f"decides {len(requests)}")
        if not self._is_calm():
            roll = self._random.random()
            if roll < 0.06:
                raise Retryable("decider_busy", "Too many requests.", after_seconds=2)
            if roll < 0.10:
                raise OutcomeUnknown("decider_silent", "No answer.")
            if roll < 0.12:
                raise Rejected("decider_refused", "No.")
        return [self._verdict() for _ in requests]

    def _verdict(self) -> Verdict:
        rank = DecisionRank.OFFLINE if self.name == "offline" else DecisionRank.CLAUDE
        category = self._random.choice([Category.BILLABLE, Category.BILLABLE, Category.NON_BILLABLE])
        held = self._random.choice(["", "", "", "", "decision_unsure"])
        return Verdict(rank, category, Decimal("0.9"), ("said so",), held_reason=held)


async def categorise(process: Process, random: Random, stop: asyncio.Event, is_calm: Callable[[], bool]) -> None:
    """Decisions."""
    reader = Reader(process, "categorise", batches(random))
    process.on_lost = reader.tell_lost
    mind = Mind(process, random, is_calm)
    settings = CategoriseSettings(TENANT, BOOK, 1)
    handler = CategoriseHandler(settings, process.publisher, mind, process.clock)
    await run_agents(process, reader, [(WORK, handler)], stop)


class LogOutbox:
    """The outbox as a process sees it: it reads the topic to its end at each look."""

    def __init__(self, process: Process, destinations: Mapping[str, Destination]) -> None:
        self._process, self._destinations = process, destinations
        self._index = MemoryOutbox(process.clock)
        self._read = 0

    async def last(self, request: DeliverDocument) -> OutboxAttempt | None:
        """See `Outbox`."""
        await self._process.gate("looks into the outbox")
        if request.sink in self._destinations:
            identity = identity_of(draft_of(request), key_of(request))
            self._destinations[request.sink].looks[self._process.name, identity] = self._process.loop.time()
        records = [record for _, record in self._process.log.numbered(OUTBOX)]
        self._index.keep(one for one in records[self._read :] if isinstance(one, OutboxAttempt))
        self._read = len(records)
        return await self._index.last(request)

    async def record(self, attempt: OutboxAttempt) -> None:
        """See `Outbox`."""
        await self._process.publisher.publish([Outgoing(OUTBOX, 0, outbox_key(attempt).encode(), encode(attempt))])
        await self._index.record(attempt)

    def quiet_seconds(self, request: DeliverDocument) -> float:
        """See `Outbox`."""
        return self._index.quiet_seconds(request)


async def deliver(
    process: Process, random: Random, destinations: Mapping[str, Destination], stop: asyncio.Event
) -> None:
    """Deliveries, side by side."""

    async def publish_receipt(receipt: SinkReceipt) -> None:
        await process.publisher.publish([receipt_record(receipt, 1)])

    def letter(record: RawRecord, error: Exception) -> Outgoing:
        place = Place(WORK, 0, record.offset, record.timestamp_milliseconds, record.key, record.value)
        return dead_letter(place, TENANT, BOOK, "deliver", *reason_of(error))

    agent = DeliverAgent(
        sinks_for(process, destinations), LogOutbox(process, destinations), publish_receipt, process.clock
    )
    reader = Reader(process, "deliver", batches(random))
    process.on_lost = reader.tell_lost
    guarded = GuardedAgent("deliver", WORK, agent, letter, process.publisher)
    limits = LaneLimits(at_once=random.randint(1, AT_ONCE_MAX), held_bytes=HELD_BYTES)
    handler = SideBySide(guarded, turn_of, Lanes(limits))
    await run_agents(process, reader, [(WORK, handler)], stop, SETTLING_MAX)
