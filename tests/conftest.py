"""What every test may use: where the checkout is, and the order unit, proof, broker, chaos: cheap news comes first."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from runtime.broker import EmbeddedBroker

# A busy machine must not turn a law red: what an example may cost is the measurements' business, not theirs.
# While one works, each law sees a few dozen new examples and all that ever broke it; `--hypothesis-profile long` is for
# the nights.
settings.register_profile("house", deadline=None, max_examples=50)
settings.register_profile("long", deadline=None, max_examples=10_000)
# Many runs of the same tests against changed code (script/mutate): few examples, always the same ones, and the first
# that fails is enough.
settings.register_profile(
    "mutation",
    deadline=None,
    max_examples=6,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    report_multiple_bugs=False,
)
settings.load_profile("house")


PROOFS = frozenset({"laws", "oracle", "second", "simulation"})
"""Folders of tests/ whose tests are proofs over generated firms and worlds."""

DEAR = ("chaos", "proof", "broker", "tidy")
"""The marks of tests that are no unit tests, the dearest first."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sort by cost and keep the order within each kind: what is quick first, so that a mistake shows soon.

    Of several processes each begins with what is dear, so that none is left alone with it at the end.
    """
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        if folder in PROOFS:
            item.add_marker("proof")
        if folder == "tidy":
            item.add_marker("tidy")
        if _cost(item) == 0:
            item.add_marker("unit")
    items.sort(key=_cost, reverse=hasattr(config, "workerinput"))


def _cost(item: pytest.Item) -> int:
    return next((len(DEAR) - number for number, mark in enumerate(DEAR) if item.get_closest_marker(mark)), 0)


@pytest.fixture(scope="session")
def repository_root() -> Path:
    """The top folder of this checkout."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def broker_cache(repository_root: Path) -> Path:
    """Where Kafka's jars are kept between test runs; `BILLSTREAM_CACHE` names another place."""
    return Path(os.environ.get("BILLSTREAM_CACHE") or repository_root / ".billstream" / "cache")


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory, broker_cache: Path) -> Iterator[str]:
    """Bootstrap servers of one broker for the whole run; a test makes topics with names of its own."""
    broker = EmbeddedBroker(tmp_path_factory.mktemp("kafka") / "broker", cache=broker_cache)
    asyncio.run(broker.start())
    yield broker.bootstrap_servers
    asyncio.run(broker.stop())
