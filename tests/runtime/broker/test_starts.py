"""What Java learns from a start: once for a cache, and never needed."""

from pathlib import Path

import pytest

from runtime.broker import EmbeddedBroker, starts
from runtime.broker.jars import pinned_jars
from runtime.progress import Progress, Step


@pytest.fixture
async def cache(tmp_path: Path, broker_cache: Path) -> Path:
    """A cache that has the jars and has not learned anything."""
    async with EmbeddedBroker(tmp_path / "first", cache=broker_cache):
        pass
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "jars").symlink_to(broker_cache / "jars", target_is_directory=True)
    return tmp_path / "cache"


@pytest.mark.broker
async def test_a_start_is_learned_once_and_a_damaged_memory_does_no_harm(tmp_path: Path, cache: Path) -> None:
    """The first start of a cache learns, the second knows; what is not what Java wrote is passed over."""
    steps: list[Step] = []

    def note(progress: Progress) -> None:
        steps.append(progress.step)

    broker = EmbeddedBroker(tmp_path / "broker", cache=cache, on_progress=note)
    async with broker:
        pass
    assert steps == [Step.LEARN, Step.FORMAT, Step.START, Step.READY]
    (learnt,) = (cache / starts.FOLDER).glob("*.aot")
    assert learnt.stat().st_size > 1_000_000
    steps.clear()
    learnt.write_bytes(b"spoiled")
    async with broker:
        pass
    assert steps == [Step.START, Step.READY]
    assert [file.name for file in (cache / starts.FOLDER).iterdir() if file.name != ".lock"] == [learnt.name]


def test_another_java_and_other_jars_have_another_memory(tmp_path: Path) -> None:
    """It is named after both."""
    java = tmp_path / "java" / "bin" / "java"
    jars = [tmp_path / jar.file_name for jar in pinned_jars()]
    names = {starts.file_of(java, jars, tmp_path), starts.file_of(java, jars[1:], tmp_path)}
    (tmp_path / "java").mkdir()
    (tmp_path / "java" / "release").write_text('JAVA_VERSION="26"')
    assert len(names | {starts.file_of(java, jars, tmp_path)}) == 3


def test_nobody_waits_for_another_one_who_learns(tmp_path: Path) -> None:
    """The second goes on without."""
    file = tmp_path / "starts" / "one.aot"
    with starts.learning(file) as first, starts.learning(file) as second:
        assert first is not None
        assert second is None
    assert not file.exists(), "nothing was learned"
