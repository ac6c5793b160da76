"""A simulated process: the product's own code runs in it, and whatever leaves it waits at a gate for its turn.

Between any two effects the process may die; then nothing of it happens any more, but what was on the wire may arrive.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from billstream.simulating.log import EPOCH, Log
from billstream.simulating.loop import SimulatedLoop
from schemas.errors import BillstreamError
from streams.engine.batch import Settling, settled
from streams.engine.errors import PublishUnknown
from streams.engine.publisher import Outgoing, Publisher

ON_THE_WIRE_MAX = 3
"""How many records of a topic may arrive although their sender died."""

Tell = Callable[[str, str], None]


class Died(BaseException):
    """The process is gone in the middle of what it did."""


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that leaves a process or comes back to it. It happens when it is the process's turn and it is ready."""

    what: str
    act: Callable[[], None]
    is_ready: Callable[[], bool]


def always() -> bool:
    """Most effects are ready when they are there."""
    return True


class Process:
    """A process on a machine, with its clock and its publisher."""

    def __init__(self, name: str, machine: int, seed: int, log: Log, loop: SimulatedLoop, tell: Tell) -> None:
        self.name, self.machine, self.log, self.loop = name, machine, log, loop
        self.role = ""
        self.clock = ProcessClock(self)
        self.publisher = Wire(self)
        self.is_dead = False
        self.is_over = False
        """It came to its end by itself."""
        self.is_owner = True
        """The group still counts it; it learns of the contrary late."""
        self.ahead_seconds = 0
        self.cuts = 0
        """How many of the next acknowledgements get lost."""
        self.on_lost: Callable[[], None] = lambda: None
        """How it learns that the group does not count it any more."""
        self.random = Random(f"{name}/{seed}")
        self.broke: list[str] = []
        """Errors that no code of ours raises on purpose."""
        self.closers: list[Callable[[], None]] = []
        """What is to be done to its machine when it dies."""
        self.main: asyncio.Task[object] | None = None
        self._tell = tell
        self._waiting: list[Effect] = []
        self._tasks: dict[asyncio.Task[object], None] = {}

    def run(self, program: Coroutine[object, object, object]) -> None:
        """Start its program; everything that it starts belongs to it."""
        token = _CURRENT.set(self)
        self.main = make_task(self.loop, program)
        _CURRENT.reset(token)

    def belongs(self, task: "asyncio.Task[object]") -> None:
        """A task of this process."""
        self._tasks[task] = None
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[object]") -> None:
        self._tasks.pop(task, None)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, BillstreamError | Died):
            self.broke.append(f"{type(error).__name__}: {error}")

    async def gate(self, what: str, is_ready: Callable[[], bool] = always) -> None:
        """Wait for the turn to do something that others can see, or to see what others did."""
        if self.is_dead:
            raise Died
        passed: asyncio.Future[None] = self.loop.create_future()
        self._waiting.append(Effect(what, lambda: None if passed.done() else passed.set_result(None), is_ready))
        await passed
        if self.is_dead:
            raise Died

    def later(self, what: str, act: Callable[[], None]) -> None:
        """Something comes back to the process some time."""
        self._waiting.append(Effect(what, act, always))

    def turn(self, random: Random) -> bool:
        """Let one thing happen; False when nothing can."""
        if self.is_dead:
            return False
        ready = [one for one in self._waiting if one.is_ready()]
        lanes = self.publisher.lanes()
        if not ready and not lanes:
            return False
        number = random.randrange(len(ready) + len(lanes))
        if number < len(ready):
            self._waiting.remove(ready[number])
            self.tell(ready[number].what)
            ready[number].act()
        else:
            lanes[number - len(ready)].popleft().act()
        return True

    def can_go_on(self) -> bool:
        """Whether a turn would change something."""
        return not self.is_dead and (bool(self.publisher.lanes()) or any(one.is_ready() for one in self._waiting))

    def tell(self, what: str) -> None:
        """For the trace."""
        if what:
            self._tell(self.name, what)

    def kill(self) -> list[Outgoing]:
        """Nothing happens in it any more; returns what may still arrive."""
        self.is_dead = True
        self._waiting.clear()
        arriving = self.publisher.on_the_wire()
        for task in list(self._tasks):
            task.cancel()
        for close in self.closers:
            close()
        return arriving


_CURRENT: ContextVar[Process | None] = ContextVar("process", default=None)


def make_task(loop: asyncio.AbstractEventLoop, program: Coroutine[object, object, object]) -> "asyncio.Task[object]":
    """Tasks know their process, so that they die with it."""
    task = asyncio.Task(program, loop=loop)
    process = _CURRENT.get()
    if process is not None:
        process.belongs(task)
    return task


class ProcessClock:
    """A machine's clock: it may be wrong, and it may jump. Its monotonic time does neither."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def now(self) -> datetime:
        """See `Clock`."""
        return EPOCH + timedelta(seconds=round(self._process.loop.time(), 3) + self._process.ahead_seconds)

    def monotonic_seconds(self) -> float:
        """See `Clock`."""
        return self._process.loop.time()

    async def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        await asyncio.sleep(seconds)


@dataclass(slots=True)
class _Sent:
    """A record on its way, and what its sender waits for."""

    outgoing: Outgoing
    act: Callable[[], None]


class Wire(Publisher):
    """The product's publisher without a broker: records of a topic arrive in order, those of others when they may."""

    def __init__(self, process: Process) -> None:
        super().__init__({})
        self._process = process
        self._lanes: dict[str, deque[_Sent]] = {}
        self._waited_for: dict[Settling, None] = {}

    def lanes(self) -> "list[deque[_Sent]]":
        """The topics that something is on its way to."""
        return [lane for lane in self._lanes.values() if lane]

    async def post(self, records: Sequence[Outgoing]) -> Settling:
        """See `Publisher`."""
        if self._process.is_dead:
            raise Died
        if not records:
            return settled()
        posted: Settling = self._process.loop.create_future()
        self._waited_for[posted] = None
        posted.add_done_callback(self._done)
        left = iter(range(len(records) - 1, -1, -1))
        for record in records:
            sent = _Sent(record, lambda record=record: self._arrive(record, posted, left))  # type: ignore[misc]  # a lambda with a default has no type of its own
            self._lanes.setdefault(record.topic, deque()).append(sent)
        return posted

    def on_the_wire(self) -> list[Outgoing]:
        """What may still arrive when the sender is dead: of each topic the first ones."""
        return [one.outgoing for lane in self.lanes() for one in list(lane)[:ON_THE_WIRE_MAX]]

    def _arrive(self, record: Outgoing, posted: Settling, left: Iterator[int]) -> None:
        process = self._process
        offset = process.log.append(record, process.loop.time())
        process.tell(f"-> {record.topic}[{offset}]")
        if next(left) == 0:
            if process.cuts:
                process.cuts -= 1
                process.later("its acknowledgement is lost", lambda: self._give_up("the connection was cut"))
            else:
                process.later("", lambda: None if posted.done() else posted.set_result(None))

    def _done(self, posted: Settling) -> None:
        self._waited_for.pop(posted, None)
        if posted.cancelled():
            self._give_up("publishing was cancelled")
        else:
            posted.exception()  # seen, whether or not somebody waits for it

    def _give_up(self, reason: str) -> None:
        """Nothing that is queued is written later; everybody who waits is told."""
        self._lanes.clear()
        for one in list(self._waited_for):
            if not one.done():
                one.set_exception(PublishUnknown(reason))
