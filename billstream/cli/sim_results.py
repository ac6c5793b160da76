"""The published answer of `sim`; a field is only ever added."""

from typing import ClassVar

from pydantic import BaseModel, Field

from billstream.cli.results import Result
from schemas.values import DecimalText


class WrongWorld(BaseModel):
    """A seed whose world is wrong, and what is wrong with it."""

    seed: int
    wrong: tuple[str, ...]


class SmallWorld(BaseModel):
    """What is left of a wrong world when every step that can be left out is left out."""

    seed: int
    steps: tuple[str, ...]
    wrong: tuple[str, ...]
    trace: tuple[str, ...]
    tries: int


class SimResult(Result):
    """Answer of `sim`: how many worlds were run and which of them are wrong."""

    name: ClassVar[str] = "sim"

    first_seed: int
    worlds: int
    without: str = Field(default="", description="The rule that was switched off.")
    wrong: tuple[WrongWorld, ...]
    small: SmallWorld | None = None
    trace: tuple[str, ...] = Field(default=(), description="All that happened, when one world was asked for.")
    effects: int = Field(description="What left a process or came back to one.")
    faults: int = Field(description="Kills, frozen owners, lost and torn stores, lost answers, repeats, clock jumps.")
    journal_records: int
    documents: int
    simulated_seconds: int
    wall_seconds: DecimalText
    times_real_time: int = Field(description="Simulated seconds for each second it took.")


SIM_RESULTS: tuple[type[Result], ...] = (SimResult,)
