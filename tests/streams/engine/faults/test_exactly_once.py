"""Faust's exactly_once, which the engine refuses, doubles and loses records with a single kill. Each test fails once
Faust mends that fault: then the refusal in `create_app` may be thought over.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.streams.engine.conftest import Rig

pytestmark = pytest.mark.broker
COMMITTED = "read_committed"


async def test_exactly_once_doubles_what_leaves_the_app(rig: "Rig") -> None:
    """A topic that the app itself does not read gets its records outside any transaction: readers of committed records
    see them before the commit, and after a kill once more.
    """
    await rig.write(rig.source, [(0, b"k", b"120 minutes")])
    for copies in (1, 2):
        worker = rig.stock("exactly_once", guarantee="exactly_once", commit_seconds=600.0)

        async def seen(copies: int = copies) -> bool:
            return await rig.count(rig.second, COMMITTED) == copies

        await worker.heard("passed")
        await rig.until(seen, f"not {copies} copies")
        assert (await rig.committed(rig.source))[0] is None
        await worker.kill()
    found = await rig.read(rig.second, COMMITTED)
    assert [row.value for rows in found.values() for row in rows] == [b"120 minutes"] * 2


async def test_exactly_once_loses_what_changes_its_partition(rig: "Rig") -> None:
    """The output is in the transaction of the partition it goes to, the offset in that of the one it came from: a kill
    between the two commits leaves the offset and takes the output.
    """
    await rig.write(rig.source, [(0, b"k", b"120 minutes")])
    worker = rig.stock("exactly_once", guarantee="exactly_once")
    await rig.until_committed(rig.source, 1)
    await worker.kill()
    assert [row.value for row in (await rig.read(rig.first))[1]] == [b"120 minutes"]
    rig.stock("exactly_once", guarantee="exactly_once")

    async def decided() -> bool:
        return await rig.count(rig.first, COMMITTED) == await rig.count(rig.first) == 2  # the record and a marker

    await rig.until(decided, "the transaction that the kill left open has no end")
    assert (await rig.read(rig.first, COMMITTED))[1] == []
    assert await rig.committed(rig.source) == {0: 1, 1: None}
