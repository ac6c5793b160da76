"""The keeper ends its child when the lifeline ends: politely first, by force after the grace period."""

import os
import signal
import subprocess
import sys

import pytest

from runtime.broker.process import KEEPER

POLITE = "import sys; print('up', flush=True); sys.stdin.read()"
DEAF = "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); sys.stdin.read()"


def keep(code: str, *, grace_seconds: float) -> "tuple[subprocess.Popen[str], int]":
    """A keeper with a running Python child, and the lifeline's writing end."""
    reading, writing = os.pipe()
    command = [sys.executable, "-I", "-S", str(KEEPER), str(reading), str(grace_seconds), sys.executable, "-c", code]
    keeper = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, pass_fds=[reading], start_new_session=True
    )
    os.close(reading)
    assert keeper.stdout is not None
    assert keeper.stdout.readline() == "up\n"
    return keeper, writing


@pytest.mark.parametrize(("code", "end"), [(POLITE, signal.SIGTERM), (DEAF, signal.SIGKILL)])
def test_a_cut_lifeline_ends_the_child(code: str, end: signal.Signals) -> None:
    """One that listens gets SIGTERM, one that does not is killed."""
    keeper, lifeline = keep(code, grace_seconds=0.3 if code is DEAF else 30)
    os.close(lifeline)
    keeper.wait(20)
    assert keeper.returncode == 128 + end
    for pipe in (keeper.stdin, keeper.stdout):
        assert pipe is not None
        pipe.close()


def test_a_child_that_ends_by_itself_hands_its_code_on() -> None:
    """The broker's own verdict is not lost."""
    keeper, lifeline = keep("print('up', flush=True); raise SystemExit(7)", grace_seconds=30)
    keeper.communicate(timeout=20)
    os.close(lifeline)
    assert keeper.returncode == 7
