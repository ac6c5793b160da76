"""The Avro of the fold job for the three jobs in Python: what comes in, what goes out, which week a start is in.

It imports nothing of Billstream: Quix Streams runs it in an environment of its own.
"""

import io
import json
import struct
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import cast

import fastavro
from fastavro.schema import parse_schema
from fastavro.types import Schema

FOLDER = Path(__file__).resolve().parent
ENTRY_ID = 1001
HOURS_ID = 9002
DAY_MICROSECONDS = 86_400_000_000
_FRAME = struct.Struct(">bI")
_HOURS_FRAME = _FRAME.pack(0, HOURS_ID)
_EPOCH = date(1970, 1, 1)

Fields = dict[str, object]


def _without_logical_types(schema: object) -> object:
    """Moments stay whole micro-seconds: no job needs them as objects, and making those costs a fifth of the reading."""
    if isinstance(schema, dict):
        return {name: _without_logical_types(part) for name, part in schema.items() if name != "logicalType"}
    if isinstance(schema, list):
        return [_without_logical_types(part) for part in schema]
    return schema


def _schema(path: Path) -> Schema:
    return parse_schema(cast(Schema, _without_logical_types(json.loads(path.read_text(encoding="utf-8")))))


_ENTRY = _schema(FOLDER.parent.parent / "schemas" / "avsc" / "released" / f"{ENTRY_ID}-entry_version.avsc")
_HOURS = _schema(FOLDER / "hours.avsc")
_read = cast(Callable[[io.BytesIO, Schema, None], Fields], fastavro.schemaless_reader)
_write = cast(Callable[[io.BytesIO, Schema, Mapping[str, object]], None], fastavro.schemaless_writer)


def read_entry(value: bytes) -> Fields:
    """All fields of an entry version; ValueError for another frame."""
    magic, schema_id = _FRAME.unpack_from(value)
    if magic != 0 or schema_id != ENTRY_ID:
        raise ValueError(f"not an entry version: frame {magic}, {schema_id}")
    buffer = io.BytesIO(value)
    buffer.seek(_FRAME.size)
    return _read(buffer, _ENTRY, None)


def write_hours(client: str, week: str, worked_seconds: int, entry_id: str, source_revision: int) -> bytes:
    """The new total of a client and week, and the version that changed it."""
    buffer = io.BytesIO()
    buffer.write(_HOURS_FRAME)
    fields = {
        "client": client,
        "week": week,
        "worked_seconds": worked_seconds,
        "entry_id": entry_id,
        "source_revision": source_revision,
    }
    _write(buffer, _HOURS, fields)
    return buffer.getvalue()


def read_hours(value: bytes) -> Fields:
    """What `write_hours` wrote."""
    buffer = io.BytesIO(value)
    assert _FRAME.unpack(buffer.read(_FRAME.size)) == (0, HOURS_ID)
    return _read(buffer, _HOURS, None)


def week_of(start_microseconds: int) -> str:
    """The ISO week of a moment in UTC."""
    return _week_of_day(start_microseconds // DAY_MICROSECONDS)


@lru_cache(maxsize=4_096)
def _week_of_day(day: int) -> str:
    year, week, _ = (_EPOCH + timedelta(days=day)).isocalendar()
    return f"{year}-W{week:02d}"


def hours_key(client: str, week: str) -> str:
    """The key of a total."""
    return f"{client}|{week}"
