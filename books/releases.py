"""What a person released an entry from: it settles what was seen when it was given, nothing later.

Another duplicate, another content or other inputs are a new cause, and hold the entry again (rule 10).
"""

import msgspec

from books.duplicates import POSSIBLE_DUPLICATE
from books.rows import EntryRow, Release
from schemas.canonical import content_hash

CAP = "cap:"
CONFLICT = "conflicting_version"
NOBODY = "person_unknown"
AT_SOURCE = "invoiced_at_source"
LASTING = frozenset({"running", "date_missing"})
"""Reasons that no word of a person settles: only the source can."""


def release(row: EntryRow, reason: str) -> EntryRow:
    """The row with one more release, of what holds it now."""
    given = {*row.released, Release(reason, cause_of(row, reason))}
    return msgspec.structs.replace(row, released=tuple(sorted(given, key=lambda one: (one.reason, one.cause))))


def settled_reasons(row: EntryRow) -> frozenset[str]:
    """The reasons that were released and whose cause is still the same."""
    if not row.released:
        return _NONE
    return frozenset(one.reason for one in row.released if one.cause == cause_of(row, one.reason))


_NONE: frozenset[str] = frozenset()


def cause_of(row: EntryRow, reason: str) -> str:
    """What a reason rests on in this row: the other entry, the rival contents, the content, or a decision's inputs."""
    if reason == POSSIBLE_DUPLICATE:
        return row.duplicate_of
    if reason == CONFLICT:
        observed = 0 if row.source_revision else row.observed_micros
        revision = [row.source_revision, row.mapping_version, observed]
        return content_hash({"revision": revision, "shown": row.content, "rivals": list(row.rivals)})
    if reason == NOBODY:
        return row.person_ref
    if reason.startswith(CAP):
        return f"{row.contract_id} {row.content}"
    if reason in (row.problem, AT_SOURCE):
        return row.content
    return row.input_hash
