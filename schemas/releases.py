"""Which schemas each release writes, and which changes of a record a later release may make (design section 1)."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

from schemas.values import Value, WireEnum

FILE = "releases.json"
Schema = Mapping[str, object]
_ENUM = "billstream"
_WORDS_OF_TEXT = frozenset({"decimal"})
"""Notes on a text that say how it is written; any other note names a list of words, and unknown words are read."""


class Release(Value):
    """What a release writes: the schema id of each record by its name, and the words of each list on the wire."""

    version: str
    writes: Mapping[str, int]
    words: Mapping[str, tuple[str, ...]]


class Register(Value):
    """`schemas` are all that were ever released, `<id>-<name>` with the hash of its file; `releases` the oldest first.

    A schema is added with the release that writes it and never leaves.
    """

    schemas: Mapping[str, str]
    releases: tuple[Release, ...]


@cache
def register() -> Register:
    """All releases so far."""
    return Register.model_validate_json(files("schemas").joinpath("avsc", FILE).read_text(encoding="utf-8"))


def is_released(stem: str) -> bool:
    """Whether a release has gone out with this schema, `<id>-<name>`; until then its file follows its model."""
    return stem in register().schemas


def file_hash(text: str) -> str:
    """What a released file is known by."""
    return hashlib.sha256(text.encode()).hexdigest()


def words_on_the_wire() -> dict[str, tuple[str, ...]]:
    """The words of each list that records use, as of now."""
    return {
        kind.__name__: tuple(word.value for word in kind) for kind in sorted(_kinds(), key=lambda one: one.__name__)
    }


def _kinds() -> Iterator[type[WireEnum]]:
    waiting = list(WireEnum.__subclasses__())
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith("schemas."):
            yield kind


def forbidden_changes(older: Schema, newer: Schema) -> list[str]:
    """What a later schema of a record may not do, as sentences; none for a change that is allowed.

    Allowed is a new field with a default, on the record and on whatever lies in it. Old and new programs then read each
    other, and ids and hashes, which leave out what is at its default, stay what they were.
    """
    return list(_changes(older, newer, str(older["name"]), _named(older), _named(newer)))


Named = Mapping[str, Schema]


def _named(schema: object) -> dict[str, Schema]:
    """The records that a schema holds, itself included: the second use of one is by its name."""
    if isinstance(schema, list):
        return {name: one for part in schema for name, one in _named(part).items()}
    if not isinstance(schema, Mapping):
        return {}
    own = {f"{schema.get('namespace', 'com.billstream')}.{schema['name']}": schema} if "name" in schema else {}
    inner = [field["type"] for field in _fields(schema).values()] if "fields" in schema else [schema.get("items")]
    return {**own, **_named(inner)}


def _changes(older: Schema, newer: Schema, path: str, old_names: Named, new_names: Named) -> Iterator[str]:
    if older["name"] != newer["name"]:
        yield f"{path} has another name: {newer['name']}"
    before, after = _fields(older), _fields(newer)
    for name, field in after.items():
        if name not in before and "default" not in field:
            yield f"{path}.{name} is new and has no default"
    for name, field in before.items():
        here = f"{path}.{name}"
        if name not in after:
            yield f"{here} is gone"
        else:
            if _default(field) != _default(after[name]):
                yield f"{here} has another default"
            yield from _types(field["type"], after[name]["type"], here, old_names, new_names)


def _types(older: object, newer: object, path: str, old_names: Named, new_names: Named) -> Iterator[str]:
    old, new = _resolved(older, old_names), _resolved(newer, new_names)
    kinds = (_kind(old), _kind(new))
    if kinds[0] != kinds[1]:
        yield f"{path} was {kinds[0]} and is {kinds[1]}"
    elif isinstance(old, list) and isinstance(new, list):
        for one, other in zip(old, new, strict=True):
            yield from _types(one, other, path, old_names, new_names)
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        if old["type"] == "record":
            if not (isinstance(older, str) and isinstance(newer, str)):  # by name: it was compared where it stands
                yield from _changes(old, new, path, old_names, new_names)
        elif "items" in old:
            yield from _types(old["items"], new["items"], path, old_names, new_names)


def _resolved(kind: object, names: Named) -> object:
    return names.get(kind, kind) if isinstance(kind, str) else kind


def _kind(kind: object) -> str:
    """What a type is on the wire, without what lies in it. A list of words is text: unknown words are read."""
    if isinstance(kind, list):
        return " or ".join(_kind(one) for one in kind)
    if not isinstance(kind, Mapping):
        return str(kind)
    if kind["type"] == "record":
        return f"record {kind['name']}"
    note = kind.get("logicalType") or kind.get(_ENUM)
    is_word = _ENUM in kind and note not in _WORDS_OF_TEXT
    return str(kind["type"]) if note is None or is_word else f"{kind['type']} ({note})"


def _fields(schema: Schema) -> dict[str, Schema]:
    fields = schema["fields"]
    assert isinstance(fields, list), "a record has fields"
    return {str(field["name"]): field for field in fields}


def _default(field: Schema) -> str:
    return json.dumps(field["default"]) if "default" in field else "none"
