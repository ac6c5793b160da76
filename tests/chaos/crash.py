"""The storm: real workers on a real broker are killed, frozen and robbed while entries flow, and then judged.

`python -m tests.chaos.crash [entries]` prints one line: entries, kills, lost, doubled, differing.
"""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from billstream.simulating.findings import Findings
from books.local import Follower
from books.stores.memory import MemoryStore
from books.testing import BOOK, TENANT
from books.version import FOLD_VERSION
from runtime.broker import EmbeddedBroker
from runtime.kafka.connection import KafkaConnection
from runtime.kafka.topics import ensure_topics
from schemas.codec import decode, encode
from schemas.commands import CloseDocument
from schemas.entry import EntryVersion
from schemas.facts import DocumentDrafted
from schemas.inputs import ClockTick
from schemas.outputs import DeadLetter
from schemas.values import Record
from streams.topics import (
    ALERTS,
    COMMANDS,
    DEAD_LETTERS,
    DOCUMENTS,
    JOURNAL,
    TIME_ENTRIES,
    book_partition,
    topic_specs,
)
from tests.chaos.check import Numbered, judge, judge_stores
from tests.chaos.firm import Plan, plan

PARTITIONS = 2
HOME = book_partition(TENANT, BOOK, PARTITIONS)
FROZEN_SECONDS = 8.0
TAKE_OVER_SECONDS = 45.0
QUIET_SECONDS = 420.0
SILENT_SECONDS = 8.0
ROOT = Path(__file__).resolve().parents[2]
STORM = (
    *("kill 1", "kill 2", "freeze 1", "kill 2", "kill 1", "broker", "kill 2", "rob 1", "freeze 2"),
    *("kill 1", "kill 2", "kill 1", "kill 2"),
)


@dataclass
class Outcome:
    """What a storm left behind."""

    findings: Findings
    kills: int
    entries: int
    letters: list[DeadLetter]
    seconds: float

    @property
    def line(self) -> str:
        """The line that is printed."""
        return self.findings.line(self.entries, self.kills)


@dataclass
class Storm:
    """One installation under attack: its broker, its workers by number, and what was sent."""

    broker: EmbeddedBroker
    folder: Path
    options: Mapping[str, object] = field(default_factory=dict)
    versions: Sequence[str] = ("",)
    kills: int = 0
    starts: int = 0
    workers: dict[int, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    read_until: int = 0
    quiet_seconds: float = QUIET_SECONDS

    async def begin(self, numbers: Sequence[int]) -> None:
        """Make the topics and start workers."""
        await ensure_topics(KafkaConnection(bootstrap_servers=self.servers), topic_specs(PARTITIONS, 1))
        for number in numbers:
            self.start(number)

    @property
    def servers(self) -> str:
        """The broker's address."""
        return self.broker.bootstrap_servers

    def start(self, number: int) -> None:
        """Start a worker; with several fold versions each start takes the next, as an upgrade does."""
        version = self.versions[self.starts % len(self.versions)]
        self.starts += 1
        given = {"servers": self.servers, "folder": str(self.folder / "data"), "partitions": PARTITIONS}
        arguments = {**given, "fold_version": version, **self.options}
        program = Path(__file__).with_name("programs") / "worker.py"
        with (self.folder / f"worker-{number}.err").open("ab") as errors:
            self.workers[number] = subprocess.Popen(
                [sys.executable, str(program), json.dumps(arguments)],
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )

    async def act(self, what: str) -> None:
        """One blow."""
        verb, _, number = what.partition(" ")
        match verb:
            case "kill":
                await self.kill(int(number))
                self.start(int(number))
            case "rob":
                await self.kill(int(number))
                for store in (self.folder / "data").glob(f"workers/*/books/{HOME:04d}.sqlite*"):
                    store.unlink()
                self.start(int(number))
            case "freeze":
                self.workers[int(number)].send_signal(signal.SIGSTOP)
                thaws_at = time.monotonic() + FROZEN_SECONDS  # longer than its session: the other one takes over
                while time.monotonic() < thaws_at:  # noqa: ASYNC110  # the time itself is what is tested
                    await asyncio.sleep(0.3)
                self.workers[int(number)].send_signal(signal.SIGCONT)
            case "broker":
                await self.broker.restart()
            case _:
                raise ValueError(what)

    async def kill(self, number: int) -> None:
        """SIGKILL, as a machine does that loses power."""
        self.workers[number].kill()
        await asyncio.to_thread(self.workers[number].wait)
        self.kills += 1

    def revive(self) -> None:
        """Start again what died by itself, as a supervisor does."""
        for number, worker in list(self.workers.items()):
            if worker.poll() is not None:
                self.kills += worker.returncode == -signal.SIGKILL
                self.start(number)

    async def send(self, records: Sequence[Record | bytes]) -> None:
        """Publish records to the topic of their writers; returns when the broker has all of them."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.servers, acks="all", enable_idempotence=True, max_request_size=4 * 1024 * 1024
        )
        await producer.start()
        try:
            for record in records:
                raw = record if isinstance(record, bytes) else encode(record)
                entry = isinstance(record, bytes | EntryVersion)
                await producer.send(TIME_ENTRIES if entry else COMMANDS, raw, partition=HOME)
            await producer.flush()
        finally:
            await producer.stop()

    async def read(self, topic: str, start: int = 0) -> Numbered:
        """Everything of the book's partition from an offset on."""
        place = TopicPartition(topic, HOME)
        found: list[tuple[int, Record]] = []
        async with AIOKafkaConsumer(bootstrap_servers=self.servers, enable_auto_commit=False) as reader:
            reader.assign([place])
            end = (await reader.end_offsets([place]))[place]
            reader.seek(place, start)
            while await reader.position(place) < end:
                for rows in (await reader.getmany(timeout_ms=500)).values():
                    found += [(row.offset, decode(row.value)) for row in rows]
        return found

    async def end_of(self, topic: str) -> int:
        """The next offset of a topic."""
        place = TopicPartition(topic, HOME)
        async with AIOKafkaConsumer(bootstrap_servers=self.servers, enable_auto_commit=False) as reader:
            return int((await reader.end_offsets([place]))[place])

    async def grown(self, beyond: int) -> None:
        """Until the journal has grown: somebody works again."""
        await until(lambda: self._is_longer(beyond), TAKE_OVER_SECONDS, f"the journal stays at {beyond}")

    async def _is_longer(self, beyond: int) -> bool:
        self.revive()
        return await self.end_of(JOURNAL) > beyond

    async def quiet(self, made: Plan) -> None:
        """Until everything that was sent is in the journal, every close is drafted, and nobody says anything more."""
        missing = {r.envelope.event_id for chunk in (made.setup, *made.chunks) for r in chunk}
        closes = {r.command_id for chunk in made.chunks for r in chunk if isinstance(r, CloseDocument)}
        news_at = time.monotonic()

        async def settled() -> bool:
            nonlocal news_at
            self.revive()
            fresh = await self.read(JOURNAL, self.read_until)
            for offset, record in fresh:
                self.read_until = offset + 1
                missing.discard(record.envelope.event_id)
                if isinstance(record, DocumentDrafted):
                    closes.discard(record.command_id)
                if not isinstance(record, ClockTick):
                    news_at = time.monotonic()
            if missing or closes:
                return False
            return time.monotonic() - news_at > SILENT_SECONDS

        await until(settled, self.quiet_seconds, lambda: f"{len(missing)} records missing, {len(closes)} closes open")

    async def stop(self) -> None:
        """Tell the workers to stop; all must leave with 0."""
        for worker in self.workers.values():
            if worker.poll() is None:
                worker.send_signal(signal.SIGTERM)
        for worker in self.workers.values():
            await asyncio.to_thread(worker.wait, 40)

    def end(self) -> None:
        """No process outlives its storm."""
        for worker in self.workers.values():
            if worker.poll() is None:
                worker.send_signal(signal.SIGCONT)
                worker.kill()
                worker.wait()


async def until(holds: Callable[[], Awaitable[bool]], within_seconds: float, what: str | Callable[[], str]) -> None:
    """Ask again until the answer is true; TimeoutError says what did not happen."""
    deadline = time.monotonic() + within_seconds
    while time.monotonic() < deadline:
        with suppress(ConnectionError, OSError):
            if await holds():
                return
        await asyncio.sleep(0.3)
    raise TimeoutError(what if isinstance(what, str) else what())


async def weather(storm: Storm, made: Plan, blows: Sequence[str]) -> Outcome:
    """Send the plan in chunks with a blow before each, wait for the calm, judge."""
    began = time.monotonic()
    try:
        await storm.send(made.setup)
        await storm.grown(0)
        for number, chunk in enumerate(made.chunks):
            if number < len(blows):
                await storm.act(blows[number])
            at = await storm.end_of(JOURNAL)
            await storm.send(chunk)
            await storm.grown(at + min(200, len(chunk) // 2))
        await storm.quiet(made)
        await storm.stop()
        return await judged(storm, made, time.monotonic() - began)
    finally:
        storm.end()


async def judged(storm: Storm, made: Plan, seconds: float) -> Outcome:
    """Read what the storm left and compare it with what must be."""
    journal = await storm.read(JOURNAL)
    documents, alerts = await storm.read(DOCUMENTS), await storm.read(ALERTS)
    letters = [record for _, record in await storm.read(DEAD_LETTERS) if isinstance(record, DeadLetter)]
    rebuild = MemoryStore(FOLD_VERSION)
    stores = judge_stores(storm.folder / "data", HOME, journal, rebuild)
    findings = judge(made, journal, documents, alerts, Follower(rebuild))
    if storm.versions == ("",):
        findings.differing += stores
    return Outcome(findings, storm.kills, made.entries, letters, seconds)


async def crash(entries: int, folder: Path, cache: Path) -> Outcome:
    """The whole storm over so many entries."""
    made = plan(entries, len(STORM) + 1, seed=entries)
    broker = EmbeddedBroker(folder / "broker", cache=cache)
    await broker.start()
    try:
        storm = Storm(broker, folder)
        await storm.begin([1, 2])
        return await weather(storm, made, STORM)
    finally:
        await broker.stop()


def main() -> int:
    """Run the storm and print its line; 0 when nothing is wrong."""
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    folder = Path(tempfile.mkdtemp(prefix="billstream-crash-"))
    cache = Path(os.environ.get("BILLSTREAM_CACHE") or ROOT / ".billstream" / "cache")
    try:
        outcome = asyncio.run(crash(entries, folder, cache))
    finally:
        if "--keep" not in sys.argv:
            shutil.rmtree(folder, ignore_errors=True)
    for finding in outcome.findings.all()[:20]:
        print(finding, file=sys.stderr)
    print(f"{outcome.line} seconds {outcome.seconds:.0f}")
    return 1 if outcome.findings.all() else 0


if __name__ == "__main__":
    raise SystemExit(main())
