"""The short form of chaos on three brokers: what can fail does, and nothing of it shows afterwards."""

import json
from pathlib import Path

import pytest

from tests.chaos.faults import SHORT
from tests.chaos.full import HEAL_SECONDS, chaos
from tests.chaos.report import written

pytestmark = pytest.mark.chaos

ENTRIES = 30_000


async def test_three_brokers_and_three_workers_lose_and_double_nothing(
    tmp_path: Path, broker_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ten kills of workers, three of brokers, frozen and cut off ones: drafts, files and stores are as without."""
    outcome = await chaos(ENTRIES, 1, SHORT, tmp_path, broker_cache)
    with capsys.disabled():
        print(f"\n{outcome.line} seconds {outcome.seconds:.0f}")
    assert outcome.findings.all() == []
    assert (outcome.worker_kills, outcome.broker_kills) == (SHORT.worker_kills, SHORT.broker_kills)
    assert outcome.lag_gone_seconds <= HEAL_SECONDS
    written(outcome, 1, tmp_path / "report")
    assert json.loads((tmp_path / "report" / "chaos.json").read_text())["passed"]
