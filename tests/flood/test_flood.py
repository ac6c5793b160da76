"""Slow sinks, slow deciders, floods: memory stays bounded, other books go on, and a back-fill lets live work pass."""

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest

from billstream.kafka_desk import KafkaDesk
from billstream.settings import BrokerSettings, Installation, Settings
from books.testing import BOOK, TENANT, entry, envelope, scope
from runtime.kafka import KafkaConnection
from runtime.kafka.groups import committed_offsets
from schemas.commands import CloseDocument
from schemas.entry import EntryVersion
from streams.installation import APPLICATION_ID, group_of
from streams.pacing import Waited
from streams.slots import Role
from streams.topics import COMMANDS, DOCUMENTS, HOURS, JOURNAL, TIME_ENTRIES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flood.conftest import Ground

pytestmark = pytest.mark.broker

FLOOD = 10_000
DRIPS = 4
RESIDENT_BYTES_MAX = 400 * 1024 * 1024
DRIP_PROCESSOR_SECONDS_MAX = 2.5
"""Of the worker, while one record of the other book is on its way; half a second of it is the wait for the commit. A
flood that went first would take twice as much.
"""


def many(count: int, first: int = 0) -> list[EntryVersion]:
    """Entries of a month, all different."""
    one = entry("flood")
    return [
        one.model_copy(
            update={
                "envelope": envelope(f"event-{number}"),
                "entry_id": f"{number:032x}",
                "source_entry_id": f"flood-{number}",
                "content": f"{number:064x}",
                "description": f"Work {number % 500}",
            }
        )
        for number in range(first, first + count)
    ]


async def test_a_flood_a_hanging_sink_and_a_slow_decider_hold_nobody_else_up(ground: "Ground") -> None:
    """One book gets thousands of entries at once, its draft goes to a sink that never answers, each decision takes half
    a minute: the other book's hours come as before, and the worker's memory does not grow with the flood.
    """
    await ground.write(TIME_ENTRIES, "second", [entry("first")])
    await ground.until_end(HOURS, "second", 1)
    close = CloseDocument(envelope=envelope("c"), command_id="c", person="dana", reason="early", scope=scope())
    await ground.write(TIME_ENTRIES, "main", [entry("billed")])
    await ground.write(COMMANDS, "main", [close])
    await ground.until_end(DOCUMENTS, "main", 1)
    await ground.write(TIME_ENTRIES, "main", list(many(FLOOD)))
    needed = []
    for number in range(DRIPS):
        known = (await ground.ends(HOURS))["second"]
        await ground.write(TIME_ENTRIES, "second", [entry(f"drip-{number}", f"2026-10-{6 + number:02d}T09:00")])
        needed.append(await ground.until_end(HOURS, "second", known + 1))
    assert max(needed) < DRIP_PROCESSOR_SECONDS_MAX, needed
    await ground.until_end(JOURNAL, "main", FLOOD)
    assert ground.resident_most < RESIDENT_BYTES_MAX


async def test_a_back_fill_waits_for_workers_that_are_behind(ground: "Ground", tmp_path: "Path") -> None:
    """The worker stands still for a while: the import stops after a few thousand entries, says how far live work is
    behind, and ends when the worker has caught up; nothing of it is lost.
    """
    await ground.write(TIME_ENTRIES, "main", [entry("live")])
    await ground.until_end(HOURS, "main", 1)
    await ground.until("the groups have committed", lambda: committed(ground))
    settings = Settings(tenant=TENANT, book=BOOK, partitions=2, broker=BrokerSettings(servers=ground.servers))
    looks: list[Waited] = []
    published: list[int] = []
    desk = KafkaDesk(
        Installation(folder=tmp_path, settings=settings),
        KafkaConnection(bootstrap_servers=ground.servers),
        on_look=looks.append,
    )
    await desk.start()
    try:
        ground.worker.send_signal(signal.SIGSTOP)
        filling = asyncio.create_task(desk.publish_entries(many(9_000), published.append))

        async def seen() -> bool:
            return any(one.live_lag_seconds > 2 for one in looks)

        await ground.until("the lag is seen", seen)
        assert not filling.done()
        assert published[-1] <= 6_000
        ground.worker.send_signal(signal.SIGCONT)
        await asyncio.wait_for(filling, 200)
    finally:
        await desk.stop()
    assert published[-1] == 9_000
    assert sum(one.waited_seconds for one in looks) > 1


async def committed(ground: "Ground") -> bool:
    """Whether both groups have said how far they are, so that a back-fill knows that somebody works."""
    groups = [group_of(APPLICATION_ID, role) for role in (Role.SEQUENCE, Role.FOLD)]
    found = await committed_offsets(KafkaConnection(bootstrap_servers=ground.servers), groups)
    return all(found.values())
