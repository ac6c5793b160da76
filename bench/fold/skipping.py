"""An Avro reader that reads some fields of a record and skips the rest, from the schema, as Avro's own in Java does.

fastavro makes a dictionary of everything, which costs several times as much as the five fields that the job needs.
It imports nothing of Billstream, see `wire.py`.
"""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import cast

_DOUBLE = struct.Struct("<d")
_MORE = 0x80

Reader = Callable[[bytes, int], tuple[object, int]]
"""(value, place) -> (what stands there, the place behind it)"""
Skipper = Callable[[bytes, int], int]
"""(value, place) -> the place behind what stands there"""
Step = tuple[Skipper | None, Reader | None]


def reader_of(schema: Mapping[str, object], wanted: Sequence[str]) -> Callable[[bytes, int], tuple[object, ...]]:
    """A function that reads the wanted fields, in the order of the schema, from a place on; what is behind the last
    of them is not looked at. Raises IndexError for a value that ends too early.
    """
    fields = cast("list[Mapping[str, object]]", schema["fields"])
    last = max(number for number, field in enumerate(fields) if field["name"] in wanted)
    kinds = [(field["name"] in wanted, field["type"]) for field in fields[: last + 1]]
    steps = list(_steps(kinds))

    def read(value: bytes, at: int) -> tuple[object, ...]:
        found = []
        for skip, take in steps:
            if skip is not None:
                at = skip(value, at)
            if take is not None:
                one, at = take(value, at)
                found.append(one)
        return tuple(found)

    return read


def _steps(kinds: Sequence[tuple[bool, object]]) -> Iterator[Step]:
    """What is skipped before each wanted field, and the field."""
    skipped: list[object] = []
    for is_wanted, kind in kinds:
        if is_wanted:
            yield _skip_all(skipped), _reader(kind)
            skipped = []
        else:
            skipped += _flat(kind)


def _flat(kind: object) -> list[object]:
    """The fields of a record stand one behind the other, as if there were no record; nothing stands for null."""
    if kind == "null":
        return []
    if isinstance(kind, dict) and kind["type"] == "record":
        return [part for field in kind["fields"] for part in _flat(field["type"])]
    if isinstance(kind, dict) and kind["type"] not in ("array", "map"):
        return [kind["type"]]
    return [kind]


def _skip_all(kinds: Sequence[object]) -> Skipper | None:
    """Texts and numbers in a row are skipped in one go: most of an entry is texts, and most of those are empty."""
    skips = [_skip_run(kind, len(list(run))) for kind, run in groupby(kinds)]
    if len(skips) < 2:
        return skips[0] if skips else None

    def skip(value: bytes, at: int) -> int:
        for one in skips:
            at = one(value, at)
        return at

    return skip


def _skip_run(kind: object, count: int) -> Skipper:
    if kind == "string":
        return _texts(count)
    one = _skipper(kind)

    def skip(value: bytes, at: int) -> int:
        for _ in range(count):
            at = one(value, at)
        return at

    return one if count == 1 else skip


def _texts(count: int) -> Skipper:
    def skip(value: bytes, at: int) -> int:
        for _ in range(count):
            length = value[at]
            if length < _MORE:
                at += 1 + (length >> 1)
            else:
                length, at = _long(value, at)
                at += length
        return at

    return skip


def _skipper(kind: object) -> Skipper:
    if isinstance(kind, list):
        return _branches([_skip_all(_flat(branch)) for branch in kind])
    if isinstance(kind, dict):
        parts = ["string", kind["values"]] if kind["type"] == "map" else [kind["items"]]
        item = _skip_all([flat for part in parts for flat in _flat(part)])
        assert item is not None
        return _blocks(item)
    if kind == "boolean":
        return lambda value, at: at + 1
    if kind == "double":
        return lambda value, at: at + _DOUBLE.size
    return _skip_long if kind in ("int", "long") else _texts(1)


def _skip_long(value: bytes, at: int) -> int:
    while value[at] >= _MORE:
        at += 1
    return at + 1


def _branches(branches: Sequence[Skipper | None]) -> Skipper:
    def skip(value: bytes, at: int) -> int:
        one = branches[value[at] >> 1]
        return at + 1 if one is None else one(value, at + 1)

    return skip


def _blocks(item: Skipper) -> Skipper:
    def skip(value: bytes, at: int) -> int:
        while value[at]:
            count, at = _long(value, at)
            if count < 0:
                size, at = _long(value, at)
                at += size
                continue
            for _ in range(count):
                at = item(value, at)
        return at + 1

    return skip


def _reader(kind: object) -> Reader:
    if isinstance(kind, list):
        branches = [_reader(branch) for branch in kind]

        def read(value: bytes, at: int) -> tuple[object, int]:
            return branches[value[at] >> 1](value, at + 1)

        return read
    if isinstance(kind, dict):
        return _reader(kind["type"])
    readers: Mapping[object, Reader] = {"string": _text, "int": _long, "long": _long, "null": lambda _, at: (None, at)}
    return readers[kind]


def _text(value: bytes, at: int) -> tuple[str, int]:
    length = value[at]
    if length < _MORE:
        at, length = at + 1, length >> 1
    else:
        length, at = _long(value, at)
    end = at + length
    if end > len(value):
        raise IndexError("a text ends behind the value")
    return value[at:end].decode(), end


def _long(value: bytes, at: int) -> tuple[int, int]:
    byte = value[at]
    at += 1
    if byte < _MORE:
        return (byte >> 1) ^ -(byte & 1), at
    found = byte & 0x7F
    shift = 7
    while byte >= _MORE:
        byte = value[at]
        at += 1
        found |= (byte & 0x7F) << shift
        shift += 7
    return (found >> 1) ^ -(found & 1), at
