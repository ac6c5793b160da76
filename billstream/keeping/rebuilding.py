"""The command `rebuild`: all stores of this machine's workers beside their journals, partitions side by side."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from decimal import Decimal

from pydantic import ValidationError

from billstream.cli.exits import Exit
from billstream.cli.failure import CommandFailed
from billstream.cli.keeping_results import DifferingRow, RebuildResult, RebuiltStore
from billstream.cli.output import progress
from billstream.cli.running import collect_seldom
from billstream.cli.session import Session
from billstream.keeping.installation import FIRST_SLOT, StorePlace, running_broker, slots_held, store_path, stores_of
from billstream.keeping.rebuild import OnRead, Rebuilder, Rebuilt, readable
from billstream.project import open_project
from billstream.settings import Installation
from runtime.clock import SystemClock
from runtime.kafka import KafkaConnection, Span, spans
from runtime.kafka.reading import partition_reader
from streams.topics import JOURNAL

_MILLI = Decimal("0.001")
LONG_RECORDS = 20_000
"""From here on a journal is worth a process of its own, if there are several."""
Spans = Mapping[int, Span]


def run_rebuild(session: Session, partitions: Sequence[int], *, replace: bool) -> RebuildResult:
    """Fold journals anew and compare; with `replace` the new stores stay, which needs every worker here stopped.

    Raises InUse while a worker runs and stores are to be replaced.
    """
    collect_seldom()
    installation = open_project(session.project, session.environment)
    return asyncio.run(_rebuild(session, installation, frozenset(partitions), replace=replace))


async def _rebuild(
    session: Session, installation: Installation, wanted: frozenset[int], *, replace: bool
) -> RebuildResult:
    clock = SystemClock()
    async with running_broker(session, installation) as connection:
        bounds = {partition: span for (_, partition), span in (await spans(connection, [JOURNAL])).items()}
        places = _places(installation, bounds, wanted)
        began_seconds = clock.monotonic_seconds()
        long = {place.partition for place in places if bounds[place.partition].end >= LONG_RECORDS}
        apart = sorted(long) if len(long) > 1 else []
        found = await _in_processes(session, installation, apart, replace=replace)
        here = [place for place in places if place.partition not in apart]
        slots = sorted({place.slot for place in here})
        held = slots_held(installation.data_folder, slots) if replace else nullcontext()
        with held, progress(session, "Folding", "records") as advance:
            for place in here:
                found.append(_shown(await _one(connection, place, bounds[place.partition], replace, advance)))
        seconds = clock.monotonic_seconds() - began_seconds
    stores = sorted(found, key=lambda store: (store.partition, store.slot))
    return RebuildResult(stores=tuple(stores), seconds=Decimal(seconds).quantize(_MILLI))


def _places(installation: Installation, bounds: Spans, wanted: frozenset[int]) -> list[StorePlace]:
    """The stores to look at, and one for each journal that has none; CommandFailed when a wanted one is neither."""
    kept = stores_of(installation.data_folder)
    have = {place.partition for place in kept}
    kept += [
        StorePlace(FIRST_SLOT, partition, store_path(installation.data_folder, FIRST_SLOT, partition))
        for partition, span in bounds.items()
        if span.end > 0 and partition not in have
    ]
    places = [
        place for place in sorted(kept) if place.partition in bounds and (place.partition in wanted or not wanted)
    ]
    missing = wanted - {place.partition for place in places}
    if missing:
        said = f"There is no journal in partition {', '.join(map(str, sorted(missing)))}."
        raise CommandFailed("partition_unknown", said, "Leave --partition out to take all.", Exit.NOT_FOUND)
    return places


async def _one(connection: KafkaConnection, place: StorePlace, span: Span, replace: bool, on_read: OnRead) -> Rebuilt:
    async with partition_reader(connection) as reader:
        return await Rebuilder(reader, SystemClock(), replace, on_read).rebuild(place, span)


async def _in_processes(
    session: Session, installation: Installation, partitions: Sequence[int], *, replace: bool
) -> list[RebuiltStore]:
    """Long journals side by side, each in a process of its own, as many at once as there are processors."""
    free = asyncio.Semaphore(os.cpu_count() or 1)

    async def one(partition: int) -> tuple[RebuiltStore, ...]:
        command = [sys.executable, "-m", "billstream", "rebuild", "--json", "--partition", str(partition)]
        command += ["--project", str(installation.folder), *(["--replace"] if replace else [])]
        async with free:
            process = await asyncio.create_subprocess_exec(
                *command, env=dict(session.environment), stdout=asyncio.subprocess.PIPE
            )
            try:
                said, _ = await process.communicate()
            except BaseException:
                process.kill()
                raise
        return _stores_in(said, partition)

    return [store for found in await asyncio.gather(*map(one, partitions)) for store in found]


def _stores_in(said: bytes, partition: int) -> tuple[RebuiltStore, ...]:
    """What a process found, whatever it thinks of it: stores, or else why there are none."""
    with suppress(ValidationError):
        return RebuildResult.model_validate_json(said).stores
    try:
        why = str(json.loads(said)["message"])
    except (ValueError, KeyError, TypeError):
        why = "It gave no reason."
    message = f"The rebuild of partition {partition} ended early: {why}"
    raise CommandFailed("rebuild_failed", message, f"Run it alone: --partition {partition}.")


def _shown(one: Rebuilt) -> RebuiltStore:
    records = one.tally.records
    return RebuiltStore(
        partition=one.place.partition,
        slot=one.place.slot,
        file=str(one.place.path),
        verdict=one.verdict.value,
        offset=one.offset,
        rows=one.rows,
        digest=one.digest,
        stored_digest=one.stored_digest,
        records=records,
        unreadable=one.tally.unreadable,
        unapplied=one.tally.unapplied,
        seconds=Decimal(one.seconds).quantize(_MILLI),
        records_per_second=round(records / one.seconds) if one.seconds else 0,
        differences=tuple(
            DifferingRow(table=row.table, key=row.key, stored=readable(row.first), rebuilt=readable(row.second))
            for row in one.differences
        ),
        replaced=one.replaced,
    )
