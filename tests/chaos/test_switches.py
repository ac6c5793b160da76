"""The crash test with each protection switched off: it turns red."""

from pathlib import Path

import pytest

from runtime.broker import EmbeddedBroker
from tests.chaos.small import MISPLACED, POISON, small

pytestmark = pytest.mark.chaos


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
