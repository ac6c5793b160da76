"""A worker that does not come to its end is ended, and says what it waited for."""

import subprocess
import sys
from pathlib import Path

PROGRAM = "tests.streams.engine.programs.stuck"
PATIENCE_SECONDS = 60


def test_a_stuck_worker_ends_and_says_what_it_waited_for(repository_root: Path) -> None:
    """Tasks by name, and the line at which the loop is held up."""
    done = subprocess.run(
        [sys.executable, "-m", PROGRAM],
        cwd=repository_root,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 1
    assert "an_outcome_that_never_comes" in done.stderr
    assert "stuck.py" in done.stderr
