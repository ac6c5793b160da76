"""What a figure was measured on: a figure without its machine says nothing."""

import importlib.metadata
import os
import platform
from datetime import UTC, datetime

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
