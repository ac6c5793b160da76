"""The producer of Faust's own records: what its flush may say (the rest is proven in tests/streams/engine/faults)."""

import asyncio
from pathlib import Path

import pytest
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.structs import RecordMetadata

from streams.engine.app import EngineSettings, create_app
from streams.engine.errors import PublishUnknown
from streams.engine.transport import CountingBuffer


async def test_a_flush_that_met_a_refusal_never_succeeds(tmp_path: Path) -> None:
    """The worker is about to stop because of it, and the commit that waits for this flush must not be quicker."""
    app = create_app(EngineSettings("app", tmp_path, {"bootstrap_servers": "127.0.0.1:1"}))
    producer = app.producer
    producer.buffer = CountingBuffer()  # as its start does, for which it needs a broker
    producer.buffer.app = app
    refused: asyncio.Future[RecordMetadata] = asyncio.get_running_loop().create_future()
    producer._unacknowledged.add(refused)
    refused.add_done_callback(producer._settle)
    refused.set_exception(MessageSizeTooLargeError())
    for _ in range(2):
        with pytest.raises(PublishUnknown, match="acknowledge"):
            await producer.flush()
