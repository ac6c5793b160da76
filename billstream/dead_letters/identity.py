"""What makes a record this record and no other: a repair keeps it, or is refused."""

from collections.abc import Mapping

from billstream.dead_letters.rules import LetterRefused
from schemas.commands import Command
from schemas.dissect import Plain
from schemas.entry import EntryVersion, entry_id_of
from schemas.outputs import DeadLetter
from schemas.values import Record
from streams.topics import COMMANDS, TIME_ENTRIES

_EVERY = ("envelope.event_id", "envelope.tenant", "envelope.book")
_ENTRY_SOURCE = ("source", "account", "source_entry_id")
_OTHERS = ("import_id", "contract_id", "held_id", "payment_id", "source", "account", "base", "quote", "on")


def identity_fields(model: type[Record]) -> tuple[str, ...]:
    """The fields that stay as they are, by their places in the record."""
    if issubclass(model, EntryVersion):
        return (*_EVERY, "entry_id", *_ENTRY_SOURCE)
    if issubclass(model, Command):
        return (*_EVERY, "command_id", "person")
    return (*_EVERY, *(name for name in _OTHERS if name in model.model_fields))


def at(fields: Mapping[str, Plain], place: str) -> Plain:
    """The value at a place such as `envelope.event_id`; None when it is not there."""
    here: Plain = dict(fields)
    for name in place.split("."):
        if not isinstance(here, dict) or name not in here:
            return None
        here = here[name]
    return here


def check_identity(
    letter: DeadLetter, model: type[Record], before: Mapping[str, Plain], after: Mapping[str, Plain]
) -> None:
    """Raise CommandFailed when the repaired record is another one, or when nobody can say that it is the same."""
    known: dict[str, Plain] = {}
    for place in identity_fields(model):
        if (value := at(before, place)) is not None:
            known[place] = value
    _from_key(letter, known)
    for place, kept in known.items():
        if at(after, place) != kept:
            raise LetterRefused(
                "letter_identity",
                f"{place} is part of what makes this record itself: it stays '{kept}'.",
                "Take the change back. Another record is entered at its source, not in the place of this one.",
            )
    lost = [place for place in identity_fields(model) if place not in known]
    if lost and issubclass(model, EntryVersion) and "entry_id" in known and set(lost) <= set(_ENTRY_SOURCE):
        _check_source(known, after)
        lost = []
    if lost:
        raise LetterRefused(
            "letter_identity",
            f"{', '.join(lost)} cannot be read, so nobody can say that the repaired record is the same one.",
            "Let its source send it again, and discard the letter.",
        )


def _from_key(letter: DeadLetter, known: dict[str, Plain]) -> None:
    """The key of an entry is its entry id, the key of a command its command id, also when the record is broken."""
    place = {TIME_ENTRIES: "entry_id", COMMANDS: "command_id"}.get(letter.topic, "")
    if place and place not in known and letter.key:
        known[place] = letter.key.decode("utf-8", "replace")


def _check_source(known: Mapping[str, Plain], after: Mapping[str, Plain]) -> None:
    """The id of an entry is the hash of its source, so what was lost of it can be filled in and proven."""
    parts = [at(after, place) for place in ("envelope.tenant", "envelope.book", *_ENTRY_SOURCE)]
    if entry_id_of(*(str(part) for part in parts)) != known["entry_id"]:
        raise LetterRefused(
            "letter_identity",
            "source, account and source_entry_id are not those of this entry: its id is their hash.",
            "Look them up where the entry was written.",
        )
