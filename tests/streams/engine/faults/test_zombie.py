"""A worker of stock Faust that was stopped for longer than its session writes when it wakes up. The test fails once the
client or Faust holds such a worker back: then the lease in `membership.py` can go.
"""

import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.streams.engine.conftest import Rig

pytestmark = pytest.mark.broker


async def test_a_worker_that_was_given_up_writes_when_it_wakes(rig: "Rig") -> None:
    """The group has given its partition away and the heir has gone on; the late record stands behind the heir's."""
    await rig.write(rig.source, [(0, b"k", b"one")])
    zombie = rig.stock("zombie", folder="zombie", waits=True)
    await zombie.heard("handling")
    zombie.signal(signal.SIGSTOP)
    await rig.write(rig.source, [(0, b"k", b"two")])
    heir = rig.stock("zombie", folder="heir")
    await heir.heard("handling", times=2)
    await rig.until_committed(rig.source, 2)
    (rig.folder / "zombie" / "go").touch()
    zombie.signal(signal.SIGCONT)

    async def written() -> bool:
        return await rig.count(rig.first) > 2

    await rig.until(written, "the zombie held back")
    assert [(row.key, row.value) for row in (await rig.read(rig.first))[0][:3]] == [
        (b"w2", b"one"), (b"w2", b"two"), (b"w1", b"one"),
    ]  # fmt: skip
