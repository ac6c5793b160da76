"""What happens in a world, as a list: each step draws from a number of its own, so that any of them can be left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

STEPS = 150


class Role(StrEnum):
    """The processes of an installation."""

    SEQUENCE = "sequence"
    FOLD = "fold"
    CATEGORISE = "categorise"
    DELIVER = "deliver"


class Kind(StrEnum):
    """What can happen."""

    TURN = "works"
    SAY = "somebody writes"
    AGAIN = "a writer repeats itself"
    ELAPSE = "time passes"
    ZOMBIE = "a zombie works"
    ARRIVE = "records of the dead arrive"
    KILL = "dies"
    FREEZE = "freezes, and another takes over"
    STOP = "is stopped in good order"
    LOSE = "loses its disk"
    TEAR = "finds its store torn"
    SET_BACK = "finds its store as it was some commits ago"
    JUMP = "has its clock set"
    SINK = "a sink has a mood"
    CUT = "loses an acknowledgement"


FAULTS = frozenset(
    {Kind.AGAIN, Kind.ZOMBIE, Kind.ARRIVE, Kind.KILL, Kind.FREEZE, Kind.LOSE, Kind.TEAR, Kind.SET_BACK, Kind.JUMP}
    | {Kind.SINK, Kind.CUT}
)

_KINDS: Sequence[tuple[Kind, int]] = (
    (Kind.TURN, 500),
    (Kind.SAY, 230),
    (Kind.AGAIN, 25),
    (Kind.ELAPSE, 90),
    (Kind.ZOMBIE, 80),
    (Kind.ARRIVE, 15),
    (Kind.KILL, 35),
    (Kind.FREEZE, 30),
    (Kind.STOP, 6),
    (Kind.LOSE, 6),
    (Kind.TEAR, 6),
    (Kind.SET_BACK, 7),
    (Kind.JUMP, 6),
    (Kind.SINK, 30),
    (Kind.CUT, 24),
)
_ROLES: Sequence[tuple[Role, int]] = (
    (Role.SEQUENCE, 22),
    (Role.FOLD, 40),
    (Role.CATEGORISE, 12),
    (Role.DELIVER, 26),
)
_ON_DISK = frozenset({Kind.LOSE, Kind.TEAR, Kind.SET_BACK, Kind.STOP})


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens: to whom, and a number from which its details follow."""

    kind: Kind
    role: Role
    number: int

    def random(self) -> Random:
        """Draws the details of this step."""
        return Random(self.number)


def plan_of(seed: int, steps: int = STEPS) -> tuple[Step, ...]:
    """The steps of a seed."""
    random = Random(seed)
    kinds, weights = [kind for kind, _ in _KINDS], [weight for _, weight in _KINDS]
    roles, shares = [role for role, _ in _ROLES], [share for _, share in _ROLES]
    found = []
    for kind in random.choices(kinds, weights, k=steps):
        role = Role.FOLD if kind in _ON_DISK else random.choices(roles, shares)[0]
        found.append(Step(kind, role, random.getrandbits(32)))
    return tuple(found)
