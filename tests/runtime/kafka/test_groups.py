"""Offsets of groups from outside, also from a broker that has only just begun to load them."""

import asyncio
from pathlib import Path

import pytest

from runtime.broker import EmbeddedBroker
from runtime.kafka import KafkaConnection, TopicSpec, ensure_topics
from runtime.kafka.groups import commit_offsets, committed_offsets, members
from runtime.kafka.segments import KeptRecord
from runtime.kafka.writing import PartitionWriter

pytestmark = pytest.mark.broker


async def test_offsets_are_not_taken_for_missing_while_the_broker_loads_them(
    tmp_path: Path, broker_cache: Path
) -> None:
    """Asked at once after a start, and for a group that nobody ever was in."""
    async with EmbeddedBroker(tmp_path / "broker", cache=broker_cache) as broker:
        for _ in range(2):
            connection = KafkaConnection(bootstrap_servers=broker.bootstrap_servers)
            await ensure_topics(connection, [TopicSpec("things", 2)])
            async with PartitionWriter(connection) as writer:
                await writer.write("things", 1, [KeptRecord(n, 1_700_000_000_000, None, b"x") for n in range(7)])
            await commit_offsets(connection, "readers", {("things", 0): 0, ("things", 1): 5})
            await broker.restart()
            again = KafkaConnection(bootstrap_servers=broker.bootstrap_servers)
            offsets, busy = await asyncio.gather(
                committed_offsets(again, ["readers", "nobody"]), members(again, ["readers", "nobody"])
            )
            assert offsets == {"readers": {("things", 0): 0, ("things", 1): 5}, "nobody": {}}
            assert busy == ()
