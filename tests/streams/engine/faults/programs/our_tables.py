"""The engine, with the agent and the slow broker of `tables.py`, and a batch agent whose commits tell the time."""

import asyncio
import json
import logging
import sys
from pathlib import Path

from streams.engine.app import EngineApp, EngineSettings, create_app, install_batch_agent
from streams.engine.batch import Batch
from streams.engine.guard import GuardedAgent, RawRecord, install_guarded_agent
from streams.engine.publisher import Outgoing
from streams.engine.worker import run_worker
from tests.streams.engine.faults.programs.refusing import take_only
from tests.streams.engine.faults.programs.stock import Options, given, say


class Ticking:
    """Takes its records for done."""

    async def assigned(self, partition: int, committed: int | None) -> int | None:
        """Where the group stands."""
        return committed

    async def process(self, batch: Batch) -> None:
        """Nothing."""

    async def revoked(self, partition: int) -> None:
        """Nothing."""


async def make(options: Options) -> EngineApp:
    """The app of this process."""
    app = create_app(
        EngineSettings(
            application_id=options.group,
            data_folder=Path(options.folder) / f"faust-{options.name}",
            client_arguments={"bootstrap_servers": options.servers},
            session_limit_seconds=6,
            heartbeat_interval_seconds=1,
            instance_id=Path(options.folder).name,
            commit_interval_milliseconds=round(options.commit_seconds * 1000),
        )
    )
    table = app.Table("sums", default=str, partitions=2, key_type=str, value_type=str)
    install_batch_agent(app, "ticks", options.first, Ticking())
    slowed = not options.requests

    async def fill(record: RawRecord) -> None:
        nonlocal slowed
        if not slowed:
            slowed = True
            slow_down(app, options.requests)
        for number in range(options.rows):
            table[str(number)] = "x" * int(record.value or b"0")
        say(event="filled")

    def dead_letter(record: RawRecord, error: Exception) -> Outgoing:
        raise AssertionError(json.dumps({"offset": record.offset, "error": repr(error)}))

    install_guarded_agent(app, GuardedAgent("fills", options.source, fill, dead_letter, app.new_publisher()))
    return app


def slow_down(app: EngineApp, requests: int) -> None:
    """The first rows go when a commit flushes."""
    flush, asked = app.producer.flush, asyncio.Event()

    async def flush_and_say() -> None:
        asked.set()
        await flush()

    app.producer.flush = flush_and_say
    take_only(app.producer._producer, requests, asked)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    sys.exit(run_worker(lambda: make(given())))
