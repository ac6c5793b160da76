"""The entries every peer gets: those of the benchmark's firm in the same order, every twentieth twice."""

from collections.abc import Iterator

from bench.firm import entry
from schemas.codec import encode

PARTITIONS = 2
REPEATED_EVERY = 20
_WAITING = 5


def rows(distinct: int) -> Iterator[tuple[int, bytes, bytes]]:
    """(partition, key, value) of so many distinct entries; a repeat follows its entry by about a hundred."""
    waiting: list[tuple[int, bytes, bytes]] = []
    for number in range(distinct):
        version = entry(number)
        row = (number % PARTITIONS, version.entry_id.encode(), encode(version))
        yield row
        if number % REPEATED_EVERY == 0:
            waiting.append(row)
        if len(waiting) > _WAITING:
            yield waiting.pop(0)
    yield from waiting
