"""The Avro files: they agree with the models, and every released one stays readable in both directions."""

import io
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import fastavro
import pytest
from fastavro.utils import generate_many

from schemas.avro import avro_schema
from schemas.generate import FOLDER, schema_text
from schemas.records import ALL
from schemas.values import Record

RELEASED = sorted(FOLDER.joinpath("released").glob("*.avsc"))
VALUES_EACH = 6
Schema = dict[str, object]


def read(path: Path) -> Schema:
    """A schema file."""
    found: Schema = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("model", ALL, ids=lambda model: model.schema_name)
def test_the_file_of_a_model_is_what_the_model_says(model: type[Record]) -> None:
    """`schemas/avsc` is generated: a model that changed without its file, or a file without its model, is a mistake."""
    assert (FOLDER / f"{model.schema_name}.avsc").read_text(encoding="utf-8") == schema_text(avro_schema(model))


def test_there_is_one_file_for_each_record_and_one_id() -> None:
    """No file is left over, and no id or name is used twice."""
    assert sorted(file.stem for file in FOLDER.glob("*.avsc")) == sorted(model.schema_name for model in ALL)
    assert len({model.schema_id for model in ALL}) == len(ALL)


def test_every_current_id_is_released_as_it_is() -> None:
    """What a writer uses today stands among the released files under its id, unchanged: readers look it up there."""
    for model in ALL:
        released = FOLDER / "released" / f"{model.schema_id}-{model.schema_name}.avsc"
        assert read(released) == read(FOLDER / f"{model.schema_name}.avsc"), model.schema_name


def test_the_files_are_in_the_package() -> None:
    """The codec finds them where the package is installed, not in a checkout."""
    assert files("schemas").joinpath("avsc", "released", RELEASED[0].name).is_file()


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
def test_a_released_schema_and_the_current_one_read_each_other(path: Path) -> None:
    """Values made of either schema are read by the other: old records by new code, new records by old code."""
    released, current = read(path), read(FOLDER / f"{path.stem.split('-', 1)[1]}.avsc")
    assert read_across(released, current) == VALUES_EACH
    assert read_across(current, released) == VALUES_EACH


def test_the_checker_sees_a_change_that_is_not_compatible() -> None:
    """A new field without default, a field of another type and a lost field without default all fail the check."""
    base: Schema = {"type": "record", "name": "r", "fields": [{"name": "a", "type": "string"}]}
    wider: Schema = {**base, "fields": [{"name": "a", "type": "string"}, {"name": "b", "type": "long"}]}
    other: Schema = {**base, "fields": [{"name": "a", "type": "long"}]}
    kept: Schema = {**base, "fields": [{"name": "a", "type": "string"}, {"name": "b", "type": "long", "default": 0}]}
    assert (read_across(base, kept), read_across(kept, base)) == (VALUES_EACH, VALUES_EACH)
    for writer, reader in ((base, wider), (base, other)):
        with pytest.raises(fastavro.read.SchemaResolutionError):
            read_across(writer, reader)


def read_across(writer: Schema, reader: Schema) -> int:
    """How many generated values of one schema the other could read, with the fields both know unchanged."""
    parsed_writer, parsed_reader = fastavro.parse_schema(writer), fastavro.parse_schema(reader)
    done = 0
    for value in generate_many(parsed_writer, VALUES_EACH):
        stream = io.BytesIO()
        fastavro.schemaless_writer(stream, parsed_writer, value)
        stream.seek(0)
        plain = fastavro.schemaless_reader(stream, parsed_writer, None)
        stream.seek(0)
        found = fastavro.schemaless_reader(stream, parsed_writer, parsed_reader)
        assert isinstance(found, Mapping)
        assert isinstance(plain, Mapping)
        assert {name: found[name] for name in found if name in plain and not nested(found[name])} == {
            name: plain[name] for name in found if name in plain and not nested(found[name])
        }
        done += 1
    return done


def nested(value: object) -> bool:
    """Whether a value holds values, which may have gained or lost fields of their own."""
    return isinstance(value, Mapping | list)
