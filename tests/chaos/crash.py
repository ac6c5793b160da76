"""The storm: real workers on a real broker are killed, frozen and robbed while entries flow, and then judged.

`python -m tests.chaos.crash [entries]` prints one line: entries, kills, lost, doubled, differing.
"""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from billstream.simulating.findings import Findings
from books.local import Follower
from books.stores.memory import MemoryStore
from books.version import FOLD_VERSION
from runtime.broker import EmbeddedBroker
from schemas.commands import CloseDocument
from schemas.facts import DocumentDrafted
from schemas.inputs import ClockTick
from schemas.outputs import DeadLetter
from streams.topics import (
    ALERTS,
    DEAD_LETTERS,
    DOCUMENTS,
    JOURNAL,
)
from tests.chaos.check import judge, judge_stores
from tests.chaos.firm import Plan, plan
from tests.chaos.fleet import ROOT, Fleet, until

FROZEN_SECONDS = 8.0
TAKE_OVER_SECONDS = 45.0
QUIET_SECONDS = 420.0
SILENT_SECONDS = 8.0
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
class Storm(Fleet):
    """One installation under attack: its broker, its workers by number, and what was sent."""

    broker: EmbeddedBroker | None = None
    read_until: int = 0
    quiet_seconds: float = QUIET_SECONDS

    async def act(self, what: str) -> None:
        """One blow."""
        verb, _, number = what.partition(" ")
        match verb:
            case "kill":
                await self.kill(int(number))
                self.start(int(number))
            case "rob":
                await self.kill(int(number))
                for store in (self.folder / "data").glob(f"workers/*/books/{self.home:04d}.sqlite*"):
                    store.unlink()
                self.start(int(number))
            case "freeze":
                await self.freeze(int(number), FROZEN_SECONDS)
            case "broker":
                assert self.broker is not None, "a storm over somebody else's broker"
                await self.broker.restart()
            case _:
                raise ValueError(what)

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
    stores = judge_stores(storm.folder / "data", storm.home, journal, rebuild)
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
        storm = Storm(broker.bootstrap_servers, folder, broker=broker)
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
