"""`python -m bench`: the comparison as JSON; see README.md beside this file."""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from bench.harness import ENGINE, ROOT, STOCK, Ground, Peer, compare, latency
from runtime.broker import EmbeddedBroker

WHAT = "Compare throughput and latency with stock Faust on one broker."


async def measure(options: argparse.Namespace) -> dict[str, object]:
    """Everything that was asked for."""
    peers = [STOCK, ENGINE, *(read_peer(Path(file)) for file in options.peer)]
    if options.only:
        peers = [peer for peer in peers if peer.name in options.only]
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedBroker(Path(folder) / "broker", cache=Path(options.cache)) as broker:
            ground = Ground(broker.bootstrap_servers)
            result = await compare(ground, peers, options.entries, options.rounds)
            if options.latency_seconds:
                result["latency_at_200_a_second"] = {
                    peer.name: await latency(ground, peer, 200, options.latency_seconds)
                    for peer in peers
                    if not peer.measures_itself
                }
    return result


def read_peer(file: Path) -> Peer:
    """A peer from its JSON file."""
    stated = json.loads(file.read_text(encoding="utf-8"))
    return Peer(
        stated["name"],
        tuple(stated["command"]),
        int(stated.get("records", 0)),
        measures_itself=bool(stated.get("measures_itself", False)),
    )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench", description=WHAT)
    parser.add_argument("--entries", type=int, default=60_000, help="distinct entries; five in a hundred come twice")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each peer")
    parser.add_argument("--latency-seconds", type=int, default=10, help="0 leaves latencies out")
    parser.add_argument("--peer", action="append", default=[], metavar="FILE", help="another peer, as JSON")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="only these; the first is the base")
    parser.add_argument("--cache", default=str(ROOT / ".billstream" / "cache"), help="where the broker's jars are kept")
    print(json.dumps(asyncio.run(measure(parser.parse_args())), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
