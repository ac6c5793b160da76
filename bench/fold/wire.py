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

from bench.fold.skipping import reader_of

FOLDER = Path(__file__).resolve().parent
ENTRY_ID = 1001
HOURS_ID = 9002
DAY_MICROSECONDS = 86_400_000_000
_FRAME = struct.Struct(">bI")
_ENTRY_FRAME = _FRAME.pack(0, ENTRY_ID)
_HOURS_FRAME = _FRAME.pack(0, HOURS_ID)
_EPOCH = date(1970, 1, 1)

Fields = dict[str, object]


Entry = tuple[str, int, str, int, int]
"""Id, revision, client, start in micro-seconds, worked seconds; in the order of the schema."""
NEEDED = ("entry_id", "source_revision", "client_ref", "start", "worked_seconds")


def entry_schema() -> Fields:
    """The schema of an entry version as it was released."""
    path = FOLDER.parent.parent / "schemas" / "avsc" / "released" / f"{ENTRY_ID}-entry_version.avsc"
    return cast(Fields, json.loads(path.read_text(encoding="utf-8")))


_HOURS = parse_schema(json.loads((FOLDER / "hours.avsc").read_text(encoding="utf-8")))
_read_needed = cast(Callable[[bytes, int], Entry], reader_of(entry_schema(), NEEDED))
_read = cast(Callable[[io.BytesIO, Schema, None], Fields], fastavro.schemaless_reader)
_write = cast(Callable[[io.BytesIO, Schema, Mapping[str, object]], None], fastavro.schemaless_writer)


def read_entry(value: bytes) -> Entry:
    """What the job needs of an entry version; ValueError for another frame."""
    if not value.startswith(_ENTRY_FRAME):
        raise ValueError(f"not an entry version: {value[: _FRAME.size].hex()}")
    return _read_needed(value, _FRAME.size)


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
