"""A worker process for the proofs: dedupe in SQLite, two outputs for each record, then rows and offset together.

Its arguments are one JSON object: see `Options`. It prints one line of JSON for each thing a test waits for.
"""

import asyncio
import json
import logging
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from streams.engine.app import EngineApp, EngineSettings, create_app, install_batch_agent
from streams.engine.batch import Batch, Settling
from streams.engine.guard import GuardedAgent, RawRecord, install_guarded_agent
from streams.engine.publisher import Outgoing, Publisher
from streams.engine.worker import run_worker


@dataclass(frozen=True)
class Options:
    """Names are topics; at a record of that value `fail_at` raises, `hang_at` and `block_at` wait for the file `go`."""

    servers: str
    folder: str
    name: str
    group: str
    source: str
    first: str
    second: str
    stored: bool = True
    fail_at: str = ""
    hang_at: str = ""
    block_at: str = ""
    pause_seconds: float = 0.0
    table_source: str = ""
    table_out: str = ""
    dead_letters: str = ""
    session_limit_seconds: int = 6
    records_max: int = 5_000
    instance_id: str = ""


def say(**what: object) -> None:
    """One line for the test to read."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class DedupeHandler:
    """The trivial fold: keep the first of each id, tell both topics, remember the offset in the same transaction."""

    def __init__(self, app: EngineApp, options: Options, publisher: Publisher) -> None:
        self._app = app
        self._options = options
        self._publisher = publisher
        self._stores: dict[int, sqlite3.Connection] = {}
        self._turn = 0

    async def assigned(self, partition: int, committed: int | None) -> int | None:
        """Open the partition's store; its offset counts, if it is to be kept."""
        self._turn += 1
        file = Path(self._options.folder) / f"{self._options.group}-{partition}.sqlite"
        store = sqlite3.connect(file, isolation_level=None)
        store.executescript(
            "pragma journal_mode=wal; pragma synchronous=off;"
            "create table if not exists seen(id blob primary key) without rowid;"
            "create table if not exists place(one integer primary key, next integer);"
        )
        self._stores[partition] = store
        row = store.execute("select next from place").fetchone()
        start = row[0] if row and self._options.stored else None
        recovered = bool(self._app.tables.recovery.completed.is_set())
        say(event="assigned", partition=partition, committed=committed, start=start, recovered=recovered)
        return start

    async def process(self, batch: Batch) -> Settling | None:
        """With a store one transaction for the batch, which ends when the outputs are acknowledged; else the next
        batch may begin before that.
        """
        settling: Settling | None = None
        store = self._stores[batch.partition]
        with transaction(store) if self._options.stored else nullcontext():
            fresh = []
            for record in batch.records:
                value = record.value or b""
                await self._misbehave(value)
                if (
                    not self._options.stored
                    or store.execute("insert or ignore into seen values (?)", (record.key,)).rowcount
                ):
                    fresh.append(record)
            place = batch.partition
            mark = (("worker", f"{self._options.name}#{self._turn}".encode()),)
            outputs = [Outgoing(self._options.first, place, r.key, r.value or b"", mark) for r in fresh]
            outputs += [Outgoing(self._options.second, place, r.key, b"done", mark) for r in fresh]
            settling = await self._publisher.post(outputs)
            if self._options.stored:
                await settling
            await pause(self._options.pause_seconds)
            if self._options.stored:
                store.execute("insert or replace into place values (1, ?)", (batch.next_offset,))
        say(
            event="batch", partition=place, first=batch.first_offset, next=batch.next_offset, records=len(batch.records)
        )
        return settling

    async def _misbehave(self, value: bytes) -> None:
        text = value[:64].decode("latin-1")
        if self._options.fail_at and text == self._options.fail_at:
            raise ValueError(text)
        if self._options.hang_at and text == self._options.hang_at:
            say(event="hanging")
            await wait_for_file(Path(self._options.folder) / "go")
        if self._options.block_at and text == self._options.block_at:
            say(event="hanging")
            block_until(Path(self._options.folder) / "go")

    async def revoked(self, partition: int) -> None:
        """Close the store."""
        say(event="revoked", partition=partition)
        self._stores.pop(partition).close()


def block_until(file: Path) -> None:
    """Nothing else runs meanwhile, so this is the first to run when a stopped process wakes up."""
    while not file.exists():
        time.sleep(0.001)


async def pause(seconds: float) -> None:
    """A handler that takes its time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:  # noqa: ASYNC110  # taking time is what is tried here
        await asyncio.sleep(0.005)


async def tell_stopping(app: EngineApp) -> None:
    """Say so when the app was told to stop and has begun to."""
    while not app.should_stop:  # noqa: ASYNC110  # Faust has no event for it
        await asyncio.sleep(0.02)
    say(event="stopping")


async def wait_for_file(file: Path) -> None:
    """Until the test says go on."""
    while not file.exists():  # noqa: ASYNC110, ASYNC240  # nothing tells us of a file but looking
        await asyncio.sleep(0.01)


@contextmanager
def transaction(store: sqlite3.Connection) -> Iterator[None]:
    """Commit when all went well, roll back on anything else, a cancellation too."""
    store.execute("begin immediate")
    try:
        yield
    except BaseException:
        store.execute("rollback")
        raise
    store.execute("commit")


def install_table_agent(app: EngineApp, options: Options, publisher: Publisher) -> None:
    """An ordinary agent with a table, beside the batch agents."""
    table = app.Table("sums", default=int, partitions=2, key_type=str, value_type=int)

    async def add(record: RawRecord) -> None:
        text = (record.value or b"").decode()
        say(event="handling", text=text)
        if options.hang_at and text == options.hang_at:
            await wait_for_file(Path(options.folder) / "go")
        if options.block_at and text == options.block_at:
            block_until(Path(options.folder) / "go")
        person, minutes = text.split("=")
        total = table[person] + int(minutes)
        table[person] = total
        out = Outgoing(options.table_out, record.partition, person.encode(), str(total).encode())
        await publisher.publish([out])

    def dead_letter(record: RawRecord, error: Exception) -> Outgoing:
        reason = f"{record.topic}/{record.partition}/{record.offset} {error!r}".encode()
        return Outgoing(options.dead_letters, 0, record.key, record.value or b"", (("reason", reason),))

    install_guarded_agent(app, GuardedAgent("sums", options.table_source, add, dead_letter, publisher))


async def make(options: Options) -> EngineApp:
    """The app of this process."""
    app = create_app(
        EngineSettings(
            application_id=options.group,
            data_folder=Path(options.folder) / f"faust-{options.name}",
            client_arguments={"bootstrap_servers": options.servers},
            session_limit_seconds=options.session_limit_seconds,
            heartbeat_interval_seconds=1,
            commit_interval_milliseconds=200,
            batch_records_max=options.records_max,
            instance_id=options.instance_id,
        )
    )
    app.add_future(tell_stopping(app))
    publisher = app.new_publisher()
    if options.source:  # a test may want the ordinary agent alone
        install_batch_agent(app, "dedupe", options.source, DedupeHandler(app, options, publisher))
    if options.table_source:
        install_table_agent(app, options, publisher)
    return app


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    chosen = Options(**json.loads(sys.argv[1]))
    code = run_worker(lambda: make(chosen))
    say(event="exit", code=code)
    sys.exit(code)
