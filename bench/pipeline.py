"""The product's throughput: entries from `time-entries` to rows in the store, Avro on both sides, with one worker.

`python -m bench.pipeline [entries [roles ...]]` prints JSON; each word of roles (`sequence,fold`) is a process.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.entries import rows
from bench.product import REVISIONS, ROOT, Product, product

LIMIT_SECONDS = 900.0
LOOK_SECONDS = 0.02
Processes = Sequence[Sequence[str]]
"""The roles of each process of a worker; no role means all of them."""
ONE_PROCESS: Processes = (("sequence", "fold"),)
TWO_PROCESSES: Processes = (("sequence",), ("fold",))
ALL_ROLES: Processes = ((),)


async def throughput(cache: Path, distinct: int, processes: Processes) -> dict[str, float]:
    """One run: entries a second from the first rows seen in the store to the last.

    With all roles an entry counts when its decision is in the rows too.
    """
    roles = {role for process in processes for role in process}
    decides = not roles or "slow" in roles
    written = [(key, value) for _, key, value in rows(distinct)]
    async with product(cache) as installation:
        await installation.set_up()
        await installation.fill(written)
        began = time.monotonic()
        with ExitStack() as stack:
            workers = [stack.enter_context(installation.worker(process)) for process in processes]
            first_at, first, last_at = await _watch(installation, distinct, len(written), workers, decides=decides)
    return {
        "events_per_second": round((distinct - first) / (last_at - first_at)),
        "start_seconds": round(first_at - began, 2),
    }


async def _watch(
    installation: Product, distinct: int, written: int, workers: Sequence["subprocess.Popen[bytes]"], *, decides: bool
) -> tuple[float, int, float]:
    """(when entries were first seen in the store, how many, when all were there).

    When the first look finds them all, they count from the look before, at which there was none.
    """
    wanted = REVISIONS + written + (distinct if decides else 0)
    deadline = time.monotonic() + LIMIT_SECONDS
    first_at, first, looked_at = 0.0, 0, time.monotonic()
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
            return (first_at, first, now) if first < distinct and now > first_at else (looked_at, 0, now)
        if any(worker.poll() is not None for worker in workers) or now > deadline:
            raise SystemExit(f"offset {offset} of {wanted}, exit codes {[worker.poll() for worker in workers]}")
        looked_at = now
        await asyncio.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    cache_folder = Path(os.environ.get("BILLSTREAM_CACHE") or ROOT / ".billstream" / "cache")
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else 40_000
    chosen = [word.split(",") for word in sys.argv[2:]] or ALL_ROLES
    print(json.dumps(asyncio.run(throughput(cache_folder, entries, chosen))))
