"""One partition's reading: where it resumes, what gaps and large records do, and that a slow one harms nobody."""

import signal
import sqlite3
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]  # ships no annotations
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

if TYPE_CHECKING:
    from tests.streams.engine.conftest import Rig

pytestmark = pytest.mark.broker


async def caught_up(rig: "Rig", ends: dict[int, int]) -> None:
    """Until the group has committed these offsets."""

    async def reached() -> bool:
        return await rig.committed(rig.source) == ends

    await rig.until(reached, f"the group did not reach {ends}")


async def test_the_store_and_not_the_group_says_where_to_go_on(rig: "Rig") -> None:
    """The group's offset stands at the end, the store was put back to 2: the records from 2 on come again."""
    await rig.write(rig.source, [(0, b"%d" % index, b"x") for index in range(5)])
    worker = rig.worker()
    await worker.heard("batch")
    worker.signal(signal.SIGTERM)
    assert await worker.ended() == 0
    assert await rig.committed(rig.source) == {0: 5, 1: 0}
    with sqlite3.connect(rig.folder / "store" / f"{rig.group}-0.sqlite") as store:
        store.execute("update place set next = 2")
    store.close()
    again = rig.worker()
    await again.heard("batch")
    assert [(line["first"], line["next"]) for line in again.events("batch")] == [(2, 5)]
    assert {line["start"] for line in again.events("assigned")} == {2, None}


async def test_a_store_beyond_the_end_of_the_topic_stops_the_worker(rig: "Rig") -> None:
    """Records that were folded and are gone from the topic are a loss to be seen, not a reason to start over."""
    await rig.write(rig.source, [(0, b"1", b"x")])
    worker = rig.worker()
    await worker.heard("batch")
    worker.signal(signal.SIGTERM)
    await worker.ended()
    with sqlite3.connect(rig.folder / "store" / f"{rig.group}-0.sqlite") as store:
        store.execute("update place set next = 99")
    store.close()
    again = rig.worker()
    assert await again.ended() == 1
    assert "records_gone" in again.errors.read_text()


async def test_markers_and_aborted_records_do_not_stall(rig: "Rig") -> None:
    """Transactions leave gaps in the offsets; an aborted record is not processed, and the offset passes its marker."""
    producer = AIOKafkaProducer(bootstrap_servers=rig.servers, transactional_id=f"t-{rig.group}")
    await producer.start()
    for key, aborts in ((b"1", False), (b"gone", True), (b"2", False)):
        await producer.begin_transaction()
        await producer.send_and_wait(rig.source, b"x", key=key, partition=0)
        await (producer.abort_transaction() if aborts else producer.commit_transaction())
    await producer.stop()
    worker = rig.worker()
    await caught_up(rig, {0: 6, 1: 0})
    await rig.write(rig.source, [(0, b"3", b"x")])
    await caught_up(rig, {0: 7, 1: 0})
    assert [record.key for record in (await rig.read(rig.first))[0]] == [b"1", b"2", b"3"]
    assert worker.process.poll() is None


async def test_records_of_two_and_fifteen_megabytes_pass(rig: "Rig") -> None:
    """Far larger than a record batch or a fetch: they are read, and written again, whole and in their place."""
    sizes = [10, 2_000_000, 20, 15_000_000, 30]
    await rig.write(rig.source, [(0, b"%d" % size, b"x" * size) for size in sizes])
    rig.worker()
    await caught_up(rig, {0: 5, 1: 0})
    assert [len(record.value) for record in (await rig.read(rig.first))[0]] == sizes


async def test_a_slow_partition_neither_stops_the_other_nor_fills_the_memory(rig: "Rig") -> None:
    """One batch hangs with 200 MB behind it: the other partition flows on, and the process does not read ahead."""
    await rig.write(rig.source, [(0, b"0", b"slow")] + [(0, b"%d" % index, b"x" * 1_000_000) for index in range(200)])
    worker = rig.worker(stored=False, hang_at="slow")
    await worker.heard("hanging")
    before = psutil.Process(worker.process.pid).memory_info().rss
    for round_number in range(1, 6):  # in this time a careless engine would go on fetching
        await rig.write(rig.source, [(1, b"%d" % index, b"y") for index in range(1_000)])
        await caught_up(rig, {0: 0, 1: 1_000 * round_number})
    grown = psutil.Process(worker.process.pid).memory_info().rss - before
    assert grown < 60_000_000, grown


async def test_the_worker_listens_on_no_port(rig: "Rig") -> None:
    """Faust's own web server, open to everybody without a login, stays off."""
    worker = rig.worker()
    await worker.heard("assigned", times=2)
    states = {connection.status for connection in psutil.Process(worker.process.pid).net_connections("inet")}
    assert psutil.CONN_LISTEN not in states
    assert psutil.CONN_ESTABLISHED in states


async def test_a_missing_topic_stops_the_worker(rig: "Rig") -> None:
    """Stock Faust logs it and never consumes the topic, even after it appears."""
    worker = rig.worker(source="no-such-topic")
    assert await worker.ended() == 1
    assert "topic_missing" in worker.errors.read_text()


async def test_records_that_leave_while_a_batch_is_worked_on_are_noticed(rig: "Rig") -> None:
    """Retention overtakes a slow handler: the client would jump to the earliest record without a word."""
    await rig.write(rig.source, [(0, b"0", b"slow")])
    worker = rig.worker(hang_at="slow")
    await worker.heard("hanging")
    await rig.write(rig.source, [(0, b"%d" % index, b"x" * 900_000) for index in range(1, 20)])
    await rig.cut(TopicPartition(rig.source, 0), 18)
    (rig.folder / "store" / "go").touch()
    assert await worker.ended() == 1
    assert "records_gone" in worker.errors.read_text()


async def test_records_that_left_the_topic_are_noticed(rig: "Rig") -> None:
    """The topic was cut while the worker was away: it says what is gone instead of going on behind the gap."""
    await rig.write(rig.source, [(0, b"%d" % index, b"x") for index in range(5)])
    worker = rig.worker()
    await worker.heard("batch")
    worker.signal(signal.SIGTERM)
    await worker.ended()
    await rig.write(rig.source, [(0, b"%d" % index, b"x") for index in range(5, 10)])
    await rig.cut(TopicPartition(rig.source, 0), 8)
    again = rig.worker()
    assert await again.ended() == 1
    assert "records_gone" in again.errors.read_text()
