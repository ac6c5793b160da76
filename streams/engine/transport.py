"""Faust's Kafka transport with our consumer, and a producer whose flush means what it says.

Stock Faust sends without idempotence, logs a failed background send and commits all the same, and its flush gives up
after 0.1 s without progress (design section 3). Table changelogs go this way, so all three are mended here.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, ClassVar

from aiokafka import AIOKafkaProducer
from aiokafka.structs import RecordMetadata
from faust.transport.drivers.aiokafka import Producer, Transport
from faust.transport.producer import ProducerBuffer
from faust.types.tuples import FutureMessage

from runtime.kafka.closing import close_in_time
from streams.engine.consumer import BatchConsumer
from streams.engine.errors import PublishUnknown
from streams.engine.membership import fence

if TYPE_CHECKING:
    from streams.engine.app import EngineApp

FLUSH_LIMIT_SECONDS = 60.0
FLUSH_LOOK_SECONDS = 0.005


class CountingBuffer(ProducerBuffer):  # type: ignore[misc]  # Faust carries no types
    """Knows about the message that left the queue and has not reached the client yet."""

    in_hand: int = 0

    async def _send_pending(self, fut: FutureMessage) -> None:
        self.in_hand += 1
        try:
            await super()._send_pending(fut)
        finally:
            self.in_hand -= 1


class DurableProducer(Producer):  # type: ignore[misc]  # Faust carries no types
    """Idempotent, acks=all; a failed send stops the worker instead of being logged."""

    app: "EngineApp"
    buffer: CountingBuffer

    def __post_init__(self) -> None:
        super().__post_init__()
        self._unacknowledged: set[asyncio.Future[RecordMetadata]] = set()
        self._failed: BaseException | None = None

    async def on_start(self) -> None:
        """Exchange Faust's buffer before anything is put into it."""
        buffer = CountingBuffer(loop=self.loop, beacon=self.beacon)
        buffer.app = self.app
        buffer.pending = self.buffer.pending
        self.buffer = buffer
        await super().on_start()

    def _settings_extra(self) -> Mapping[str, object]:
        return {"acks": "all", "enable_idempotence": True}

    def _new_producer(self, transactional_id: str | None = None) -> AIOKafkaProducer:
        producer: AIOKafkaProducer = super()._new_producer(transactional_id)
        # A zombie's table must not reach the changelog that the new owner recovers from.
        fence(producer, self.app.membership)
        close_in_time(producer.client)
        return producer

    async def send(self, *arguments: object, **options: object) -> Awaitable[RecordMetadata]:
        """Hand a record to the client; the answer is awaited by the caller or by the next flush."""
        sent: asyncio.Future[RecordMetadata] = await super().send(*arguments, **options)
        self._unacknowledged.add(sent)
        sent.add_done_callback(self._settle)
        return sent

    def _settle(self, sent: "asyncio.Future[RecordMetadata]") -> None:
        self._unacknowledged.discard(sent)
        if not sent.cancelled() and (error := sent.exception()) is not None:
            self._failed = self._failed or error
            self.add_future(self.crash(error))

    async def flush(self) -> None:
        """Return when the broker acknowledged everything that was put in.

        Raises PublishUnknown after a minute, and for ever once a record was refused: no offset may pass it.
        """
        deadline = self.loop.time() + FLUSH_LIMIT_SECONDS
        while self.buffer.size or self.buffer.in_hand or self._unacknowledged:
            if self.should_stop or self.loop.time() > deadline:
                raise PublishUnknown(f"{self.buffer.size} records of Faust's own were not acknowledged")
            await asyncio.sleep(FLUSH_LOOK_SECONDS)
        if self._failed is not None:
            # The worker is about to stop because of it, but a commit that waited here would be sent before that.
            raise PublishUnknown(f"a record of Faust's own was refused: {self._failed!r}") from self._failed


class EngineTransport(Transport):  # type: ignore[misc]  # Faust carries no types
    """Set on `app.transport` and `app.producer_transport` right after the app is made."""

    Consumer: ClassVar[type[BatchConsumer]] = BatchConsumer
    Producer: ClassVar[type[DurableProducer]] = DurableProducer
