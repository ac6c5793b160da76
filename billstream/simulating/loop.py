"""An event loop without a machine under it: time is a number, threads run at once, and when all wait, the world moves.

Whatever real code awaits, it awaits here. When nothing can go on by itself, the loop asks its `idle` for the next thing
that happens; so the order of everything follows from the seed.
"""

import asyncio
from asyncio import base_events
from collections.abc import Callable
from typing import TypeVar

_Result = TypeVar("_Result")
_AWAKE_SECONDS = 1e-6


class _Selector:
    """Stands where a loop waits for sockets: asks the world instead."""

    def __init__(self, loop: "SimulatedLoop") -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[object]:
        """Called when all ready callbacks ran; `timeout` is 0 while there are more."""
        if timeout is None or timeout > 0:
            self._loop.idle()
        return []

    def close(self) -> None:
        """Nothing was opened."""


class SimulatedLoop(base_events.BaseEventLoop):
    """`elapse` lets time pass; `idle` is called whenever nothing is left to do at this moment."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = _Selector(self)
        self._now_seconds = 0.0
        self._clock_resolution = _AWAKE_SECONDS
        self.idle: Callable[[], None] = self.stop

    def time(self) -> float:
        """Simulated seconds since the loop was made."""
        return self._now_seconds

    def elapse(self, seconds: float) -> float:
        """Let time pass, but not beyond what somebody sleeps until; returns what is left of it."""
        timers: list[asyncio.TimerHandle] = vars(self)["_scheduled"]
        passed_seconds = min(seconds, max(timers[0].when() - self._now_seconds, 0)) if timers else seconds
        self._now_seconds += passed_seconds
        return seconds - passed_seconds

    def run_in_executor(
        self, executor: object, func: Callable[..., _Result], *args: object
    ) -> "asyncio.Future[_Result]":
        """Do it at once; a simulated process has no other threads."""

        async def call() -> _Result:
            return func(*args)

        return self.create_task(call())

    def _process_events(self, event_list: list[object]) -> None:
        """There are no sockets."""

    def _write_to_self(self) -> None:
        """There is no other thread that could wake us."""
