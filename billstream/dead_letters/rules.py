"""Which dead letters may be sent again and to where, so that what is sent is still what it was."""

from dataclasses import dataclass

from billstream.cli.exits import Exit
from billstream.cli.failure import CommandFailed
from schemas import inputs
from schemas.codec import decode
from schemas.dissect import dissect
from schemas.errors import Rejected, Unreadable
from schemas.facts import Fact
from schemas.outputs import DeadLetter
from schemas.values import Record
from streams.agents.sequence import MAY_WRITE, checked_input
from streams.topics import INPUT_BYTES_MAX, JOURNAL, WORK

FRAME_ROOM_BYTES = 64 * 1024
SHORT_ID = 12
_COUNTED_ONCE = (
    inputs.DirectoryRevision,
    inputs.ContractRevision,
    inputs.ExchangeRate,
    inputs.ImportCompleted,
    inputs.SinkReceipt,
)
"""The journal counts an event of these once, also when it could not use it: the same event again changes nothing."""
_UNREADABLE = frozenset(
    {
        "frame_short",
        "frame_magic",
        "schema_unknown",
        "schema_newer",
        "avro_broken",
        "avro_trailing",
        "record_too_large",
        "value_invalid",
    }
)


@dataclass(frozen=True, slots=True)
class Way:
    """Where bytes go."""

    topic: str
    partition: int


class LetterRefused(CommandFailed):
    """A letter that this is not done with; the same call will be refused again."""

    def __init__(self, code: str, message: str, fix: str = "") -> None:
        super().__init__(code, message, fix, Exit.REFUSED)


def way_of_replay(letter: DeadLetter) -> Way:
    """Where the bytes of a letter go again: where they stood, but through the way in when that was a journal.

    Raises CommandFailed, with the reason and what to do instead, when nobody may send them.
    """
    short = letter.dead_letter_id[:SHORT_ID]
    if letter.whole_bytes:
        message = f"{short} holds only the beginning of a record of {letter.whole_bytes} bytes."
        raise LetterRefused(
            "letter_cut", message, "Let its source send it again in a readable size, and discard the letter."
        )
    if letter.topic in MAY_WRITE:
        if len(letter.value) + FRAME_ROOM_BYTES > INPUT_BYTES_MAX:
            message = f"{short} holds {len(letter.value)} bytes, more than {letter.topic} takes."
            raise LetterRefused(
                "letter_too_large", message, "Let its source send it again in parts, and discard the letter."
            )
        return Way(letter.topic, letter.partition)
    if letter.topic == WORK:
        return Way(WORK, letter.partition)
    if letter.topic == JOURNAL:
        return Way(way_in(letter), letter.partition)
    message = f"What stands in {letter.topic} follows from the journal and is written again by itself."
    raise LetterRefused("letter_not_sent", message, f"Nothing is lost: `billstream dead-letters discard {short}`.")


def way_in(letter: DeadLetter) -> str:
    """The topic through which a readable record of a journal came; nobody but the workers writes a journal."""
    short = letter.dead_letter_id[:SHORT_ID]
    try:
        record = decode(letter.value)
    except Unreadable as error:
        message = f"The journal's record in {short} cannot be read ({error.code}), so it would not come in again."
        fix = f"Upgrade if a newer version wrote it, else `billstream dead-letters discard {short}`."
        raise LetterRefused("letter_not_sent", message, fix) from None
    return way_in_of(letter, type(record))


def way_in_of(letter: DeadLetter, model: type[Record]) -> str:
    """The topic of a kind of record that a journal's letter holds; raises CommandFailed when it does not come again."""
    discard = f"`billstream dead-letters discard {letter.dead_letter_id[:SHORT_ID]}`"
    if issubclass(model, Fact):
        message = f"The fold made this {model.schema_name} and makes it again by itself."
        raise LetterRefused("letter_not_sent", message, f"Nothing is lost: {discard}.")
    if issubclass(model, _COUNTED_ONCE) and letter.reason not in _UNREADABLE:
        message = f"The journal has this {model.schema_name} and counts each event once: again, it changes nothing."
        fix = f"Give it anew, `billstream contracts apply` for example, and {discard}."
        raise LetterRefused("letter_counted", message, fix)
    topic = next((topic for topic, kinds in MAY_WRITE.items() if issubclass(model, kinds)), "")
    if not topic:
        message = f"Nobody may write a {model.schema_name}."
        raise LetterRefused("letter_not_sent", message, f"Find out who wrote it, and {discard}.")
    return topic


def objection(value: bytes, way: Way, partitions: int) -> str:
    """Why these bytes would fail there again, by the very check of the workers; empty when they would pass."""
    try:
        read_there(value, way, partitions)
    except Rejected as error:
        return f"{error.message} [{error.code}]"
    return ""


def read_there(value: bytes, way: Way, partitions: int) -> Record:
    """The record that bytes are at this place; raises Rejected as the workers would."""
    return checked_input(value, way.topic, way.partition, partitions) if way.topic in MAY_WRITE else decode(value)


def event_of(value: bytes) -> str:
    """The event id of bytes, as far as they can be read; empty when it cannot."""
    envelope = dissect(value).fields.get("envelope")
    found = envelope.get("event_id") if isinstance(envelope, dict) else None
    return found if isinstance(found, str) else ""
