"""Named places where a test can make the program raise, sleep or die; operations section 2, rule 12.

Code says `failpoint("before_commit")`. A test arms it with a text like `before_commit=kill@3;after_decode=sleep:0.5`,
which the front door reads from the variable named in ENVIRONMENT_NAME. Not armed, a failpoint costs one function call.
"""

import enum
import os
import re
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from runtime.errors import Misconfigured

ENVIRONMENT_NAME = "BILLSTREAM_FAILPOINTS"
_FORM = re.compile(r"(?P<name>[a-z0-9_.]+)=(?P<action>raise|kill|sleep)(:(?P<seconds>\d+(\.\d+)?))?(@(?P<hit>\d+))?")


class FailpointReached(Exception):
    """Raised by an armed failpoint; nothing catches it on purpose."""


class Action(enum.Enum):
    """What an armed failpoint does."""

    RAISE = "raise"
    KILL = "kill"
    SLEEP = "sleep"


@dataclass(frozen=True)
class Armed:
    """One armed failpoint; `hit` is the number of the visit that counts, 0 for every visit."""

    action: Action
    seconds: float
    hit: int


_armed: dict[str, Armed] = {}
_visits: dict[str, int] = {}


def failpoint(name: str) -> None:
    """Do what a test armed for this place; nothing otherwise."""
    if _armed:
        _visit(name)


def arm(text: str) -> None:
    """Replace what is armed; the empty text disarms all. Raises Misconfigured when the text cannot be read."""
    parsed = dict(map(_parse, filter(None, text.split(";"))))
    _armed.clear()
    _visits.clear()
    _armed.update(parsed)


def arm_from(environment: Mapping[str, str]) -> None:
    """Arm what the environment asks for; for the front door."""
    arm(environment.get(ENVIRONMENT_NAME, ""))


def _parse(text: str) -> tuple[str, Armed]:
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise Misconfigured(
            "failpoint-unreadable",
            f"{ENVIRONMENT_NAME} has {text[:80]!r}, which is no failpoint.",
            "Write NAME=raise, NAME=kill or NAME=sleep:SECONDS, each with @N for the N-th visit only.",
        )
    action = Action(match["action"])
    return match["name"], Armed(action, float(match["seconds"] or 1), int(match["hit"] or 0))


def _visit(name: str) -> None:
    armed = _armed.get(name)
    if armed is None:
        return
    _visits[name] = _visits.get(name, 0) + 1
    if armed.hit not in {0, _visits[name]}:
        return
    match armed.action:
        case Action.RAISE:
            raise FailpointReached(name)
        case Action.KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        case Action.SLEEP:
            # Blocks the event loop on purpose: that is the fault a test asks for.
            threading.Event().wait(armed.seconds)
        case _:
            assert_never(armed.action)
