"""The demo as a person sees it: its wall time, and the most memory that all of its processes held at once."""

import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from bench.product import ROOT

LIMIT_SECONDS = 300.0
LOOK_SECONDS = 0.2
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PARENT_FIELD = 1
_RESIDENT_FIELD = 1


def demo_figures() -> dict[str, object]:
    """Run `billstream demo` in an empty folder on this checkout's cache."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "billstream", "demo", "--json", "--folder", str(Path(folder) / "demo")]
        environment = {"BILLSTREAM_CACHE": str(ROOT / ".billstream" / "cache"), **os.environ}
        began = time.monotonic()
        with subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as demo:
            most = 0
            while demo.poll() is None:
                most = max(most, sum(map(resident_bytes, tree(demo.pid))))
                if time.monotonic() - began > LIMIT_SECONDS:
                    demo.terminate()
                time.sleep(LOOK_SECONDS)
        seconds = round(time.monotonic() - began, 1)
    return {"seconds": seconds, "exit_code": demo.returncode, "peak_resident_mib": most >> 20}


def tree(root: int) -> set[int]:
    """A process and all that came from it, by the kernel's list; shared pages are counted for each of them."""
    children: dict[int, list[int]] = defaultdict(list)
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = path.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        children[int(after_name[_PARENT_FIELD])].append(int(path.parent.name))
    found, waiting = {root}, [root]
    while waiting:
        for child in children[waiting.pop()]:
            found.add(child)
            waiting.append(child)
    return found


def resident_bytes(process: int) -> int:
    """What a process holds in memory; 0 once it is gone."""
    try:
        fields = Path(f"/proc/{process}/statm").read_text(encoding="utf-8").split()
    except OSError:
        return 0
    return int(fields[_RESIDENT_FIELD]) * _PAGE_BYTES
