"""Rows of a table that never reached the broker: stock Faust commits past them, the engine does not. The tests of stock
Faust fail once it mends the fault: then `DurableProducer` can go.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.streams.engine.conftest import Rig

pytestmark = pytest.mark.broker
ROWS = 10
FEW = 3
TOO_LARGE = b"2000000"
"""Characters in a row; the broker takes one megabyte."""


async def rows(rig: "Rig") -> set[bytes | None]:
    """Keys of the rows that the broker has."""
    return {row.key for row in (await rig.read(rig.table_log))[0]}


async def test_the_flush_before_a_commit_gives_up(rig: "Rig") -> None:
    """A tenth of a second without progress is enough: the offset is committed, most rows stand in the queue, and a kill
    takes them.
    """
    await rig.write(rig.source, [(0, b"k", b"20000")])
    worker = rig.stock("tables", requests=FEW)
    await rig.until_committed(rig.source, 1)
    await worker.kill()
    assert len(await rows(rig)) <= FEW


async def test_no_offset_passes_rows_that_are_on_their_way(rig: "Rig") -> None:
    """The same in the engine: the flush waits, for as long as the broker does, and a kill costs nothing."""
    await rig.write(rig.source, [(0, b"k", b"20000")])
    worker = rig.stock("our_tables", requests=FEW)
    await worker.heard("filled")
    for ticks in range(1, 4):  # each is a commit: time enough for one that does not wait
        await rig.write(rig.first, [(0, b"k", b"tick")])
        await rig.until_committed(rig.first, ticks)
    assert (await rig.committed(rig.source))[0] in (None, 0)
    assert len(await rows(rig)) <= FEW
    await worker.kill()
    rig.stock("our_tables")
    await rig.until_committed(rig.source, 1)
    assert len(await rows(rig)) == ROWS


async def test_a_refused_row_is_only_logged(rig: "Rig") -> None:
    """The broker refuses all rows of an event; the offset passes it and the worker goes on without them."""
    await rig.write(rig.source, [(0, b"k", TOO_LARGE), (0, b"k", b"10")])
    worker = rig.stock("tables")
    await rig.until_committed(rig.source, 2)

    async def later_ones() -> bool:
        return len(await rows(rig)) == ROWS

    await rig.until(later_ones, "the rows of the next event did not come")
    assert {row.value for row in (await rig.read(rig.table_log))[0]} == {b'"xxxxxxxxxx"'}
    assert worker.process.poll() is None


async def test_a_refused_row_stops_the_worker_before_the_commit(rig: "Rig") -> None:
    """The same in the engine: it ends with another code than 0, and the record is still to be read."""
    await rig.write(rig.source, [(0, b"k", TOO_LARGE)])
    worker = rig.stock("our_tables", rows=1, requests=FEW)  # refused while the commit waits for it
    assert await worker.ended() == 1
    assert (await rig.committed(rig.source))[0] in (None, 0)
