"""Reads framed bytes field by field as far as they go, and says where and why they break: for people who look at a
dead letter.

The codec reads whole records and is fast; this one is slow and stops at the first byte that cannot be what the schema
says. Both read the same schemas.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import TypeAlias, cast

from schemas.codec import record_type_of, schema_id_of
from schemas.errors import Unreadable
from schemas.values import Record

Plain: TypeAlias = "bool | int | str | list[Plain] | dict[str, Plain] | None"
"""What JSON can say."""
_Type: TypeAlias = str | list[object] | Mapping[str, object]

FRAME_BYTES = 5
VALUES_MAX = 100_000
"""More values than any record of ours has: bytes that announce more are foreign ones."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONG_BYTES_MAX = 10


@dataclass(frozen=True, slots=True)
class Break:
    """The byte at which reading stopped, the field that it was in (empty for the frame and the end), and why."""

    at: int
    field: str
    why: str


@dataclass(frozen=True, slots=True)
class Dissected:
    """What could be read of some bytes. `fields` are nested as in the record; what was not reached is not there."""

    size_bytes: int
    schema_id: int | None = None
    model: type[Record] | None = None
    fields: Mapping[str, Plain] = field(default_factory=dict)
    broken: Break | None = None

    @property
    def schema_name(self) -> str:
        """The name of the announced schema; empty when it is none of ours."""
        return "" if self.model is None else self.model.schema_name


def dissect(value: bytes) -> Dissected:
    """Read as far as it goes; never raises for any bytes."""
    try:
        schema_id = schema_id_of(value)
    except Unreadable as error:
        return Dissected(len(value), broken=Break(0, "", error.message))
    try:
        model = record_type_of(value)
    except Unreadable as error:
        return Dissected(len(value), schema_id, broken=Break(1, "", error.message))
    fields: dict[str, Plain] = {}
    walk = _Walk(value)
    broken = None
    try:
        walk.record(_released(schema_id, model.schema_name), "", fields)
        if walk.at < len(value):
            broken = Break(walk.at, "", f"{len(value) - walk.at} bytes follow the end of the {model.schema_name}.")
    except _Stopped as stopped:
        broken = stopped.broken
    return Dissected(len(value), schema_id, model, fields, broken)


@cache
def _released(schema_id: int, name: str) -> Mapping[str, object]:
    text = files("schemas").joinpath("avsc", "released", f"{schema_id}-{name}.avsc").read_text(encoding="utf-8")
    return cast(Mapping[str, object], json.loads(text))


class _Stopped(Exception):
    """The bytes cannot be what the schema says."""

    def __init__(self, broken: Break) -> None:
        super().__init__(broken.why)
        self.broken = broken


class _Walk:
    """A position in the bytes. `path` is the field under way, for the place where it stops."""

    def __init__(self, value: bytes) -> None:
        self._value = value
        self._left = VALUES_MAX
        self._named: dict[str, Mapping[str, object]] = {}
        self.at = FRAME_BYTES

    def record(self, schema: Mapping[str, object], path: str, into: dict[str, Plain]) -> None:
        """Read the fields of a record; what was read stays in `into` when it stops."""
        self._named[f"{schema.get('namespace', 'com.billstream')}.{schema['name']}"] = schema
        for one in cast(list[Mapping[str, object]], schema["fields"]):
            name = str(one["name"])
            here = f"{path}.{name}" if path else name
            kind = self._resolved(cast(_Type, one["type"]))
            if isinstance(kind, Mapping) and kind["type"] == "record":
                inner: dict[str, Plain] = {}
                into[name] = inner
                try:
                    self.record(kind, here, inner)
                finally:
                    if not inner:
                        del into[name]
            else:
                into[name] = self._any(kind, here)

    def _resolved(self, kind: _Type) -> _Type:
        return self._named.get(kind, kind) if isinstance(kind, str) else kind

    def _any(self, unresolved: _Type, path: str) -> Plain:
        self._left -= 1
        kind = self._resolved(unresolved)
        if self._left < 0:
            raise self._stop(path, f"more than {VALUES_MAX} values")
        if isinstance(kind, list):
            return self._union(kind, path)
        if isinstance(kind, str):
            return self._primitive(kind, path)
        match kind["type"]:
            case "record":
                inner: dict[str, Plain] = {}
                self.record(kind, path, inner)
                return inner
            case "array":
                items = cast(_Type, kind["items"])
                found: list[Plain] = []
                self._blocks(path, lambda: found.append(self._any(items, f"{path}[{len(found)}]")))
                return found
            case "map":
                values = cast(_Type, kind["values"])
                members: dict[str, Plain] = {}
                self._blocks(path, lambda: self._member(members, values, path))
                return members
            case inner_kind:
                return _shown(self._primitive(str(inner_kind), path), str(kind.get("logicalType", "")))

    def _member(self, members: dict[str, Plain], values: _Type, path: str) -> None:
        name = self._text(path)
        members[name] = self._any(values, f"{path}.{name}")

    def _union(self, kinds: list[object], path: str) -> Plain:
        start = self.at
        chosen = self._long(path)
        if not 0 <= chosen < len(kinds):
            raise self._stop(path, f"member {chosen} of a choice of {len(kinds)}", start)
        return self._any(cast(_Type, kinds[chosen]), path)

    def _blocks(self, path: str, read: Callable[[], None]) -> None:
        """Items in blocks with their counts; a negative count is followed by the block's size."""
        while count := self._long(path):
            if count < 0:
                self._long(path)
            start = self.at
            if abs(count) > len(self._value) - start:
                raise self._stop(path, f"{abs(count)} items announced, {len(self._value) - start} bytes left", start)
            for _ in range(abs(count)):
                read()

    def _primitive(self, kind: str, path: str) -> Plain:
        match kind:
            case "null":
                return None
            case "boolean":
                start = self.at
                (byte,) = self._take(1, path)
                if byte > 1:
                    raise self._stop(path, f"byte {byte} is neither false nor true", start)
                return bool(byte)
            case "int" | "long":
                return self._long(path)
            case "bytes":
                return self._take(self._length(path), path).hex()
            case "string":
                return self._text(path)
            case _:
                raise AssertionError(f"no schema of ours has a {kind}")

    def _text(self, path: str) -> str:
        length = self._length(path)
        start = self.at
        try:
            return self._take(length, path).decode()
        except UnicodeDecodeError as error:
            raise self._stop(path, "not UTF-8", start + error.start) from None

    def _length(self, path: str) -> int:
        start = self.at
        length = self._long(path)
        left = len(self._value) - self.at
        if not 0 <= length <= left:
            raise self._stop(path, f"a length of {length} bytes announced, {left} left", start)
        return length

    def _long(self, path: str) -> int:
        start = self.at
        raw = 0
        for shift in range(0, 7 * _LONG_BYTES_MAX, 7):
            (byte,) = self._take(1, path)
            raw |= (byte & 0x7F) << shift
            if byte < 0x80:
                return (raw >> 1) ^ -(raw & 1)
        raise self._stop(path, f"a number of more than {_LONG_BYTES_MAX} bytes", start)

    def _take(self, length: int, path: str) -> bytes:
        taken = self._value[self.at : self.at + length]
        if len(taken) < length:
            raise self._stop(path, "the bytes end here", len(self._value))
        self.at += length
        return taken

    def _stop(self, path: str, why: str, at: int | None = None) -> _Stopped:
        return _Stopped(Break(self.at if at is None else at, path, why))


def _shown(value: Plain, logical: str) -> Plain:
    """Dates and instants as ISO text; one outside the calendar as what it says."""
    if not isinstance(value, int) or not logical:
        return value
    try:
        if logical == "date":
            return (date(1970, 1, 1) + timedelta(days=value)).isoformat()
        return (_EPOCH + timedelta(microseconds=value)).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return f"{value} {'days' if logical == 'date' else 'microseconds'} from 1970-01-01"
