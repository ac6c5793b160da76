"""The fold job in Quix Streams: state in RocksDB with a changelog, at least once; see README.md.

It runs in an environment of its own (`environment.py`). Arguments: servers, source topic, output topic, folder.
"""

import struct
import sys
from operator import itemgetter

from quixstreams import Application, State
from quixstreams.models import Deserializer, SerializationContext, Serializer

from bench.fold.wire import Entry, hours_key, read_entry, week_of, write_hours

ROW = struct.Struct(">qq")
TOTAL = struct.Struct(">q")
COMMIT_SECONDS = 1.0
Changed = tuple[str, bytes]


class EntryDeserializer(Deserializer):  # type: ignore[misc]  # not installed where types are checked
    """Entry versions in."""

    def __call__(self, value: bytes, ctx: SerializationContext) -> Entry:
        """What the job needs."""
        return read_entry(value)


class ChangedSerializer(Serializer):  # type: ignore[misc]  # as above
    """Totals out; their key is given beside them."""

    def __call__(self, value: Changed, ctx: SerializationContext) -> bytes:
        """The bytes, which are made already."""
        return value[1]


def fold(entry: Entry, state: State) -> list[Changed]:
    """The state is that of the record's key, the client."""
    entry_id, revision, client, start, seconds = entry
    week, change = week_of(start), seconds
    changed: list[Changed] = []
    stored = state.get_bytes(entry_id)
    if stored is not None:
        revision_before, seconds_before = ROW.unpack_from(stored)
        week_before = stored[ROW.size :].decode()
        if revision_before >= revision:
            return changed
        if week_before == week:
            change -= seconds_before
        else:
            changed.append(add(state, client, week_before, -seconds_before, entry_id, revision))
    state.set_bytes(entry_id, ROW.pack(revision, seconds) + week.encode())
    changed.append(add(state, client, week, change, entry_id, revision))
    return changed


def add(state: State, client: str, week: str, change: int, entry_id: str, revision: int) -> Changed:
    """Change a total; returns the record that says so."""
    stored = state.get_bytes(week)
    total: int = change if stored is None else TOTAL.unpack(stored)[0] + change
    state.set_bytes(week, TOTAL.pack(total))
    return hours_key(client, week), write_hours(client, week, total, entry_id, revision)


def main(servers: str, source: str, out: str, folder: str) -> None:
    """Run until told to stop."""
    app = Application(
        broker_address=servers,
        consumer_group=out,
        auto_offset_reset="earliest",
        processing_guarantee="at-least-once",
        commit_interval=COMMIT_SECONDS,
        state_dir=folder,
        loglevel="WARNING",
        producer_extra_config={
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": 20,
            "batch.size": 512 * 1024,
        },
        consumer_extra_config={
            "fetch.max.bytes": 32 * 1024 * 1024,
            "max.partition.fetch.bytes": 4 * 1024 * 1024,
        },
    )
    entries = app.topic(source, key_deserializer="str", value_deserializer=EntryDeserializer())
    hours = app.topic(out, key_serializer="str", value_serializer=ChangedSerializer())
    app.dataframe(entries).apply(fold, stateful=True, expand=True).to_topic(hours, key=itemgetter(0))
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:5])
