"""The one function that says which partition a key belongs to; writers, readers and the books' owner all use it."""

import hashlib


def partition_for(key: str, count: int) -> int:
    """The partition of `key` among `count`: first eight bytes of the SHA-256 of its UTF-8 form, big-endian, mod count.

    It is part of the stored data's meaning: it never changes, and `count` is fixed for an installation's life. It is
    deliberately not the client library's own rule, which differs between libraries and their versions.
    """
    if count < 1:
        raise ValueError(f"a topic has at least one partition, not {count}")
    return int.from_bytes(hashlib.sha256(key.encode("utf-8")).digest()[:8], "big") % count
