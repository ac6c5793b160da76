"""A failpoint does what a test armed, and nothing otherwise."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.errors import Misconfigured
from runtime.failpoints import FailpointReached, arm, arm_from, failpoint


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    """No failpoint outlives its test."""
    yield
    arm("")


def test_not_armed_nothing_happens_and_costs_next_to_nothing() -> None:
    """A hundred thousand visits take less than a tenth of a second."""
    begun = time.perf_counter()
    for _ in range(100_000):
        failpoint("before_commit")
    assert time.perf_counter() - begun < 0.1


def test_only_the_named_place_raises() -> None:
    """Other places stay as they are."""
    arm("before_commit=raise")
    failpoint("after_decode")
    with pytest.raises(FailpointReached, match="before_commit"):
        failpoint("before_commit")


def test_the_numbered_visit_counts() -> None:
    """The third visit raises, the second and the fourth do not."""
    arm("step=raise@3")
    failpoint("step")
    failpoint("step")
    with pytest.raises(FailpointReached):
        failpoint("step")
    failpoint("step")


def test_a_sleep_blocks_for_its_time() -> None:
    """A blocked event loop is the fault that is asked for."""
    arm("slow=sleep:0.05")
    begun = time.perf_counter()
    failpoint("slow")
    assert time.perf_counter() - begun >= 0.05


def test_a_kill_is_a_kill() -> None:
    """No cleaning up, no exit code of our own."""
    code = (
        "import os; from runtime.failpoints import arm_from, failpoint\n"
        "arm_from({'BILLSTREAM_FAILPOINTS': 'now=kill'}); failpoint('now'); print('alive')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, check=False
    )
    assert ended.returncode == -signal.SIGKILL
    assert ended.stdout == b""


def test_the_environment_arms_several_and_an_empty_one_disarms() -> None:
    """Settings of a test run are read anew."""
    arm_from({"BILLSTREAM_FAILPOINTS": "a=raise;b=raise@2"})
    with pytest.raises(FailpointReached):
        failpoint("a")
    arm_from({})
    failpoint("a")


@pytest.mark.parametrize("text", ["a", "a=explode", "a=raise@x", "=raise", "A=raise"])
def test_a_spelling_mistake_is_an_error(text: str) -> None:
    """A failpoint that is silently not armed makes a test pass for nothing."""
    with pytest.raises(Misconfigured, match="no failpoint"):
        arm(text)
