"""Folds journal records into a store and lets nothing out: what they cause is counted and dropped (design rule 1)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from books.effects import Effects
from books.fold import Fold
from books.stores.port import Mark, Store
from runtime.kafka.reading import RawRecord
from schemas.codec import decode
from schemas.errors import NewerSchema, Unreadable
from schemas.outputs import Alert
from schemas.values import Record
from streams.tails import fingerprint

APPLIED_TOGETHER = 500
"""How many records are decoded before the first of them is applied: their rows are read together."""

Wanted = Callable[[Record], bool]


OnEffects = Callable[[Effects], None]


def ignored(effects: Effects) -> None:
    """Look at nothing."""


def every(record: Record) -> bool:
    """All books of a partition."""
    return True


@dataclass(slots=True)
class Tally:
    """How many records were folded; `unreadable` and `unapplied` ones are those that a worker writes letters about."""

    records: int = 0
    unreadable: int = 0
    unapplied: int = 0


class SilentFold:
    """The fold without its outputs: no record is published, nothing outside is asked."""

    def __init__(self, store: Store, wanted: Wanted = every, on_effects: OnEffects = ignored) -> None:
        self._on_effects = on_effects
        self._store = store
        self._fold = Fold()
        self._wanted = wanted
        self.tally = Tally()
        self.alerts: list[Alert] = []

    @property
    def next_offset(self) -> int:
        """The first offset that was not applied."""
        return self._store.position.next_offset

    def apply(self, raw: Sequence[RawRecord]) -> None:
        """Apply records in offset order and keep rows, offset and mark together."""
        begin = self.next_offset
        due = [one for one in raw if one.offset >= begin]
        if not due:
            return
        end = due[-1].offset + 1
        with self._store.transaction(begin, end) as rows:
            for first in range(0, len(due), APPLIED_TOGETHER):
                found = self._decoded(due[first : first + APPLIED_TOGETHER])
                self._fold.expect(rows, [record for _, record in found])
                effects = Effects()
                for offset, record in found:
                    self._fold.apply(rows, offset, record, effects)
                self.tally.unapplied += len(effects.unapplied)
                self._on_effects(effects)
                self.alerts += [alert for _, alert in effects.alerts]
            self._store.extend(end, Mark(due[-1].offset, fingerprint(due[-1])))

    def _decoded(self, raw: Sequence[RawRecord]) -> list[tuple[int, Record]]:
        found = []
        for one in raw:
            self.tally.records += 1
            try:
                record = decode(one.value or b"")
            except NewerSchema:
                raise  # what is computed without it would be wrong
            except Unreadable:
                self.tally.unreadable += 1
                continue
            if self._wanted(record):
                found.append((one.offset, record))
        return found
