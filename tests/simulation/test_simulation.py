"""Worlds full of faults over the product's own agents: none is wrong, and each rule that is switched off shows."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from billstream.cli.sim_results import SimResult
from billstream.simulating.outcome import UPGRADE_EVERY
from billstream.simulating.report import Wanted, run
from billstream.simulating.runs import run_many, run_one
from billstream.simulating.shrinking import shrink
from billstream.simulating.twins import TWINS

WORLDS = 1_000
LIMIT_SECONDS = 180
SEEDS_MAX = 300
TIMES_REAL_TIME = 1_000
ROW = re.compile(r"^\| \d+ \| `(?P<name>[a-z-]+)` \|.*\| (?P<seed>\d+) \| ")


@pytest.fixture(scope="module")
def result() -> SimResult:
    """A thousand worlds, on all cores."""
    return run(Wanted(tuple(range(1, WORLDS + 1)), shrink_seconds=0), lambda done, total: None)


def test_no_world_is_wrong(result: SimResult) -> None:
    """Kills, zombies, lost and torn stores, repeats, lost answers, wrong clocks: everything is as the log says."""
    assert {one.seed: one.wrong for one in result.wrong} == {}
    assert result.worlds == WORLDS


def test_no_world_is_wrong_when_the_code_changes_in_it(result: SimResult) -> None:
    """In each third world every start of a fold has another version of the code, as in a rolling upgrade and back."""
    changing = [seed for seed in range(1, WORLDS + 1) if seed % UPGRADE_EVERY == 0]
    assert len(changing) >= WORLDS // 4
    assert not {one.seed for one in result.wrong} & set(changing)


def test_the_worlds_hold_something_to_judge(result: SimResult) -> None:
    """They draft documents and they suffer, and they do it faster than a day goes by."""
    assert result.documents >= 5 * WORLDS
    assert result.faults >= 15 * WORLDS
    assert result.journal_records >= 50 * WORLDS
    print(f"{result.times_real_time} times real time, {result.wall_seconds} s")


def caught_at(page: Path) -> dict[str, int]:
    """Rule -> the seed at which the page says that it shows."""
    rows = (ROW.match(line) for line in page.read_text().splitlines())
    return {row["name"]: int(row["seed"]) for row in rows if row is not None}


def test_each_rule_has_its_seed_in_the_page(repository_root: Path) -> None:
    """Each rule that can be switched off was caught within 300 seeds."""
    found = caught_at(repository_root / "docs" / "simulator.md")
    assert found.keys() == TWINS.keys()
    assert max(found.values()) <= SEEDS_MAX


@pytest.mark.parametrize("rule", TWINS)
def test_without_a_rule_a_world_goes_wrong(rule: str, repository_root: Path) -> None:
    """The seed that the page names shows it; after a change of the code perhaps another one does."""
    seed = caught_at(repository_root / "docs" / "simulator.md")[rule]
    others = (one for one in range(1, SEEDS_MAX + 1) if one != seed)
    assert any(run_one(one, rule).wrong for one in (seed, *others))
    assert run_one(seed).wrong == (), "the patches are gone"


def test_a_seed_is_the_same_world_whatever_the_order_of_sets() -> None:
    """Two interpreters with other hashes tell the same story, byte for byte."""
    command = [sys.executable, "-m", "billstream", "sim", "--seed", "3", "--trace", "--json", "--processes", "1"]
    traces = []
    for hashes in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hashes}
        told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        traces.append(json.loads(told)["trace"])
    assert traces[0] == traces[1]
    assert len(traces[0]) > 100


def test_a_wrong_world_is_made_small() -> None:
    """What is left is still wrong, and short enough to be read."""
    seed = next(one.seed for one in run_many(range(1, 20), "dead-letters", 1) if one.wrong)
    shrunk = shrink(seed, "dead-letters")
    assert shrunk is not None
    assert shrunk.outcome.wrong
    assert len(shrunk.steps) <= 10
    assert shrunk.outcome.trace


def test_a_right_world_is_not_made_small() -> None:
    """There is nothing to look for."""
    assert shrink(1) is None


def test_the_oracle_knows_no_code_of_the_fold(repository_root: Path) -> None:
    """It reads records and shares billing's pure functions, nothing else of the product."""
    rooms = set()
    for file in (repository_root / "billstream" / "simulating" / "oracle").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("billstream.simulating.oracle"):
                rooms.add((node.module or "").partition(".")[0])
    assert rooms & {"books", "streams", "sinks", "connectors", "runtime", "billstream", "review"} == set()
