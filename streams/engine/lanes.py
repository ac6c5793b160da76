"""Work that waits for the outside world, side by side: in lanes, of which each does so much at once.

What hangs in one lane holds up no other. Work on one thing never overlaps and keeps the order in which it came.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from weakref import WeakValueDictionary


@dataclass(frozen=True, slots=True)
class Turn:
    """Where work waits: in the queue of a lane, behind all that is still to be done to the same thing there."""

    lane: str
    thing: str


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """How much a lane does at once, and how many bytes of records all lanes together may hold, waiting ones as well."""

    at_once: int = 4
    held_bytes: int = 64 * 1024 * 1024


class Lanes:
    """The lanes of one process. What is begun here is held until it ends, so ask for room first."""

    def __init__(self, limits: LaneLimits) -> None:
        self._limits = limits
        self._lanes: dict[str, asyncio.Semaphore] = {}
        self._things: WeakValueDictionary[Turn, asyncio.Lock] = WeakValueDictionary()
        """A lock lives as long as somebody holds it or waits for it."""
        self._held: Counter[str] = Counter()
        self._held_bytes = 0
        self._ended = asyncio.Event()

    @property
    def are_full(self) -> bool:
        """Whether nothing more should be begun now."""
        return self._held_bytes >= self._limits.held_bytes

    @property
    def held_ratio(self) -> float:
        """The bytes that are held over their bound; from 1 on they are full."""
        return self._held_bytes / self._limits.held_bytes

    def held(self, lane: str) -> int:
        """How many pieces of work a lane holds: those that wait, and those under way."""
        return self._held[lane]

    async def wait(self) -> None:
        """Return when some work ended, however it did."""
        self._ended.clear()
        await self._ended.wait()

    def begin(self, turn: Turn, size_bytes: int, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Do the work when it is its turn. Cancelling what this returns gives up the turn, or ends the work."""
        thing = self._things.setdefault(turn, asyncio.Lock())
        task = asyncio.ensure_future(self._in_turn(turn.lane, thing, work))
        self._held[turn.lane] += 1
        self._held_bytes += size_bytes
        task.add_done_callback(partial(self._end, turn.lane, size_bytes))
        return task

    async def _in_turn(self, lane: str, thing: asyncio.Lock, work: Callable[[], Awaitable[None]]) -> None:
        # The thing first: who waits for another takes nobody's place in the lane. Both let in whoever came first.
        async with thing, self._lanes.setdefault(lane, asyncio.Semaphore(self._limits.at_once)):
            await work()

    def _end(self, lane: str, size_bytes: int, _: asyncio.Task[None]) -> None:
        self._held[lane] -= 1
        self._held_bytes -= size_bytes
        self._ended.set()
