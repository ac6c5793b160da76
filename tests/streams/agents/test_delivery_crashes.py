"""The deliver agent in real processes on a real broker: kill -9 at each of its steps, with every request read again."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from runtime.broker import EmbeddedBroker
from runtime.clock import SystemClock
from runtime.kafka import KafkaConnection, ensure_topics
from schemas.codec import decode, encode
from schemas.envelope import Envelope
from schemas.inputs import DeliveryState, SinkReceipt
from schemas.outputs import OutboxAttempt
from schemas.values import Record
from schemas.work import DeliverDocument
from sinks.testing import example_draft
from streams.agents.outbox import KafkaOutbox
from streams.engine.publisher import Publisher
from streams.topics import DEAD_LETTERS, OUTBOX, RESULTS, WORK, topic_specs, work_partition

pytestmark = pytest.mark.broker

PARTITIONS = 2
DOCUMENTS = 4
PATIENCE_SECONDS = 60.0
STEPS = [
    "deliver_before_attempt",
    "deliver_after_attempt",
    "deliver_after_create",
    "deliver_before_settled",
    "deliver_after_settled",
    "deliver_after_receipt",
]
Spawn = Callable[[str, str], "subprocess.Popen[bytes]"]


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


def request_for(number: int) -> DeliverDocument:
    draft = example_draft(number=f"2026-{number}")
    document_id = f"{number:032x}"
    now = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
    return DeliverDocument(
        envelope=Envelope(
            event_id=f"asked-{number}", tenant="berg", book="main", origin="fold", recorded_at=now, producer="tests/1"
        ),
        request_id=f"deliver:{document_id}",
        document_id=document_id,
        sequence=1,
        revision=1,
        state=draft.state.value,
        number=draft.number,
        issued_at=draft.issued_at,
        sink="json_file",
        generation=1,
        content=draft.content,
        body=draft.body,
    )


async def ask(servers: str) -> None:
    """Publish the requests, each twice, as a fold does that restarts."""
    producer = AIOKafkaProducer(bootstrap_servers=servers, acks="all")
    await producer.start()
    try:
        for number in [*range(DOCUMENTS), *range(DOCUMENTS)]:
            request = request_for(number)
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
def spawn(servers: str, tmp_path: Path, repository_root: Path) -> Spawn:
    """Start a worker of its own group, so that it reads every request from the beginning."""

    def start(application_id: str, armed: str) -> "subprocess.Popen[bytes]":
        program = Path(__file__).with_name("programs") / "deliver_worker.py"
        environment = {**os.environ, "PYTHONPATH": str(repository_root), "BILLSTREAM_FAILPOINTS": armed}
        with (tmp_path / f"{application_id}.err").open("w") as errors:
            return subprocess.Popen(
                [sys.executable, str(program), servers, str(tmp_path), application_id], stderr=errors, env=environment
            )

    return start


async def test_kills_at_every_step_leave_one_file_and_one_receipt_a_document(
    servers: str, spawn: Spawn, tmp_path: Path
) -> None:
    """Each worker is killed at another step and each next one reads all requests again: nothing is lost or doubled."""
    await ask(servers)
    for step in STEPS:
        worker = spawn(step, f"{step}=kill")
        assert await asyncio.to_thread(worker.wait, PATIENCE_SECONDS) == -signal.SIGKILL, step
    last = spawn("last", "")
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            # The last group answers each of the twice-asked requests: that many receipts came after the kills.
            before = len(await receipts(servers))
            while len(await receipts(servers)) < before + DOCUMENTS or not await all_told(servers):
                await asyncio.to_thread(last.poll)
    finally:
        last.terminate()
        assert await asyncio.to_thread(last.wait, PATIENCE_SECONDS) == 0
    files = [path for path in (tmp_path / "drafts").rglob("*") if path.is_file()]
    told = await receipts(servers)
    assert len(files) == DOCUMENTS
    assert {str(path.relative_to(tmp_path / "drafts")) for path in files} == {receipt.location for receipt in told}
    assert {receipt.state for receipt in told} == {DeliveryState.DELIVERED}
    assert len({encode(receipt) for receipt in told}) == DOCUMENTS
    assert await everything_in(servers, DEAD_LETTERS) == []


async def all_told(servers: str) -> bool:
    return len({receipt.request_id for receipt in await receipts(servers)}) == DOCUMENTS


async def test_one_outbox_sees_at_once_what_another_wrote(servers: str) -> None:
    """A look reads up to the end of the topic at that moment, through rubbish and tombstones."""
    connection = KafkaConnection(bootstrap_servers=servers)
    request = request_for(1)
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
