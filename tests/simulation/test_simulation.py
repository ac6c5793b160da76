"""Hundreds of small worlds with crashes between any two effects: none is wrong, and each protection is needed."""

import pytest

import books.closing
from books.version import FOLD_VERSION
from streams.agents import transaction
from tests.chaos.switches import SWITCHES
from tests.simulation.world import World, drafts_in, simulate

GOOD_SEEDS = 40
RED_SEEDS = 25


@pytest.fixture(autouse=True)
def _commit_when_the_world_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting for the time of a commit: it comes after any number of batches, and a crash before it."""
    monkeypatch.setattr(transaction, "COMMIT_SECONDS", 10**6)
    monkeypatch.setattr(books.closing, "FOLD_VERSION", FOLD_VERSION)


def wrong(seed: int, versions: tuple[str, ...] = ("1",)) -> list[str]:
    """What is wrong with a world; the seed is in front."""
    found: list[str] = []
    simulate(seed, versions, lambda world: found.extend(f"seed {seed}: {one}" for one in world.judge()))
    return found


@pytest.mark.parametrize("block", range(5))
def test_no_world_is_wrong(block: int) -> None:
    """Kills, zombies, lost stores and repeats leave every draft, document, alert, number and row as they must be."""
    seeds = range(block * GOOD_SEEDS // 5, (block + 1) * GOOD_SEEDS // 5)
    assert [one for seed in seeds for one in wrong(seed)] == []


def test_no_world_is_wrong_when_the_code_changes_in_it() -> None:
    """As above while every start has another version of the code, as in a rolling upgrade there and back."""
    assert [one for seed in range(RED_SEEDS) for one in wrong(seed, ("1", "2"))] == []


def test_the_worlds_hold_something_to_judge() -> None:
    """They draft documents and they suffer: a quiet world would prove nothing."""
    made: list[tuple[int, int]] = []

    def look(world: World) -> None:
        made.append((drafts_in(world), world.kills))

    for seed in range(20):
        simulate(seed, each=look)
    assert sum(drafts for drafts, _ in made) >= 20
    assert sum(kills for _, kills in made) >= 60


@pytest.mark.parametrize(
    ("off", "versions"),
    [("version_order", ("1",)), ("outputs_first", ("1",)), ("read_back", ("1", "2"))],
)
def test_without_a_protection_worlds_are_wrong(
    off: str, versions: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same worlds with one protection switched off: the judge sees it within some seeds."""
    SWITCHES[off](monkeypatch.setattr, lambda: None)
    assert any(broken(seed, versions) for seed in range(RED_SEEDS))


def broken(seed: int, versions: tuple[str, ...]) -> bool:
    """Whether a world went wrong, or could not even go on."""
    try:
        return bool(wrong(seed, versions))
    except AssertionError:
        return True
