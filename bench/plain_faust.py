"""The job in stock Faust, as its manual shows it: one event at a time, two tables, at least once, memory store.

Arguments: servers, source topic, output topic, folder.
"""

import sys
from typing import cast

import faust
from faust.serializers import codecs

from bench.entries import PARTITIONS
from bench.wire import Fields, enrich, minutes_of, read_entry, window_of, write_enriched


class EntryCodec(codecs.Codec):  # type: ignore[misc]  # Faust carries no types
    """Entry versions in, enriched records out."""

    def _dumps(self, obj: Fields) -> bytes:
        return write_enriched(obj)

    def _loads(self, s: bytes) -> Fields:
        return read_entry(s)


def make_app(servers: str, source: str, out: str, folder: str) -> faust.App:
    """Dedupe by id, keep running minutes, send the enriched record."""
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
    enriched = app.topic(out, key_type=bytes, value_serializer=codec)
    seen = app.Table("seen", default=int, partitions=PARTITIONS)
    minutes = app.Table("minutes", default=int, partitions=PARTITIONS)

    @app.agent(entries, name="enrich")
    async def keep(stream: faust.StreamT[Fields]) -> None:
        async for entry in stream:
            entry_id = cast(str, entry["entry_id"])
            revision = cast(int, entry["source_revision"])
            if seen[entry_id] >= revision:
                continue
            seen[entry_id] = revision
            window = window_of(entry)
            minutes[window] += minutes_of(entry)
            await enriched.send(key=entry_id.encode(), value=enrich(entry, minutes[window]))

    return app


if __name__ == "__main__":
    application = make_app(*sys.argv[1:5])
    sys.argv = ["faust", "-l", "error", "worker", "--without-web"]
    application.main()
