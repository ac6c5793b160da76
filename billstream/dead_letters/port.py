"""What the commands about dead letters need of a desk: the letters, and a way to send bytes as they are."""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from billstream.gateway import Desk
from schemas.outputs import DeadLetter
from streams.letter_log import LetterPage


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes for a place, as they are; `letter_id` is the letter that they were in."""

    letter_id: str
    topic: str
    partition: int
    key: bytes
    value: bytes


class Letters(Protocol):
    """The dead letters of an installation."""

    async def page(self, since: datetime | None = None, after: Mapping[int, int] | None = None) -> LetterPage:
        """Notes of the letters since a moment, or behind the positions of an earlier page."""

    async def letter(self, place: tuple[int, int]) -> DeadLetter:
        """The letter of a note, whole."""

    def several(self, places: Sequence[tuple[int, int]]) -> AsyncGenerator[DeadLetter, None]:
        """The letters of these notes, whole, one after the other and in this order."""


@runtime_checkable
class LetterDesk(Desk, Protocol):
    """A desk that reaches the dead letters."""

    @property
    def letters(self) -> Letters:
        """Where they are read."""

    async def send_again(self, raws: Iterable[Raw]) -> None:
        """Send bytes as they are; returns when the broker acknowledged all of them."""

    def watch(self, event_ids: Iterable[str]) -> None:
        """From now on tell of these events when they stand in the journal."""

    @property
    def arrivals(self) -> Mapping[str, str]:
        """Watched event -> why the fold cannot use it; empty text when it can. Those that did not come are not in."""
