"""The reader of the fold job that skips fields: what it reads is what fastavro reads, whatever stands in between."""

import io
from collections.abc import Mapping

import fastavro
import pytest
from fastavro.schema import parse_schema
from hypothesis import given
from hypothesis import strategies as st

from bench.fold.skipping import reader_of

LONGS = st.integers(-(2**63), 2**63 - 1)
FIELDS: dict[str, tuple[object, st.SearchStrategy[object]]] = {
    "text": ("string", st.text()),
    "inner": (
        {"type": "record", "name": "inner", "fields": [{"name": "a", "type": "string"}, {"name": "b", "type": "long"}]},
        st.fixed_dictionaries({"a": st.text(), "b": LONGS}),
    ),
    "long_text": ("string", st.text(min_size=60)),
    "number": ("long", LONGS),
    "moment": ({"type": "long", "doc": "of a kind"}, LONGS),
    "small": ("int", st.integers(-(2**31), 2**31 - 1)),
    "yes": ("boolean", st.booleans()),
    "ratio": ("double", st.floats(allow_nan=False)),
    "maybe": (["null", "long"], st.none() | LONGS),
    "perhaps": (["null", "string"], st.none() | st.text()),
    "tags": ({"type": "array", "items": "string"}, st.lists(st.text())),
    "attributes": ({"type": "map", "values": "string"}, st.dictionaries(st.text(), st.text())),
    "last": ("string", st.text()),
}
READABLE = ("text", "long_text", "number", "moment", "small", "maybe", "perhaps", "last")
KINDS = [{"name": name, "type": kind} for name, (kind, _) in FIELDS.items()]
SCHEMA: dict[str, object] = {"type": "record", "name": "all", "fields": KINDS}
VALUES = st.fixed_dictionaries({name: values for name, (_, values) in FIELDS.items()})


def written(values: Mapping[str, object]) -> bytes:
    """The bytes that fastavro makes."""
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, parse_schema(SCHEMA), values)
    return buffer.getvalue()


@given(VALUES, st.sets(st.sampled_from(READABLE), min_size=1))
def test_wanted_fields_are_read_past_all_others(values: dict[str, object], wanted: set[str]) -> None:
    """Any choice of fields gives what was written, in the order of the schema, from any place on."""
    found = reader_of(SCHEMA, sorted(wanted))(b"frame" + written(values), 5)
    assert found == tuple(values[name] for name in FIELDS if name in wanted)


def test_blocks_with_a_size_are_skipped() -> None:
    """Other writers name the size of a block of items, with a negative count before it."""
    fields = [{"name": "tags", "type": FIELDS["tags"][0]}, {"name": "x", "type": "string"}]
    assert reader_of({"type": "record", "name": "r", "fields": fields}, ["x"])(b"\x01\x04\x02a\x00\x02b", 0) == ("b",)


@pytest.mark.parametrize("value", [b"", b"\x0aabc", b"\x80"])
def test_a_value_that_ends_too_early_is_an_error(value: bytes) -> None:
    """Nothing is made up for bytes that are not there."""
    schema = {"type": "record", "name": "r", "fields": [{"name": "x", "type": "string"}]}
    with pytest.raises(IndexError):
        reader_of(schema, ["x"])(value, 0)
