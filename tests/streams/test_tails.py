"""What a fold asks of its journal before it starts, on a real broker (design rule 1)."""

import asyncio
import itertools
import time
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from runtime.broker import EmbeddedBroker
from runtime.kafka.connection import KafkaConnection
from runtime.kafka.topics import TopicSpec, ensure_topics
from schemas.codec import decode
from schemas.outputs import HoursTotal
from streams import tails

pytestmark = pytest.mark.broker


async def test_a_record_is_known_again_and_told_from_others(kafka: str) -> None:
    """The fingerprint asked for is the one of the record as a batch brings it; same bytes at another time differ."""
    topic = f"journal-{time.time_ns()}"
    connection = KafkaConnection(bootstrap_servers=kafka)
    await ensure_topics(connection, [TopicSpec(topic, 1, 1, {"cleanup.policy": "delete"}, fixed=True)])
    assert await tails.bounds_of(connection, topic, 0) == (0, 0)
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    for number in range(3):
        await producer.send_and_wait(topic, b"same", b"book", 0, timestamp_ms=1_790_000_000_000 + number)
    await producer.stop()
    assert await tails.bounds_of(connection, topic, 0) == (0, 3)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
    await consumer.start()
    place = TopicPartition(topic, 0)
    consumer.assign([place])
    consumer.seek(place, 0)
    records = [await consumer.getone() for _ in range(3)]
    await consumer.stop()
    found = [await tails.fingerprint_at(connection, topic, 0, offset) for offset in range(3)]
    assert found == [tails.fingerprint(record) for record in records]
    assert all(one != other for one, other in itertools.combinations(found, 2))


async def test_what_a_stranger_wrote_does_not_keep_a_fold_from_starting(kafka: str, repository_root: Path) -> None:
    """Behind the last hours lie random bytes and a record of another kind: the origin is that of the hours."""
    topic = f"hours-{time.time_ns()}"
    connection = KafkaConnection(bootstrap_servers=kafka)
    await ensure_topics(connection, [TopicSpec(topic, 1, 1, {"cleanup.policy": "compact"}, fixed=True)])
    golden = repository_root / "tests/golden/records"
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    for stem in ("1502-hours_total", "1010-clock_tick"):
        await producer.send_and_wait(topic, (golden / f"{stem}.bin").read_bytes(), stem.encode(), 0)
    for name in (b"a", b"b", b"c", b"d"):
        await producer.send_and_wait(topic, b"random", name, 0)
    await producer.stop()
    hours = decode((golden / "1502-hours_total.bin").read_bytes())
    assert isinstance(hours, HoursTotal)
    assert await tails.highest_origins(connection, [topic], 0) == {topic: hours.origin_offset}


async def test_a_broker_that_is_away_for_a_moment_is_waited_for(tmp_path: Path, broker_cache: Path) -> None:
    """A partition that begins while its broker starts again has its answers a little later, and no worker ends."""
    async with EmbeddedBroker(tmp_path / "broker", cache=broker_cache) as broker:
        connection = KafkaConnection(bootstrap_servers=broker.bootstrap_servers)
        await ensure_topics(connection, [TopicSpec("hours", 1, 1, {"cleanup.policy": "compact"}, fixed=True)])
        await broker.stop()
        asked = asyncio.gather(tails.bounds_of(connection, "hours", 0), tails.highest_origins(connection, ["hours"], 0))
        await asyncio.wait([asked], timeout=1)
        assert not asked.done(), "nobody was there to answer"
        await broker.start()
        bounds, origins = await asked
        assert (bounds, origins) == ((0, 0), {"hours": tails.NOTHING})


async def test_who_never_comes_back_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker ends with the broker's error then, and its supervisor decides."""
    monkeypatch.setattr(tails, "BROKER_LIMIT_SECONDS", 0.5)
    with pytest.raises(KafkaError):
        await tails.bounds_of(KafkaConnection(bootstrap_servers="127.0.0.1:1"), "hours", 0)
