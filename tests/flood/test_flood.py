"""A flood, a sink that hangs and a decider that does not answer: the other book goes on, memory stays bounded, and a
back-fill lets live work pass. Poison, which is nobody's flood, is in billstream/dead_letters.
"""

import asyncio
import signal
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from billstream.kafka_desk import KafkaDesk
from billstream.settings import BrokerSettings, ImportSettings, Installation, Settings
from books.testing import BOOK, TENANT, entry, envelope, scope
from schemas.commands import CloseDocument
from schemas.entry import EntryVersion
from streams.pacing import Waited
from streams.slots import Role
from streams.topics import COMMANDS, DOCUMENTS, HOURS, JOURNAL, TIME_ENTRIES
from tests.flood.programs.worker import SLOW_TEXT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flood.conftest import Ground

pytestmark = pytest.mark.broker

FLOOD, FLOOD_BYTES = 1_000, 150_000
"""Entries, and the letters of each one's text. In three topics and the rows that is half a gigabyte."""
GROWN_BYTES_MAX = 300_000_000
"""Of the worker: two thirds of it are what a store remembers and its pages, at whatever flood (218 MB were
seen, and 382 without a bound on fetches and batches).
"""
BACK_FILL = 2_000
AHEAD = 1_000


def many(count: int, text: str, first: int = 0) -> list[EntryVersion]:
    """Hours of one person, one after the other, so that none overlaps another."""
    one = entry(text)
    assert one.start is not None, "it has a start"
    assert one.end is not None, "and an end"
    return [
        one.model_copy(
            update={
                "envelope": envelope(f"{text[:9]}-{number}"),
                "entry_id": f"{text[:9]}-{number}",
                "source_entry_id": f"{text[:9]}-{number}",
                "content": f"{text[:9]}-{number}",
                "description": f"{text} {number}",
                "start": one.start - timedelta(hours=number + 1),
                "end": one.end - timedelta(hours=number + 1),
            }
        )
        for number in range(first, first + count)
    ]


async def test_a_flood_a_hanging_sink_and_a_slow_decider_hold_nobody_else_up(ground: "Ground") -> None:
    """A book's draft goes to a sink that never answers, thousands of entries come that nobody decides: another book's
    hours pass what was there before them, and the worker's memory does not grow with the flood.
    """
    await ground.write(TIME_ENTRIES, "second", [entry("first")])
    await ground.write(TIME_ENTRIES, "main", [entry("billed")])
    close = CloseDocument(envelope=envelope("c"), command_id="c", person="dana", reason="early", scope=scope())
    await ground.write(COMMANDS, "main", [close])
    await ground.until_end(HOURS, "second", 1)
    await ground.until_end(DOCUMENTS, "main", 1)
    began, resident = (await ground.ends(JOURNAL))["main"], ground.resident()
    ground.worker.send_signal(signal.SIGSTOP)  # for less than its session: it meets all of this at once
    await ground.write(TIME_ENTRIES, "main", many(FLOOD, SLOW_TEXT.ljust(FLOOD_BYTES, ".")))
    await ground.write(TIME_ENTRIES, "second", [entry("drip", "2026-10-06T09:00")])
    ground.worker.send_signal(signal.SIGCONT)
    await ground.until_end(HOURS, "second", 2)
    assert not await folded(ground, began + FLOOD), "the flood went first"
    await ground.until("the flood is folded", lambda: folded(ground, began + FLOOD))
    assert ground.resident_most - resident < GROWN_BYTES_MAX
    await ground.until("sink and decider are waited for", lambda: both_asked(ground))


async def both_asked(ground: "Ground") -> bool:
    """Whether the sink and the decider that do not answer have been asked."""
    return all((ground.folder / f"{one}-asked").exists() for one in ("sink", "decider"))


async def folded(ground: "Ground", records: int) -> bool:
    """Whether the fold has committed so much of the flooded book."""
    return await ground.done(Role.FOLD, JOURNAL, "main") >= records


async def test_a_back_fill_waits_for_a_worker_that_stands_still(ground: "Ground", tmp_path: "Path") -> None:
    """The import stops with what may be on its way, sees how far live work is behind, and goes on when the worker does;
    nothing of it is lost.
    """
    began = (await ground.ends(JOURNAL))["main"]
    await ground.write(TIME_ENTRIES, "main", [entry("live")])
    await ground.until("the groups have committed", lambda: folded(ground, began + 1))
    settings = Settings(
        tenant=TENANT,
        book=BOOK,
        partitions=2,
        broker=BrokerSettings(servers=ground.servers),
        imports=ImportSettings(ahead_records=AHEAD),
    )
    looks: list[Waited] = []
    published: list[int] = []
    desk = KafkaDesk(Installation(folder=tmp_path, settings=settings), ground.connection, on_look=looks.append)
    await desk.start()

    async def seen() -> bool:
        return any(one.live_lag_seconds > settings.imports.live_lag_seconds for one in looks)

    try:
        ground.worker.send_signal(signal.SIGSTOP)
        filling = asyncio.create_task(desk.publish_entries(many(BACK_FILL, "import", first=FLOOD), published.append))
        await ground.until("the lag is seen", seen)
        assert not filling.done()
        assert published[-1] <= AHEAD
        ground.worker.send_signal(signal.SIGCONT)
        await asyncio.wait_for(filling, 120)
    finally:
        await desk.stop()
    assert published[-1] == BACK_FILL
    await ground.until_end(JOURNAL, "main", began + BACK_FILL)
