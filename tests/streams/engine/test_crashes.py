"""Nothing is lost and order is kept, whatever happens to workers and broker (engine checklist 33 to 35)."""

import signal
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.streams.engine.conftest import Rig, Row

pytestmark = pytest.mark.chaos


def entries(first: int, number: int) -> list[tuple[int, bytes, bytes]]:
    """Rows for two partitions; every tenth comes again later under the same key."""
    rows = [(index % 2, b"%d" % index, b"%d " % index + b"x" * 120) for index in range(first, first + number)]
    return rows + rows[::10]


def first_keys(records: "Iterable[Row]") -> list[bytes | None]:
    """Keys in the order of their first appearance."""
    return list(dict.fromkeys(record.key for record in records))


def assert_complete(source: "Mapping[int, Sequence[Row]]", out: "Mapping[int, Sequence[Row]]") -> int:
    """Each key of the source is there, first appearances in the source's order; returns how many came again."""
    for partition, records in source.items():
        assert first_keys(out[partition]) == first_keys(records)
    return sum(len(records) for records in out.values()) - sum(len(first_keys(rows)) for rows in source.values())


async def test_four_kills_lose_nothing_and_keep_the_order(rig: "Rig") -> None:
    """Rows and offset are one: after kill -9 the store says where to go on, and repeats stay within a batch or two."""
    await rig.write(rig.source, entries(0, 20_000))
    for round_number in range(4):
        # Before it starts: a quick worker may have done all there was when the one before it was killed.
        await rig.write(rig.source, entries(20_000 + 5_000 * round_number, 5_000))
        worker = rig.worker(records_max=500)
        await worker.heard("batch", times=3 + round_number)
        await worker.kill()
    last = rig.worker()
    await all_done(rig)
    last.signal(signal.SIGTERM)
    assert await last.ended() == 0
    source = await rig.read(rig.source)
    repeated = [assert_complete(source, await rig.read(topic)) for topic in (rig.first, rig.second)]
    assert max(repeated) <= 4 * 2 * 500, repeated
    assert await rig.committed(rig.source) == {at: records[-1].offset + 1 for at, records in source.items()}


async def all_done(rig: "Rig") -> None:
    """Until the group's offset has reached the end of the source."""
    total = await rig.count(rig.source)

    async def reached() -> bool:
        return sum(offset or 0 for offset in (await rig.committed(rig.source)).values()) == total

    await rig.until(reached, "the group did not reach the end of the source")


@pytest.mark.parametrize("waits", ["hang_at", "block_at"])
async def test_a_zombie_neither_writes_nor_commits(rig: "Rig", waits: str) -> None:
    """A worker stopped in the middle of a batch for longer than its session must wake up with empty hands."""
    options: dict[str, object] = {waits: "stop here"}
    await rig.write(rig.source, [(0, b"a", b"one"), (1, b"b", b"one")])
    zombie = rig.worker(folder="zombie", stored=False, **options)
    await zombie.heard("batch", times=2)
    await rig.write(rig.source, [(0, b"c", b"stop here")])
    await zombie.heard("hanging")
    zombie.signal(signal.SIGSTOP)
    heir = rig.worker(folder="heir", stored=False)
    await heir.heard("assigned", times=2)
    await all_done(rig)
    await rig.write(rig.source, [(0, b"d", b"two"), (1, b"e", b"two")])
    await all_done(rig)
    (rig.folder / "zombie" / "go").touch()
    zombie.signal(signal.SIGCONT)
    await zombie.heard("revoked", times=2)
    await rig.write(rig.source, [(0, b"f", b"three"), (1, b"g", b"three")])
    await all_done(rig)
    for topic in (rig.first, rig.second):
        for records in (await rig.read(topic)).values():
            assert_no_writer_returns(records)
            assert b"c" not in {record.key for record in records if written_by(record).startswith("w1#")}
    assert_complete(await rig.read(rig.source), await rig.read(rig.first))


async def test_a_zombie_does_not_write_into_a_table(rig: "Rig") -> None:
    """What an ordinary agent had in hand when its session ended reaches neither the changelog nor the output."""
    await rig.write(rig.sums_in, [(0, b"ann", b"ann=1")])
    zombie = rig.table_worker(folder="zombie", source="", block_at="ann=2")
    await zombie.heard("handling")
    await rig.until_committed(rig.sums_in, 1)
    await rig.write(rig.sums_in, [(0, b"ann", b"ann=2")])
    await zombie.heard("handling", times=2)
    zombie.signal(signal.SIGSTOP)
    heir = rig.table_worker(folder="heir", source="")
    await heir.heard("handling")
    await rig.write(rig.sums_in, [(0, b"ann", b"ann=10")])
    await rig.until_committed(rig.sums_in, 3)
    (rig.folder / "zombie" / "go").touch()
    zombie.signal(signal.SIGCONT)
    assert await zombie.ended() == 1
    assert [row.value for row in (await rig.read(rig.sums_out))[0]] == [b"1", b"3", b"13"]
    assert [row.value for row in (await rig.read(rig.table_log))[0]] == [b"1", b"3", b"13"]


def written_by(record: "Row") -> str:
    """Worker and turn that wrote the record."""
    return record.headers["worker"].decode()


def assert_no_writer_returns(records: "Sequence[Row]") -> None:
    """Once another turn has written to a partition, the one before never does again."""
    turns = [written_by(record) for record in records]
    changes = [after for before, after in pairwise(turns) if before != after]
    assert len(changes) == len(set(changes) | {turns[0]}) - 1, list(dict.fromkeys(turns))


async def test_workers_stopped_in_full_flow_hand_over_cleanly(rig: "Rig") -> None:
    """SIGSTOP at no chosen moment: nothing of the old turn appears after the new owner's first record."""
    await rig.write(rig.source, entries(0, 30_000))
    first = rig.worker(folder="first", stored=False, pause_seconds=0.02)
    await first.heard("batch", times=3)
    first.signal(signal.SIGSTOP)
    second = rig.worker(folder="second", stored=False, pause_seconds=0.02)
    await second.heard("batch", times=2)
    first.signal(signal.SIGCONT)
    await rig.write(rig.source, entries(30_000, 10_000))
    await all_done(rig)
    source = await rig.read(rig.source)
    for topic in (rig.first, rig.second):
        out = await rig.read(topic)
        assert_complete(source, out)
        for records in out.values():
            assert_no_writer_returns(records)


async def test_workers_join_and_leave_without_loss(rig: "Rig") -> None:
    """A join takes partitions over between batches; a worker told to stop finishes, commits and leaves with 0."""
    await rig.write(rig.source, entries(0, 30_000))
    first = rig.worker(folder="first", stored=False, pause_seconds=0.05)
    await first.heard("batch", times=2)
    second = rig.worker(folder="second", stored=False, pause_seconds=0.05)
    await second.heard("assigned")
    await rig.write(rig.source, entries(30_000, 10_000))
    await second.heard("batch")
    first.signal(signal.SIGTERM)
    assert await first.ended(within_seconds=25) == 0
    await second.heard("assigned", times=3)
    await all_done(rig)
    source = await rig.read(rig.source)
    repeated = [assert_complete(source, await rig.read(topic)) for topic in (rig.first, rig.second)]
    # Without a store every duplicate of the source goes through once; a clean hand-over adds none.
    doubled = sum(len(rows) - len(first_keys(rows)) for rows in source.values())
    assert repeated == [doubled, doubled]


async def test_a_worker_that_is_back_at_once_moves_nobody(rig: "Rig") -> None:
    """A killed worker with an instance id gets its partition again; the other one never gives its own up."""
    await rig.write(rig.source, [(0, b"a", b"one"), (1, b"b", b"one")])
    stays = rig.worker(folder="stays", instance_id="stays", session_limit_seconds=30)
    await stays.heard("assigned", times=2)
    dies = rig.worker(folder="dies", instance_id="dies", session_limit_seconds=30)
    await dies.heard("assigned")
    await stays.heard("assigned", times=3)
    (place,) = {event["partition"] for event in dies.events("assigned")}
    revoked = len(stays.events("revoked"))
    await dies.kill()
    heir = rig.worker(folder="dies", instance_id="dies", session_limit_seconds=30)
    await heir.heard("assigned", within_seconds=20)
    assert [event["partition"] for event in heir.events("assigned")] == [place]
    await rig.write(rig.source, [(0, b"c", b"two"), (1, b"d", b"two")])
    await rig.until_committed(rig.source, 4)
    assert len(stays.events("revoked")) == revoked


async def test_a_raising_handler_ends_the_worker_uncommitted(rig: "Rig") -> None:
    """The process ends with another code than 0, nothing at or after the record was committed, and it is read again."""
    await rig.write(rig.source, [(0, b"%d" % index, b"%d" % index) for index in range(100)])
    worker = rig.worker(fail_at="57")
    assert await worker.ended() == 1
    assert "57" in worker.errors.read_text()
    assert ((await rig.committed(rig.source))[0] or 0) <= 57
    again = rig.worker()
    await all_done(rig)
    again.signal(signal.SIGTERM)
    assert await again.ended() == 0
    assert_complete(await rig.read(rig.source), await rig.read(rig.first))


async def test_nothing_is_committed_while_a_batch_is_in_hand(rig: "Rig") -> None:
    """No agent can acknowledge before it is done: killed in the middle of a batch, the batch is read again."""
    await rig.write(rig.source, [(0, b"1", b"one")])
    worker = rig.worker(stored=False, hang_at="slow")
    await worker.heard("batch")
    await rig.write(rig.source, [(0, b"2", b"slow"), (0, b"3", b"three"), (1, b"4", b"four")])
    await worker.heard("hanging")
    await worker.heard("batch", times=2)  # the other partition does not wait for this one

    async def other_committed() -> bool:
        return (await rig.committed(rig.source))[1] == 1

    await rig.until(other_committed, "the other partition was not committed")
    assert (await rig.committed(rig.source))[0] == 1
    await worker.kill()
    again = rig.worker(stored=False)
    await all_done(rig)
    again.signal(signal.SIGTERM)
    assert await again.ended() == 0
    assert_complete(await rig.read(rig.source), await rig.read(rig.first))


async def test_a_told_worker_finishes_its_batch(rig: "Rig") -> None:
    """SIGTERM in the middle of a batch: the batch is finished and committed before the worker leaves with 0."""
    await rig.write(rig.source, [(0, b"1", b"slow"), (0, b"2", b"two"), (0, b"3", b"not any more")])
    worker = rig.worker(stored=False, hang_at="slow", records_max=2)
    await worker.heard("hanging")
    worker.signal(signal.SIGTERM)
    await worker.heard("stopping")
    (rig.folder / "store" / "go").touch()
    assert await worker.ended(within_seconds=8) == 0, "it waited for more than the batch in hand"
    assert (await rig.committed(rig.source))[0] == 2
    assert len(worker.events("batch")) == 1


async def test_a_second_signal_ends_at_once(rig: "Rig") -> None:
    """Whoever cannot wait says so twice; the batch is not committed."""
    await rig.write(rig.source, [(0, b"1", b"slow")])
    worker = rig.worker(stored=False, hang_at="slow")
    await worker.heard("hanging")
    worker.signal(signal.SIGTERM)
    await worker.heard("stopping")
    worker.signal(signal.SIGTERM)
    assert await worker.ended(within_seconds=3) == 1
    assert (await rig.committed(rig.source))[0] in (None, 0)
