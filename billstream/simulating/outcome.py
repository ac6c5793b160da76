"""One seed: its world run and judged."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import books.closing
from billstream.simulating.disk import FolderDisk
from billstream.simulating.findings import Findings
from billstream.simulating.judging import judge_log
from billstream.simulating.plan import FAULTS, Step, plan_of
from billstream.simulating.world import World, simulate
from books.local import Follower
from books.stores.memory import MemoryStore
from books.version import FOLD_VERSION
from schemas.values import Record
from streams.topics import DOCUMENTS, JOURNAL

REAL_DISK_EVERY = 10
"""Each tenth world keeps its stores in real SQLite files, in a folder that goes with it."""
UPGRADE_EVERY = 3
"""In each third world every start of a fold has another version of the code, as in an upgrade there and back."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a world: everything that is wrong with it, and how much happened in it."""

    seed: int
    wrong: tuple[str, ...]
    simulated_seconds: float
    wall_seconds: float
    effects: int
    faults: int
    journal: int
    documents: int
    trace: tuple[str, ...] = ()


def outcome_of(seed: int, steps: Sequence[Step] | None = None, *, traces: bool = False) -> Outcome:
    """Run the world of a seed, or what is left of its plan, and judge it."""
    began_seconds = time.perf_counter()
    steps = plan_of(seed) if steps is None else steps
    versions = ("1", "2") if seed % UPGRADE_EVERY == 0 else ("1",)
    if seed % REAL_DISK_EVERY == 0:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            world = simulate(seed, steps, versions, lambda: FolderDisk(Path(folder)), traces=traces)
            wrong = judge(world)
    else:
        world = simulate(seed, steps, versions, traces=traces)
        wrong = judge(world)
    faults = sum(count for kind, count in world.happened.items() if kind in {one.value for one in FAULTS})
    return Outcome(
        seed=seed,
        wrong=tuple(wrong),
        simulated_seconds=world.loop.time(),
        wall_seconds=time.perf_counter() - began_seconds,
        effects=world.effects,
        faults=faults,
        journal=world.log.end(JOURNAL),
        documents=world.log.end(DOCUMENTS),
        trace=tuple(_named(world, line) for line in world.trace),
    )


def judge(world: World) -> list[str]:
    """Everything that is wrong with a world."""
    found = Findings()
    try:
        judge_log(world.log, world.destinations, found)
    except (AssertionError, KeyError, AttributeError) as error:
        found.differing.append(f"the log makes no sense to the judge: {type(error).__name__}: {error}")
    found.differing += rebuilt_otherwise(world)
    return [*world.broke, *found.all()]


def rebuilt_otherwise(world: World) -> list[str]:
    """Stores whose rows are not what the journal gives up to their offset, with the code that wrote them."""
    wrong, journal = [], world.log.numbered(JOURNAL)
    for version in sorted({version for _, version, _ in world.stores}):
        vars(books.closing)["FOLD_VERSION"] = version
        store = MemoryStore(version)
        for offset, _, digest in sorted(one for one in world.stores if one[1] == version):
            done = store.position.next_offset
            Follower(store).apply([pair for pair in journal if done <= pair[0] < offset])
            if store.digest() != digest:
                wrong.append(f"a store at offset {offset} has other rows than a rebuild gives")
    vars(books.closing)["FOLD_VERSION"] = FOLD_VERSION
    return wrong


def _named(world: World, line: str) -> str:
    """A line of the trace with the kind of record that was appended."""
    _, arrow, place = line.rpartition("-> ")
    topic, _, offset = place.rstrip("]").partition("[")
    if not arrow or not offset.isdigit():
        return line
    record = dict(world.log.numbered(topic)).get(int(offset))
    return f"{line} {'nobody can read it' if record is None else _about(record)}"


def _about(record: Record) -> str:
    names = ("command_id", "fact_id", "request_id", "source_entry_id", "document_id", "attempt", "state", "revision")
    told = (f"{name} {getattr(record, name)}" for name in names if getattr(record, name, ""))
    return ", ".join([record.schema_name, *told])[:100]
