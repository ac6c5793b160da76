"""A few entries and some poison through one worker that may have a protection switched off."""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

from books.testing import contract, entry, terms
from runtime.broker import EmbeddedBroker
from schemas.codec import encode
from schemas.values import Record
from tests.chaos.crash import Outcome, Storm, weather
from tests.chaos.firm import Plan, plan

FEW = 800
TWO_MEGABYTES = 2 * 1024 * 1024


async def small(
    broker: EmbeddedBroker, folder: Path, options: Mapping[str, object], versions: Sequence[str] = ("",)
) -> Outcome:
    """A small plan through one worker that may have a protection switched off."""
    made: Plan = plan(FEW, 7, seed=7)
    storm = Storm(broker.bootstrap_servers, folder, options, versions, quiet_seconds=45)
    try:
        await storm.begin([1])
        poison = [*POISON, *(encode(record) for record in MISPLACED)]
        await storm.send(poison)
        return await weather(storm, made, [])
    finally:
        storm.end()


GOOD = encode(entry("good"))
POISON = (
    b"no record at all",
    struct.pack(">bI", 0, 999_999) + GOOD[5:],
    GOOD[: len(GOOD) // 2],
    GOOD[:5] + b"\xff" * TWO_MEGABYTES,
    b"",
)
MISPLACED: tuple[Record, ...] = (contract(terms()),)
