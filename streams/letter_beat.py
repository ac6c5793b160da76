"""Keeps the metric of open dead letters true: what stands in their topic, less what the rows of the book know as
settled. Whoever folds the book's journal tells; the other workers say 0.
"""

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from books.book import Book
from books.rows import LetterRow
from books.stores.port import Rows
from runtime.errors import Unavailable
from streams.letter_log import LetterPage, ReadLimits
from streams.metering import Meter
from streams.topics import book_partition

CENSUS_SECONDS = 15.0
LIMITS = ReadLimits(letters_max=50_000, seconds_max=10)
"""Of one census. A worker that comes to more counts the newest, and says in its log how many it left out."""
KNOWN_MAX = 100_000
"""Of open letters; those beyond are counted as open until the worker starts again."""
LOOKED_UP_MAX = 2_000
"""How many open letters are looked up in the rows in one census, the others in the next ones."""

log = logging.getLogger(__name__)


class Letters(Protocol):
    """Where letters are read."""

    async def page(self, *, after: Mapping[int, int], limits: ReadLimits) -> LetterPage:
        """The letters behind these positions."""


class Owner(Protocol):
    """Who folds journals."""

    def owns(self, partition: int) -> bool:
        """Whether a journal is ours and has caught up."""

    def rows(self, partition: int) -> Rows | None:
        """Its rows."""


class Beating(Protocol):
    """The app whose end is ours."""

    @property
    def should_stop(self) -> bool:
        """True once it is told to stop."""

    async def sleep(self, seconds: float) -> None:
        """Sleep, but not beyond its end."""


@dataclass(slots=True)
class LetterBeat:
    """Counts the open letters of one book."""

    app: Beating
    tenant: str
    book: str
    partitions: int
    letters: Letters
    fold: Owner
    meter: Meter
    _positions: Mapping[int, int] = field(default_factory=dict)
    _open: dict[str, tuple[str, str]] = field(default_factory=dict)
    _beyond: Counter[tuple[str, str]] = field(default_factory=Counter)
    _tells: bool = False

    async def run(self) -> None:
        """Count until the app stops."""
        while not self.app.should_stop:
            await self.once()
            await self.app.sleep(CENSUS_SECONDS)

    async def once(self) -> None:
        """Count once, if the book is ours; a broker that does not answer is asked again later."""
        home = book_partition(self.tenant, self.book, self.partitions)
        if not self.fold.owns(home):
            self._give_up()
            return
        try:
            page = await self.letters.page(after=self._positions, limits=LIMITS)
        except Unavailable as error:
            log.warning("Open dead letters are not counted this time: %s", error)
            return
        rows = self.fold.rows(home)
        if rows is None or not self.fold.owns(home):
            return
        self._take(page)
        self._settle(Book(rows, self.tenant, self.book))
        self._tells = True
        self.meter.pending_letters(Counter(self._open.values()) + self._beyond)

    def _take(self, page: LetterPage) -> None:
        self._positions = page.positions
        for note in page.notes:
            if (note.tenant, note.book) != (self.tenant, self.book) or note.letter_id in self._open:
                continue
            if len(self._open) < KNOWN_MAX:
                self._open[note.letter_id] = (note.topic, note.reason)
            else:
                self._beyond[note.topic, note.reason] += 1
        if page.left_out:
            log.warning("%s dead letters are not counted yet: there are many.", page.left_out)

    def _settle(self, book: Book) -> None:
        """Look up some of the open letters; those that stay open go to the end of the line."""
        for letter_id in list(self._open)[:LOOKED_UP_MAX]:
            place = self._open.pop(letter_id)
            if not book.has(LetterRow, letter_id):
                self._open[letter_id] = place

    def _give_up(self) -> None:
        """The journal's new owner tells from now on, and begins at the beginning."""
        if self._tells:
            self.meter.pending_letters({})
        self._tells = False
        self._positions = {}
        self._open.clear()
        self._beyond.clear()
