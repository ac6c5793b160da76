"""The broker goes away and comes back; workers go on unaided (engine checklist 35)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runtime.broker import EmbeddedBroker

if TYPE_CHECKING:
    from tests.streams.engine.conftest import MakeRig, Rig

pytestmark = pytest.mark.chaos


@pytest.fixture
async def own_broker(tmp_path: Path, broker_cache: Path) -> AsyncIterator[EmbeddedBroker]:
    """A broker that this test may stop."""
    broker = EmbeddedBroker(tmp_path / "broker", cache=broker_cache)
    await broker.start()
    yield broker
    await broker.stop()


async def until_done(rig: "Rig") -> None:
    total = await rig.count(rig.source)

    async def reached() -> bool:
        return sum(offset or 0 for offset in (await rig.committed(rig.source)).values()) == total

    await rig.until(reached, "the group did not reach the end of the source")


async def test_a_broker_that_stops_and_starts_costs_nothing(own_broker: EmbeddedBroker, make_rig: "MakeRig") -> None:
    """In full flow the broker stops and starts again: the same process goes on, nothing is lost, order is kept."""
    rig = await make_rig(own_broker.bootstrap_servers)
    rows = [(index % 2, b"%d" % index, b"x" * 100) for index in range(20_000)]
    await rig.write(rig.source, rows)
    worker = rig.worker(records_max=500, pause_seconds=0.2)
    await worker.heard("batch", times=4)
    await own_broker.restart()
    await rig.write(rig.source, [(index % 2, b"%d" % index, b"x") for index in range(20_000, 21_000)])
    await until_done(rig)
    assert worker.process.poll() is None, worker.errors.read_text()[-2000:]
    source = await rig.read(rig.source)
    for topic in (rig.first, rig.second):
        out = await rig.read(topic)
        for partition, records in source.items():
            assert [row.key for row in out[partition]] == [row.key for row in records]
