"""Many seeds on all cores, and what came of them together."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from billstream.cli.running import collect_seldom
from billstream.simulating.outcome import Outcome, outcome_of
from billstream.simulating.plan import Step
from billstream.simulating.twins import without

TOGETHER = 8
"""How many seeds a process does before it reports."""


def run_one(seed: int, rule: str = "", steps: Sequence[Step] | None = None, *, traces: bool = False) -> Outcome:
    """One world, perhaps without one of the rules. A world in which our own code broke is wrong, too."""
    with without(rule):
        return outcome_of(seed, steps, traces=traces)


def run_many(
    seeds: Sequence[int], rule: str = "", processes: int = 0, on_done: Callable[[Outcome], None] = lambda outcome: None
) -> list[Outcome]:
    """All seeds, in their order; by default one process for each core."""
    found = []
    for outcome in _outcomes(seeds, rule, processes or os.cpu_count() or 1):
        on_done(outcome)
        found.append(outcome)
    return found


def first_wrong(seeds: Sequence[int], rule: str, processes: int = 1) -> Outcome | None:
    """The first world that is wrong without a rule; None when no one is."""
    outcomes = _outcomes(seeds, rule, processes)
    return next((one for one in outcomes if one.wrong), None)


def _outcomes(seeds: Sequence[int], rule: str, processes: int) -> Iterator[Outcome]:
    if processes == 1 or len(seeds) <= TOGETHER:
        yield from (run_one(seed, rule) for seed in seeds)
        return
    # A fresh interpreter for each: what this process has patched, opened or started is not in them.
    with multiprocessing.get_context("spawn").Pool(processes, collect_seldom) as pool:
        yield from pool.imap(partial(run_one, rule=rule), seeds, chunksize=TOGETHER)
