"""What a run of chaos leaves for readers: its counts as JSON, its picture, and the part of the page that says both."""

import json
import os
import platform
import subprocess
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.fleet import ROOT
from tests.chaos.timeline import draw

if TYPE_CHECKING:
    from tests.chaos.full import Outcome

BEGIN, END = "<!-- run: written by tests.chaos.full -->", "<!-- end of run -->"


def counts(outcome: "Outcome", seed: int) -> dict[str, object]:
    """Everything that a reader may want to compare with another run."""
    ages = sorted(age for _, age in outcome.latencies)
    fell = Counter(band.kind.value for band in outcome.bands)
    return {
        "revision": revision(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count() or 0,
        "load_average_at_end": [round(load, 1) for load in os.getloadavg()],
        "platform": platform.platform(terse=True),
        "seed": seed,
        "entries": outcome.entries,
        "versions_sent": outcome.sent,
        "worker_kills": outcome.worker_kills,
        "broker_kills": outcome.broker_kills,
        "faults": dict(sorted(fell.items())),
        "disk": "small file systems in memory" if outcome.disk_faults else "not tried: none could be mounted",
        "torn": dict(sorted(Counter(band.how for band in outcome.bands if band.kind.name == "TEAR_STORE").items())),
        "workers_that_stopped_by_themselves": sum(outcome.stops.values()),
        "why_they_stopped": dict(sorted(outcome.stops.items())),
        "lost": len(outcome.findings.lost),
        "doubled": len(outcome.findings.doubled),
        "differing": len(outcome.findings.differing),
        "documents_drafted": outcome.drafts,
        "files_delivered": outcome.files,
        "minutes_of_faults": round(outcome.healed_seconds / 60, 1),
        "lag_at_healing": outcome.lag_at_healing,
        "lag_zero_after_seconds": round(outcome.lag_gone_seconds, 1),
        "longest_wait_for_progress_seconds": round(max(outcome.waits, default=0), 1),
        "latency_seconds": {
            name: round(ages[min(len(ages) - 1, int(len(ages) * share))], 2)
            for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))
            if ages
        },
        "passed": outcome.passed,
    }


def revision() -> str:
    """The commit that ran, marked when the tree held something else."""
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude", "*"],  # whichever git there is
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() or "unknown"


def written(outcome: "Outcome", seed: int, folder: Path) -> None:
    """Write `chaos.json` and `chaos.svg`; where a page `chaos.md` has a place for the run, that is written anew."""
    folder.mkdir(parents=True, exist_ok=True)
    found = counts(outcome, seed)
    (folder / "chaos.json").write_text(json.dumps(found, indent=1) + "\n")
    title = f"{outcome.line} (seed {seed}, {found['revision']})"
    picture = draw(
        outcome.lags, outcome.latencies, outcome.bands, outcome.healed_seconds, outcome.lag_gone_seconds, title
    )
    (folder / "chaos.svg").write_text(picture)
    page = folder / "chaos.md"
    if page.exists() and BEGIN in (text := page.read_text()):
        before, _, rest = text.partition(BEGIN)
        after = rest.partition(END)[2]
        page.write_text(f"{before}{BEGIN}\n{_said(found, outcome.line)}{END}{after}")


def _said(found: dict[str, object], line: str) -> str:
    rows = "".join(f"| {name.replace('_', ' ')} | {_cell(value)} |\n" for name, value in found.items())
    return f"```text\n{line}\n```\n\n| | |\n|---|---|\n{rows}"


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {one}" for name, one in value.items())
    return str(value)
