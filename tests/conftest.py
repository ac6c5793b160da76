"""What every test may use: where the checkout is, and the order unit, broker, chaos, so that the cheap news comes first."""

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by cost and keep the order within each kind."""
    items.sort(key=_cost)


def _cost(item: pytest.Item) -> int:
    if item.get_closest_marker("chaos"):
        return 2
    return 1 if item.get_closest_marker("broker") else 0


@pytest.fixture(scope="session")
def repository_root() -> Path:
    """The top folder of this checkout."""
    return Path(__file__).resolve().parent.parent
