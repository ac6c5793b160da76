"""Stock Faust acknowledges what was never done, and so loses it. Each test fails once Faust mends that fault: then look
whether its remedy, named in docs/engine.md, can go.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.streams.engine.conftest import Rig, Worker

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def stock(shared_rig: "Rig") -> "Worker":
    """One process of stock Faust with an agent for each fault, and each agent's topic is `shared_rig`'s."""
    return shared_rig.stock("acknowledging", late=shared_rig.sums_in)


def done(stock: "Worker", agent: str) -> list[object]:
    """What an agent came to the end with."""
    return [line["done"] for line in stock.events(agent) if "done" in line]


async def test_an_agent_that_raises_has_lost_its_event(shared_rig: "Rig", stock: "Worker") -> None:
    """The offset passes the record at which the agent raised; nobody keeps it and nobody reads it again."""
    await shared_rig.write(shared_rig.source, [(0, b"k", b"1"), (0, b"k", b"two")])
    await shared_rig.until_committed(shared_rig.source, 2)
    assert done(stock, "raises") == [1]


async def test_a_batch_that_raises_is_lost_as_a_whole(shared_rig: "Rig", stock: "Worker") -> None:
    """The offset passes three records that `take` handed over together, though the agent did nothing with any."""
    await shared_rig.write(shared_rig.first, [(0, b"k", b"1"), (0, b"k", b"2"), (0, b"k", b"three")])
    await shared_rig.until_committed(shared_rig.first, 3)
    assert done(stock, "takes") == []


async def test_a_record_that_does_not_decode_is_lost(shared_rig: "Rig", stock: "Worker") -> None:
    """The agent never hears of it, and the offset passes it all the same."""
    await shared_rig.write(shared_rig.second, [(0, b"k", b"1"), (0, b"k", b"{rubbish")])
    await shared_rig.until_committed(shared_rig.second, 2)
    assert done(stock, "decodes") == [1]


async def test_a_table_cannot_be_written_in_a_batch(shared_rig: "Rig", stock: "Worker") -> None:
    """`take` and a table do not go together, unless the table hashes its keys itself; the batch is lost at that."""
    await shared_rig.write(shared_rig.sums_in, [(0, b"k", b"ann"), (0, b"k", b"bob")])
    await shared_rig.until_committed(shared_rig.sums_in, 2)
    assert done(stock, "writes") == ["partitioned"]
    (failure,) = [str(line["failed"]) for line in stock.events("writes") if "failed" in line]
    assert "Cannot modify table key from outside of stream iteration" in failure
