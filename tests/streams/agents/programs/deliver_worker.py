"""A worker process with the `deliver` agent, a JSON sink, and one that hangs: SERVERS FOLDER APPLICATION_ID PORT.

Failpoints come from outside, and so does the word that lets the hanging sink go on.
"""

import asyncio
import os
import sys
from pathlib import Path

from runtime import failpoints
from runtime.clock import SystemClock
from runtime.kafka import KafkaConnection
from sinks.base import DraftKey, DraftToSend, Receipt, SeenDraft, SinkSpec
from sinks.json_file import JsonFileSettings, JsonFileSink
from streams.agents import deliver
from streams.engine.app import EngineApp, EngineSettings, create_app
from streams.engine.worker import run_worker

PARTITIONS = 2
REVOKE_LIMIT_SECONDS = 1


class HeldSink:
    """Writes a document once whoever listens at a port has answered; until then it hangs."""

    spec = SinkSpec(name="held", create_deadline_seconds=600, settle_seconds=0)

    def __init__(self, folder: Path, port: int) -> None:
        self._inner = JsonFileSink(JsonFileSettings(folder=folder))
        self._port = port

    async def find(self, draft: DraftToSend, key: DraftKey) -> Receipt | None:
        """See `DraftSink`."""
        return await self._inner.find(draft, key)

    async def create(self, draft: DraftToSend, key: DraftKey) -> Receipt:
        """See `DraftSink`."""
        answers, words = await asyncio.open_connection("127.0.0.1", self._port)
        words.write(f"{key.document_id}\n".encode())
        await answers.readline()
        words.close()
        return await self._inner.create(draft, key)

    async def read_back(self, receipt: Receipt) -> SeenDraft:
        """See `DraftSink`."""
        return await self._inner.read_back(receipt)


async def make_app() -> EngineApp:
    """The app as the front door would make it."""
    servers, folder, application_id, port = sys.argv[1:]
    connection = KafkaConnection(bootstrap_servers=servers)
    app = create_app(
        EngineSettings(
            application_id=application_id,
            data_folder=Path(folder) / application_id,
            client_arguments=connection.client_arguments(),
            revoke_limit_seconds=REVOKE_LIMIT_SECONDS,
        )
    )
    deliver.install(
        app,
        connection,
        app.new_publisher(),
        {
            "json_file": JsonFileSink(JsonFileSettings(folder=Path(folder) / "drafts")),
            "held": HeldSink(Path(folder) / "held", int(port)),
        },
        deliver.DeliverSettings(tenant="berg", book="main", partitions=PARTITIONS),
        SystemClock(),
    )
    return app


if __name__ == "__main__":
    failpoints.arm_from(os.environ)
    sys.exit(run_worker(make_app))
