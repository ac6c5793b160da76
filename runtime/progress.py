"""How far a slow step has come, as a value a command line can draw."""

import enum
from collections.abc import Callable
from dataclasses import dataclass


class Step(enum.Enum):
    """The slow steps on the way to a running broker."""

    DOWNLOAD = "download"
    LEARN = "learn"
    FORMAT = "format"
    START = "start"
    READY = "ready"


@dataclass(frozen=True)
class Progress:
    """One report; bytes are 0 of 0 for steps that have no size."""

    step: Step
    done_bytes: int = 0
    total_bytes: int = 0


OnProgress = Callable[[Progress], None]


def no_progress(progress: Progress) -> None:
    """Tell nobody."""
