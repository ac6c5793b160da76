"""A broker that takes only so many requests with records, and then leaves the next one without an answer."""

import asyncio
from collections.abc import Awaitable, Callable

from aiokafka import AIOKafkaProducer


def take_only(producer: AIOKafkaProducer, requests: int, asked: asyncio.Event) -> None:
    """Hold what the producer wants to write until `asked`, and for ever what comes behind so many requests."""
    send: Callable[..., Awaitable[None]] = producer._sender._send_produce_req
    taken = 0

    async def send_few(*arguments: object) -> None:
        nonlocal taken
        await asked.wait()
        taken += 1
        if taken > requests:
            await asyncio.Event().wait()
        await send(*arguments)

    producer._sender._send_produce_req = send_few
