"""A world: an installation, its people, and a plan of what happens to them; then everything heals and comes to rest."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import assert_never

import books.closing
from billstream.simulating import programs
from billstream.simulating.disk import Disk, MemoryDisk
from billstream.simulating.log import Log
from billstream.simulating.loop import SimulatedLoop
from billstream.simulating.people import BY_KEY, PLAIN, People, setting_up
from billstream.simulating.plan import Kind, Role, Step
from billstream.simulating.process import Process, make_task
from billstream.simulating.sink import Destination, Mood
from books.version import FOLD_VERSION
from streams.engine.publisher import Outgoing
from streams.topics import JOURNAL

MACHINES = 3
QUIET_SECONDS = 45.0
EFFECT_SECONDS = 0.004
ROUNDS_MAX = 6
EFFECTS_MAX = 100_000
JUMPS_SECONDS = (-7200, -60, 60, 3600)


@dataclass
class Machinery:
    """What a world is made of: who works, who is frozen, and what is still under way from those that died."""

    owners: dict[Role, Process] = field(default_factory=dict)
    folds: dict[str, programs.FoldProgram] = field(default_factory=dict)
    stops: dict[str, asyncio.Event] = field(default_factory=dict)
    zombies: list[Process] = field(default_factory=list)
    arriving: deque[Outgoing] = field(default_factory=deque)
    ahead_seconds: dict[int, int] = field(default_factory=dict)


class World:
    """One run of a plan. `log` and `destinations` are what it is judged by."""

    def __init__(self, seed: int, steps: Sequence[Step], versions: Sequence[str], disk: Disk, *, traces: bool) -> None:
        self.seed = seed
        self.log = Log()
        self.people = People(self.log)
        self.destinations = {BY_KEY: Destination(BY_KEY, has_keys=True), PLAIN: Destination(PLAIN, has_keys=False)}
        self.trace: list[str] = []
        self.broke: list[str] = []
        self.happened: dict[str, int] = {}
        self.is_healing = False
        self.stores: list[tuple[int, str, str]] = []
        """Offset, version of the fold and digest of the rows of each store that is left."""
        self.said: list[Outgoing] = []
        self.loop = SimulatedLoop()
        self._machinery = Machinery()
        self._steps = deque(steps)
        self._versions, self._disk, self._traces = versions, disk, traces
        self._started = self.effects = 0
        self._passing_seconds = 0.0
        self._turn: tuple[Process, int, Random] | None = None
        self._healing: Healing | None = None

    # ---------------------------------------------------------------------------------------------------------- running

    def run(self) -> None:
        """Do the plan, heal, and come to rest."""
        self.loop.set_task_factory(make_task)  # type: ignore[arg-type]  # typeshed asks for 3.13's arguments
        self.loop.set_exception_handler(lambda loop, context: None)
        self.loop.idle = self._idle
        for one in setting_up(Random(f"set up {self.seed}")):
            self._write("people", one)
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            self._end()

    def _end(self) -> None:
        """The rows of the last fold are still there to be judged; nothing runs any more."""
        vars(books.closing)["FOLD_VERSION"] = FOLD_VERSION
        if (fold := self.fold()) is not None and fold.store is not None:
            position = fold.store.position
            self.stores.append((position.next_offset, position.fold_version, fold.store.digest()))
        for process in self._everybody():
            process.kill()
        self.stores += self._disk.left()
        self.broke += self._disk.complaints()
        self.loop.idle = self.loop.stop
        self.loop.run_forever()
        asyncio.set_event_loop(None)
        self.loop.close()

    def fold(self) -> programs.FoldProgram | None:
        """The fold that works at last."""
        owner = self._machinery.owners.get(Role.FOLD)
        return None if owner is None else self._machinery.folds[owner.name]

    def tell(self, who: str, what: str) -> None:
        """A line of the trace."""
        if self._traces:
            self.trace.append(f"{self.loop.time():10.3f} {who:<14} {what}")

    def _everybody(self) -> list[Process]:
        return [*self._machinery.owners.values(), *self._machinery.zombies]

    def _idle(self) -> None:
        """Nothing can go on by itself: the next thing happens."""
        self.effects += 1
        if self.effects > EFFECTS_MAX:
            self.broke.append("the world never comes to rest")
            self.loop.stop()
        elif self._passing_seconds > 0:
            self._passing_seconds = self.loop.elapse(self._passing_seconds)
        elif self._turn is not None and self._go_on():
            self._passing_seconds = EFFECT_SECONDS
        elif self._steps:
            self._do(self._steps.popleft())
        else:
            self._healing = self._healing or Healing(self)
            self._healing.next()

    def _go_on(self) -> bool:
        assert self._turn is not None, "asked while somebody works"
        process, left, random = self._turn
        self._turn = (process, left - 1, random) if left > 1 else None
        return self.let(process, random)

    def let(self, process: Process, random: Random) -> bool:
        """One effect of a process; False when it has none."""
        fold = self._machinery.folds.get(process.name)
        if fold is not None:
            vars(books.closing)["FOLD_VERSION"] = fold.version  # the code version of this process
        return process.turn(random)

    def give_turn(self, process: Process, random: Random, effects: int) -> None:
        """Let a process work for a while."""
        self._turn = (process, effects, random)

    # ---------------------------------------------------------------------------------------------------- what happens

    def _do(self, step: Step) -> None:
        random = step.random()
        count = self.happened.get(step.kind.value, 0)
        if self._happens(step, random):
            self.happened[step.kind.value] = count + 1

    def _happens(self, step: Step, random: Random) -> bool:
        """Do a step; False when there was nobody to do it to."""
        machinery = self._machinery
        match step.kind:
            case Kind.TURN:
                effects_max = 12 if step.role is Role.DELIVER else 14
                self.give_turn(self.owner(step.role, random), random, random.randint(1, effects_max))
                return True
            case Kind.SAY:
                self._write("people", self.people.say(random))
                return True
            case Kind.AGAIN:
                return self._repeat(random)
            case Kind.ELAPSE:
                self._elapse(random)
                return True
            case Kind.ZOMBIE:
                return self._zombie(random)
            case Kind.ARRIVE:
                return self.arrive()
            case Kind.SINK:
                place = self.destinations[random.choice([BY_KEY, PLAIN])]
                place.moods.append(random.choice(list(Mood)))
                return True
            case Kind.KILL | Kind.FREEZE | Kind.STOP | Kind.CUT:
                return self._strike(step, random)
            case Kind.LOSE | Kind.TEAR | Kind.SET_BACK:
                return self._ruin(step.kind, random)
            case Kind.JUMP:
                machine, seconds = random.randrange(MACHINES), random.choice(JUMPS_SECONDS)
                machinery.ahead_seconds[machine] = seconds
                for one in self._everybody():
                    one.ahead_seconds = seconds
                self.tell(f"machine {machine}", f"has its clock set {seconds:+} s from the true time")
                return True
            case _:
                assert_never(step.kind)

    def _elapse(self, random: Random) -> None:
        roll = random.random()
        if roll < 0.55:
            seconds = random.uniform(0.05, 2)
        elif roll < 0.88:
            seconds = random.uniform(2, 40)
        else:
            seconds = random.uniform(60, 1800)
        self.tell("time", f"passes: {seconds:.1f} s")
        self.pass_time(round(seconds, 3))

    def pass_time(self, seconds: float) -> None:
        """Time passes; whoever sleeps wakes in between."""
        self._passing_seconds = seconds

    def _write(self, who: str, outgoing: Outgoing) -> None:
        self.said.append(outgoing)
        offset = self.log.append(outgoing, self.loop.time())
        self.tell(who, f"-> {outgoing.topic}[{offset}]")

    def _repeat(self, random: Random) -> bool:
        """A writer that did not hear the acknowledgement writes again, perhaps much later."""
        self._write("people", random.choice(self.said))
        return True

    def arrive(self) -> bool:
        """A record of a dead process reaches its topic."""
        if not self._machinery.arriving:
            return False
        one = self._machinery.arriving.popleft()
        offset = self.log.append(one, self.loop.time())
        self.tell("the dead", f"-> {one.topic}[{offset}]")
        return True

    def owner(self, role: Role, random: Random) -> Process:
        """Who has this role; a new process when nobody has."""
        known = self._machinery.owners.get(role)
        if known is not None and not known.is_over:
            return known
        if known is not None:
            self._bury(known)
        return self.start(role, random)

    def start(self, role: Role, random: Random) -> Process:
        """Another process takes a role."""
        self._started += 1
        frozen = [one.machine for one in self._machinery.zombies if one.role == role]
        # As often as not on the machine where the one before is frozen: it has the same store open.
        machine = random.choice([random.randrange(MACHINES), *frozen[-1:]])
        process = Process(f"{role}-{self._started}", machine, self.seed, self.log, self.loop, self.tell)
        process.role = role
        process.ahead_seconds = self._machinery.ahead_seconds.get(machine, 0)
        stop = self._machinery.stops[process.name] = asyncio.Event()
        self._machinery.owners[role] = process
        self.tell(process.name, f"starts on machine {machine}")
        match role:
            case Role.SEQUENCE:
                process.run(programs.sequence(process, process.random, stop))
            case Role.FOLD:
                version = self._versions[self._started % len(self._versions)]
                fold = programs.FoldProgram(process, process.random, self._disk, version)
                self._machinery.folds[process.name] = fold
                process.run(fold.run(stop))
            case Role.CATEGORISE:
                process.run(programs.categorise(process, process.random, stop, lambda: self.is_healing))
            case Role.DELIVER:
                process.run(programs.deliver(process, process.random, self.destinations, stop))
            case _:
                assert_never(role)
        return process

    def _strike(self, step: Step, random: Random) -> bool:
        process = self._machinery.owners.get(step.role)
        if process is None or process.is_over:
            return False
        self.tell(process.name, step.kind.value)
        match step.kind:
            case Kind.KILL:
                self.kill(process)
            case Kind.STOP:
                self._machinery.stops[process.name].set()
                self.give_turn(process, random, 30)
            case Kind.CUT:
                process.cuts += 1
            case _:
                process.is_owner = False
                del self._machinery.owners[step.role]
                self._machinery.zombies.append(process)
        return True

    def _zombie(self, random: Random) -> bool:
        """A frozen process goes on; it may learn that it lost its place, or do what it was about to do."""
        zombies = [one for one in self._machinery.zombies if not one.is_over]
        if not zombies:
            return False
        process = random.choice(zombies)
        if random.random() < 0.15:
            self.tell(process.name, "learns that it lost its place")
            process.on_lost()
            self._machinery.stops[process.name].set()
        self.give_turn(process, random, random.randint(1, 10))
        return True

    def _ruin(self, kind: Kind, random: Random) -> bool:
        """A machine loses power: all its processes die, and its disk is not what it was."""
        machine = random.randrange(MACHINES)
        owner = self._machinery.owners.get(Role.FOLD)
        if owner is not None and random.random() < 0.7:
            machine = owner.machine
        self.tell(f"machine {machine}", kind.value)
        for one in self._everybody():
            if one.machine == machine:
                self.kill(one)
        match kind:
            case Kind.LOSE:
                self._disk.lose(machine)
            case Kind.TEAR:
                self._disk.tear(machine, random)
            case _:
                self._disk.set_back(machine, random)
        return True

    def kill(self, process: Process) -> None:
        """A process is dead at once; what it had sent may arrive later."""
        self._machinery.arriving.extend(process.kill())
        self._bury(process)

    def _bury(self, process: Process) -> None:
        self.broke += [f"{process.name} broke: {one}" for one in process.broke]
        machinery = self._machinery
        machinery.owners = {role: one for role, one in machinery.owners.items() if one is not process}
        machinery.zombies = [one for one in machinery.zombies if one is not process]

    # ---------------------------------------------------------------------------------------------------- for healing

    def end_faults(self) -> None:
        """No more faults: zombies die, everything arrives, sinks are fine."""
        self.is_healing = True
        self.tell("world", "heals")
        for one in list(self._machinery.zombies):
            self.kill(one)
        for place in self.destinations.values():
            place.moods.clear()

    def restart(self, random: Random) -> None:
        """Everybody is started anew."""
        for one in self._everybody():
            self.kill(one)
        for role in Role:
            self.start(role, random)

    def has_journal(self) -> int:
        """How long the journal is."""
        return self.log.end(JOURNAL)


class Healing:
    """Everybody works until nothing is left to do, once more after everybody was started anew, and so on."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._random = Random(f"heal {world.seed}")
        self._quiet_seconds = 0.0
        self._rounds = 0
        self._journal = -1
        world.end_faults()

    def next(self) -> None:
        """One more thing happens, or the world is at rest."""
        world = self._world
        if world.arrive():
            return
        for role in Role:
            process = world.owner(role, self._random)
            if process.can_go_on():
                world.give_turn(process, self._random, 10)
                self._quiet_seconds = 0.0
                return
        if self._quiet_seconds < QUIET_SECONDS:
            self._quiet_seconds += 3
            world.pass_time(3)
            return
        self._quiet_seconds = 0.0
        self._rounds += 1
        if self._rounds > 1 and world.has_journal() == self._journal:
            world.loop.stop()
        elif self._rounds > ROUNDS_MAX:
            world.broke.append("the world never comes to rest")
            world.loop.stop()
        else:
            self._journal = world.has_journal()
            world.restart(self._random)


def simulate(
    seed: int,
    steps: Sequence[Step],
    versions: Sequence[str] = ("1",),
    disk: Callable[[], Disk] = MemoryDisk,
    *,
    traces: bool = False,
) -> World:
    """Run a plan to its end. Logs of the product are silent: a dying world has much to say."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        world = World(seed, steps, versions, disk(), traces=traces)
        world.run()
        return world
    finally:
        logging.disable(level)
