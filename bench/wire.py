"""Avro as a plain developer would write it for both peers: fastavro to and from dictionaries, Confluent framing."""

import io
import json
import struct
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import cast

import fastavro
from fastavro.schema import parse_schema
from fastavro.types import Schema

FRAME = struct.Struct(">bI")
ENRICHED_ID = 9001
ENRICHED = parse_schema(
    {
        "type": "record",
        "name": "enriched",
        "fields": [
            {"name": "entry_id", "type": "string"},
            {"name": "client", "type": "string"},
            {"name": "person", "type": "string"},
            {"name": "week", "type": "string"},
            {"name": "worked_seconds", "type": "long"},
            {"name": "running_minutes", "type": "long"},
            {"name": "description", "type": "string"},
        ],
    }
)
Fields = dict[str, object]


@cache
def _entry_schema(schema_id: int) -> Schema:
    folder = files("schemas").joinpath("avsc", "released")
    name = next(file.name for file in folder.iterdir() if file.name.startswith(f"{schema_id}-"))
    return parse_schema(json.loads(folder.joinpath(name).read_text(encoding="utf-8")))


def read_entry(value: bytes) -> Fields:
    """The fields of an entry version."""
    _, schema_id = FRAME.unpack_from(value)
    return cast(Fields, fastavro.schemaless_reader(io.BytesIO(value[FRAME.size :]), _entry_schema(schema_id), None))


def write_enriched(fields: Fields) -> bytes:
    """The enriched record that goes out."""
    buffer = io.BytesIO()
    buffer.write(FRAME.pack(0, ENRICHED_ID))
    fastavro.schemaless_writer(buffer, ENRICHED, fields)
    return buffer.getvalue()


def enrich(entry: Fields, running_minutes: int) -> Fields:
    """What goes out for an entry."""
    return {
        "entry_id": entry["entry_id"],
        "client": entry["client_ref"],
        "person": entry["person_ref"],
        "week": week_of(entry),
        "worked_seconds": entry["worked_seconds"],
        "running_minutes": running_minutes,
        "description": entry["description"],
    }


def week_of(entry: Fields) -> str:
    """The ISO week of its start; micro-seconds or a date-time, as the schema reads."""
    year, week, _ = cast(datetime, entry["start"]).isocalendar()
    return f"{year}-W{week:02d}"


def window_of(entry: Fields) -> str:
    """Client, week and person: what minutes run in."""
    return f"{entry['client_ref']}|{week_of(entry)}|{entry['person_ref']}"


def minutes_of(entry: Fields) -> int:
    """Whole minutes worked."""
    return cast(int, entry["worked_seconds"]) // 60
