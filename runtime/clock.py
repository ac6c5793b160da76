"""The one home of the wall clock: everything else takes a clock as an argument."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What code may ask about time."""

    def now(self) -> datetime:
        """The moment in UTC, for people and records."""

    def monotonic_seconds(self) -> float:
        """Seconds since some start; never jumps, for measuring and time limits."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The moment in UTC."""
        return datetime.now(UTC)

    def monotonic_seconds(self) -> float:
        """Seconds since some start."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait in real time."""
        await asyncio.sleep(seconds)


class SimulatedClock:
    """A clock that moves only when told to; sleepers wake in the order of their time."""

    def __init__(self, now: datetime) -> None:
        assert now.tzinfo is not None, "a moment without a zone is no moment"
        self._now = now.astimezone(UTC)
        self._elapsed_seconds = 0.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def now(self) -> datetime:
        """The simulated moment in UTC."""
        return self._now

    def monotonic_seconds(self) -> float:
        """Simulated seconds since this clock was made."""
        return self._elapsed_seconds

    async def sleep(self, seconds: float) -> None:
        """Wait until `advance` has reached the time."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.Event()
        self._sleepers.append((self._elapsed_seconds + seconds, woken))
        await woken.wait()

    def advance(self, seconds: float) -> None:
        """Let time pass and wake those whose time has come."""
        assert seconds >= 0, seconds
        self._now += timedelta(seconds=seconds)
        self._elapsed_seconds += seconds
        due = [sleeper for sleeper in self._sleepers if sleeper[0] <= self._elapsed_seconds]
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > self._elapsed_seconds]
        for _, woken in sorted(due, key=lambda sleeper: sleeper[0]):
            woken.set()
