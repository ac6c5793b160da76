"""The benchmark runs and says what it should say; how fast anything is, is never a test's business."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import PARTS

pytestmark = pytest.mark.broker

PATIENCE_SECONDS = 600
PEERS = {
    "stock_faust",
    "stock_faust_same_topology",
    "batch_engine",
    "billstream_conveyor_two_processes",
    "billstream_all_roles",
}


def test_a_quick_run_says_all_that_a_long_one_says(repository_root: Path, broker_cache: Path) -> None:
    """One JSON with the machine, peers with their ratios, alert latencies and both previews.

    The part `peers` is left out: two of them would be downloaded; test_fold.py shows its parts.
    """
    parts = [word for part in PARTS if part != "peers" for word in ("--only", part)]
    command = [sys.executable, "-m", "bench", "--quick", "--cache", str(broker_cache), *parts]
    done = subprocess.run(
        command, cwd=repository_root, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {"cores", "load_average_at_start", "python", "kafka"} <= found["machine"].keys()
    throughput = found["throughput"]
    assert throughput["events_per_second"].keys() == PEERS
    assert throughput["runs"].keys() == PEERS
    assert all(figure > 0 for figure in throughput["events_per_second"].values()), throughput["events_per_second"]
    assert {"times_stock_faust", "times_stock_faust_same_topology"} <= throughput.keys()
    assert found["budget"]["product"]["sum_us"] > 0
    assert found["budget"]["libraries_alone"].keys() == {"read_us", "write_us", "batches_us", "rows_us", "sum_us"}
    assert found["alert_latency"].keys() == {"two_processes"}
    for latencies in found["alert_latency"].values():
        assert {"alerts", "p50_milliseconds", "p99_milliseconds", "most_milliseconds"} <= latencies.keys()
    assert found["preview"].keys() == {"on_a_store", "command_without_broker"}
    assert found["preview"]["on_a_store"]["lines"] > 0
    measured = [*found["rating"]["many_clients"], found["rating"]["one_client"]]
    assert all(one["entries_per_second"] > 0 and one["lines"] > 0 for one in measured)
    followed = found["rating"]["incremental_preview"]
    assert all({"last_ms", "first_ms", "whole_ms", "bodies"} <= one.keys() for one in followed.values())
    assert found["paper"].keys() == {"lines", "pdf_legal", "pdf_agency", "ledes"}
    assert found["paper"]["pdf_legal"]["median_seconds"] > 0
