"""How each dead letter stands, from the topic and the journal alone: open or settled, by whom, and what came of it."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from books.rows import Settlement
from schemas.canonical import instant_micros
from schemas.commands import LetterOutcome
from streams.letter_log import LetterNote

CLOCKS_APART_MICROS = 60_000_000
"""How far the clock that stamps a journal may be behind the one of whoever sent a letter again."""
_MILLISECOND_MICROS = 1_000


class LetterState(StrEnum):
    """Where a letter stands."""

    OPEN = "open"
    REPLAYED = "replayed"
    REPAIRED = "repaired"
    DISCARDED = "discarded"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Standing:
    """A letter and its story. `follows` is the letter whose sending again made this one, `first` the first of such a
    chain, `failed_again` the newest letter that came of sending this one again.
    """

    note: LetterNote
    settlements: tuple[Settlement, ...] = ()
    follows: str = ""
    first: str = ""
    failed_again: str = ""

    @property
    def state(self) -> LetterState:
        """The last word counts."""
        if not self.settlements:
            return LetterState.OPEN
        match LetterOutcome(self.settlements[-1].outcome):
            case LetterOutcome.REPLAYED:
                return LetterState.REPLAYED
            case LetterOutcome.REPAIRED:
                return LetterState.REPAIRED
            case LetterOutcome.DISCARDED:
                return LetterState.DISCARDED
            case LetterOutcome.UNKNOWN:
                return LetterState.SETTLED


@dataclass(frozen=True, slots=True)
class _Sending:
    at_micros: int
    note: LetterNote


def standings(
    notes: Sequence[LetterNote], settlements_of: Callable[[str], tuple[Settlement, ...]]
) -> tuple[Standing, ...]:
    """Every letter with its settlements and its place in a chain, in the order of the notes."""
    settled = {note.letter_id: settlements_of(note.letter_id) for note in notes}
    follows = _chains(notes, settled)
    failed = {earlier: letter_id for letter_id, earlier in follows.items()}
    return tuple(
        Standing(
            note,
            settled[note.letter_id],
            follows.get(note.letter_id, ""),
            _first(note.letter_id, follows),
            failed.get(note.letter_id, ""),
        )
        for note in notes
    )


def _chains(notes: Sequence[LetterNote], settled: dict[str, tuple[Settlement, ...]]) -> dict[str, str]:
    """Letter -> the letter whose sending again made it: the same bytes, later, and the last such sending before it."""
    sent: dict[str, list[_Sending]] = {}
    for note in notes:
        for settlement in settled[note.letter_id]:
            if settlement.sent:
                sent.setdefault(settlement.sent, []).append(_Sending(settlement.at_micros, note))
    for sendings in sent.values():
        sendings.sort(key=lambda one: one.at_micros)
    follows: dict[str, str] = {}
    for note in notes:
        if (sendings := sent.get(note.value_hash, [])) and (earlier := _cause(note, sendings)):
            follows[note.letter_id] = earlier
    return follows


def _cause(note: LetterNote, sendings: Sequence[_Sending]) -> str:
    seen_micros = instant_micros(note.seen_at) + _MILLISECOND_MICROS
    last = bisect_right([one.at_micros for one in sendings], seen_micros + CLOCKS_APART_MICROS)
    for one in reversed(sendings[:last]):
        if one.note.letter_id != note.letter_id and _is_later(note, one, seen_micros):
            return one.note.letter_id
    return ""


def _is_later(note: LetterNote, sending: _Sending, seen_micros: int) -> bool:
    """In the same partition offsets tell, and the sender stamped both; a journal has the clock of its worker."""
    before = sending.note
    if (note.topic, note.partition) == (before.topic, before.partition) and note.offset <= before.offset:
        return False
    return note.stage == "fold" or sending.at_micros <= seen_micros


def _first(letter_id: str, follows: dict[str, str]) -> str:
    """The beginning of a chain; empty for a letter that follows none. Offsets rise along it, so it ends."""
    seen = {letter_id}
    here = letter_id
    while (earlier := follows.get(here, "")) and earlier not in seen:
        seen.add(earlier)
        here = earlier
    return "" if here == letter_id else here


def pending(found: Iterable[Standing]) -> list[Standing]:
    """Those that nobody has settled."""
    return [one for one in found if one.state is LetterState.OPEN]
