"""`python -m bench`: all figures as one JSON; see README.md beside this file."""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import alerting, demo, paper, pipeline, previewing, rating
from bench.entries import rows
from bench.fold import comparing, plot
from bench.harness import CONVEYOR, ENGINE, ROOT, STOCK, Ground, Peer, throughput
from bench.machine import machine_facts
from runtime.broker import EmbeddedBroker

WHAT = "Measure throughput beside other engines, alert latency, previews, rating, paper; one JSON on standard output."
PRODUCT = {
    "billstream_conveyor": pipeline.ONE_PROCESS,
    "billstream_conveyor_two_processes": pipeline.TWO_PROCESSES,
    "billstream_all_roles": pipeline.ALL_ROLES,
}
PARTS = ("throughput", "budget", "peers", "alerts", "preview", "rating", "paper")
PACE_PER_SECOND = 200


@dataclass(frozen=True)
class Amounts:
    """How much is measured. Stock Faust gets fewer entries, for its rate does not depend on how many there are.

    `product` are the ways in which our own worker's throughput is measured, `alerts` those for alerts.
    """

    entries: int
    entries_of_stock: int
    rounds: int
    latency_seconds: int
    preview_entries: int
    csv_rows: int
    paper_lines: int
    product: Sequence[str]
    alerts: Sequence[str]


FULL = Amounts(40_000, 10_000, 3, 30, 10_000, 1_000_000, 300, tuple(PRODUCT), tuple(alerting.WORKERS))
# Starting a worker is what takes time here, so of the ways that differ in processes alone one is shown.
QUICK = Amounts(3_000, 1_500, 1, 3, 1_000, 20_000, 30, tuple(PRODUCT)[1:], ("two_processes",))


async def throughputs(cache: Path, amounts: Amounts, peers: list[Peer]) -> dict[str, object]:
    """All peers and the product, in turns; ratios are of medians."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in (*(peer.name for peer in peers), *amounts.product)}
    for _ in range(amounts.rounds):
        with tempfile.TemporaryDirectory() as folder:
            async with EmbeddedBroker(Path(folder) / "broker", cache=cache) as broker:
                ground = Ground(broker.bootstrap_servers)
                for peer in peers:
                    slow = peer in (STOCK, CONVEYOR)
                    distinct = amounts.entries_of_stock if slow else amounts.entries
                    source = await ground.topic("entries")
                    await ground.fill(source, rows(distinct))
                    _note(runs, peer.name, await throughput(ground, peer, source, distinct))
        for name in amounts.product:
            _note(runs, name, await pipeline.throughput(cache, amounts.entries, PRODUCT[name]))
    medians = {name: statistics.median(run["events_per_second"] for run in found) for name, found in runs.items()}
    return {
        "entries": amounts.entries,
        "entries_of_stock_faust": amounts.entries_of_stock,
        "events_per_second": medians,
        "times_stock_faust": _times(medians, STOCK.name),
        "times_stock_faust_same_topology": _times(medians, CONVEYOR.name),
        "runs": runs,
    }


def _note(runs: dict[str, list[dict[str, float]]], name: str, run: dict[str, float]) -> None:
    runs[name].append(run)
    print(f"{name}: {run['events_per_second']:.0f}/s", file=sys.stderr)


def _times(medians: dict[str, float], base: str) -> dict[str, float]:
    return {name: round(median / medians[base], 2) for name, median in medians.items()} if medians.get(base) else {}


def csv_figures(rows_: int) -> dict[str, object]:
    """The reading of a large export, in a process of its own because its peak memory is measured."""
    return _in_a_process("bench.csv_million", "--rows", str(rows_))


def _in_a_process(module: str, *words: str) -> dict[str, object]:
    done = subprocess.run([sys.executable, "-m", module, *words], cwd=ROOT, capture_output=True, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def read_peer(file: Path) -> Peer:
    """A peer from its JSON file."""
    stated = json.loads(file.read_text(encoding="utf-8"))
    return Peer(
        stated["name"],
        tuple(stated["command"]),
        int(stated.get("records", 0)),
        measures_itself=bool(stated.get("measures_itself", False)),
    )


def measure(options: argparse.Namespace) -> dict[str, object]:
    """Everything that was asked for."""
    amounts = QUICK if options.quick else FULL
    cache = Path(options.cache)
    parts = options.only or list(PARTS)
    machine = machine_facts()
    result: dict[str, object] = {"machine": machine, "quick": options.quick}
    if "throughput" in parts:
        peers = [STOCK, CONVEYOR, ENGINE, *(read_peer(Path(file)) for file in options.peer)]
        result["throughput"] = asyncio.run(throughputs(cache, amounts, peers))
    if "budget" in parts:
        result["budget"] = _in_a_process("bench.budget", str(amounts.entries))
    if "peers" in parts:
        amounts_of_peers = comparing.QUICK if options.quick else comparing.FULL
        result["peers"] = peers_found = asyncio.run(comparing.compare(cache, amounts_of_peers))
        if options.plot:
            Path(options.plot).write_text(plot.drawn(peers_found, machine), encoding="utf-8")
    if "alerts" in parts:
        result["alert_latency"] = {
            name: asyncio.run(
                alerting.alert_latency(cache, PACE_PER_SECOND, amounts.latency_seconds, alerting.WORKERS[name])
            )
            for name in amounts.alerts
        }
    if "preview" in parts:
        result["preview"] = {
            "on_a_store": previewing.preview_seconds(amounts.preview_entries),
            "command_without_broker": previewing.command_seconds(amounts.preview_entries),
        }
    if "rating" in parts:
        result["rating"] = rating.figures(quick=options.quick)
    if "paper" in parts:
        result["paper"] = paper.paper_seconds(amounts.paper_lines)
    if options.with_demo:
        result["demo"] = demo.demo_figures()
    if options.with_csv:
        result["csv"] = csv_figures(amounts.csv_rows)
    return result


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench", description=WHAT)
    parser.add_argument("--quick", action="store_true", help="small amounts: shows that all parts work")
    parser.add_argument("--only", action="append", default=[], choices=list(PARTS))
    parser.add_argument("--with-demo", action="store_true", help="also the demo: wall time and memory of all processes")
    parser.add_argument("--with-csv", action="store_true", help="also the reading of a million rows")
    parser.add_argument("--peer", action="append", default=[], metavar="FILE", help="another peer, as JSON")
    parser.add_argument("--plot", metavar="FILE", help="draw what the part `peers` found, as SVG")
    parser.add_argument("--cache", default=str(ROOT / ".billstream" / "cache"), help="where the broker's jars are kept")
    print(json.dumps(measure(parser.parse_args()), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
