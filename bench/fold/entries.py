"""What all four jobs read, and what a plain computation says must come out of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b

from bench.firm import CLIENTS, MORNING, PEOPLE, entry
from bench.fold.wire import hours_key, read_entry, week_of
from schemas.codec import encode_fields
from schemas.entry import EntryVersion

PARTITIONS = 2
AGAIN_EVERY = 20
"""So many-th entries come a second time unchanged, a while later."""
CORRECTED_EVERY = 10
"""So many-th entries come a second time with other seconds."""
MOVED_EVERY = 30
"""So many-th entries begin a week later in their second version; the seconds leave the week where they were."""
OLDER_LATE_EVERY = 50
"""So many-th entries' second version comes before the first, which then must change nothing."""
LATER = 500
"""How many new entries come between the two."""
WEEKS = 5

Row = tuple[int, bytes, bytes]
"""(partition, key, value)"""


def rows(distinct: int) -> Iterator[Row]:
    """The input in its order, made from so many distinct entries; the same in every run."""
    template = entry(0).model_dump()
    waiting: dict[int, list[Row]] = {}
    for number in range(distinct):
        yield from _first_and_later(template, number, waiting)
        yield from waiting.pop(number, ())
    for number in sorted(waiting):
        yield from waiting[number]


def _first_and_later(template: dict[str, object], number: int, waiting: dict[int, list[Row]]) -> Iterator[Row]:
    first = _row(template, number, 1)
    later: Row | None = None
    if number % CORRECTED_EVERY == 0:
        later = _row(template, number, 2)
        if number % OLDER_LATE_EVERY == 0:
            first, later = later, first
    elif number % AGAIN_EVERY == 1:
        later = first
    yield first
    if later is not None:
        waiting.setdefault(number + LATER, []).append(later)


def _row(template: dict[str, object], number: int, revision: int) -> Row:
    person, client = number % PEOPLE, number * 7 % CLIENTS
    worked_seconds = 600 + number % 40 * 60
    start = _start(number)
    if revision > 1:
        worked_seconds += 300
        if number % MOVED_EVERY == 0:
            start += timedelta(days=7)
    hashed = blake2b(f"{number}/{revision}".encode(), digest_size=32).hexdigest()
    fields = template | {
        "entry_id": blake2b(str(number).encode(), digest_size=16).hexdigest(),
        "source_entry_id": str(number),
        "source_revision": revision,
        "person_ref": f"person-{person}@example.com",
        "client_ref": f"Client {client}",
        "project_ref": f"Project {client}",
        "description": f"Worked on the design of screen {number % 900} with the client's team",
        "start": start,
        "end": start + timedelta(seconds=worked_seconds),
        "worked_seconds": worked_seconds,
        "content": hashed,
    }
    return client % PARTITIONS, f"Client {client}".encode(), encode_fields(EntryVersion, fields)


def _start(number: int) -> datetime:
    """Days and hours go round over some weeks."""
    return MORNING + timedelta(days=number // 100 % (7 * WEEKS), minutes=number % 540)


@dataclass
class Expected:
    """The plain computation: per client and week the seconds of each entry's highest version."""

    seconds: dict[str, int] = field(default_factory=dict)
    """By `hours_key`; weeks that entries left stay, with what is left."""
    causes: set[tuple[str, str, int]] = field(default_factory=set)
    """(key of the total, entry id, revision) of each record that must be put out."""
    inputs: int = 0
    per_partition: list[int] = field(default_factory=lambda: [0] * PARTITIONS)


def expected(distinct: int) -> Expected:
    """From the same rows, with a dictionary."""
    found = Expected()
    known: dict[str, tuple[int, str, int]] = {}
    for partition, _, value in rows(distinct):
        found.inputs += 1
        found.per_partition[partition] += 1
        entry_id, revision, client, start, worked_seconds = read_entry(value)
        key = hours_key(client, week_of(start))
        before = known.get(entry_id)
        if before is not None and before[0] >= revision:
            continue
        known[entry_id] = (revision, key, worked_seconds)
        if before is not None and before[1] != key:
            found.causes.add((before[1], entry_id, revision))
        found.causes.add((key, entry_id, revision))
    weeks = {key for key, _, _ in found.causes}
    found.seconds = dict.fromkeys(weeks, 0)
    for _, key, seconds in known.values():
        found.seconds[key] += seconds
    return found
