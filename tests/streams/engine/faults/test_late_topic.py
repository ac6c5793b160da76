"""Stock Faust runs on without a topic that is missing when it starts. The test fails once Faust stops or looks sooner:
then `BatchConsumer` need not look for missing topics any more.
"""

from typing import TYPE_CHECKING

import faust
import pytest

if TYPE_CHECKING:
    from tests.streams.engine.conftest import Rig, Worker

pytestmark = pytest.mark.broker
LOOK_MILLISECONDS = 300_000
"""How often Faust's client looks at the cluster when nobody says otherwise."""


async def started_without(rig: "Rig", late: str, look_milliseconds: int = LOOK_MILLISECONDS) -> "Worker":
    """A worker that reads one topic while the other one appears, with a record in it."""
    worker = rig.stock("late_topic", late=late, look_milliseconds=look_milliseconds)
    await rig.write(rig.source, [(0, b"k", b"before")])
    await worker.heard("early")
    await rig.make([late], {})
    await rig.write(late, [(0, b"k", b"waits")])
    return worker


async def test_a_topic_that_comes_later_is_not_consumed(rig: "Rig") -> None:
    """A warning is all there is; other topics flow on, and nothing of the new one is assigned while the client keeps
    its old picture of the cluster: five minutes, in which each rebalance is another reason to look elsewhere.
    """
    worker = await started_without(rig, f"late-{rig.group}")
    await rig.write(rig.source, [(0, b"k", b"after")])
    await worker.heard("early", times=2)
    await worker.heard("looked", times=len(worker.events("looked")) + 10)
    assert [line for line in worker.events("looked") if line["assigned"]] == []
    assert worker.events("late") == []
    assert "Ignoring missing topic" in worker.errors.read_text()
    assert faust.App("stock").conf.consumer_metadata_max_age_ms == LOOK_MILLISECONDS


async def test_it_is_consumed_when_the_client_looks_again(rig: "Rig") -> None:
    """So the fault lasts for minutes and not for ever, as was believed of older versions."""
    worker = await started_without(rig, f"late-{rig.group}", look_milliseconds=300)
    await worker.heard("late")
