"""An installation of three brokers and three workers, and what can be done to it: each fault begins, lasts and ends."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import assert_never

from runtime.broker import EmbeddedBroker, EmbeddedCluster
from runtime.clock import SystemClock
from tests.chaos.disks import SmallDisk, tear
from tests.chaos.ends import last_word
from tests.chaos.faults import NODES, Blow, Kind
from tests.chaos.fleet import Fleet

CLOCK = SystemClock()
PARTITIONS = 6
SUPERVISED_SECONDS = 0.5
log = logging.getLogger(__name__)
DISK_NUMBER = 3
"""The worker and the broker that have a small disk each."""


@dataclass(frozen=True)
class Band:
    """A fault as it happened, in seconds since the beginning."""

    kind: Kind
    target: int
    begin_seconds: float
    end_seconds: float
    how: str = ""

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return self.end_seconds - self.begin_seconds


@dataclass
class Siege(Fleet):
    """Three workers with data folders of their own, on a cluster behind proxies."""

    cluster: EmbeddedCluster | None = None
    random: Random = field(default_factory=Random)
    began: float = field(default_factory=time.monotonic)
    bands: list[Band] = field(default_factory=list)
    stops: Counter[str] = field(default_factory=Counter)
    torn: dict[Path, tuple[float, ...]] = field(default_factory=dict)
    _down: set[int] = field(default_factory=set)
    _proxies: "subprocess.Popen[str] | None" = None
    _disks: dict[str, SmallDisk] = field(default_factory=dict)

    @property
    def nodes(self) -> tuple[EmbeddedBroker, ...]:
        """The brokers."""
        assert self.cluster is not None, "a siege needs a cluster"
        return self.cluster.nodes

    def options_of(self, number: int) -> Mapping[str, object]:
        """Each worker has a host of its own: its folder, its clock. The sinks are folders that all of them see."""
        folder = self._host(number)
        folder.mkdir(parents=True, exist_ok=True)
        clock = self.folder / f"clock-{number}"
        if not clock.exists():
            clock.write_text("0")
        told = {"folder": folder, "clock": clock, "sinks": self.folder / "sinks", "end": self._end(number)}
        return {**{name: str(path) for name, path in told.items()}, **self.options}

    def _end(self, number: int) -> Path:
        """Where a worker says why it ended; not on its own disk, which may be full."""
        return self.folder / f"end-{number}"

    def _host(self, number: int) -> Path:
        return self.folder / "data" / f"host-{number}"

    def _store(self, number: int) -> Path:
        """A worker's store of the journal."""
        return self._host(number) / "workers" / "01" / "books" / f"{self.home:04d}.sqlite"

    def _keeper(self, otherwise: int) -> int:
        """The worker that wrote to its store last: a torn store that nobody uses shows little."""
        written = {
            log.stat().st_mtime: number
            for number in self.workers
            if (log := self._store(number).with_name(f"{self._store(number).name}-wal")).exists()
        }
        return written[max(written)] if written else otherwise

    def disk_faults(self) -> bool:
        """Whether disks can be made small here."""
        return bool(self._disks) and all(disk.mounted for disk in self._disks.values())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """From nothing to workers that start; nothing is left behind at the end but files."""
        self._disks = {
            "broker": SmallDisk(self.nodes[DISK_NUMBER - 1].folder / "records"),
            "worker": SmallDisk(self._host(DISK_NUMBER)),
        }
        for disk in self._disks.values():
            disk.mount()
        supervisor: asyncio.Task[None] | None = None
        try:
            self._start_proxies()
            assert self.cluster is not None, "a siege needs a cluster"
            await self.cluster.start()
            await self.begin(range(1, NODES + 1))
            supervisor = asyncio.create_task(self._supervise())
            yield
        finally:
            if supervisor is not None:
                supervisor.cancel()
            self.end()
            assert self.cluster is not None, "a siege needs a cluster"
            await self.cluster.kill()
            if self._proxies is not None:
                self._proxies.kill()
                self._proxies.wait()
            for disk in self._disks.values():
                disk.unmount()

    def _start_proxies(self) -> None:
        assert self.cluster is not None, "a siege needs a cluster"
        pairs = zip(self.cluster.advertised_ports, self.cluster.broker_ports, strict=True)
        program = Path(__file__).with_name("programs") / "proxies.py"
        self._proxies = subprocess.Popen(
            [sys.executable, str(program), *(f"{listening}:{target}" for listening, target in pairs)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._proxies.stdout is not None, "it was asked for"
        assert self._proxies.stdout.readline() == "ready\n", "the proxies did not start"

    def _way(self, word: str, number: int) -> None:
        assert self._proxies is not None, "no proxies"
        assert self._proxies.stdin is not None, "it was asked for"
        self._proxies.stdin.write(f"{word} {number}\n")
        self._proxies.stdin.flush()

    async def _supervise(self) -> None:
        while True:
            self.revive()
            await CLOCK.sleep(SUPERVISED_SECONDS)

    def hold(self) -> None:
        """Whoever ends from now on stays down."""
        self._down |= set(self.workers)

    def revive(self) -> None:
        """Start again what died by itself, as a supervisor does; what we hold down stays down."""
        for number, worker in list(self.workers.items()):
            if number not in self._down and worker.poll() is not None:
                self.stops[last_word(self._end(number), worker.returncode)] += 1
                self.start(number)

    async def strike(self, blow: Blow) -> None:
        """One blow from its beginning to its end, written down as a band."""
        begin, number, how = time.monotonic() - self.began, blow.target, ""
        match blow.kind:
            case Kind.KILL_WORKER | Kind.TEAR_STORE:
                number = self._keeper(number) if blow.kind is Kind.TEAR_STORE else number
                how = await self._kill_worker(number, blow)
            case Kind.FREEZE_WORKER:
                await self.freeze(number, blow.seconds)
            case Kind.JUMP_CLOCK:
                (self.folder / f"clock-{number}").write_text(str(int(blow.seconds)))
                how = f"{blow.seconds:+.0f} s"
            case Kind.KILL_BROKER:
                await self._kill_broker(number, blow.seconds)
            case Kind.KILL_CONTROLLER:
                assert self.cluster is not None, "a siege needs a cluster"
                number = self.cluster.controller + 1
                await self._kill_broker(number, blow.seconds)
            case Kind.FREEZE_BROKER:
                await self._freeze_broker(number, blow.seconds)
            case Kind.CUT | Kind.STALL:
                self._way("cut" if blow.kind is Kind.CUT else "stall", number)
                await CLOCK.sleep(blow.seconds)
                self._way("open", number)
            case Kind.FILL_WORKER | Kind.FILL_BROKER:
                number = DISK_NUMBER
                how = await self._fill(blow)
            case _:
                assert_never(blow.kind)
        self.bands.append(Band(blow.kind, number, begin, time.monotonic() - self.began, how))
        log.info("%5.0f s: %s %s for %.1f s %s", begin, blow.kind, number, self.bands[-1].seconds, how)

    async def _kill_worker(self, number: int, blow: Blow) -> str:
        self._down.add(number)
        how = ""
        if self.workers[number].poll() is not None:
            self.start(number)  # it had just ended by itself: one that is dead cannot be killed
        try:
            await self.kill(number)
            store = self._store(number)
            if blow.kind is Kind.TEAR_STORE and store.exists() and store.stat().st_size:
                how = tear(store, self.random)
                self.torn[store] = signature_of(store)
            await CLOCK.sleep(blow.seconds)
            self.start(number)
        finally:
            self._down.discard(number)
        return how

    async def _kill_broker(self, number: int, down_seconds: float) -> None:
        node = self.nodes[number - 1]
        await node.kill()
        await CLOCK.sleep(down_seconds)
        await node.start()

    async def _freeze_broker(self, number: int, seconds: float) -> None:
        node = self.nodes[number - 1]
        await node.start()  # it may have ended by itself
        os.killpg(node.keeper_id, signal.SIGSTOP)
        await CLOCK.sleep(seconds)
        os.killpg(node.keeper_id, signal.SIGCONT)

    async def _fill(self, blow: Blow) -> str:
        """A full disk ends a broker; somebody makes room and starts it. A worker is started again and again."""
        worker = blow.kind is Kind.FILL_WORKER
        disk = self._disks["worker" if worker else "broker"]
        if not disk.mounted:
            return "not tried"
        stops = sum(self.stops.values())
        disk.fill()
        await CLOCK.sleep(blow.seconds)
        node = self.nodes[DISK_NUMBER - 1]
        how = f"{sum(self.stops.values()) - stops} stops" if worker else "ended" if not node.running else "went on"
        disk.free()
        if not worker:
            await node.kill()
            await node.start()
        return how

    async def heal(self) -> None:
        """All faults have ended: clocks are right again, and a broker that ended by itself is started."""
        for number, node in enumerate(self.nodes, start=1):
            self._way("open", number)
            (self.folder / f"clock-{number}").write_text("0")
            await node.start()

    def unused(self) -> list[Path]:
        """Stores that were torn and that nobody has written to since: another worker had their partition."""
        return [store for store, signature in self.torn.items() if signature_of(store) == signature]


def signature_of(store: Path) -> tuple[float, ...]:
    """Sizes and times of a store's files: the same while nobody writes."""
    files = [path for path in (store, store.with_name(store.name + "-wal")) if path.exists()]
    return tuple(value for path in files for value in (path.stat().st_size, path.stat().st_mtime))
