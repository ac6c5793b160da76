"""What a figure was measured on: a figure without its machine says nothing."""

import importlib.metadata
import os
import platform
import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from runtime.broker.pin import COORDINATES

PACKAGES = ("faust-streaming", "aiokafka", "fastavro", "pydantic", "uvloop")


def machine_facts() -> dict[str, object]:
    """Cores, load and versions, as of now."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count() or 0,
        "load_average_at_start": [round(load, 2) for load in os.getloadavg()],
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "kafka": COORDINATES[0].rpartition(":")[2],
        "packages": {package: importlib.metadata.version(package) for package in PACKAGES},
    }


def plain_loop_milliseconds() -> float:
    """What a fixed loop of plain Python takes now: cores that are shared with others are not always as fast."""
    began = time.process_time()
    counts: dict[int, int] = {}
    for number in range(300_000):
        counts[number & 1023] = counts.get(number & 1023, 0) + number % 7
    return round(1000 * (time.process_time() - began), 1)


def peak_resident_mib() -> int:
    """The most that this process held in memory, in MiB.

    Linux carries `ru_maxrss` of the process that started this one over into it, so the kernel's own mark is read there.
    """
    status = Path("/proc/self/status")
    if status.exists():
        mark = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM:"))
        return int(mark.split()[1]) >> 10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak >> (20 if sys.platform == "darwin" else 10)
