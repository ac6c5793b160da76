"""The storm: kills, frozen workers, a broker restart and a lost store, over 50,000 entries."""

from pathlib import Path

import pytest

from tests.chaos.crash import crash

pytestmark = pytest.mark.chaos

ENTRIES = 50_000


async def test_ten_kills_lose_and_double_nothing(
    tmp_path: Path, broker_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Kills, frozen workers, a broker restart and a lost store: drafts are the oracle's, stores the journal's."""
    outcome = await crash(ENTRIES, tmp_path, broker_cache)
    with capsys.disabled():
        print(f"\n{outcome.line} seconds {outcome.seconds:.0f}")
    assert outcome.findings.all() == []
    assert outcome.kills >= 10
