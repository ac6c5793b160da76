"""Ordinary Faust agents with a table, beside batch agents in the same app."""

import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.streams.engine.conftest import Rig

pytestmark = pytest.mark.broker


async def sums(rig: "Rig") -> list[tuple[bytes | None, bytes]]:
    """What the table agent told, all partitions."""
    return [(row.key, row.value) for rows in (await rig.read(rig.sums_out)).values() for row in rows]


async def test_tables_and_batches_live_in_one_app(rig: "Rig") -> None:
    """The table recovers from its changelog after a restart, and batches run in the same process all the time."""
    await rig.write(rig.sums_in, [(0, b"ann", b"ann=5"), (1, b"bob", b"bob=7"), (0, b"ann", b"ann=1")])
    await rig.write(rig.source, [(0, b"1", b"x"), (1, b"2", b"x")])
    worker = rig.table_worker()
    await worker.heard("handling", times=3)
    await worker.heard("batch", times=2)
    worker.signal(signal.SIGTERM)
    assert await worker.ended() == 0
    await rig.write(rig.sums_in, [(0, b"ann", b"ann=10"), (1, b"bob", b"bob=20")])
    await rig.write(rig.source, [(0, b"3", b"x")])
    again = rig.table_worker(folder="another")
    await again.heard("handling", times=2)
    await again.heard("batch")

    async def told() -> bool:
        return len(await sums(rig)) == 5

    await rig.until(told, "the table agent did not tell five sums")
    assert sorted(await sums(rig)) == [(b"ann", b"16"), (b"ann", b"5"), (b"ann", b"6"), (b"bob", b"27"), (b"bob", b"7")]
    assert len(again.events("handling")) == 2
    assert all(line["recovered"] for line in again.events("assigned"))


async def test_an_unreadable_record_becomes_a_dead_letter_and_the_next_goes_on(rig: "Rig") -> None:
    """Whole bytes, place and error stand in dead-letters; the offset passes the record only then."""
    await rig.write(rig.sums_in, [(0, b"k", b"\xff\x00 rubbish"), (0, b"k", b""), (0, b"ann", b"ann=5")])
    rig.table_worker(source="")

    async def passed() -> bool:
        return (await rig.committed(rig.sums_in))[0] == 3

    await rig.until(passed, "the partition did not move on")
    letters = (await rig.read(rig.dead))[0]
    assert [letter.value for letter in letters] == [b"\xff\x00 rubbish", b""]
    assert b"/0/0 UnicodeDecodeError" in letters[0].headers["reason"]
    assert await sums(rig) == [(b"ann", b"5")]


async def test_a_record_is_acknowledged_only_when_it_is_done(rig: "Rig") -> None:
    """Killed while a record is in hand: neither it nor anything behind it was committed, and it is handled again."""
    await rig.write(rig.sums_in, [(0, b"ann", b"ann=1"), (0, b"ann", b"ann=2"), (0, b"ann", b"ann=3")])
    worker = rig.table_worker(hang_at="ann=2")
    await worker.heard("handling", times=2)

    async def first_committed() -> bool:
        return (await rig.committed(rig.sums_in))[0] == 1

    await rig.until(first_committed, "the first record was not committed")
    await worker.kill()
    assert (await rig.committed(rig.sums_in))[0] == 1
    again = rig.table_worker()
    await again.heard("handling", times=2)
    assert [line["text"] for line in again.events("handling")][:1] == ["ann=2"]


async def test_without_dead_letters_the_worker_stops(rig: "Rig") -> None:
    """If even the dead letter cannot be written nothing is acknowledged: the process ends with another code than 0."""
    await rig.write(rig.sums_in, [(0, b"k", b"rubbish")])
    worker = rig.table_worker(dead_letters="no-such-topic")
    assert await worker.ended() == 1
    assert (await rig.committed(rig.sums_in))[0] in (None, 0)


async def test_a_record_that_never_ends_does_not_keep_a_worker_from_stopping(rig: "Rig") -> None:
    """Told to stop, it waits for an agent's record for a while, then leaves it, unacknowledged, and ends with 0."""
    await rig.write(rig.sums_in, [(0, b"ann", b"ann=1"), (0, b"ann", b"ann=2")])
    worker = rig.table_worker(hang_at="ann=2")
    await worker.heard("handling", times=2)
    worker.signal(signal.SIGTERM)
    assert await worker.ended() == 0
    assert (await rig.committed(rig.sums_in))[0] == 1
    again = rig.table_worker()
    await again.heard("handling")
    assert [line["text"] for line in again.events("handling")][:1] == ["ann=2"]
