"""The product's throughput: entries from `time-entries` to rows in the store, Avro on both sides, with one worker.

`python -m bench.pipeline [entries [role ...]]` prints JSON.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.entries import rows
from bench.product import REVISIONS, ROOT, Product, product

LIMIT_SECONDS = 900.0
LOOK_SECONDS = 0.05
CONVEYOR = ("sequence", "fold")
ALL_ROLES: tuple[str, ...] = ()


async def throughput(cache: Path, distinct: int, roles: Sequence[str]) -> dict[str, float]:
    """One run: entries a second from the first rows seen in the store to the last.

    With all roles an entry counts when its decision is in the rows too.
    """
    written = [(key, value) for _, key, value in rows(distinct)]
    async with product(cache) as installation:
        await installation.set_up()
        await installation.fill(written)
        began = time.monotonic()
        with installation.worker(roles) as worker:
            first_at, first, last_at = await _watch(installation, distinct, len(written), roles, worker)
    return {
        "events_per_second": round((distinct - first) / (last_at - first_at)) if last_at > first_at else 0,
        "start_seconds": round(first_at - began, 2),
    }


async def _watch(
    installation: Product, distinct: int, written: int, roles: Sequence[str], worker: "subprocess.Popen[bytes]"
) -> tuple[float, int, float]:
    """(when entries were first seen in the store, how many, when all were there)."""
    decides = not roles or "slow" in roles
    wanted = REVISIONS + written + (distinct if decides else 0)
    deadline = time.monotonic() + LIMIT_SECONDS
    first_at, first = 0.0, 0
    while True:
        offset, now = installation.next_offset, time.monotonic()
        if offset > REVISIONS and not first_at:
            # A decision follows its entry, so at this moment next to none is there.
            first_at, first = now, 0 if decides else installation.count("entry")
        if (
            offset >= wanted
            and installation.count("entry") >= distinct
            and not (decides and installation.count("open_work"))
        ):
            return first_at, first, now
        if worker.poll() is not None or now > deadline:
            raise SystemExit(f"offset {offset} of {wanted}, exit code {worker.poll()}")
        await asyncio.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    cache_folder = Path(os.environ.get("BILLSTREAM_CACHE") or ROOT / ".billstream" / "cache")
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else 40_000
    print(json.dumps(asyncio.run(throughput(cache_folder, entries, sys.argv[2:]))))
