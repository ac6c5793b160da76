"""Dead letters of a desk in memory: what the workers' own check refuses becomes a letter, as it would on a broker."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime

from billstream.dead_letters.port import Raw
from billstream.project import now
from billstream.settings import Installation
from schemas.canonical import instant_micros
from schemas.codec import decode
from schemas.errors import Rejected
from schemas.outputs import DeadLetter
from schemas.values import Record
from streams.agents.sequence import STAGE, checked_input
from streams.letter_log import LetterNote, LetterPage, note_of
from streams.letters import Place, dead_letter, reason_of


class MemoryLetters:
    """A topic of dead letters as a list. `taken` is the way in: it returns what passes and keeps the rest."""

    def __init__(self, installation: Installation) -> None:
        self._settings = installation.settings
        self._letters: list[DeadLetter] = []
        self._offsets: dict[tuple[str, int], int] = {}

    async def page(self, since: datetime | None = None, after: Mapping[int, int] | None = None) -> LetterPage:
        """See `Letters`."""
        begin = (after or {}).get(0, 0)
        notes: dict[str, LetterNote] = {}
        for offset, letter in enumerate(self._letters[begin:], begin):
            if since is None or letter.seen_at >= since:
                notes.setdefault(letter.dead_letter_id, note_of(letter, 0, offset))
        return LetterPage(tuple(notes.values()), 0, {0: len(self._letters)})

    async def letter(self, place: tuple[int, int]) -> DeadLetter:
        """See `Letters`."""
        return self._letters[place[1]]

    async def several(self, places: Sequence[tuple[int, int]]) -> AsyncGenerator[DeadLetter, None]:
        """See `Letters`."""
        for place in places:
            yield await self.letter(place)

    def keep(self, letter: DeadLetter) -> None:
        """Put a letter into the topic."""
        self._letters.append(letter)

    def taken(self, raw: Raw, at: datetime | None = None) -> Record | None:
        """The record of bytes that pass the check of the workers; None for those that are a letter now."""
        where = (raw.topic, raw.partition)
        offset = self._offsets[where] = self._offsets.get(where, -1) + 1
        try:
            return checked_input(raw.value, raw.topic, raw.partition, self._settings.partitions)
        except Rejected as error:
            stamp = instant_micros(at or now()) // 1_000
            place = Place(raw.topic, raw.partition, offset, stamp, raw.key, raw.value)
            reason, detail = reason_of(error)
            made = decode(dead_letter(place, self._settings.tenant, self._settings.book, STAGE, reason, detail).value)
            assert isinstance(made, DeadLetter), type(made).__name__
            self._letters.append(made)
            return None
