"""The `deliver` agent: takes the requests of `work` that bring documents to sinks, and waits while a fault can heal.

The requests of a worker are done side by side, some at once for each sink, so that one that hangs holds up no other.
The procedure itself is `delivery.py`; nothing here knows a concrete sink.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from runtime.clock import Clock
from runtime.kafka.connection import KafkaConnection
from schemas.codec import decode, encode, record_type_of
from schemas.errors import ConfigurationError, OutcomeUnknown, Retryable, Unreadable
from schemas.inputs import DeliveryState, SinkReceipt
from schemas.work import DeliverDocument
from sinks.base import DraftKey, DraftSink, DraftToSend, Receipt, SeenDraft, SinkSpec
from streams.agents.delivery import PublishReceipt, deliver, give_up
from streams.agents.outbox import KafkaOutbox, Outbox
from streams.engine.app import EngineApp
from streams.engine.errors import PublishUnknown
from streams.engine.guard import GuardedAgent, RawRecord
from streams.engine.lanes import LaneLimits, Lanes, Turn
from streams.engine.publisher import Outgoing, Publisher
from streams.engine.side_by_side import install_side_by_side
from streams.letters import Place, dead_letter, reason_of
from streams.topics import RESULTS, WORK, book_partition

NAME = "deliver"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a delivery waits for what can heal before it is given up: waits double from first to longest.

    It begins when it is the delivery's turn at its sink.
    """

    first_seconds: int = 1
    longest_seconds: int = 30
    total_seconds: int = 120


@dataclass(slots=True)
class DeliverAgent:
    """Does one request of `work` to its end, with patience for what heals; all others are not for it."""

    sinks: Mapping[str, DraftSink]
    outbox: Outbox
    publish_receipt: PublishReceipt
    clock: Clock
    patience: Patience = Patience()
    on_settled: Callable[[str, DeliveryState, float], None] = lambda sink, state, seconds: None
    under_way: dict[str, float] = field(default_factory=dict)
    """Requests under way, each once, with the time of the monotonic clock at which it began."""

    def busy_seconds(self) -> float:
        """How long the oldest delivery under way has taken; 0 without one."""
        now_seconds = self.clock.monotonic_seconds()
        return now_seconds - min(self.under_way.values(), default=now_seconds)

    async def __call__(self, record: RawRecord) -> None:
        """Deliver when the record asks for it; returns when the receipt is acknowledged.

        Raises Unreadable for a broken request; other kinds of records and bytes without our frame belong to others.
        """
        if not _is_ours(record):
            return
        request = _request_of(record)
        assert request.request_id not in self.under_way, request.request_id
        self.under_way[request.request_id] = self.clock.monotonic_seconds()
        try:
            await self.bring(request)
        finally:
            del self.under_way[request.request_id]

    async def bring(self, request: DeliverDocument) -> SinkReceipt:
        """Deliver, wait and look again while it can heal, then give up; the receipt says how it ended."""
        sink = self.sinks.get(request.sink) or MissingSink(request.sink)
        started_seconds = self.clock.monotonic_seconds()
        wait_seconds = self.patience.first_seconds
        while True:
            tried_seconds = self.clock.monotonic_seconds()
            try:
                receipt = await deliver(request, sink, self.outbox, self.publish_receipt, self.clock)
                return self._settled(receipt, tried_seconds)
            except (Retryable, OutcomeUnknown) as error:
                waited_seconds = self.clock.monotonic_seconds() - started_seconds
                if waited_seconds + wait_seconds > self.patience.total_seconds:
                    if isinstance(error, PublishUnknown):
                        raise
                    receipt = await give_up(request, error, self.outbox, self.publish_receipt, self.clock)
                    return self._settled(receipt, tried_seconds)
                after_seconds = error.after_seconds if isinstance(error, Retryable) else 0
            await self.clock.sleep(max(wait_seconds, min(after_seconds, self.patience.longest_seconds)))
            wait_seconds = min(wait_seconds * 2, self.patience.longest_seconds)

    def _settled(self, receipt: SinkReceipt, tried_seconds: float) -> SinkReceipt:
        self.on_settled(receipt.sink, receipt.state, self.clock.monotonic_seconds() - tried_seconds)
        return receipt


def turn_of(record: RawRecord) -> Turn | None:
    """The sink's lane, and within it the document: one request for it after the other, in the order of their coming.

    What cannot be read waits for nobody: its dead letter is due at once.
    """
    if not _is_ours(record):
        return None
    try:
        request = _request_of(record)
    except Unreadable:
        return Turn("", f"{record.partition}/{record.offset}")
    return Turn(request.sink, request.document_id)


def _is_ours(record: RawRecord) -> bool:
    try:
        return record_type_of(record.value or b"") is DeliverDocument
    except Unreadable:
        return False  # every agent on `work` sees it; `categorise` writes the one dead letter


def _request_of(record: RawRecord) -> DeliverDocument:
    request = decode(record.value or b"")
    assert isinstance(request, DeliverDocument), type(request).__name__
    return request


class MissingSink:
    """Stands for a sink that a document should go to and that this installation does not have."""

    def __init__(self, name: str) -> None:
        self.spec = SinkSpec(name=name, create_deadline_seconds=0, settle_seconds=0)

    async def find(self, draft: DraftToSend, key: DraftKey) -> Receipt | None:
        """Raises ConfigurationError: the delivery needs a person."""
        raise self._error()

    async def create(self, draft: DraftToSend, key: DraftKey) -> Receipt:
        """Raises ConfigurationError."""
        raise self._error()

    async def read_back(self, receipt: Receipt) -> SeenDraft:
        """Raises ConfigurationError."""
        raise self._error()

    def _error(self) -> ConfigurationError:
        message = f"There is no sink {self.spec.name!r} in the settings of this worker."
        return ConfigurationError("sink_missing", message, "Add it under `sinks`, then deliver again.")


@dataclass(frozen=True, slots=True)
class DeliverSettings:
    """Of whom unreadable records are, how many partitions the installation has, and how much is done at once."""

    tenant: str
    book: str
    partitions: int
    patience: Patience = Patience()
    limits: LaneLimits = field(default_factory=LaneLimits)


def install(
    app: EngineApp,
    connection: KafkaConnection,
    publisher: Publisher,
    sinks: Mapping[str, DraftSink],
    settings: DeliverSettings,
    clock: Clock,
    on_settled: Callable[[str, DeliveryState, float], None] = lambda sink, state, seconds: None,
    on_dead_letter: Callable[[str, str], None] = lambda topic, reason: None,
) -> tuple[DeliverAgent, Lanes]:
    """Put the agent into an app; it and its lanes, which are the sinks by the name that contracts use for them."""

    async def publish_receipt(receipt: SinkReceipt) -> None:
        await publisher.publish([receipt_record(receipt, settings.partitions)])

    def letter(record: RawRecord, error: Exception) -> Outgoing:
        place = Place(
            record.topic, record.partition, record.offset, record.timestamp_milliseconds, record.key, record.value
        )
        reason, detail = reason_of(error)
        on_dead_letter(record.topic, reason)
        return dead_letter(place, settings.tenant, settings.book, NAME, reason, detail)

    agent = DeliverAgent(
        sinks=sinks,
        outbox=KafkaOutbox(connection, publisher, settings.partitions, clock),
        publish_receipt=publish_receipt,
        clock=clock,
        patience=settings.patience,
        on_settled=on_settled,
    )
    lanes = Lanes(settings.limits)
    install_side_by_side(app, GuardedAgent(NAME, WORK, agent, letter, publisher), turn_of, lanes)
    return agent, lanes


def receipt_record(receipt: SinkReceipt, partitions: int) -> Outgoing:
    """A receipt on its way to the journal: keyed by its request, in the partition of its book."""
    envelope = receipt.envelope
    partition = book_partition(envelope.tenant, envelope.book, partitions)
    return Outgoing(RESULTS, partition, receipt.request_id.encode(), encode(receipt))
