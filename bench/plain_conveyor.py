"""The product's two steps in stock Faust, as its manual shows it: one event at a time, tables, at least once.

The first agent checks an entry and appends it to a journal, the second keeps a table of entries and one of running
hours and sends a request for work and the new total. No names, roles, caps or duplicates: less than the product does.
Arguments: servers, source topic, output topic, folder.
"""

import sys
from typing import cast

import faust

from bench.entries import PARTITIONS
from bench.plain_faust import EntryCodec
from bench.wire import Fields, enrich, minutes_of, window_of


def make_app(servers: str, source: str, out: str, folder: str) -> faust.App:
    """Two agents with a journal between them."""
    app = faust.App(
        out,
        broker=[f"kafka://{address}" for address in servers.split(",")],
        processing_guarantee="at_least_once",
        store="memory://",
        datadir=folder,
        topic_partitions=PARTITIONS,
        web_enabled=False,
    )
    codec = EntryCodec()
    entries = app.topic(source, key_type=bytes, value_serializer=codec)
    journal = app.topic(f"{out}-journal", key_type=bytes, value_serializer="raw")
    applied = app.topic(f"{out}-journal", key_type=bytes, value_serializer=codec)
    work = app.topic(out, key_type=bytes, value_serializer=codec)
    hours = app.topic(f"{out}-hours", key_type=bytes, value_serializer=codec)
    known = app.Table("entries", default=None, partitions=PARTITIONS)
    minutes = app.Table("minutes", default=int, partitions=PARTITIONS)

    @app.agent(entries, name="sequence")
    async def sequence(stream: faust.StreamT[Fields]) -> None:
        async for event in stream.events():
            assert event.value["worked_seconds"] >= 0
            await journal.send(key=event.key, value=event.message.value)

    @app.agent(applied, name="fold")
    async def fold(stream: faust.StreamT[Fields]) -> None:
        async for entry in stream:
            entry_id = cast(str, entry["entry_id"])
            before = known.get(entry_id)
            if before is not None and before["source_revision"] >= entry["source_revision"]:
                continue
            known[entry_id] = {
                name: entry[name]
                for name in ("source_revision", "content", "person_ref", "client_ref", "description", "worked_seconds")
            }
            window = window_of(entry)
            minutes[window] += minutes_of(entry)
            total = enrich(entry, minutes[window])
            await hours.send(key=window.encode(), value=total)
            await work.send(key=entry_id.encode(), value=total)

    return app


if __name__ == "__main__":
    application = make_app(*sys.argv[1:5])
    sys.argv = ["faust", "-l", "error", "worker", "--without-web"]
    application.main()
