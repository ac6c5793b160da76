"""The simulated clock moves only when told to."""

import asyncio
from datetime import UTC, datetime, timedelta

from runtime.clock import Clock, SimulatedClock, SystemClock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


async def test_sleepers_wake_in_the_order_of_their_time() -> None:
    """Not in the order in which they went to sleep, and not before their time."""
    clock = SimulatedClock(NOON)
    woken: list[int] = []

    async def sleep(seconds: int) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    async with asyncio.TaskGroup() as group:
        for seconds in (30, 10, 20):
            group.create_task(sleep(seconds))
        await asyncio.sleep(0)
        clock.advance(25)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert woken == [10, 20]
        clock.advance(5)
    assert woken == [10, 20, 30]
    assert clock.now() == NOON + timedelta(seconds=30)
    assert clock.monotonic_seconds() == 30


def test_the_system_clock_knows_its_zone() -> None:
    """A moment without a zone would be read as local time somewhere."""
    clock: Clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert clock.monotonic_seconds() <= clock.monotonic_seconds()
