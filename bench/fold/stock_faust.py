"""The fold job in stock Faust: one event at a time, two tables with changelogs, at least once; see README.md.

Arguments: servers, source topic, output topic, folder.
"""

import struct
import sys
from typing import cast

import faust
from faust.serializers import codecs

from bench.fold.entries import PARTITIONS
from bench.fold.wire import Entry, hours_key, read_entry, week_of, write_hours

ROW = struct.Struct(">qq")
TOTAL = struct.Struct(">q")


class EntryCodec(codecs.Codec):  # type: ignore[misc]  # Faust carries no types
    """Entry versions in."""

    def _loads(self, s: bytes) -> Entry:
        return read_entry(s)


def make_app(servers: str, source: str, out: str, folder: str) -> faust.App:
    """Tables of bytes, because Faust's JSON costs more."""
    app = faust.App(
        out,
        broker=[f"kafka://{address}" for address in servers.split(",")],
        processing_guarantee="at_least_once",
        store="memory://",
        datadir=folder,
        topic_partitions=PARTITIONS,
        broker_commit_interval=1.0,
        producer_acks=-1,
        producer_linger=0.005,
        producer_max_batch_size=256 * 1024,
        web_enabled=False,
    )
    entries = app.topic(source, key_type=bytes, value_serializer=EntryCodec())
    hours = app.topic(out, key_type=bytes, value_type=bytes, value_serializer="raw")
    known = app.Table("entries", key_type=bytes, value_type=bytes, partitions=PARTITIONS)
    totals = app.Table("totals", key_type=bytes, value_type=bytes, partitions=PARTITIONS)

    async def add(client: str, week: str, change: int, entry_id: str, revision: int) -> None:
        key = hours_key(client, week).encode()
        stored = totals.get(key)
        total = change if stored is None else cast(int, TOTAL.unpack(stored)[0]) + change
        totals[key] = TOTAL.pack(total)
        await hours.send(key=key, value=write_hours(client, week, total, entry_id, revision))

    @app.agent(entries, name="fold")
    async def fold(stream: faust.StreamT[Entry]) -> None:
        async for entry in stream:
            entry_id, revision, client, start, seconds = entry
            week, change = week_of(start), seconds
            stored = known.get(entry_id.encode())
            if stored is not None:
                revision_before, seconds_before = ROW.unpack_from(stored)
                week_before = stored[ROW.size :].decode()
                if revision_before >= revision:
                    continue
                if week_before == week:
                    change -= seconds_before
                else:
                    await add(client, week_before, -seconds_before, entry_id, revision)
            known[entry_id.encode()] = ROW.pack(revision, seconds) + week.encode()
            await add(client, week, change, entry_id, revision)

    return app


if __name__ == "__main__":
    application = make_app(*sys.argv[1:5])
    sys.argv = ["faust", "-l", "error", "-L", "uvloop", "worker", "--without-web"]
    application.main()
