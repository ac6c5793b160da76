"""What `billstream sim` does and answers: many worlds, and the first wrong one made small."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from billstream.cli.sim_results import SimResult, SmallWorld, WrongWorld
from billstream.simulating.outcome import Outcome
from billstream.simulating.plan import Step
from billstream.simulating.runs import run_many, run_one
from billstream.simulating.shrinking import shrink

_CENTS = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which worlds, without which rule, and how much to tell of them."""

    seeds: tuple[int, ...]
    without: str = ""
    processes: int = 0
    shrink_seconds: int = 60
    traces: bool = False


def run(wanted: Wanted, advance: Callable[[int, int | None], None]) -> SimResult:
    """Run the worlds; the first wrong one is made small, if there is time for it."""
    began_seconds = time.monotonic()
    done = 0

    def on_done(outcome: Outcome) -> None:
        nonlocal done
        done += 1
        advance(done, len(wanted.seeds))

    outcomes = run_many(wanted.seeds, wanted.without, wanted.processes, on_done)
    took_seconds = time.monotonic() - began_seconds
    wrong = [one for one in outcomes if one.wrong]
    traced = run_one(wanted.seeds[0], wanted.without, traces=True).trace if wanted.traces else ()
    simulated_seconds = int(sum(one.simulated_seconds for one in outcomes))
    return SimResult(
        first_seed=wanted.seeds[0],
        worlds=len(outcomes),
        without=wanted.without,
        wrong=tuple(WrongWorld(seed=one.seed, wrong=one.wrong) for one in wrong),
        small=_small(wrong[0].seed, wanted) if wrong and wanted.shrink_seconds else None,
        trace=traced,
        effects=sum(one.effects for one in outcomes),
        faults=sum(one.faults for one in outcomes),
        journal_records=sum(one.journal for one in outcomes),
        documents=sum(one.documents for one in outcomes),
        simulated_seconds=simulated_seconds,
        wall_seconds=Decimal(took_seconds).quantize(_CENTS),
        times_real_time=int(simulated_seconds / max(took_seconds, 0.001)),
    )


def _small(seed: int, wanted: Wanted) -> SmallWorld | None:
    shrunk = shrink(seed, wanted.without, wanted.shrink_seconds)
    if shrunk is None:
        return None
    return SmallWorld(
        seed=seed,
        steps=tuple(told(number, step) for number, step in enumerate(shrunk.steps, 1)),
        wrong=shrunk.outcome.wrong,
        trace=shrunk.outcome.trace,
        tries=shrunk.tries,
    )


def told(number: int, step: Step) -> str:
    """A step in words."""
    return f"{number:3} {step.role.value:<10} {step.kind.value}"
