"""Kills, poison and an upgrade in the middle: what the worker survives without a difference."""

from pathlib import Path

import pytest

from runtime.broker import EmbeddedBroker
from schemas.codec import encode
from tests.chaos.crash import crash
from tests.chaos.small import MISPLACED, POISON, small

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


async def test_poison_is_kept_whole_and_the_partition_moves_on(broker: EmbeddedBroker, tmp_path: Path) -> None:
    """Random bytes, a wrong schema id, truncated Avro, 2 MB and a record of the wrong kind: all are dead letters."""
    outcome = await small(broker, tmp_path, {})
    assert outcome.findings.all() == []
    wanted = sorted([*POISON, *(encode(record) for record in MISPLACED)])
    assert sorted(letter.value for letter in outcome.letters) == wanted
    assert {letter.reason for letter in outcome.letters} == {
        *("frame_magic", "frame_short", "schema_unknown", "avro_broken", "record_too_large", "record_not_allowed")
    }


async def test_an_upgrade_in_the_middle_changes_no_fact(broker: EmbeddedBroker, tmp_path: Path) -> None:
    """Old code dies after it wrote a fact, new code rebuilds and proposes its own: the first counts, everywhere."""
    outcome = await small(broker, tmp_path, {}, versions=("old", "new"))
    assert outcome.findings.all() == []
    assert outcome.kills == 1
