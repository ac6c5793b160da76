"""Chaos on three brokers and three workers: faults fall by a seed while entries flow, then all heals and is judged.

`python -m tests.chaos.full --entries 300000 --seed 1 --out FOLDER` prints one line and writes `chaos.json` and
`chaos.svg`; it ends with 1 when anything is lost, doubled or different, or the lag is not gone in time.
"""

import argparse
import asyncio
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from aiokafka.errors import KafkaError

from billstream.simulating.findings import Findings
from books.local import Follower
from books.stores.memory import MemoryStore
from books.version import FOLD_VERSION
from runtime.broker import BrokerOptions, EmbeddedCluster
from runtime.clock import SystemClock
from schemas.commands import CloseDocument
from schemas.outputs import DeadLetter
from schemas.values import Record
from streams.topics import ALERTS, DEAD_LETTERS, DOCUMENTS, JOURNAL, WORK
from tests.chaos.check import judge, judge_stores
from tests.chaos.destinations import JSON, LEDES, judge_sinks
from tests.chaos.faults import BROKER_KILLS, FULL, SHORT, WORKER_KILLS, Blow, Force, blows
from tests.chaos.firm import Plan, Size, plan
from tests.chaos.fleet import ROOT
from tests.chaos.report import written
from tests.chaos.siege import PARTITIONS, Band, Siege
from tests.chaos.watch import Watch

log = logging.getLogger(__name__)
CLOCK = SystemClock()
ENTRIES_EACH_PERSON = 1_250
ENTRIES_EACH_CLIENT = 5_000
CLOSES = 6
PORTION = 250
PORTION_SECONDS = 0.1
BEHIND_MAX = 20_000
"""The full run sends as a back-fill does: it pauses while more records than these wait."""
PROGRESS_SECONDS = 60.0
HEAL_SECONDS = 60.0
SETTLE_SECONDS = 600.0
SAMPLE_SECONDS = 2.0
BROKER_SECONDS = 300.0
SESSION_SECONDS = 12


@dataclass
class Outcome:
    """What a run left behind."""

    findings: Findings
    entries: int
    sent: int
    bands: Sequence[Band]
    stops: Counter[str]
    letters: int
    drafts: int
    files: int
    healed_seconds: float
    lag_gone_seconds: float
    seconds: float
    lags: Sequence[tuple[float, int]]
    latencies: Sequence[tuple[float, float]]
    disk_faults: bool
    lag_limit_seconds: float
    waits: list[float] = field(default_factory=list)

    @property
    def worker_kills(self) -> int:
        """How often a worker was killed."""
        return sum(band.kind in WORKER_KILLS for band in self.bands)

    @property
    def broker_kills(self) -> int:
        """How often a broker was killed."""
        return sum(band.kind in BROKER_KILLS for band in self.bands)

    @property
    def lag_at_healing(self) -> int | None:
        """The lag that was seen first after the faults had ended."""
        return next((lag for at, lag in self.lags if at >= self.healed_seconds), None)

    @property
    def line(self) -> str:
        """The line that is printed."""
        kills = f"worker kills {self.worker_kills} broker kills {self.broker_kills}"
        found = self.findings
        wrong = f"lost {len(found.lost)} doubled {len(found.doubled)} differing {len(found.differing)}"
        return f"entries {self.entries} {kills} {wrong} lag zero after {self.lag_gone_seconds:.0f} s"

    @property
    def passed(self) -> bool:
        """Nothing is wrong, and what was left to do was done in time."""
        return not self.findings.all() and self.lag_gone_seconds <= self.lag_limit_seconds


@dataclass
class Run:
    """A plan that is sent while blows fall."""

    siege: Siege
    made: Plan
    watch: Watch
    lag_limit_seconds: float
    is_paced: bool
    fallen: int = 0
    chunks_sent: int = 0
    waits: list[float] = field(default_factory=list)

    async def send(self, total: int) -> None:
        """Send the plan, never more of it than blows on workers have fallen of all; if paced, as the lag allows."""
        await self._surely(self.made.setup)
        for number, chunk in enumerate(self.made.chunks):
            while number > self.fallen * (len(self.made.chunks) - 1) / max(1, total):  # blows fall
                await CLOCK.sleep(PORTION_SECONDS)
            for start in range(0, len(chunk), PORTION):
                while self._is_behind():
                    await CLOCK.sleep(PORTION_SECONDS)
                await self._surely(chunk[start : start + PORTION])
                await CLOCK.sleep(PORTION_SECONDS)
            self.chunks_sent += 1

    def _is_behind(self) -> bool:
        lags = self.watch.lags
        return self.is_paced and bool(lags) and lags[-1][1] > BEHIND_MAX

    async def _surely(self, records: Sequence[Record]) -> None:
        """A connector's way: what is not known to have arrived is sent again."""
        while True:
            try:
                self.watch.sent(await self.siege.send(records))
            except (KafkaError, OSError, TimeoutError):
                await CLOCK.sleep(0.5)
            else:
                return

    async def strike_workers(self, row: Sequence[Blow], pauses: Random) -> None:
        """One blow after the other; each finds workers that have done something since the one before.

        If paced, no more of them fall than chunks were sent, so that blows are spread over all entries.
        """
        for blow in row:
            while self.is_paced and self.chunks_sent < self.fallen:
                await CLOCK.sleep(PORTION_SECONDS)
            await self._progress()
            await CLOCK.sleep(pauses.uniform(0, 2))
            await self.siege.strike(blow)
            self.fallen += 1

    async def _progress(self) -> None:
        """Until more is folded than now. With a broker down or a worker frozen that takes a while, but not for ever."""
        folded, began = self.watch.folded, time.monotonic()
        while self.watch.folded <= folded:
            if time.monotonic() - began > PROGRESS_SECONDS:
                break
            await CLOCK.sleep(0.2)
        self.waits.append(time.monotonic() - began)

    async def strike_brokers(self, row: Sequence[Blow], pauses: Random) -> None:
        """One blow after the other, as long as the others fall."""
        for blow in row:
            await CLOCK.sleep(pauses.uniform(1, 4))
            await self.siege.strike(blow)

    async def measure(self) -> None:
        """Ask for the lag now and then, until cancelled."""
        while True:
            await self.watch.ask()
            await CLOCK.sleep(SAMPLE_SECONDS)

    async def settle(self) -> float:
        """Seconds until nothing waits any more and every close is drafted; TimeoutError says what does."""
        closes = {one.command_id for chunk in self.made.chunks for one in chunk if isinstance(one, CloseDocument)}
        began = time.monotonic()
        while time.monotonic() - began < SETTLE_SECONDS:
            if await self.watch.ask() == 0 and closes <= self.watch.drafted:
                return time.monotonic() - began
            await CLOCK.sleep(0.5)
        lag = self.watch.lags[-1:] or "unknown"
        raise TimeoutError(f"lag {lag}, closes without a draft: {sorted(closes - self.watch.drafted)}")


async def chaos(entries: int, seed: int, force: Force, folder: Path, cache: Path) -> Outcome:
    """The whole run: build up, faults, healing, judgement."""
    random = Random(seed)
    on_workers, on_brokers = blows(force.on_workers(), random), blows(force.on_brokers(), random)
    chunks = len(on_workers) + 1
    clients, people = max(10, entries // ENTRIES_EACH_CLIENT), max(40, entries // ENTRIES_EACH_PERSON)
    made = plan(entries, chunks, seed, Size(people, clients, max(1, chunks // CLOSES), (JSON, LEDES)))
    cluster = EmbeddedCluster(
        folder / "cluster", cache=cache, through=True, options=BrokerOptions(start_timeout_seconds=BROKER_SECONDS)
    )
    siege = Siege(
        cluster.bootstrap_servers,
        folder,
        # The short form has no snapshots, so that stores that were torn are built from nothing.
        {"session_seconds": SESSION_SECONDS, "snapshots": str(folder / "snapshots") if force is FULL else ""},
        partitions=PARTITIONS,
        replication=3,
        cluster=cluster,
        random=random,
    )
    async with siege.running(), asyncio.TaskGroup() as watching:
        watch = Watch(siege.connection, PARTITIONS, siege.home)
        siege.began = watch.began
        # In the short form all entries come at once, so that most of the lag is load: it has to end, no more.
        is_full = force is FULL
        run = Run(siege, made, watch, HEAL_SECONDS if is_full else SETTLE_SECONDS, is_paced=is_full)
        follower, measurer = watching.create_task(watch.follow()), watching.create_task(run.measure())
        log.info("%5.0f s: it runs", watch.seconds)
        async with asyncio.TaskGroup() as trouble:
            trouble.create_task(run.send(len(on_workers)))
            trouble.create_task(run.strike_workers(on_workers, Random(seed + 1)))
            trouble.create_task(run.strike_brokers(on_brokers, Random(seed + 2)))
        measurer.cancel()
        await siege.heal()
        healed_seconds = watch.seconds
        gone_seconds = await run.settle()
        follower.cancel()
        return await judged(run, healed_seconds, gone_seconds)


async def judged(run: Run, healed_seconds: float, gone_seconds: float) -> Outcome:
    """Stop the workers, read what they left, and compare it with what must be."""
    siege, watch, made = run.siege, run.watch, run.made
    seconds = watch.seconds
    siege.hold()
    await siege.stop()
    journal = await siege.read(JOURNAL)
    work = [record for number in range(PARTITIONS) for _, record in await siege.read(WORK, partition=number)]
    letters = [record for _, record in await siege.read(DEAD_LETTERS) if isinstance(record, DeadLetter)]
    rebuild = MemoryStore(FOLD_VERSION)
    stores = judge_stores(siege.folder / "data", siege.home, journal, rebuild, siege.unused(), siege.torn)
    findings = judge(made, journal, await siege.read(DOCUMENTS), await siege.read(ALERTS), Follower(rebuild))
    findings.differing += stores
    findings.differing += [f"dead letter {letter.reason} of {letter.topic}" for letter in letters]
    files = judge_sinks(siege.folder / "sinks", work, [record for _, record in journal], findings)
    return Outcome(
        findings=findings,
        entries=made.entries,
        sent=made.sent,
        bands=siege.bands,
        stops=siege.stops,
        letters=len(letters),
        drafts=len(watch.drafted),
        files=files,
        healed_seconds=healed_seconds,
        lag_gone_seconds=gone_seconds,
        seconds=seconds,
        lags=watch.lags,
        latencies=watch.latencies,
        disk_faults=siege.disk_faults(),
        lag_limit_seconds=run.lag_limit_seconds,
        waits=run.waits,
    )


def main() -> int:
    """Run and print; 0 when nothing is wrong."""
    parser = argparse.ArgumentParser(prog="tests.chaos.full", description=__doc__)
    parser.add_argument("--entries", type=int, default=300_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--short", action="store_true", help="the blows of the short form")
    parser.add_argument("--out", type=Path, help="folder for chaos.json and chaos.svg")
    parser.add_argument("--keep", action="store_true", help="keep the folder of the run, and say where it is")
    parser.add_argument("--verbose", action="store_true", help="say what happens while it does")
    chosen = parser.parse_args()
    # Whoever ends us gets an installation that is taken down, not processes and mounts that nobody owns.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if chosen.verbose:
        logging.basicConfig(format="%(message)s", level=logging.WARNING)
        logging.getLogger("tests.chaos").setLevel(logging.INFO)
    folder = Path(tempfile.mkdtemp(prefix="billstream-chaos-"))
    cache = Path(os.environ.get("BILLSTREAM_CACHE") or ROOT / ".billstream" / "cache")
    try:
        outcome = asyncio.run(chaos(chosen.entries, chosen.seed, SHORT if chosen.short else FULL, folder, cache))
    finally:
        if chosen.keep:
            print(folder, file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    for finding in outcome.findings.all()[:20]:
        print(finding, file=sys.stderr)
    if chosen.out is not None:
        written(outcome, chosen.seed, chosen.out)
    print(outcome.line)
    return 0 if outcome.passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
