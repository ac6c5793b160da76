"""Asking a cluster again that has no answer yet: a leader is chosen, a coordinator loads, a broker comes back."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiokafka.errors import KafkaError

_POLL_SECONDS = 0.2
Answer = TypeVar("Answer")


async def patiently(ask: Callable[[], Awaitable[Answer]], limit_seconds: float) -> Answer:
    """The answer, asked for again while the cluster says that it may come; twice must be as good as once.

    Raises the last KafkaError when the limit is over, and one that asking again does not heal at once.
    """
    until_seconds = time.monotonic() + limit_seconds
    while True:
        try:
            return await ask()
        except KafkaError as error:
            if not error.retriable or time.monotonic() >= until_seconds:
                raise
        await asyncio.sleep(_POLL_SECONDS)
