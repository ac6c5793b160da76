"""The same job as a batch agent: rows and offset in SQLite, outputs acknowledged before both are committed.

Arguments: servers, source topic, output topic, folder.
"""

import sqlite3
import sys
from pathlib import Path
from typing import cast

from aiokafka import ConsumerRecord

from bench.wire import Fields, enrich, minutes_of, read_entry, window_of, write_enriched
from streams.engine.app import EngineApp, EngineSettings, create_app, install_batch_agent
from streams.engine.batch import Batch
from streams.engine.publisher import Outgoing, Publisher
from streams.engine.worker import run_worker

TABLES = """
pragma journal_mode=wal; pragma synchronous=normal;
create table if not exists seen(id text primary key, revision integer) without rowid;
create table if not exists minutes(window text primary key, total integer) without rowid;
create table if not exists place(one integer primary key, next integer);
"""


class Keeper:
    """Dedupe by id, keep running minutes, publish the enriched records, commit."""

    def __init__(self, folder: Path, out: str, publisher: Publisher) -> None:
        self._folder = folder
        self._out = out
        self._publisher = publisher
        self._stores: dict[int, sqlite3.Connection] = {}

    async def assigned(self, partition: int, committed: int | None) -> int | None:
        """The store's offset counts."""
        store = sqlite3.connect(self._folder / f"rows-{partition}.sqlite", isolation_level=None)
        store.executescript(TABLES)
        self._stores[partition] = store
        row = store.execute("select next from place").fetchone()
        return int(row[0]) if row else None

    async def process(self, batch: Batch) -> None:
        """One transaction for the batch."""
        store = self._stores[batch.partition]
        store.execute("begin immediate")
        try:
            await self._publisher.publish([out for record in batch.records if (out := self._keep(store, record))])
            store.execute("insert or replace into place values (1, ?)", (batch.next_offset,))
        except BaseException:
            store.execute("rollback")
            raise
        store.execute("commit")

    def _keep(self, store: sqlite3.Connection, record: "ConsumerRecord[bytes | None, bytes | None]") -> Outgoing | None:
        entry = read_entry(record.value or b"")
        is_new = store.execute(
            "insert into seen values (?, ?) on conflict do update set revision = excluded.revision"
            " where excluded.revision > seen.revision",
            (entry["entry_id"], entry["source_revision"]),
        ).rowcount
        if not is_new:
            return None
        running = self._add_minutes(store, entry)
        key = cast(str, entry["entry_id"]).encode()
        return Outgoing(self._out, record.partition, key, write_enriched(enrich(entry, running)))

    def _add_minutes(self, store: sqlite3.Connection, entry: Fields) -> int:
        row = store.execute(
            "insert into minutes values (?, ?)"
            " on conflict do update set total = total + excluded.total returning total",
            (window_of(entry), minutes_of(entry)),
        ).fetchone()
        return int(row[0])

    async def revoked(self, partition: int) -> None:
        """Close the rows."""
        self._stores.pop(partition).close()


async def make(servers: str, source: str, out: str, folder: str) -> EngineApp:
    """The app of this process."""
    app = create_app(EngineSettings(f"batch-{out}", Path(folder), {"bootstrap_servers": servers}))
    install_batch_agent(app, "keep", source, Keeper(Path(folder), out, app.new_publisher()))
    return app


if __name__ == "__main__":
    sys.exit(run_worker(lambda: make(*sys.argv[1:5])))
