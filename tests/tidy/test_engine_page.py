"""docs/engine.md rests on tests: each that it names exists, a point without one says that it is open, and each fault of
Faust is shown as well as its absence.
"""

import ast
import re
from pathlib import Path

import pytest

POINTS = 44
_TEST = re.compile(r"`(test_[a-z0-9_]+)`")


@pytest.fixture(scope="module")
def existing(repository_root: Path) -> set[str]:
    """Names of all test functions."""
    return {
        node.name
        for file in (repository_root / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


@pytest.fixture(scope="module")
def page(repository_root: Path) -> str:
    """The page."""
    return (repository_root / "docs" / "engine.md").read_text(encoding="utf-8")


def test_every_point_names_tests_that_exist_or_says_that_it_is_open(page: str, existing: set[str]) -> None:
    """A test that was renamed or removed takes its point with it."""
    points = [line.split("|") for line in page.splitlines() if re.match(r"\| \d+ \|", line)]
    assert [int(cells[1]) for cells in points] == list(range(1, POINTS + 1))
    for cells in points:
        named = _TEST.findall(cells[4])
        assert set(named) <= existing, sorted(set(named) - existing)
        assert named or "open:" in cells[3].lower(), f"point {cells[1]} rests on nothing"


def test_every_fault_of_faust_is_shown_and_so_is_its_absence(page: str, existing: set[str]) -> None:
    """A remedy without its fault is a habit, and a fault without a proof of its absence is a hope."""
    _, _, section = page.partition("## Where Faust is at fault")
    assert set(_TEST.findall(section)) <= existing, sorted(set(_TEST.findall(section)) - existing)
    rows = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 9
    for fault, shown, remedy, absent in rows:
        assert _TEST.findall(shown), f"not shown: {fault}"
        assert remedy.strip()
        assert _TEST.findall(absent), f"not shown to be absent: {fault}"
