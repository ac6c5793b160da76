"""Which characters the bytes of a file mean: found out over the whole file, which is hashed on the way."""

import codecs
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from connectors.tables.problems import file_refused

CHUNK_BYTES = 1024 * 1024
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_FOREIGN = (
    (b"PK\x03\x04", "a spreadsheet or another zip file"),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet"),
    (b"\x1f\x8b", "a compressed file"),
    (b"%PDF", "a PDF"),
)


@dataclass(frozen=True, slots=True)
class FileText:
    """What the bytes of a file are: `encoding` for Python, why, whether every byte is a character, hash and size."""

    path: Path
    encoding: str
    reason: str
    clean: bool
    file_hash: str
    file_bytes: int


def examine(path: Path, *, declared: str, file_bytes_max: int) -> FileText:
    """Read the file once. Raises Rejected for what is no text, is empty, too large or cannot be opened."""
    with _opened(path) as stream:
        head = stream.read(CHUNK_BYTES)
        for mark, what in _FOREIGN:
            if head.startswith(mark):
                fix = "Open it in the program it comes from and save the table as CSV."
                raise file_refused("not_a_text_file", f"{path.name} is {what}, not a table of text.", fix)
        encoding, reason = _by_head(head, declared)
        seen = hashlib.sha256()
        decoder = _decoder(encoding or "utf-8")
        size, clean, chunk = 0, True, head
        while chunk:
            size += len(chunk)
            if size > file_bytes_max:
                raise _too_large(path, file_bytes_max)
            seen.update(chunk)
            clean = clean and _decodes(decoder, chunk, final=False)
            chunk = stream.read(CHUNK_BYTES)
    if not size:
        raise file_refused("empty_file", f"{path.name} is empty.", "Export it again.")
    clean = clean and _decodes(decoder, b"", final=True)
    if not encoding and not clean:
        encoding, reason = "windows-1252", "it is no UTF-8; declare another encoding if letters look wrong"
        clean = _all_decode(path, encoding)
    return FileText(path, encoding or "utf-8", reason, clean, seen.hexdigest(), size)


@contextmanager
def open_text(text: FileText) -> "Iterator[tuple[TextIO, HashingReader]]":
    """The characters of an examined file, every kind of line end as `\\n`; the hash grows while it is read."""
    with _opened(text.path) as stream:
        hashing = HashingReader(stream)
        buffered = io.BufferedReader(hashing, CHUNK_BYTES)
        yield io.TextIOWrapper(buffered, encoding=text.encoding, errors="replace", newline=None), hashing


class HashingReader(io.RawIOBase):
    """Passes bytes on and hashes them, so that a file which changed after the preview is noticed."""

    def __init__(self, stream: io.BufferedIOBase) -> None:
        self._stream = stream
        self._seen = hashlib.sha256()

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]  # typeshed says Buffer
        """As RawIOBase."""
        count = self._stream.readinto(buffer)
        self._seen.update(memoryview(buffer)[:count])
        return count

    def hash_of_all(self) -> str:
        """The hash of the whole file; what nobody read is read now."""
        while chunk := self._stream.read(CHUNK_BYTES):
            self._seen.update(chunk)
        return self._seen.hexdigest()


@contextmanager
def _opened(path: Path) -> Iterator[io.BufferedReader]:
    try:
        if not path.is_file():
            raise file_refused("no_such_file", f"{path.name} is no file.", "Check the name.")
        stream = path.open("rb")
    except (OSError, ValueError) as error:
        raise file_refused("unreadable_file", f"{path.name} cannot be opened: {error}.") from error
    with stream:
        yield stream


def _by_head(head: bytes, declared: str) -> tuple[str, str]:
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32", "byte-order mark"
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, "byte-order mark"
    if declared:
        return _known_codec(declared), "declared"
    if guess := _unmarked_utf16(head):
        return guess, "every second byte is zero"
    return "", "all bytes are UTF-8"


def _known_codec(name: str) -> str:
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError) as error:
        raise file_refused(
            "unknown_encoding", f"There is no encoding {name!r}.", "Try utf-8 or windows-1252."
        ) from error
    # Codecs such as rot13 or zlib turn text into text or bytes into bytes, they are no encodings of a file.
    if not getattr(found, "_is_text_encoding", True) or found.name in {
        "idna",
        "punycode",
        "undefined",
        "unicode_escape",
    }:
        raise file_refused("unknown_encoding", f"{name!r} is no encoding of text files.", "Try utf-8 or windows-1252.")
    return found.name


def _unmarked_utf16(head: bytes) -> str:
    sample = head[:4_096]
    if len(sample) < 8:
        return ""
    half = len(sample) // 2
    if sample[1::2].count(0) > half * 0.8 and sample[::2].count(0) < half * 0.2:
        return "utf-16-le"
    if sample[::2].count(0) > half * 0.8 and sample[1::2].count(0) < half * 0.2:
        return "utf-16-be"
    return ""


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder(encoding)(errors="strict")


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeError:
        return False
    return True


def _all_decode(path: Path, encoding: str) -> bool:
    decoder = _decoder(encoding)
    with _opened(path) as stream:
        return all(_decodes(decoder, chunk, final=False) for chunk in iter(lambda: stream.read(CHUNK_BYTES), b""))


def _too_large(path: Path, file_bytes_max: int) -> Exception:
    limit = f"{file_bytes_max / 1_048_576:.0f} MiB"
    return file_refused(
        "file_too_large", f"{path.name} is larger than {limit}.", "Export a shorter span, or raise the limit."
    )
