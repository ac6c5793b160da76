"""The entries every peer gets: the same bytes in the same order, in two partitions, every twentieth twice."""

import datetime
from collections.abc import Iterator

from schemas.codec import encode
from schemas.entry import EntryVersion
from schemas.envelope import Envelope

PARTITIONS = 2
REPEATED_EVERY = 20
MONDAY = datetime.datetime(2026, 11, 16, 9, tzinfo=datetime.UTC)


def entry(number: int) -> EntryVersion:
    """Entry number so-and-so of 40 people, 25 clients and four weeks."""
    start = MONDAY + datetime.timedelta(days=number % 28, minutes=number % 480)
    worked_seconds = 300 + number % 120 * 60
    return EntryVersion(
        envelope=Envelope(
            event_id=f"event-{number:09d}",
            tenant="bench",
            book="main",
            origin="connector:bench",
            recorded_at=MONDAY,
            producer="bench/1",
        ),
        entry_id=f"entry-{number:09d}",
        source="toggl",
        account="acme",
        source_entry_id=str(number),
        source_revision=1,
        observed_at=MONDAY,
        content=f"{number:032x}",
        person_ref=f"person-{number % 40}@example.com",
        client_ref=f"Client {number % 25}",
        project_ref=f"Project {number % 7}",
        tags=("design", "billable"),
        description=f"Worked on the design of screen {number % 900} with the client's team",
        billable_hint=True,
        start=start,
        end=start + datetime.timedelta(seconds=worked_seconds),
        zone="Europe/Berlin",
        worked_seconds=worked_seconds,
    )


def rows(distinct: int) -> Iterator[tuple[int, bytes, bytes]]:
    """(partition, key, value) of so many distinct entries; a repeat follows its entry by about a hundred."""
    waiting: list[tuple[int, bytes, bytes]] = []
    for number in range(distinct):
        version = entry(number)
        row = (number % PARTITIONS, version.entry_id.encode(), encode(version))
        yield row
        if number % REPEATED_EVERY == 0:
            waiting.append(row)
        if len(waiting) > 5:
            yield waiting.pop(0)
    yield from waiting
