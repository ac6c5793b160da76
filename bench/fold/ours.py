"""The fold job as a batch agent: the product's engine, store and shared transaction; see README.md for the job.

Arguments: servers, source topic, output topic, folder.
"""

import sys
from pathlib import Path
from typing import cast

import msgspec
from aiokafka import ConsumerRecord

from bench.fold.wire import Entry, hours_key, read_entry, week_of, write_hours
from books.effects import ChangedHours
from books.stores.port import Mark, Rows
from books.stores.sqlite import SqliteStore
from streams.agents.transaction import SharedTransaction
from streams.engine.app import EngineApp, EngineSettings, create_app, install_batch_agent
from streams.engine.batch import Batch, Settling
from streams.engine.publisher import Outgoing, Publisher
from streams.engine.worker import run_worker
from streams.tails import fingerprint

ENTRIES, HOURS = "entry", "hours"
VERSION = "bench"


class EntryRow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The version of an entry that counts."""

    source_revision: int
    week: str
    worked_seconds: int


_row = msgspec.msgpack.Encoder()
_entry_row = msgspec.msgpack.Decoder(EntryRow)
_total = msgspec.msgpack.Decoder(int)


def store_path(folder: Path, partition: int) -> Path:
    """The rows of a partition."""
    return folder / f"rows-{partition}.sqlite"


def read_total(value: bytes) -> int:
    """The seconds of a row of hours."""
    return _total.decode(value)


class Owned:
    """A partition of ours: rows and the transaction that batches share."""

    def __init__(self, path: Path) -> None:
        self.store = SqliteStore(path, VERSION)
        self.transaction = SharedTransaction(self.store, _no_hours_at_the_end, lambda: None)


async def _no_hours_at_the_end(_: ChangedHours, __: Rows) -> list[Settling]:
    return []  # This job puts each change out at once.


class FoldHandler:
    """Keeps the highest version of each entry and the running seconds; outputs first, then rows and offset as one."""

    def __init__(self, folder: Path, out: str, publisher: Publisher) -> None:
        self._folder = folder
        self._out = out
        self._publisher = publisher
        self._owned: dict[int, Owned] = {}

    async def assigned(self, partition: int, _: int | None) -> int | None:
        """The store's offset counts, whatever the group's is."""
        self._owned[partition] = owned = Owned(store_path(self._folder, partition))
        return owned.transaction.next_offset

    async def process(self, batch: Batch) -> Settling:
        """One batch inside the shared transaction, which is committed twice a second."""
        transaction = self._owned[batch.partition].transaction
        async with transaction.lock:
            if transaction.failure is not None:
                raise transaction.failure
            try:
                posted = await self._publisher.post(self._apply(transaction.begin(batch.next_offset), batch))
                transaction.wait_for(posted)
                transaction.extend(batch.next_offset, Mark(batch.last_offset, fingerprint(batch.records[-1])))
                await transaction.commit_when_due()
            except BaseException as error:
                transaction.roll_back(error)
                raise
            return posted

    def _apply(self, rows: Rows, batch: Batch) -> list[Outgoing]:
        entries = [
            read_entry(record.value or b"") for record in cast("list[ConsumerRecord[bytes, bytes]]", batch.records)
        ]
        rows.expect(ENTRIES, [entry[0] for entry in entries])
        outgoing: list[Outgoing] = []
        for entry in entries:
            self._fold(rows, batch.partition, entry, outgoing)
        return outgoing

    def _fold(self, rows: Rows, partition: int, entry: Entry, outgoing: list[Outgoing]) -> None:
        entry_id, revision, client, start, seconds = entry
        week, change = week_of(start), seconds
        stored = rows.get(ENTRIES, entry_id)
        if stored is not None:
            before = _entry_row.decode(stored)
            if before.source_revision >= revision:
                return
            if before.week == week:
                change -= before.worked_seconds
            else:
                self._add(rows, partition, outgoing, client, before.week, -before.worked_seconds, entry_id, revision)
        rows.put(ENTRIES, entry_id, _row.encode(EntryRow(revision, week, seconds)))
        self._add(rows, partition, outgoing, client, week, change, entry_id, revision)

    def _add(
        self,
        rows: Rows,
        partition: int,
        outgoing: list[Outgoing],
        client: str,
        week: str,
        change: int,
        entry_id: str,
        revision: int,
    ) -> None:
        key = hours_key(client, week)
        stored = rows.get(HOURS, key)
        total = change if stored is None else _total.decode(stored) + change
        rows.put(HOURS, key, _row.encode(total))
        outgoing.append(
            Outgoing(self._out, partition, key.encode(), write_hours(client, week, total, entry_id, revision))
        )

    async def revoked(self, partition: int) -> None:
        """Commit what is acknowledged and close the rows."""
        owned = self._owned.pop(partition)
        try:
            await owned.transaction.give_up()
        finally:
            owned.store.close()


async def make(servers: str, source: str, out: str, folder: str) -> EngineApp:
    """The app of this process."""
    app = create_app(EngineSettings(out, Path(folder), {"bootstrap_servers": servers}))
    install_batch_agent(app, "fold", source, FoldHandler(Path(folder), out, app.new_publisher()))
    return app


if __name__ == "__main__":
    sys.exit(run_worker(lambda: make(*sys.argv[1:5])))
