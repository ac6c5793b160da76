"""Where the processor time of an entry goes in the fold's process: the fold, and beneath it the libraries alone.

`python -m bench.budget [entries]` prints JSON, microseconds of one core for each entry. The libraries read, write and
keep the very bytes and rows of the product and do nothing else: no names, hashes, duplicates, hours or caps. Their sum
is the least that any fold of these records on these libraries costs, whatever its own code does.
"""

import gc
import io
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import fastavro
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from fastavro.types import Schema

from bench.firm import contracts, directory, entry
from bench.rating import COLLECT_THRESHOLDS
from books.effects import Effects, hours_records
from books.fold import Fold
from books.stores.port import Rows
from books.stores.sqlite import SqliteStore
from books.version import FOLD_VERSION
from schemas.codec import decode, encode
from schemas.entry import EntryVersion
from schemas.outputs import HoursTotal
from schemas.values import Record
from schemas.work import DecideEntry

TRANSACTION = 2_000
"""Entries that share a commit: half a second's work of a busy worker."""
READ_TOGETHER = 250
FRAME_BYTES = 5
BATCH_BYTES = 262_144
Row = tuple[str, str, bytes]


class Noted:
    """Rows that note what is put into them; what one transaction puts twice is written once."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.put_rows: dict[tuple[str, str], bytes] = {}
        self.get, self.expect, self.scan, self.delete = rows.get, rows.expect, rows.scan, rows.delete

    def put(self, table: str, key: str, value: bytes) -> None:
        """See `Rows`."""
        self.put_rows[table, key] = value
        self._rows.put(table, key, value)


@dataclass(slots=True)
class Spent:
    """Processor seconds by part."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def on(self, part: str) -> Iterator[None]:
        """Count the time inside."""
        began = time.process_time()
        yield
        self.seconds[part] = self.seconds.get(part, 0.0) + time.process_time() - began

    def of_each(self, entries: int) -> dict[str, float]:
        """Microseconds for each entry, and their sum."""
        found = {f"{part}_us": round(1e6 * spent / entries, 1) for part, spent in self.seconds.items()}
        return {**found, "sum_us": round(1e6 * sum(self.seconds.values()) / entries, 1)}


@dataclass(slots=True)
class Caused:
    """What the product made of the entries: the rows of each transaction, and the framed records it sends."""

    rows: list[list[Row]] = field(default_factory=list)
    sent: list[tuple[type[Record], bytes]] = field(default_factory=list)


def product(values: Sequence[bytes], folder: Path) -> tuple[dict[str, float], Caused]:
    """The fold of framed entries, without Kafka."""
    store, fold = SqliteStore(folder / "product.sqlite", FOLD_VERSION), Fold()
    caused, spent = Caused(), Spent()
    with closing(store):
        _fold(store, fold, [encode(one) for one in (directory(), *contracts())], Caused(), Spent())
        for first in range(0, len(values), TRANSACTION):
            _fold(store, fold, values[first : first + TRANSACTION], caused, spent)
    return spent.of_each(len(values)), caused


def _fold(store: SqliteStore, fold: Fold, values: Sequence[bytes], caused: Caused, spent: Spent) -> None:
    """One transaction."""
    offset = store.position.next_offset
    effects = Effects()
    transaction = store.transaction(offset, offset + len(values))
    noted = Noted(transaction.__enter__())
    for first in range(0, len(values), READ_TOGETHER):
        with spent.on("read"):
            records = [decode(value) for value in values[first : first + READ_TOGETHER]]
        with spent.on("apply"):
            fold.expect(noted, records)
            for record in records:
                fold.apply(noted, offset, record, effects)
                offset += 1
    with spent.on("hours"):
        totals = [value for _, _, value in hours_records(effects.hours, noted)]
    with spent.on("commit"):
        transaction.__exit__(None, None, None)
    caused.rows.append([(table, key, value) for (table, key), value in noted.put_rows.items()])
    caused.sent += [(DecideEntry, framed.value) for framed in effects.work]
    caused.sent += [(HoursTotal, value) for value in totals]


def libraries(values: Sequence[bytes], caused: Caused, folder: Path) -> dict[str, float]:
    """The same bytes and rows, read, written and kept by the libraries alone."""
    spent = Spent()
    reading = _schema(EntryVersion)
    bodies = [io.BytesIO(value[FRAME_BYTES:]) for value in values]
    with spent.on("read"):
        for body in bodies:
            fastavro.schemaless_reader(body, reading, None)
    made = [(schema := _schema(kind), _fields(schema, value)) for kind, value in caused.sent]
    with spent.on("write"):
        for schema, fields in made:
            fastavro.schemaless_writer(io.BytesIO(), schema, fields)
    with spent.on("batches"):
        fetched = _batches(values)
        _batches([value for _, value in caused.sent])
        for batch in fetched:
            assert list(DefaultRecordBatch(batch)), "a batch has records"
    with closing(sqlite3.connect(folder / "plain.sqlite", isolation_level=None)) as database:
        database.executescript(
            "pragma journal_mode = wal; pragma synchronous = normal; pragma cache_size = -65536;"
            " pragma wal_autocheckpoint = 16384;"
            " create table row (kind text not null, key text not null, value blob not null, primary key (kind, key))"
        )
        with spent.on("rows"):
            for rows in caused.rows:
                database.execute("begin immediate")
                database.executemany("insert or replace into row values (?, ?, ?)", sorted(rows))
                database.execute("commit")
    return spent.of_each(len(values))


def _schema(kind: type[Record]) -> Schema:
    text = (Path(__file__).resolve().parent.parent / "schemas" / "avsc" / f"{kind.schema_name}.avsc").read_text()
    return fastavro.parse_schema(json.loads(text))


def _fields(schema: Schema, value: bytes) -> object:
    return fastavro.schemaless_reader(io.BytesIO(value[FRAME_BYTES:]), schema, None)


def _batches(values: Sequence[bytes]) -> list[bytes]:
    """Record batches as aiokafka makes them, without compression."""
    found: list[bytes] = []
    builder = None
    number = 0
    for value in values:
        if builder is None or builder.append(number, 1, b"key", value, []) is None:
            if builder is not None:
                found.append(bytes(builder.build()))
            builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, BATCH_BYTES)
            number = 0
            builder.append(number, 1, b"key", value, [])
        number += 1
    if builder is not None:
        found.append(bytes(builder.build()))
    return found


def budget(entries: int) -> dict[str, object]:
    """Both, one after the other in one process."""
    values = [encode(entry(number)) for number in range(entries)]
    gc.freeze()
    gc.set_threshold(*COLLECT_THRESHOLDS)
    with tempfile.TemporaryDirectory() as name:
        ours, caused = product(values, Path(name))
        alone = libraries(values, caused, Path(name))
    return {
        "entries": entries,
        "product": ours,
        "libraries_alone": alone,
        "libraries_entries_per_second": round(1e6 / alone["sum_us"]),
    }


if __name__ == "__main__":
    print(json.dumps(budget(int(sys.argv[1]) if len(sys.argv) > 1 else 40_000), indent=2))
