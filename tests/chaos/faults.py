"""Which blow falls when: two rows of blows from a seed, one on workers, one on brokers, which go on side by side."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from random import Random

NODES = 3


class Kind(StrEnum):
    """What can be done to an installation."""

    KILL_WORKER = "worker killed"
    TEAR_STORE = "worker killed, store torn"
    FREEZE_WORKER = "worker frozen"
    FILL_WORKER = "worker's disk full"
    JUMP_CLOCK = "clock jumps"
    KILL_BROKER = "broker killed"
    KILL_CONTROLLER = "controller killed"
    FREEZE_BROKER = "broker frozen"
    FILL_BROKER = "broker's disk full"
    CUT = "connections cut"
    STALL = "connections stalled"


WORKER_KILLS = frozenset({Kind.KILL_WORKER, Kind.TEAR_STORE})
BROKER_KILLS = frozenset({Kind.KILL_BROKER, Kind.KILL_CONTROLLER})


@dataclass(frozen=True)
class Blow:
    """`target` is the number of a worker or broker, 1 to 3; `seconds` how long it lasts, or how far a clock jumps."""

    kind: Kind
    target: int
    seconds: float


@dataclass(frozen=True)
class Force:
    """How often each kind of blow falls."""

    worker_kills: int
    torn_stores: int
    worker_freezes: int
    worker_disks: int
    clock_jumps: int
    broker_kills: int
    controller_kills: int
    broker_freezes: int
    broker_disks: int
    cuts: int
    stalls: int

    def on_workers(self) -> Iterable[tuple[Kind, int]]:
        """Kinds of blows on workers; a torn store needs a worker that is down."""
        yield Kind.KILL_WORKER, self.worker_kills - self.torn_stores
        yield Kind.TEAR_STORE, self.torn_stores
        yield Kind.FREEZE_WORKER, self.worker_freezes
        yield Kind.FILL_WORKER, self.worker_disks
        yield Kind.JUMP_CLOCK, self.clock_jumps

    def on_brokers(self) -> Iterable[tuple[Kind, int]]:
        """Kinds of blows on brokers and on the way to them."""
        yield Kind.KILL_BROKER, self.broker_kills - self.controller_kills
        yield Kind.KILL_CONTROLLER, self.controller_kills
        yield Kind.FREEZE_BROKER, self.broker_freezes
        yield Kind.FILL_BROKER, self.broker_disks
        yield Kind.CUT, self.cuts
        yield Kind.STALL, self.stalls


SHORT = Force(10, 2, 1, 1, 2, 3, 1, 0, 0, 1, 1)
FULL = Force(100, 12, 6, 3, 14, 30, 8, 4, 2, 6, 6)


def blows(kinds: Iterable[tuple[Kind, int]], random: Random) -> list[Blow]:
    """A row of blows in an order, on targets and of lengths that the dice give."""
    row = [Blow(kind, random.randint(1, NODES), _seconds(kind, random)) for kind, count in kinds for _ in range(count)]
    random.shuffle(row)
    return row


def _seconds(kind: Kind, random: Random) -> float:
    match kind:
        case Kind.JUMP_CLOCK:
            return float(random.choice([-86_400, -7_200, -61, 61, 7_200, 86_400]))
        case Kind.FREEZE_WORKER | Kind.FREEZE_BROKER:
            return random.uniform(4, 10)  # some shorter than a session, some longer
        case Kind.FILL_WORKER | Kind.FILL_BROKER | Kind.CUT | Kind.STALL:
            return random.uniform(3, 8)
        case Kind.KILL_WORKER | Kind.TEAR_STORE | Kind.KILL_BROKER | Kind.KILL_CONTROLLER:
            return random.choice([0.0, 0.0, 1.0, 3.0])  # until it is started again
