"""Leaving a broker in time: encrypted connections say goodbye, and wait for half a minute when nobody answers.

A worker that is told to stop has less than that. By then everything is acknowledged and committed.
"""

import asyncio
from contextlib import suppress

from aiokafka.client import AIOKafkaClient

CLOSING_SECONDS = 1.0


def close_in_time(client: AIOKafkaClient, limit_seconds: float = CLOSING_SECONDS) -> None:
    """Let the client's `close()` wait so long for its connections, and not longer; they are closing all the same."""
    close = client.close

    async def close_or_leave() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_seconds):
                await close()

    client.close = close_or_leave
