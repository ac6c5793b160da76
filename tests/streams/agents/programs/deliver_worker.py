"""A worker process with the `deliver` agent and a JSON sink: SERVERS FOLDER APPLICATION_ID; failpoints from outside."""

import os
import sys
from pathlib import Path

from runtime import failpoints
from runtime.clock import SystemClock
from runtime.kafka import KafkaConnection
from sinks.json_file import JsonFileSettings, JsonFileSink
from streams.agents import deliver
from streams.engine.app import EngineApp, EngineSettings, create_app
from streams.engine.worker import run_worker

PARTITIONS = 2


async def make_app() -> EngineApp:
    """The app as the front door would make it."""
    servers, folder, application_id = sys.argv[1:]
    connection = KafkaConnection(bootstrap_servers=servers)
    app = create_app(
        EngineSettings(
            application_id=application_id,
            data_folder=Path(folder) / application_id,
            client_arguments=connection.client_arguments(),
        )
    )
    deliver.install(
        app,
        connection,
        app.new_publisher(),
        {"json_file": JsonFileSink(JsonFileSettings(folder=Path(folder) / "drafts"))},
        deliver.DeliverSettings(tenant="berg", book="main", partitions=PARTITIONS),
        SystemClock(),
    )
    return app


if __name__ == "__main__":
    failpoints.arm_from(os.environ)
    sys.exit(run_worker(make_app))
