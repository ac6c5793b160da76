"""One producer of the client, with all calls that wait for it: nobody waits for a producer that was given up.

The client can only stop a producer by sending first what is queued. Giving up is the contrary: from that moment nothing
more is written, and every call hears of it at once, whatever the client's own tasks still do.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import NoReturn

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from runtime.kafka.closing import close_in_time

ENDING_SECONDS = 1.0
"""How long the client's sender may take to end when it is told twice; nothing is written in that time."""

FIRST_WORD_SECONDS = 0.05
"""How long the sender may take to end by itself, once its connections are closed."""


class Outlet:
    """A producer until it is given up. The calls of one event loop only."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self.producer = producer
        close_in_time(producer.client)
        self.given_up: str | None = None
        self._waiting: set[asyncio.Timeout] = set()
        self._closing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect. Raises the client's KafkaError when no broker answers; then the connections are closed."""
        try:
            await self.producer.start()
        except BaseException:
            self.give_up("it did not start")
            raise

    @asynccontextmanager
    async def waiting(self, deadline_seconds: float) -> AsyncIterator[None]:
        """Raises TimeoutError inside at that time of the loop's clock, or as soon as the producer is given up."""
        timeout = asyncio.timeout_at(deadline_seconds if self.given_up is None else 0.0)
        try:
            async with timeout:
                self._waiting.add(timeout)
                yield
        finally:
            self._waiting.discard(timeout)

    def give_up(self, reason: str) -> None:
        """Nothing more is written, and all calls are told; only the first reason counts."""
        if self.given_up is not None:
            return
        self.given_up = reason
        self.producer._closed = True
        self.producer._message_accumulator._closed = True
        self.producer.client.send = self._refuse
        for call in self._waiting:
            if not call.expired():
                call.reschedule(0.0)
        self._closing = asyncio.ensure_future(self._close())

    async def closed(self) -> None:
        """Return when the connections of a producer that was given up are closed: what was on its way is gone."""
        if self._closing is not None:
            await asyncio.shield(self._closing)

    async def _refuse(self, *_request: object, **_options: object) -> NoReturn:
        raise KafkaError(f"the producer was given up: {self.given_up}")

    async def _close(self) -> None:
        with suppress(KafkaError, OSError):
            await self.producer.client.close()
        sender = self.producer._sender.sender_task if self.producer._sender is not None else None
        for patience_seconds in (FIRST_WORD_SECONDS, ENDING_SECONDS):
            if sender is not None and not sender.done():
                # It first waits for its requests, which end with their connections, unless one waits for news of the
                # cluster that nobody brings any more: the second word ends that, too.
                sender.cancel()
                await asyncio.wait({sender}, timeout=patience_seconds)
        if sender is not None and sender.done() and not sender.cancelled():
            # Seen: a sender falls over batches that failed in another moment than it thinks, and nobody waits.
            sender.exception()
