"""Writes the dashboard *Pipeline*: `python ops/grafana/board.py` prints it, `--write` puts it into its file.

At most five graphs in view and five lines a graph; every graph has a unit, a sentence and a zero line. A test keeps the
file in step with this one and refuses a metric that Billstream does not export.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FILE = Path(__file__).parent / "boards" / "pipeline.json"
SOURCE = {"type": "prometheus", "uid": "prometheus"}
Json = str | int | bool | None | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True)
class Line:
    """One query and the name of its line."""

    query: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """One graph or one number; width in Grafana's 24 columns."""

    title: str
    sentence: str
    unit: str
    lines: tuple[Line, ...]
    kind: Literal["timeseries", "stat"] = "timeseries"
    width: int = 12
    red_from: int | None = None


FIRST_ROW = (
    Panel(
        "Unexplained seconds",
        "Seconds of work in no bucket, or in two. Anything but 0 stops that client's documents.",
        "s",
        (Line("max(abs(billstream_conservation_difference))", ""),),
        "stat",
        6,
        1,
    ),
    Panel(
        "Open dead letters",
        "Records that could not be read or applied and that nobody has settled: `billstream dead-letters list`.",
        "short",
        (Line("sum(billstream_dead_letters_pending)", ""),),
        "stat",
        6,
        1,
    ),
    Panel(
        "Behind by",
        "How old the oldest record is that a worker has not applied yet.",
        "s",
        (Line("max(billstream_consumer_lag_seconds)", ""),),
        "stat",
        6,
        900,
    ),
    Panel(
        "Highest cap in use",
        "Use of the cap nearest to its limit; 1 is full.",
        "percentunit",
        (Line("max(billstream_cap_used_ratio_max)", ""),),
        "stat",
        6,
        1,
    ),
)
GRAPHS = (
    Panel(
        "Entries received",
        "Accepted by connectors, before duplicates are seen.",
        "cps",
        (Line("sum by (source) (rate(billstream_entries_received_total[5m]))", "{{source}}"),),
    ),
    Panel(
        "Time to apply an entry",
        "In 99 of 100 batches a record is through this stage within so many seconds.",
        "s",
        (
            Line(
                "histogram_quantile(0.99, sum by (le, stage) (rate(billstream_entry_processing_seconds_bucket[5m])))",
                "{{stage}}",
            ),
        ),
    ),
    Panel(
        "Records behind",
        "Records of each topic that no worker has applied yet.",
        "short",
        (Line("sum by (topic) (billstream_consumer_lag_records)", "{{topic}}"),),
    ),
    Panel(
        "Alerts and dead letters",
        "Cap alerts by kind, and records put aside.",
        "cps",
        (
            Line("sum by (kind) (rate(billstream_cap_alerts_total[5m]))", "cap {{kind}}"),
            Line("sum(rate(billstream_dead_letters_total[5m]))", "dead letters"),
        ),
    ),
)


def panel_json(number: int, panel: Panel, column: int, row: int) -> Json:
    """One panel as Grafana reads it."""
    steps: list[Json] = [{"color": "green", "value": None}]
    if panel.red_from is not None:
        steps.append({"color": "red", "value": panel.red_from})
    defaults: dict[str, Json] = {"unit": panel.unit, "min": 0, "thresholds": {"mode": "absolute", "steps": steps}}
    targets: list[Json] = [
        {"refId": "ABCDE"[i], "expr": line.query, "legendFormat": line.legend, "datasource": dict(SOURCE)}
        for i, line in enumerate(panel.lines)
    ]
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.sentence,
        "datasource": dict(SOURCE),
        "gridPos": {"x": column, "y": row, "w": panel.width, "h": 5 if panel.kind == "stat" else 8},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "targets": targets,
    }


def board() -> Json:
    """The whole dashboard: the promises first, the graphs below, two a row."""
    numbers = [panel_json(i + 1, panel, 6 * i, 0) for i, panel in enumerate(FIRST_ROW)]
    graphs = [panel_json(i + 11, panel, 12 * (i % 2), 5 + 8 * (i // 2)) for i, panel in enumerate(GRAPHS)]
    return {
        "uid": "billstream-pipeline",
        "title": "Pipeline",
        "description": "For whoever is on call: are entries applied, is anything put aside, does every second add up?",
        "tags": ["billstream"],
        "timezone": "utc",
        "schemaVersion": 41,
        "version": 1,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "panels": [*numbers, *graphs],
    }


def board_text() -> str:
    """The file's content."""
    return json.dumps(board(), indent=2) + "\n"


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        FILE.write_text(board_text())
    else:
        sys.stdout.write(board_text())
