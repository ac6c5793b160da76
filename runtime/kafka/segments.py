"""Files of records as they stand in a log: offset, time stamp, key, value, headers. For backups.

A file is a line that names its form, then blocks: length in 4 bytes, then so many bytes of zlib. It gets its name when
it is whole and on the disk; what it is can be told by its hash.
"""

import hashlib
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from runtime.errors import Misconfigured
from runtime.files import make_folder, sync_folder
from runtime.kafka.reading import RawRecord

FORM = b"billstream records 1\n"
BLOCK_BYTES = 1024 * 1024
BLOCK_BYTES_MAX = 64 * 1024 * 1024
"""A block holds at least one record, and no record is as large as this."""
_LEVEL = 1
_LENGTH = struct.Struct(">I")
_HEAD = struct.Struct(">qqiiH")
_HEADER = struct.Struct(">Hi")
_NONE = -1
_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """A record with all that a log knows about it."""

    offset: int
    timestamp_milliseconds: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Sealed:
    """A whole file: how many records and bytes, and the SHA-256 of its bytes."""

    records: int
    size_bytes: int
    digest: str


def kept(raw: RawRecord) -> KeptRecord:
    """A record as it was read."""
    return KeptRecord(raw.offset, raw.timestamp, raw.key, raw.value, tuple(raw.headers or ()))


class SegmentWriter:
    """Writes one file; without `seal` nothing is left of it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = make_folder(path.parent) / f".{path.name}.part"
        self._file: IO[bytes] = self._part.open("wb")
        self._block = bytearray()
        self._records = 0
        self._file.write(FORM)

    def write(self, records: Iterable[KeptRecord]) -> None:
        """Add records."""
        for record in records:
            self._block += packed(record)
            self._records += 1
            if len(self._block) >= BLOCK_BYTES:
                self._flush()

    def seal(self) -> Sealed:
        """Give the file its name; durable when this returns. A file of that name is replaced."""
        self._flush()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        size_bytes, digest = measure(self._part)
        self._part.replace(self._path)
        sync_folder(self._path.parent)
        return Sealed(self._records, size_bytes, digest)

    def discard(self) -> None:
        """Leave nothing behind; harmless after `seal`."""
        self._file.close()
        self._part.unlink(missing_ok=True)

    def _flush(self) -> None:
        if self._block:
            packed_block = zlib.compress(bytes(self._block), _LEVEL)
            self._file.write(_LENGTH.pack(len(packed_block)) + packed_block)
            self._block.clear()


def read_segment(path: Path) -> Iterator[list[KeptRecord]]:
    """The records of a file, a block at a time; raises Misconfigured for a file that is not whole or none of ours."""
    with path.open("rb") as file:
        if file.read(len(FORM)) != FORM:
            raise _broken(path, "it does not begin as one")
        while head := file.read(_LENGTH.size):
            size = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else BLOCK_BYTES_MAX + 1
            block = file.read(size) if size <= BLOCK_BYTES_MAX else b""
            if len(block) != size:
                raise _broken(path, "it ends within a block")
            try:
                opened = zlib.decompressobj()
                content = opened.decompress(block, BLOCK_BYTES_MAX)
                if opened.unconsumed_tail:
                    raise _broken(path, "a block is too large")
                yield list(unpacked(content))
            except (zlib.error, struct.error, IndexError, UnicodeDecodeError) as error:
                raise _broken(path, repr(error)) from error


def packed(record: KeptRecord) -> bytes:
    """The bytes of one record."""
    lengths = [_NONE if part is None else len(part) for part in (record.key, record.value)]
    parts = [
        _HEAD.pack(record.offset, record.timestamp_milliseconds, *lengths, len(record.headers)),
        record.key or b"",
        record.value or b"",
    ]
    for name, value in record.headers:
        encoded = name.encode()
        parts += [_HEADER.pack(len(encoded), _NONE if value is None else len(value)), encoded, value or b""]
    return b"".join(parts)


def unpacked(content: bytes) -> Iterator[KeptRecord]:
    """The records of a block; raises struct.error or IndexError when bytes are missing."""
    at = 0

    def take(size: int) -> bytes | None:
        nonlocal at
        if size == _NONE:
            return None
        if size < 0 or at + size > len(content):
            raise IndexError("the block ends within a record")
        at += size
        return content[at - size : at]

    while at < len(content):
        offset, timestamp, key_bytes, value_bytes, headers_count = _HEAD.unpack_from(content, at)
        at += _HEAD.size
        key, value = take(key_bytes), take(value_bytes)
        headers = []
        for _ in range(headers_count):
            name_bytes, header_bytes = _HEADER.unpack_from(content, at)
            at += _HEADER.size
            name = take(name_bytes) or b""
            headers.append((name.decode(), take(header_bytes)))
        yield KeptRecord(offset, timestamp, key, value, tuple(headers))


def measure(path: Path) -> tuple[int, str]:
    """Size in bytes and SHA-256 of a file."""
    hashed = hashlib.sha256()
    size_bytes = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            hashed.update(chunk)
            size_bytes += len(chunk)
    return size_bytes, hashed.hexdigest()


def _broken(path: Path, problem: str) -> Misconfigured:
    return Misconfigured(
        "backup_damaged",
        f"{path.name} is no whole file of records: {problem}.",
        "Take another copy of the backup.",
        detail=str(path),
    )
