"""A worker's process whose work does not end when it is told to stop."""

import asyncio
import threading

from streams.engine import worker

worker.STOP_LIMIT_SECONDS = 0.2


async def an_outcome_that_never_comes() -> None:
    """Wait for ever."""
    await asyncio.Event().wait()


async def main() -> None:
    """Be told to stop while something waits, and something else holds the loop up."""
    waiting = asyncio.ensure_future(an_outcome_that_never_comes())
    await asyncio.sleep(0)
    worker._exit_later(worker.EXIT_CRASHED)  # the piece under test, without a broker
    hold_up()
    await waiting


def hold_up() -> None:
    """Nothing else in the loop runs meanwhile."""
    never = threading.Event()
    never.wait()


if __name__ == "__main__":
    asyncio.run(main())
