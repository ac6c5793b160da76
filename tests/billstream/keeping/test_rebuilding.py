"""The command `rebuild` where several journals are long: each is folded in a process of its own."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from bench.firm import contracts, directory, entry
from billstream.cli import run
from billstream.keeping import rebuilding
from runtime.broker import EmbeddedBroker
from runtime.kafka import KafkaConnection, ensure_topics
from runtime.kafka.segments import KeptRecord
from runtime.kafka.writing import PartitionWriter
from schemas.codec import encode
from streams.topics import JOURNAL, topic_specs

PARTITIONS = (0, 1)


async def write_journals(servers: str) -> int:
    """The same journal in both partitions; how many records each has."""
    connection = KafkaConnection(bootstrap_servers=servers)
    await ensure_topics(connection, topic_specs(len(PARTITIONS), 1))
    values = [encode(record) for record in (directory(), *contracts(), *map(entry, range(20)))]
    kept = [KeptRecord(number, 1_793_000_000_000, None, value) for number, value in enumerate(values)]
    async with PartitionWriter(connection) as writer:
        for partition in PARTITIONS:
            await writer.write(JOURNAL, partition, kept)
    return len(values)


@pytest.mark.broker
async def test_long_journals_without_stores_are_folded_side_by_side(
    tmp_path: Path, broker_cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing to compare with is something to look at, not a failure; and a process that fails says why."""
    (tmp_path / "billstream.yaml").write_text(f"tenant: bench\npartitions: {len(PARTITIONS)}\n")
    monkeypatch.setattr(rebuilding, "LONG_RECORDS", 1)
    async with EmbeddedBroker(tmp_path / "broker", cache=broker_cache) as broker:
        monkeypatch.setenv("BILLSTREAM_BROKERS", broker.bootstrap_servers)
        records = await write_journals(broker.bootstrap_servers)
        command = ["rebuild", "--json", "--project", str(tmp_path)]
        assert await asyncio.to_thread(run, command) == 6
        stores = json.loads(capsys.readouterr().out)["stores"]
        assert [(one["partition"], one["verdict"], one["records"]) for one in stores] == [
            (partition, "no_store", records) for partition in PARTITIONS
        ]
        broken = tmp_path / "python"
        broken.write_text("""#!/bin/sh\necho '{"message": "The disk is full."}'\nexit 1\n""")
        broken.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(broken))
        assert await asyncio.to_thread(run, command) == 1
    failed = json.loads(capsys.readouterr().out)
    assert failed["code"] == "rebuild_failed"
    assert failed["message"].endswith("ended early: The disk is full.")
