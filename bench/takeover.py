"""How soon a worker without a store has a partition going: from a snapshot and the journal's tail, and from offset 0.

`python -m bench.takeover [entries]` prints JSON. A worker folds the entries and leaves a snapshot; a tail follows; then
one worker after the other starts in a new folder.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.entries import rows
from bench.product import REVISIONS, ROOT, SNAPSHOT_RECORDS, Product, product

LIMIT_SECONDS = 1_800.0
LOOK_SECONDS = 0.02
TAIL_ENTRIES = 1_000


async def takeover(cache: Path, entries: int) -> dict[str, object]:
    """Seconds from the start of a process to rows at the journal's end, both ways, and how many rows there are."""
    written = [(key, value) for _, key, value in rows(entries + TAIL_ENTRIES)]
    async with product(cache) as installation:
        await installation.set_up()
        await installation.fill(written[:-TAIL_ENTRIES])
        end = REVISIONS + len(written) - TAIL_ENTRIES
        snapshots = installation.folder.with_name("snapshots")
        with installation.worker(["sequence", "fold"], snapshots) as worker:
            await until(worker, lambda: installation.next_offset >= end)
            await until(worker, lambda: _newest(snapshots) > end - SNAPSHOT_RECORDS)
            await installation.fill(written[-TAIL_ENTRIES:])
            end += TAIL_ENTRIES
            await until(worker, lambda: installation.next_offset >= end)
        return {
            "entries": entries,
            "rows": installation.read("SELECT count(*) FROM row"),
            "snapshot_bytes": max(file.stat().st_size for file in snapshots.rglob("*.sqlite")),
            "from_a_snapshot_seconds": await _start(installation, "heir", end, snapshots),
            "from_the_beginning_seconds": await _start(installation, "orphan", end, None),
        }


async def _start(installation: Product, folder: str, end: int, snapshots: Path | None) -> float:
    elsewhere = Product(installation.servers, installation.folder.with_name(folder))
    began = time.monotonic()
    with elsewhere.worker(["fold"], snapshots) as worker:
        await until(worker, lambda: elsewhere.next_offset >= end)
        return round(time.monotonic() - began, 2)


def _newest(snapshots: Path) -> int:
    return max((int(file.name.split("-")[0]) for file in snapshots.rglob("*-v*.sqlite")), default=0)


async def until(worker: "subprocess.Popen[bytes]", reached: Callable[[], bool]) -> None:
    """Wait for a worker to get somewhere; SystemExit when it ended or takes too long."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not reached():
        if worker.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"the worker did not get there; its exit code is {worker.poll()}")
        await asyncio.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    cache_folder = Path(os.environ.get("BILLSTREAM_CACHE") or ROOT / ".billstream" / "cache")
    print(json.dumps(asyncio.run(takeover(cache_folder, int(sys.argv[1]) if len(sys.argv) > 1 else 200_000))))
