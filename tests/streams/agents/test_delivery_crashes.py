"""The deliver agent in real processes on a real broker: kill -9 at each of its steps, with every request read again."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from runtime.broker import EmbeddedBroker
from runtime.clock import SystemClock
from runtime.kafka import KafkaConnection, ensure_topics
from schemas.codec import decode, encode
from schemas.inputs import DeliveryState, SinkReceipt
from schemas.outputs import OutboxAttempt
from schemas.values import Record
from schemas.work import DeliverDocument
from streams.agents.outbox import KafkaOutbox
from streams.engine.lanes import LaneLimits
from streams.engine.publisher import Publisher
from streams.topics import DEAD_LETTERS, OUTBOX, RESULTS, WORK, topic_specs, work_partition
from tests.streams.agents.asking import numbered_request

pytestmark = pytest.mark.broker

PARTITIONS = 2
DOCUMENTS = 4
PATIENCE_SECONDS = 60.0
HEALTHY_SECONDS = 10.0
"""Measured: below 2 s. A single call of a sink may hang for 60 s, and a delivery waits for 120 s."""
STEPS = [
    "deliver_before_attempt",
    "deliver_after_attempt",
    "deliver_after_create",
    "deliver_before_settled",
    "deliver_after_settled",
    "deliver_after_receipt",
]
Spawn = Callable[[str, str, int], "subprocess.Popen[bytes]"]


@pytest.fixture
async def servers(tmp_path: Path, broker_cache: Path) -> AsyncIterator[str]:
    """A broker of its own: the topics have their real names."""
    broker = EmbeddedBroker(tmp_path / "broker", cache=broker_cache)
    await broker.start()
    await ensure_topics(KafkaConnection(bootstrap_servers=broker.bootstrap_servers), topic_specs(PARTITIONS, 1))
    yield broker.bootstrap_servers
    await broker.stop()


@asynccontextmanager
async def publisher_on(servers: str) -> AsyncIterator[Publisher]:
    publisher = Publisher(KafkaConnection(bootstrap_servers=servers).client_arguments())
    try:
        yield publisher
    finally:
        await publisher.stop()


async def ask(servers: str, requests: Sequence[DeliverDocument]) -> None:
    """Publish the requests, each twice, as a fold does that restarts."""
    producer = AIOKafkaProducer(bootstrap_servers=servers, acks="all")
    await producer.start()
    try:
        for request in [*requests, *requests]:
            at = work_partition(request.request_id, PARTITIONS)
            await producer.send_and_wait(WORK, encode(request), key=request.request_id.encode(), partition=at)
    finally:
        await producer.stop()


async def everything_in(servers: str, topic: str) -> list[Record]:
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        found: list[Record] = []
        while any([await consumer.position(place) < ends[place] for place in places]):
            for rows in (await consumer.getmany(timeout_ms=500)).values():
                found += [decode(row.value) for row in rows]
        return found
    finally:
        await consumer.stop()


async def receipts(servers: str) -> list[SinkReceipt]:
    return [record for record in await everything_in(servers, RESULTS) if isinstance(record, SinkReceipt)]


@pytest.fixture
def spawn(servers: str, tmp_path: Path, repository_root: Path) -> Iterator[Spawn]:
    """Start a worker in a group; a new group reads every request from the beginning. None is left behind."""
    started: list[subprocess.Popen[bytes]] = []

    def start(application_id: str, armed: str, port: int) -> "subprocess.Popen[bytes]":
        program = Path(__file__).with_name("programs") / "deliver_worker.py"
        environment = {**os.environ, "PYTHONPATH": str(repository_root), "BILLSTREAM_FAILPOINTS": armed}
        with (tmp_path / f"{application_id}.err").open("w") as errors:
            command = [sys.executable, str(program), servers, str(tmp_path), application_id, str(port)]
            started.append(subprocess.Popen(command, stderr=errors, env=environment))
        return started[-1]

    yield start
    for worker in started:
        worker.kill()
        worker.wait()


async def test_kills_at_every_step_leave_one_file_and_one_receipt_a_document(
    servers: str, spawn: Spawn, tmp_path: Path
) -> None:
    """Each worker is killed at another step and each next one reads all requests again: nothing is lost or doubled."""
    await ask(servers, [numbered_request(number) for number in range(DOCUMENTS)])
    for step in STEPS:
        worker = spawn(step, f"{step}=kill", 0)
        assert await asyncio.to_thread(worker.wait, PATIENCE_SECONDS) == -signal.SIGKILL, step
    last = spawn("last", "", 0)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            # The last group answers each of the twice-asked requests: that many receipts came after the kills.
            before = len(await receipts(servers))
            while len(await receipts(servers)) < before + DOCUMENTS or not await all_told(servers):
                await asyncio.to_thread(last.poll)
    finally:
        last.terminate()
        assert await asyncio.to_thread(last.wait, PATIENCE_SECONDS) == 0
    # Deliveries go side by side, so a kill may catch another one while it writes: its part is hidden and stays.
    found = [path for path in (tmp_path / "drafts").rglob("*") if path.is_file()]
    files = [path for path in found if not path.name.startswith(".")]
    told = await receipts(servers)
    assert len(files) == DOCUMENTS
    assert {str(path.relative_to(tmp_path / "drafts")) for path in files} == {receipt.location for receipt in told}
    assert {receipt.state for receipt in told} == {DeliveryState.DELIVERED}
    assert len({encode(receipt) for receipt in told}) == DOCUMENTS
    assert await everything_in(servers, DEAD_LETTERS) == []


@dataclass
class Holder:
    """The other end of the sink that hangs: it hears which documents are on their way, and answers when told."""

    port: int = 0
    held: list[str] = field(default_factory=list)
    held_max: int = 0
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def has(self, count: int) -> None:
        """Return when so many documents hang."""
        while len(self.held) < count:
            self._news.clear()
            await self._news.wait()

    async def hold(self, words: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        """One document on its way."""
        document_id = (await words.readline()).decode().strip()
        self.held.append(document_id)
        self.held_max = max(self.held_max, len(self.held))
        self._news.set()
        gone, told = asyncio.ensure_future(words.read()), asyncio.ensure_future(self.let_go.wait())
        await asyncio.wait({gone, told}, return_when=asyncio.FIRST_COMPLETED)
        self.held.remove(document_id)
        answers.write(b"go on\n")
        answers.close()
        gone.cancel()
        told.cancel()


@pytest.fixture
async def holder() -> AsyncIterator[Holder]:
    """Listens, and answers nobody yet."""
    holder = Holder()
    server = await asyncio.start_server(holder.hold, "127.0.0.1", 0)
    holder.port = server.sockets[0].getsockname()[1]
    yield holder
    holder.let_go.set()
    server.close()


async def committed(servers: str, group: str) -> list[int]:
    """How far a group is in each partition of `work`; 0 where it never committed."""
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        return [await consumer.committed(TopicPartition(WORK, number)) or 0 for number in range(PARTITIONS)]
    finally:
        await consumer.stop()


async def test_a_sink_that_hangs_holds_up_no_other(servers: str, spawn: Spawn, holder: Holder, tmp_path: Path) -> None:
    """Documents for other sinks go on, no offset passes the ones that hang, a stop waits for nobody for long, and the
    next worker begins at the first that is not done.
    """
    stuck = [numbered_request(number, "held") for number in range(2 * LaneLimits().at_once)]
    healthy = [numbered_request(number) for number in range(100, 100 + DOCUMENTS)]
    assert {work_partition(one.request_id, PARTITIONS) for one in stuck} == set(range(PARTITIONS))
    await ask(servers, stuck)
    first = spawn("group", "", holder.port)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await holder.has(LaneLimits().at_once)
        asked_at_seconds = time.monotonic()
        await ask(servers, healthy)
        while len(await receipts(servers)) < 2 * DOCUMENTS:
            pass
    took_seconds = time.monotonic() - asked_at_seconds
    print(f"{DOCUMENTS} documents, each asked for twice, took {took_seconds:.1f} s beside a sink that hangs")
    assert took_seconds < HEALTHY_SECONDS
    assert {one.sink for one in await receipts(servers)} == {"json_file"}
    assert holder.held_max == LaneLimits().at_once
    first.terminate()
    assert await asyncio.to_thread(first.wait, PATIENCE_SECONDS) == 0
    assert await committed(servers, "group") == [0, 0]

    holder.let_go.set()
    second = spawn("group", "", holder.port)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while sum(await committed(servers, "group")) < 2 * len(stuck + healthy):
            pass
    second.terminate()
    assert await asyncio.to_thread(second.wait, PATIENCE_SECONDS) == 0
    told = await receipts(servers)
    assert {one.request_id for one in told} == {one.request_id for one in stuck + healthy}
    assert {one.state for one in told} == {DeliveryState.DELIVERED}
    assert len(list((tmp_path / "held").rglob("*.json"))) == len(stuck)


async def all_told(servers: str) -> bool:
    return len({receipt.request_id for receipt in await receipts(servers)}) == DOCUMENTS


async def test_one_outbox_sees_at_once_what_another_wrote(servers: str) -> None:
    """A look reads up to the end of the topic at that moment, through rubbish and tombstones."""
    connection = KafkaConnection(bootstrap_servers=servers)
    request = numbered_request(1)
    async with publisher_on(servers) as publisher:
        here, there = (KafkaOutbox(connection, publisher, PARTITIONS, SystemClock()) for _ in range(2))
        assert await here.last(request) is None
        seen = []
        for state in (DeliveryState.SENDING, DeliveryState.DELIVERED, DeliveryState.SENDING):
            await there.record(attempt_at(request, state))
            last = await here.last(request)
            seen.append(last and last.state)
    assert seen == [DeliveryState.SENDING, DeliveryState.DELIVERED, DeliveryState.DELIVERED]
    assert len(await everything_in(servers, OUTBOX)) == 3


def attempt_at(request: DeliverDocument, state: DeliveryState) -> OutboxAttempt:
    return OutboxAttempt(
        envelope=request.envelope,
        request_id=request.request_id,
        document_id=request.document_id,
        sink=request.sink,
        generation=1,
        attempt=1,
        state=state,
    )
