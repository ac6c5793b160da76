"""Looking at dead letters: the list, one of them as far as it can be read, and how many are open."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue, TypeAdapter

from billstream.cli.exits import Exit
from billstream.cli.failure import CommandFailed
from billstream.cli.letter_results import LetterItem, LetterResult, LettersResult, SettlementItem
from billstream.cli.results import ReasonCount
from billstream.configuration.problems import nearest
from billstream.dead_letters.port import LetterDesk
from billstream.dead_letters.repairing import problems_of
from billstream.dead_letters.rules import SHORT_ID
from billstream.dead_letters.standing import LetterState, Standing, pending, standings
from books.resolving import instant_of
from books.rows import LetterRow, Settlement
from schemas.dissect import Dissected, dissect
from schemas.outputs import DeadLetter
from streams.topics import JOURNAL

SHORTEST_LETTER_ID = 6
HEX_BYTES_MAX = 256
_JSON = TypeAdapter(dict[str, JsonValue])
_AGE = re.compile(r"(\d{1,4})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters a list shows; empty texts mean any."""

    reason: str = ""
    topic: str = ""
    since: datetime | None = None
    settled_too: bool = False

    def takes(self, one: Standing) -> bool:
        """Whether a letter is among them."""
        note = one.note
        return (
            (self.settled_too or one.state is LetterState.OPEN)
            and self.reason in ("", note.reason)
            and self.topic in ("", note.topic)
        )


@dataclass(frozen=True, slots=True)
class Found:
    """The letters of a book with their stories; `left_out` of the topic were not read."""

    standings: tuple[Standing, ...]
    left_out: int
    ends: dict[int, int]


def moment(text: str, now: datetime) -> datetime:
    """`30m`, `24h`, `7d` before now, or a day or instant such as 2026-11-20 or 2026-11-20T18:00 (UTC)."""
    if matched := _AGE.fullmatch(text):
        return now - timedelta(**{_UNITS[matched[2]]: int(matched[1])})
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        message = f"'{text}' is no moment."
        raise CommandFailed("since_invalid", message, "Write 24h, 7d or 2026-11-20.", Exit.USAGE) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


async def find_all(desk: LetterDesk, since: datetime | None = None) -> Found:
    """Every letter of the desk's book with what became of it."""
    await desk.catch_up()
    page = await desk.letters.page(since)
    settings = desk.installation.settings
    own = [one for one in page.notes if (one.tenant, one.book) == (settings.tenant, settings.book)]
    book = desk.book

    def settlements(letter_id: str) -> tuple[Settlement, ...]:
        row = book.get(LetterRow, letter_id)
        return () if row is None else row.settlements

    return Found(standings(own, settlements), page.left_out, dict(page.positions))


async def list_letters(desk: LetterDesk, wanted: Wanted) -> LettersResult:
    """The wanted letters, and how many are open in all."""
    found = await find_all(desk, wanted.since)
    open_letters = pending(found.standings)
    return LettersResult(
        letters=tuple(item_of(one) for one in found.standings if wanted.takes(one)),
        open=len(open_letters),
        by_reason=by_reason(open_letters),
        left_out=found.left_out,
    )


async def open_by_reason(desk: LetterDesk) -> tuple[ReasonCount, ...]:
    """How many letters are open, by topic and reason."""
    return by_reason(pending((await find_all(desk)).standings))


def by_reason(letters: Iterable[Standing]) -> tuple[ReasonCount, ...]:
    """Counted, the most frequent first."""
    counts = Counter((one.note.topic, one.note.reason) for one in letters)
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return tuple(ReasonCount(topic=topic, reason=reason, letters=count) for (topic, reason), count in ordered)


async def show(desk: LetterDesk, name: str) -> LetterResult:
    """One letter: where it stood, what can be read of it, what became of it, and what can be done."""
    one = find((await find_all(desk)).standings, name)
    letter = await desk.letters.letter(one.note.place)
    found = dissect(letter.value)
    return LetterResult(
        letter=item_of(one),
        settlements=tuple(settlement_item(said) for said in one.settlements),
        record_kind=found.schema_name,
        record=_JSON.validate_python(found.fields),
        broken_at=None if found.broken is None else found.broken.at,
        broken_field="" if found.broken is None else found.broken.field,
        broken_why="" if found.broken is None else found.broken.why,
        wrong=() if found.model is None or found.broken is not None else problems_of(found.model, found.fields),
        hex_from=_hex_from(found),
        hex=letter.value[_hex_from(found) :][:HEX_BYTES_MAX].hex(),
        next=_next(one, letter, found),
    )


def find(found: Sequence[Standing], name: str) -> Standing:
    """The letter of an id or its beginning; raises CommandFailed when none or several fit."""
    fitting = [one for one in found if one.note.letter_id == name]
    if not fitting and len(name) >= SHORTEST_LETTER_ID:
        fitting = [one for one in found if one.note.letter_id.startswith(name)]
    if len(fitting) == 1:
        return fitting[0]
    said = f"'{name}' fits {len(fitting)} letters." if fitting else f"There is no dead letter '{name}'."
    hint = "Write more letters of its id." if fitting else nearest(name, (one.note.letter_id for one in found[:1000]))
    raise CommandFailed("letter_unknown", said, hint or "`billstream dead-letters list --all` has all.", Exit.NOT_FOUND)


def item_of(one: Standing) -> LetterItem:
    """A letter for a list."""
    note = one.note
    last = one.settlements[-1] if one.settlements else None
    return LetterItem(
        letter_id=note.letter_id,
        state=one.state.value,
        topic=note.topic,
        partition=note.partition,
        offset=note.offset,
        stage=note.stage,
        reason=note.reason,
        detail=note.detail,
        seen_at=note.seen_at,
        size_bytes=note.size_bytes,
        whole_bytes=note.whole_bytes,
        key=note.key.decode("utf-8", "backslashreplace"),
        settled_by="" if last is None else last.person,
        settled_at=None if last is None else instant_of(last.at_micros),
        settled_because="" if last is None else last.reason,
        follows=one.follows,
        first=one.first,
        failed_again=one.failed_again,
    )


def settlement_item(said: Settlement) -> SettlementItem:
    """What somebody did."""
    return SettlementItem(
        outcome=said.outcome, person=said.person, because=said.reason, at=instant_of(said.at_micros), sent=said.sent
    )


def _hex_from(found: Dissected) -> int:
    """Some bytes before the place where it breaks; the beginning of a record that does not break."""
    if found.broken is None:
        return 0
    return max(0, min(found.broken.at, found.size_bytes) - HEX_BYTES_MAX // 2)


def _next(one: Standing, letter: DeadLetter, found: Dissected) -> tuple[str, ...]:
    """The commands that may follow, the likeliest first."""
    short = one.note.letter_id[:SHORT_ID]
    if one.state is not LetterState.OPEN:
        return (f"billstream dead-letters show {one.failed_again[:SHORT_ID]}",) if one.failed_again else ()
    ways = [f'billstream dead-letters discard {short} --because "..."']
    if not letter.whole_bytes:
        ways.insert(0, f"billstream dead-letters replay {short} --dry-run")
        if found.fields and letter.topic != JOURNAL:
            ways.insert(0, f"billstream dead-letters repair {short} --out {short}.json")
    return tuple(ways)
