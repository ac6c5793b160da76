"""Work in a thread that is always waited for: a cancelled caller must not leave it with files and rows that the next
one takes for its own.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

AnswerT = TypeVar("AnswerT")


async def in_thread(work: Callable[[], AnswerT], on_cancel: Callable[[], None] = lambda: None) -> AnswerT:
    """Do it in a thread and return its answer; when we are cancelled meanwhile, its end comes first.

    Work that may take long should end soon after `on_cancel`, however it ends then.
    """
    done = asyncio.ensure_future(asyncio.to_thread(work))
    cancelled: asyncio.CancelledError | None = None
    while not done.done():
        try:
            await asyncio.wait({done})
        except asyncio.CancelledError as error:
            cancelled = error
            on_cancel()
    if cancelled is not None:
        done.exception()  # nobody waits for how it ended
        raise cancelled
    return done.result()
