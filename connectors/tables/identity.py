"""Stable ids for rows whose source wrote none: the same file gives the same ids, whatever else changed in a row.

The id is a hash of the cells that tell entries apart (their list is the format's `Identity`) and an ordinal that counts
rows with the same cells from the top of the file. It holds no name, because ids outlive an erasure.
"""

import hashlib
from json.encoder import encode_basestring

_ID_DIGITS = 32


class Ordinals:
    """Counts rows with the same key. A row that is refused later keeps its place, so that mending it moves no other.

    A set of 64-bit numbers holds the first ones, because nearly all keys occur once; a million rows need some 100 MB
    less than with the keys themselves.
    """

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._repeated: dict[int, int] = {}

    def next_of(self, digest: bytes) -> int:
        """0 for a new key, else how many rows had it before."""
        key = int.from_bytes(digest[:8], "big")
        if key not in self._seen:
            self._seen.add(key)
            return 0
        ordinal = self._repeated.get(key, 0) + 1
        self._repeated[key] = ordinal
        return ordinal


def digest_of(*cells: str) -> bytes:
    """The hash of key cells; cells cannot run into each other."""
    return hashlib.sha256(",".join(map(encode_basestring, cells)).encode()).digest()


def derived_id(digest: bytes, ordinal: int) -> str:
    """`row-<hash>-<ordinal>`."""
    return f"row-{digest.hex()[:_ID_DIGITS]}-{ordinal}"
