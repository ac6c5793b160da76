"""A sample of the changes to billing/ is tried with all tests; docs/mutation.md has the answer for all of them."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from billing import exact
from tests.mutation.changes import Change, changes_of

SAMPLE = 300
SEED = 20251121
MINIMUM = 85
"""Percent of the sample. The full run is above 90, and three standard deviations of a sample of 300 are five points."""
TESTS = ("tests/billing", "tests/mutation/single_firms.py")
"""The quick ones; the full run takes the tests of books/ as well, which reach billing/ through a whole book."""


@pytest.fixture
def changes(repository_root: Path) -> list[Change]:
    """The changes of one module."""
    return changes_of(repository_root / "billing" / "exact.py")


def test_a_change_is_made_in_the_function_that_everyone_calls(changes: list[Change]) -> None:
    """Whoever imported a function before runs the change, and the text of the function says what it is."""
    spread = exact.spread_units
    change = next(one for one in changes if one.function.name == "exact.spread_units" and "total <= 0" in one.text())
    assert spread(0, [1, 1]) == [0, 0]
    before = spread.__code__
    try:
        change.apply()
        assert spread.__code__ is not before
        assert change.shown() == "- sign = -1 if total < 0 else 1 / + sign = -1 if total <= 0 else 1"
    finally:
        change.function.become(change.function.tree)
    assert spread(-3, [1, 1]) == [-2, -1]


def test_a_change_lies_in_the_statement_that_is_changed(changes: list[Change]) -> None:
    """Only tests that reach this statement are asked, so the line must be that of a statement of the function."""
    assert len(changes) > 100
    for change in changes:
        lines = {one.lineno for one in ast.walk(change.function.tree) if isinstance(one, ast.stmt)}
        assert change.place.line in lines


@pytest.mark.proof
def test_nearly_every_change_of_a_sample_is_noticed(repository_root: Path, tmp_path: Path) -> None:
    """Of 300 changes to billing/, always the same ones for the same code, the tests notice nearly all."""
    page = tmp_path / "mutation.md"
    options = {"sample": SAMPLE, "seed": SEED, "minimum": MINIMUM, "budget": 0.5, "page": page}
    command = [sys.executable, "-m", "tests.mutation", *(f"--{name}={value}" for name, value in options.items())]
    command += ["--tests", *TESTS]
    done = subprocess.run(command, cwd=repository_root, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{page.read_text() if page.exists() else 'no page'}"
