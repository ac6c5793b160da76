"""Schemas over time: all releases read each other, and a change that would break that is refused."""

import copy
import io
import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import fastavro
import pytest
from fastavro.utils import generate_many

from schemas.codec import decode, encode
from schemas.generate import FOLDER, faults, release, schemas_of
from schemas.records import ALL
from schemas.releases import file_hash, forbidden_changes, register, words_on_the_wire

VALUES_EACH = 4
Schema = dict[str, object]
PAIRS = [
    (model.schema_name, writer, reader)
    for model in ALL
    for writer, reader in itertools.product(schemas_of(model.schema_name), repeat=2)
]
HELP = "A schema that went out stays as it is: give the record the next id (1001, 2001, ...), run schemas.generate."


def test_what_was_released_stays_as_it_was() -> None:
    """The files of released schemas are the very ones that went out, and none is missing."""
    found = {file.stem: file_hash(file.read_text(encoding="utf-8")) for file in FOLDER.joinpath("released").iterdir()}
    changed = {stem for stem, known in register().schemas.items() if found.get(stem) != known}
    assert changed == set(), HELP


def test_every_release_can_be_read() -> None:
    """Each id that a release writes is among the schemas, and belongs to the same record for ever."""
    names = {model.schema_name for model in ALL}
    for one in register().releases:
        assert set(one.writes) <= names, one.version
        assert {f"{number}-{name}" for name, number in one.writes.items()} <= set(register().schemas), one.version
    owners = [stem.split("-")[0] for stem in register().schemas]
    assert len(owners) == len(set(owners))


@pytest.mark.parametrize(("name", "writer", "reader"), PAIRS, ids=str)
def test_any_release_reads_any_other(name: str, writer: int, reader: int) -> None:
    """Over all pairs: what both know is read as it was written, at any depth; what only the reader knows is at its
    default.
    """
    schemas = schemas_of(name)
    for value in generate_many(fastavro.parse_schema(schemas[writer]), VALUES_EACH):
        plain, found = read_across(cast(Mapping[str, object], value), schemas[writer], schemas[reader])
        assert differences(plain, found, schemas[reader]) == []


@pytest.mark.parametrize("stem", sorted(register().schemas))
def test_every_later_schema_is_an_allowed_change(stem: str) -> None:
    """Between any schema and each later one of its record there are new fields with defaults and nothing else."""
    number, name = stem.split("-", 1)
    schemas = schemas_of(name)
    for later in (one for one in schemas if one > int(number)):
        assert forbidden_changes(schemas[int(number)], schemas[later]) == [], later


def test_golden_records_are_read_by_every_schema_of_their_record(repository_root: Path) -> None:
    """The hand-written examples go through each pair, too, and an old one makes a record of today's model."""
    folder = repository_root / "tests/golden/records"
    for name, writer, reader in PAIRS:
        value = (folder / f"{writer}-{name}.bin").read_bytes()
        schemas = schemas_of(name)
        plain, found = read_across(value[5:], schemas[writer], schemas[reader])
        assert differences(plain, found, schemas[reader]) == [], (name, writer, reader)
        assert decode(encode(decode(value))) == decode(value), (name, writer)


def test_a_release_of_today_is_allowed() -> None:
    """What the models say now could go out as the next version: nothing in it is forbidden, no word was taken away."""
    assert faults(register()) == []
    made = release("999.0.0")
    assert made.releases[-1].writes == {model.schema_name: model.schema_id for model in ALL}
    assert set(register().schemas) <= set(made.schemas)


def test_a_version_goes_out_once() -> None:
    """The same version again is refused, whatever changed since."""
    with pytest.raises(ValueError, match="released already"):
        release(register().releases[0].version)


def test_the_version_of_the_package_is_the_newest_release_or_a_later_one(repository_root: Path) -> None:
    """Who releases the package registers its schemas first: script/golden."""
    text = (repository_root / "pyproject.toml").read_text(encoding="utf-8")
    (version,) = [line.split('"')[1] for line in text.splitlines() if line.startswith("version = ")]
    assert order(register().releases[-1].version) <= order(version)
    assert [one.version for one in register().releases] == sorted(
        (one.version for one in register().releases), key=order
    )


def test_a_word_that_is_taken_away_is_refused() -> None:
    """A word that a release wrote stays: without it, old records would be read as `unknown`."""
    known = register()
    last = known.releases[-1]
    kinds = {**words_on_the_wire(), "Category": (*words_on_the_wire()["Category"], "pro_bono")}
    before = known.model_copy(update={"releases": (last.model_copy(update={"words": kinds}),)})
    assert faults(before) == [f"Category: the word 'pro_bono' of {last.version} is gone"]


# Each change of the entry's schema, and what the house says to it.
FORBIDDEN: Mapping[str, tuple[Callable[[Schema], object], str]] = {
    "gone": (lambda schema: fields(schema).pop(2), "entry_version.source is gone"),
    "no default": (
        lambda schema: fields(schema).append({"name": "urgency", "type": "string"}),
        "entry_version.urgency is new and has no default",
    ),
    "retyped": (lambda schema: field(schema, "work_date").update(type=["null", "string"]), "work_date was null or int"),
    "narrowed": (lambda schema: field(schema, "amount").update(type="string"), "amount was null or string (decimal)"),
    "optional": (lambda schema: field(schema, "content").update(type=["null", "string"]), "content was string and is"),
    "text for a number": (
        lambda schema: field(schema, "source_revision").update(type="string", default=""),
        "source_revision was long and is string",
    ),
    "another default": (lambda schema: field(schema, "currency").update(default="EUR"), "currency has another default"),
    "a default that was none": (
        lambda schema: field(schema, "source").update(default=""),
        "entry_version.source has another default",
    ),
    "renamed": (
        lambda schema: field(schema, "description").update(name="text"),
        "entry_version.description is gone",
    ),
    "another record": (lambda schema: schema.update(name="entry"), "entry_version has another name: entry"),
    "deep inside": (
        lambda schema: fields(cast(Schema, field(schema, "envelope")["type"])).pop(0),
        "entry_version.envelope.event_id is gone",
    ),
    "items": (
        lambda schema: field(schema, "tags").update(type={"type": "array", "items": "long"}),
        "entry_version.tags was string and is long",
    ),
}


@pytest.mark.parametrize("change", FORBIDDEN)
def test_a_forbidden_change_is_refused(change: str) -> None:
    """Each kind of change that would lose, refuse or reinterpret what old records say is named."""
    alter, said = FORBIDDEN[change]
    schema = entry_schema()
    alter(schema)
    found = forbidden_changes(entry_schema(), schema)
    assert found != []
    assert any(said in sentence for sentence in found), found


ALLOWED: Mapping[str, Callable[[Schema], object]] = {
    "a field at the end": lambda schema: fields(schema).append({"name": "u", "type": "string", "default": ""}),
    "a field in between": lambda schema: fields(schema).insert(3, {"name": "u", "type": "long", "default": 0}),
    "a field inside": lambda schema: fields(cast(Schema, field(schema, "envelope")["type"])).append(
        {"name": "u", "type": ["null", "string"], "default": None}
    ),
    "a list of words": lambda schema: field(schema, "currency").update(
        type={"type": "string", "billstream": "Currency"}
    ),
    "another order": lambda schema: fields(schema).sort(key=lambda one: str(one["name"])),
    "other words about it": lambda schema: schema.update(doc="Said better."),
}


@pytest.mark.parametrize("change", ALLOWED)
def test_an_allowed_change_is_read_both_ways(change: str) -> None:
    """What the rule lets through is in fact read by old and new, so the rule is not too wide."""
    older, newer = entry_schema(), entry_schema()
    ALLOWED[change](newer)
    assert forbidden_changes(older, newer) == []
    for writer, reader in ((older, newer), (newer, older)):
        for value in generate_many(fastavro.parse_schema(writer), VALUES_EACH):
            plain, found = read_across(cast(Mapping[str, object], value), writer, reader)
            assert differences(plain, found, reader) == []


def test_a_record_that_is_used_twice_is_compared_once_and_by_name() -> None:
    """The second use of a record in a schema is its name only; a new field before the first use changes nothing."""
    inner: Schema = {"type": "record", "name": "Part", "fields": [{"name": "a", "type": "string"}]}
    older: Schema = {"type": "record", "name": "r", "fields": [{"name": "x", "type": inner}]}
    first = {"name": "w", "type": ["null", inner], "default": None}
    newer: Schema = {**older, "fields": [first, {"name": "x", "type": "com.billstream.Part"}]}
    assert forbidden_changes(older, newer) == []
    lost = json.loads(json.dumps(newer).replace('{"name": "a", "type": "string"}', ""))
    assert forbidden_changes(older, lost) == ["r.x.a is gone"]


def entry_schema() -> Schema:
    """The schema of an entry version, to be changed."""
    return copy.deepcopy(schemas_of("entry_version")[1001])


def fields(schema: Schema) -> list[Schema]:
    """The fields of a record."""
    return cast(list[Schema], schema["fields"])


def field(schema: Schema, name: str) -> Schema:
    """One of them."""
    (found,) = [one for one in fields(schema) if one["name"] == name]
    return found


def order(version: str) -> tuple[int, ...]:
    """Versions sort by their numbers."""
    return tuple(int(part) for part in version.split("."))


def read_across(
    value: Mapping[str, object] | bytes, writer: Schema, reader: Schema
) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """A value (or its bytes) of the writer's schema as itself and as the reader sees it."""
    parsed_writer, parsed_reader = fastavro.parse_schema(writer), fastavro.parse_schema(reader)
    stream = io.BytesIO()
    if isinstance(value, bytes):
        stream.write(value)
    else:
        fastavro.schemaless_writer(stream, parsed_writer, value)
    stream.seek(0)
    plain = fastavro.schemaless_reader(stream, parsed_writer, None)
    assert stream.read() == b""
    stream.seek(0)
    found = fastavro.schemaless_reader(stream, parsed_writer, parsed_reader)
    return cast(Mapping[str, object], plain), cast(Mapping[str, object], found)


def differences(plain: object, found: object, reader: object, path: str = "") -> list[str]:
    """Where the reader says something else than the writer, at any depth; fields that only one knows are no such
    place, as long as the reader's is at its default.
    """
    if isinstance(plain, Mapping) and isinstance(found, Mapping) and isinstance(reader, Mapping) and "fields" in reader:
        known = {str(one["name"]): one for one in fields(cast(Schema, reader))}
        assert set(found) == set(known), path
        said = [
            f"{path}.{name} is not at its default"
            for name in set(found) - set(plain)
            if found[name] != known[name]["default"]
        ]
        both = set(found) & set(plain)
        return said + [
            one for name in both for one in differences(plain[name], found[name], known[name]["type"], f"{path}.{name}")
        ]
    if isinstance(plain, list) and isinstance(found, list) and len(plain) == len(found):
        return [one for pair in zip(plain, found, strict=True) for one in differences(*pair, None, f"{path}[]")]
    if isinstance(plain, Mapping) and isinstance(found, Mapping):  # a record whose schema stands elsewhere, or a map
        return [
            one
            for name in set(found) & set(plain)
            for one in differences(plain[name], found[name], None, f"{path}.{name}")
        ]
    return [] if plain == found else [f"{path}: {plain!r} is read as {found!r}"]
