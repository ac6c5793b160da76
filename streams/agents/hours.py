"""The `hours` agent: an ordinary Faust agent that keeps the running hours as a table for live views.

Values are absolute and carry the journal offset they reflect; an older one never replaces a newer one.
"""

from collections.abc import Callable
from typing import cast

import faust

from runtime.kafka.topics import TopicSpec
from schemas.codec import decode
from schemas.outputs import HoursTotal
from streams.engine.app import EngineApp
from streams.engine.guard import GuardedAgent, RawRecord, install_guarded_agent
from streams.engine.publisher import Outgoing, Publisher
from streams.letters import Place, dead_letter, reason_of
from streams.topics import HOURS, acknowledged_by_two

NAME = "hours"
TABLE = "running-hours"
SEGMENT_BYTES = 1024 * 1024
"""A broker compacts only segments that are full, and Kafka allows none smaller. With its own default of 1 GiB a worker
that takes the table over read 147 MB after 300,000 entries, most of it written over since: 69 s.
"""


def install(
    app: EngineApp,
    publisher: Publisher,
    tenant: str,
    book: str,
    partitions: int,
    on_dead_letter: Callable[[str, str], None] = lambda topic, reason: None,
) -> "faust.Table[bytes, bytes]":
    """Put the agent and its table into an app; the table's changelog is made by the topic bootstrap."""
    table = app.Table(TABLE, partitions=partitions, key_type=bytes, value_type=bytes)

    async def keep(record: RawRecord) -> None:
        total = cast(HoursTotal, decode(record.value or b""))
        key = record.key or b""
        known = table.get(key)
        if known is None or origin_of(known) <= total.origin_offset:
            table[key] = record.value

    def letter(record: RawRecord, error: Exception) -> Outgoing:
        place = Place(
            record.topic, record.partition, record.offset, record.timestamp_milliseconds, record.key, record.value
        )
        reason, detail = reason_of(error)
        on_dead_letter(record.topic, reason)
        return dead_letter(place, tenant, book, NAME, reason, detail)

    install_guarded_agent(app, GuardedAgent(NAME, HOURS, keep, letter, publisher))
    return table


def changelog_spec(application_id: str, partitions: int, replication_factor: int) -> TopicSpec:
    """The topic that keeps the table; compacted and never deleted from, because a recovery reads all of it."""
    return TopicSpec(
        f"{application_id}-{TABLE}-changelog",
        partitions,
        replication_factor,
        {"cleanup.policy": "compact"},
        preferred={"segment.bytes": str(SEGMENT_BYTES), **acknowledged_by_two(replication_factor)},
    )


def origin_of(value: bytes) -> int:
    """The journal offset that a kept value reflects."""
    return cast(HoursTotal, decode(value)).origin_offset
