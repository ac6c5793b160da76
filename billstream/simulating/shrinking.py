"""From a world that is wrong to a small one that is wrong in the same way: steps are left out while it stays so."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from billstream.simulating.outcome import Outcome
from billstream.simulating.plan import Step, plan_of
from billstream.simulating.runs import run_one

KIND_CHARACTERS = 12


@dataclass(frozen=True, slots=True)
class Shrunk:
    """The small world: its steps, and its outcome with a trace."""

    steps: tuple[Step, ...]
    outcome: Outcome
    tries: int


def shrink(seed: int, rule: str = "", limit_seconds: float = 60.0) -> Shrunk | None:
    """The smallest world found in time; None when the seed's world is right."""
    whole = run_one(seed, rule)
    if not whole.wrong:
        return None
    kinds, tries = kinds_of(whole), 0

    def is_still_wrong(steps: Sequence[Step]) -> bool:
        nonlocal tries
        tries += 1
        return bool(kinds & kinds_of(run_one(seed, rule, steps)))

    steps = smallest(plan_of(seed), is_still_wrong, time.monotonic() + limit_seconds)
    return Shrunk(tuple(steps), run_one(seed, rule, steps, traces=True), tries)


def kinds_of(outcome: Outcome) -> set[str]:
    """What is wrong, without the names in it: how each sentence begins and ends."""
    return {f"{one[:KIND_CHARACTERS]}...{one[-KIND_CHARACTERS:]}" for one in map(_nameless, outcome.wrong)}


def _nameless(sentence: str) -> str:
    return " ".join(word for word in sentence.split() if word.isalpha())


def smallest(steps: Sequence[Step], is_wrong: Callable[[Sequence[Step]], bool], until_seconds: float) -> Sequence[Step]:
    """Leave out ever smaller parts, from the end, for as long as the rest is wrong."""
    kept = list(steps)
    size = max(1, len(kept) // 2)
    while size >= 1:
        shrunk = False
        for end in range(len(kept), 0, -size):
            if time.monotonic() > until_seconds:
                return kept
            rest = kept[: max(0, end - size)] + kept[end:]
            if is_wrong(rest):
                kept, shrunk = rest, True
        if size == 1 and not shrunk:
            return kept
        size = size if shrunk and size == 1 else size // 2 or (1 if shrunk else 0)
    return kept
