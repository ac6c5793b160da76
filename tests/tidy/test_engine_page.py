"""docs/engine.md rests on tests: each that it names exists, and a point without one says that it is open."""

import ast
import re
from pathlib import Path

POINTS = 44
_TEST = re.compile(r"`(test_[a-z0-9_]+)`")


def test_every_point_names_tests_that_exist_or_says_that_it_is_open(repository_root: Path) -> None:
    """A test that was renamed or removed takes its point with it."""
    existing = {
        node.name
        for file in (repository_root / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    page = (repository_root / "docs" / "engine.md").read_text(encoding="utf-8")
    points = [line.split("|") for line in page.splitlines() if re.match(r"\| \d+ \|", line)]
    assert [int(cells[1]) for cells in points] == list(range(1, POINTS + 1))
    for cells in points:
        named = _TEST.findall(cells[4])
        assert set(named) <= existing, sorted(set(named) - existing)
        assert named or "open:" in cells[3].lower(), f"point {cells[1]} rests on nothing"
