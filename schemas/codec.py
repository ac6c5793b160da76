"""Records to bytes and back: Confluent framing (0x00, schema id in 4 bytes, Avro), with the ids fixed in this package.

Writers use the current schema of a record. Readers find the writer's schema by its id, among all that were ever
released
(`avsc/released/`), and read it as the current one. A schema registry is not needed; it may be filled from these files.
"""

import io
import json
import struct
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import cast

import fastavro
from fastavro.schema import parse_schema
from fastavro.types import Schema
from pydantic import ValidationError

from schemas.entry import EntryVersion, plain_version
from schemas.errors import NewerSchema, Unreadable
from schemas.records import ALL
from schemas.values import Record

_FRAME = struct.Struct(">bI")
# What fastavro raises on foreign bytes: it has no error of its own for a broken stream.
_BROKEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
    struct.error,
)
RECORD_BYTES_MAX = 1_048_576
"""Inputs above this are refused before they are parsed; documents and facts may be larger."""
DOCUMENT_BYTES_MAX = 16_777_216
DRAFT_BYTES_MAX = DOCUMENT_BYTES_MAX - 1_048_576
"""The largest draft: its body goes into other records too (published, delivered), each with more around it."""
_REMEMBERED_BYTES_MAX = 4_096
OUR_IDS = range(1_000, 100_000)
"""Schema ids that this or a later release may give; any other was never ours."""


@cache
def _by_name() -> Mapping[str, type[Record]]:
    return {record.schema_name: record for record in ALL}


def _load(path: str) -> dict[str, object]:
    text = files("schemas").joinpath("avsc", *path.split("/")).read_text(encoding="utf-8")
    return cast(dict[str, object], json.loads(text))


@cache
def _writer(record: type[Record]) -> Schema:
    return parse_schema(_load(f"{record.schema_name}.avsc"))


@cache
def _readers() -> Mapping[int, tuple[type[Record], str]]:
    """Released schema id -> (model, file name). The files are `<id>-<name>.avsc`; they are parsed when first met."""
    found: dict[int, tuple[type[Record], str]] = {}
    for file in files("schemas").joinpath("avsc", "released").iterdir():
        number, name = file.name.removesuffix(".avsc").split("-", 1)
        found[int(number)] = (_by_name()[name], f"released/{file.name}")
    return found


@cache
def _reading(schema_id: int) -> tuple[type[Record], Schema, Schema | None]:
    record, path = _readers()[schema_id]
    writer = parse_schema(_load(path))
    reader = None if schema_id == record.schema_id else _writer(record)
    return record, writer, reader


def encode(record: Record) -> bytes:
    """The framed Avro bytes of a record. The same record always gives the same bytes."""
    return encode_fields(type(record), record.model_dump())


def encode_fields(record: type[Record], fields: Mapping[str, object]) -> bytes:
    """The bytes of the record with these fields, all of them, in the forms of the wire (decimals as text).

    For hot paths whose values are our own: nothing is validated. Elsewhere make the record and `encode` it.
    """
    buffer = io.BytesIO()
    buffer.write(_FRAME.pack(0, record.schema_id))
    fastavro.schemaless_writer(buffer, _writer(record), fields)
    return buffer.getvalue()


def schema_id_of(value: bytes) -> int:
    """The schema id in a frame; Unreadable when there is no frame of ours."""
    if len(value) < _FRAME.size:
        raise Unreadable(
            "frame_short", f"A record of {len(value)} bytes has no frame.", "Publish Confluent-framed Avro."
        )
    magic, schema_id = _FRAME.unpack_from(value)
    if magic != 0:
        raise Unreadable("frame_magic", f"The first byte is {magic}, not 0.", "Publish Confluent-framed Avro.")
    return cast(int, schema_id)


def record_type_of(value: bytes) -> type[Record]:
    """The model a frame announces; Unreadable when its id was never released, NewerSchema when it may be later."""
    schema_id = schema_id_of(value)
    if schema_id not in _readers():
        if schema_id in OUR_IDS:
            raise NewerSchema(schema_id)
        raise Unreadable("schema_unknown", f"Schema id {schema_id} is not known.", "Mend the producer.")
    return _readers()[schema_id][0]


def decode(value: bytes, bytes_max: int = DOCUMENT_BYTES_MAX) -> Record:
    """Read framed bytes as the current form of their record; whatever is wrong with them is `Unreadable`."""
    if len(value) > bytes_max:
        raise Unreadable("record_too_large", f"{len(value)} bytes, at most {bytes_max} are read.", "Split the record.")
    return _decode_again(value) if len(value) <= _REMEMBERED_BYTES_MAX else _decode(value)


@lru_cache(maxsize=16_384)
def _decode_again(value: bytes) -> Record:
    """In one process the same bytes are read by `sequence` and a moment later by the fold; records never change."""
    return _decode(value)


def _decode(value: bytes) -> Record:
    record_type_of(value)
    record, writer, reader = _reading(schema_id_of(value))
    buffer = io.BytesIO(value)
    buffer.seek(_FRAME.size)
    try:
        fields = cast(dict[str, object], fastavro.schemaless_reader(buffer, writer, reader))
    except _BROKEN as error:
        raise Unreadable(
            "avro_broken", f"Not a {record.schema_name}: the Avro bytes are broken.", detail=repr(error)
        ) from None
    if buffer.tell() != len(value):
        raise Unreadable("avro_trailing", f"{len(value) - buffer.tell()} bytes follow the {record.schema_name}.")
    try:
        quick = plain_version(fields) if record is EntryVersion else None
        return quick or record.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Unreadable("value_invalid", f"{record.schema_name}.{place}: {first['msg']}.") from None
