"""A journal in memory with its fold: for previews without a broker, for followers of a real journal, and for tests."""

from collections import deque
from collections.abc import Callable, Iterable

from books.effects import Effects
from books.fold import Fold
from books.stores.memory import MemoryStore
from books.stores.port import Rows, Store
from books.version import FOLD_VERSION
from schemas.codec import decode
from schemas.draft import PublishedDocument
from schemas.outputs import Alert
from schemas.values import Record
from schemas.work import DecideEntry, DeliverDocument

Answer = Callable[[DecideEntry | DeliverDocument], Record | None]


class Follower:
    """Folds a journal that others write; it proposes nothing. `next_offset` is where reading goes on."""

    def __init__(self, store: Store | None = None) -> None:
        self._store = store or MemoryStore(FOLD_VERSION)
        self._fold = Fold()

    @property
    def rows(self) -> Rows:
        """The rows as of `next_offset`."""
        return self._store.rows

    @property
    def next_offset(self) -> int:
        """The first offset that was not applied."""
        return self._store.position.next_offset

    def apply(self, records: Iterable[tuple[int, Record]]) -> Effects:
        """Apply journal records in offset order; what they cause is returned for looking at, not for publishing."""
        effects = Effects()
        begin = self.next_offset
        todo = [(offset, record) for offset, record in records if offset >= begin]
        if not todo:
            return effects
        with self._store.transaction(begin, todo[-1][0] + 1) as rows:
            for offset, record in todo:
                self._fold.apply(rows, offset, record, effects)
        return effects


class LocalJournal:
    """A whole book in one process: appended records are folded at once, facts are read back, work is answered by a
    function.

    `records` is the journal as it would stand on a broker.
    """

    def __init__(self, answer: Answer = lambda request: None) -> None:
        self.records: list[Record] = []
        self.documents: list[PublishedDocument] = []
        self.alerts: list[Alert] = []
        self.unapplied: list[tuple[int, str, str]] = []
        self._follower = Follower()
        self._answer = answer

    @property
    def rows(self) -> Rows:
        """The rows after everything appended so far."""
        return self._follower.rows

    def append(self, *records: Record) -> None:
        """Append records and whatever follows from them, until nothing follows any more."""
        waiting = deque(records)
        while waiting:
            record = waiting.popleft()
            offset = len(self.records)
            self.records.append(record)
            effects = self._follower.apply([(offset, record)])
            self.documents += [document for _, document in effects.documents]
            self.alerts += [alert for _, alert in effects.alerts]
            self.unapplied += effects.unapplied
            waiting.extend(decode(framed.value) for framed in effects.facts)
            for framed in effects.work:
                request = decode(framed.value)
                assert isinstance(request, DecideEntry | DeliverDocument), type(request).__name__
                answer = self._answer(request)
                if answer is not None:
                    waiting.append(answer)
