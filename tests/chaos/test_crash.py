"""Failure it must already survive (issue 3), and the same check with each protection switched off: it turns red."""

import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest

from books.testing import contract, entry, terms
from runtime.broker import EmbeddedBroker
from schemas.codec import encode
from schemas.values import Record
from tests.chaos.crash import Outcome, Storm, crash, weather
from tests.chaos.firm import Plan, plan

pytestmark = pytest.mark.chaos

ENTRIES = 50_000
FEW = 800
TWO_MEGABYTES = 2 * 1024 * 1024


@pytest.fixture
async def broker(tmp_path: Path, broker_cache: Path) -> AsyncIterator[EmbeddedBroker]:
    """A broker of its own: the topics of an installation have fixed names."""
    made = EmbeddedBroker(tmp_path / "broker", cache=broker_cache)
    await made.start()
    yield made
    await made.stop()


async def small(
    broker: EmbeddedBroker, folder: Path, options: Mapping[str, object], versions: Sequence[str] = ("",)
) -> Outcome:
    """A small plan through one worker that may have a protection switched off."""
    made: Plan = plan(FEW, 7, seed=7)
    storm = Storm(broker, folder, options, versions, quiet_seconds=45)
    try:
        await storm.begin([1])
        poison = [*POISON, *(encode(record) for record in MISPLACED)]
        await storm.send(poison)
        return await weather(storm, made, [])
    finally:
        storm.end()


GOOD = encode(entry("good"))
POISON = (
    b"no record at all",
    struct.pack(">bI", 0, 999_999) + GOOD[5:],
    GOOD[: len(GOOD) // 2],
    GOOD[:5] + b"\xff" * TWO_MEGABYTES,
    b"",
)
MISPLACED: tuple[Record, ...] = (contract(terms()),)


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


async def test_without_version_order_the_check_is_red(broker: EmbeddedBroker, tmp_path: Path) -> None:
    """If the last version to arrive counted, entries and drafts would differ."""
    outcome = await small(broker, tmp_path, {"off": "version_order"})
    assert any(finding.startswith("draft") for finding in outcome.findings.differing)


async def test_without_outputs_before_commit_the_check_is_red(broker: EmbeddedBroker, tmp_path: Path) -> None:
    """If rows were committed first, a crash between would lose a document for ever."""
    outcome = await small(broker, tmp_path, {"off": "outputs_first"})
    assert any("never published" in finding for finding in outcome.findings.lost)


async def test_without_facts_read_back_the_check_is_red(broker: EmbeddedBroker, tmp_path: Path) -> None:
    """If a fact counted where it is proposed, an upgrade would publish another document than the journal promised."""
    outcome = await small(broker, tmp_path, {"off": "read_back"}, versions=("old", "new"))
    assert any("is not its fact" in finding for finding in outcome.findings.differing)


async def test_without_dead_letters_the_check_is_red(broker: EmbeddedBroker, tmp_path: Path) -> None:
    """If what cannot be read were dropped, it would be nowhere."""
    outcome = await small(broker, tmp_path, {"off": "dead_letters"})
    assert len(outcome.letters) < len(POISON) + len(MISPLACED)
