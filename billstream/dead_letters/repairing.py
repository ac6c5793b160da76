"""A broken record as text that a person corrects, and back: checked as a whole, and still the same record."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from billstream.configuration.problems import nearest
from billstream.dead_letters.identity import at, check_identity, identity_fields
from billstream.dead_letters.rules import SHORT_ID, LetterRefused, Way, objection, way_in_of
from runtime.files import write_new
from schemas import inputs
from schemas.codec import encode
from schemas.dissect import Dissected, Plain, dissect
from schemas.entry import EntryVersion, content_of
from schemas.outputs import DeadLetter
from schemas.values import Record
from streams.agents.sequence import MAY_WRITE
from streams.topics import JOURNAL, RESULTS, book_partition

FILE_BYTES_MAX = 32 * 1024 * 1024
PROBLEMS_MAX = 5
_SET = re.compile(r"([a-z_]+(?:\.[A-Za-z0-9_-]+)*)=(.*)", re.DOTALL)
_FOLLOWS = ("content",)
"""A field that is computed from the others: nobody changes it by hand."""
_FIELDS = TypeAdapter(dict[str, object])


@dataclass(frozen=True, slots=True)
class Change:
    """A field before and after, as JSON text; empty for one that is not there."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Repaired:
    """A corrected record, its bytes, where they go and what was changed."""

    record: Record
    value: bytes
    way: Way
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person may edit: the fields as far as they were read."""

    letter: DeadLetter
    model: type[Record]
    fields: Mapping[str, Plain]
    found: Dissected


def draft_of(letter: DeadLetter) -> Draft:
    """The editable form of a letter's record; raises CommandFailed when it is not for editing."""
    short = letter.dead_letter_id[:SHORT_ID]
    found = dissect(letter.value)
    if letter.whole_bytes:
        message = f"{short} holds only the beginning of a record of {letter.whole_bytes} bytes."
        raise LetterRefused("letter_cut", message, "Let its source send it again, and discard the letter.")
    if found.model is None or not found.fields:
        why = "" if found.broken is None else f": {found.broken.why}"
        message = f"Nothing of {short} can be read{why}"
        raise LetterRefused("letter_not_readable", message, "Let its source send it again, and discard the letter.")
    _check_editable(letter, found.model)
    return Draft(letter, found.model, found.fields, found)


def _check_editable(letter: DeadLetter, model: type[Record]) -> None:
    if issubclass(model, inputs.ContractRevision | inputs.DirectoryRevision):
        fix = "Mend the file, then `billstream contracts apply`, and discard the letter."
        raise LetterRefused("letter_not_edited", "A contract or a directory is mended in its file.", fix)
    topic = way_in_of(letter, model) if letter.topic == JOURNAL else letter.topic
    if topic == RESULTS:
        message = "What an agent answered is not rewritten by hand."
        fix = "Say what you decide with `billstream entries correct`, and discard the letter."
        raise LetterRefused("letter_not_edited", message, fix)
    if topic not in MAY_WRITE:
        message = f"What stands in {topic} follows from the journal; an edited record would say what no rule said."
        raise LetterRefused("letter_not_edited", message, "Replay it, or discard it.")
    if not issubclass(model, MAY_WRITE[topic]):
        message = f"A {model.schema_name} may not be written to {topic}, whatever it says."
        fix = "Check the credentials of its writer, and discard the letter."
        raise LetterRefused("letter_not_edited", message, fix)


def file_text(draft: Draft) -> str:
    """The file that a person edits."""
    missing = [name for name in draft.model.model_fields if name not in draft.fields]
    broken = draft.found.broken
    about = {
        "letter": draft.letter.dead_letter_id,
        "schema": draft.model.schema_name,
        "why": f"{draft.letter.reason}: {draft.letter.detail}",
        "broken": "" if broken is None else f"byte {broken.at} {broken.field}: {broken.why}",
        "wrong": list(problems_of(draft.model, draft.fields)),
        "not_read": missing,
        "stays_as_it_is": list(identity_fields(draft.model)),
        "record": draft.fields,
    }
    return json.dumps(about, indent=2, ensure_ascii=False) + "\n"


def write_file(draft: Draft, path: Path) -> None:
    """Write it; a file that says something else already is not overwritten (raises FileDiffers)."""
    write_new(path.resolve(), file_text(draft).encode())


def fields_of_file(letter: DeadLetter, path: Path) -> dict[str, Plain]:
    """The corrected record of a file; raises CommandFailed when it is not this letter's file."""
    if path.stat().st_size > FILE_BYTES_MAX:
        raise LetterRefused("repair_file", f"{path} is larger than {FILE_BYTES_MAX} bytes.")
    try:
        about = _FIELDS.validate_python(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, RecursionError) as error:
        said = str(error).splitlines()[0]
        raise LetterRefused("repair_file", f"{path} is no JSON of ours: {said}", "Write it anew with --out.") from None
    if about.get("letter") != letter.dead_letter_id:
        message = f"{path} is about another letter."
        raise LetterRefused("repair_file", message, "Name the letter that the file names.")
    record = about.get("record")
    if not isinstance(record, dict):
        raise LetterRefused("repair_file", f"{path} has no `record`.", "Write it anew with --out.")
    return dict(record)


def with_changes(model: type[Record], base: Mapping[str, Plain], settings: Sequence[str]) -> dict[str, Plain]:
    """The fields with each `field=value` put in; `null` empties a field, JSON is read as such, the rest is text."""
    fields: dict[str, Plain] = json.loads(json.dumps(dict(base)))
    for setting in settings:
        matched = _SET.fullmatch(setting)
        if matched is None:
            message = f"'{setting}' is not field=value."
            raise LetterRefused("repair_setting", message, "For example worked_seconds=3600.")
        place, text = matched.groups()
        *path, name = place.split(".")
        top = path[0] if path else name
        if top not in model.model_fields:
            raise LetterRefused(
                "repair_setting", f"A {model.schema_name} has no '{top}'.", nearest(top, model.model_fields)
            )
        here = fields
        for step in path:
            inner = here.setdefault(step, {})
            if not isinstance(inner, dict):
                raise LetterRefused("repair_setting", f"'{step}' of {place} has no fields.")
            here = inner
        here[name] = _value(text)
    return fields


def _value(text: str) -> Plain:
    if text == "null":
        return None
    if text[:1] in ("[", "{"):
        try:
            found: Plain = json.loads(text)
        except ValueError:
            return text
        return found
    return text


def repair(draft: Draft, fields: Mapping[str, Plain], partitions: int) -> Repaired:
    """The record of these fields, if it is valid, still the same, and would pass; else raises CommandFailed."""
    record = _record(draft.model, fields)
    check_identity(draft.letter, draft.model, draft.fields, _plain(record))
    if isinstance(record, EntryVersion):
        said = {name: getattr(record, name) for name in EntryVersion.model_fields}
        record = record.model_copy(update={"content": content_of(said)})
    value = encode(record)
    topic = way_in_of(draft.letter, draft.model) if draft.letter.topic == JOURNAL else draft.letter.topic
    head = record.envelope
    way = Way(topic, book_partition(head.tenant, head.book, partitions))
    if said_no := objection(value, way, partitions):
        raise LetterRefused("repair_invalid", f"It would be refused again: {said_no}")
    changes = tuple(_changes(draft.fields, _plain(record)))
    if not changes and (way.topic, way.partition) == (draft.letter.topic, draft.letter.partition):
        fix = "Say what to change with --set or --from, or send it as it is with `dead-letters replay`."
        raise LetterRefused("repair_empty", "Nothing would be changed.", fix)
    return Repaired(record, value, way, changes)


def problems_of(model: type[Record], fields: Mapping[str, Plain]) -> tuple[str, ...]:
    """What is wrong with fields, each in a sentence with its place; some of them when there are many."""
    try:
        _record(model, fields)
    except LetterRefused as error:
        return tuple(error.message.split("\n"))
    return ()


def _record(model: type[Record], fields: Mapping[str, Plain]) -> Record:
    try:
        record = model.model_validate_json(json.dumps(fields))
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        lines = [f"{'.'.join(map(str, one['loc'])) or model.schema_name}: {one['msg']}" for one in found[:PROBLEMS_MAX]]
        if len(found) > PROBLEMS_MAX:
            lines.append(f"and {len(found) - PROBLEMS_MAX} more")
        raise LetterRefused("repair_invalid", "\n".join(lines), "Correct these fields.") from None
    for place, word in _unknown_words(fields, _plain(record)):
        message = f"{place}: '{word}' is no word that this version knows."
        raise LetterRefused("repair_invalid", message, "docs/reference/events.md lists the words.")
    return record


def _plain(record: Record) -> dict[str, Plain]:
    fields: dict[str, Plain] = record.model_dump(mode="json")
    return fields


def _unknown_words(said: Mapping[str, Plain], read: Mapping[str, Plain]) -> list[tuple[str, str]]:
    """Words that were read as `unknown`, as a newer version's would be: typed by hand they are mistakes."""
    return [
        (name, word)
        for name, word in said.items()
        if isinstance(word, str) and word != "unknown" and read.get(name) == "unknown"
    ]


def _changes(before: Mapping[str, Plain], after: Mapping[str, Plain], path: str = "") -> list[Change]:
    found: list[Change] = []
    for name in dict.fromkeys([*after, *before]):
        here = f"{path}{name}"
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) and isinstance(new, dict) and name == "envelope":
            found += _changes(old, new, f"{here}.")
        elif here not in _FOLLOWS and old != new and (name in before or new):
            found.append(Change(here, _shown(before, name), _shown(after, name)))
    return found


def _shown(fields: Mapping[str, Plain], name: str) -> str:
    return json.dumps(at(fields, name), ensure_ascii=False) if name in fields else ""
