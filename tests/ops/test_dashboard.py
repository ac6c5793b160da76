"""The dashboard: written from its program, readable at a glance, and showing only what Billstream exports."""

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest

from runtime.metrics import Build, LabelValues, Metrics

METRIC = re.compile(r"\bbillstream_[a-z_]+\b")
# Endings that the exposition format adds to a declared name.
ENDINGS = ("_total", "_bucket", "_sum", "_count", "_info")


@pytest.fixture(scope="module")
def board(repository_root: Path) -> dict[str, Any]:
    """The committed dashboard."""
    parsed: dict[str, Any] = json.loads((repository_root / "ops/grafana/boards/pipeline.json").read_text())
    return parsed


@pytest.fixture(scope="module")
def queries(board: dict[str, Any]) -> list[str]:
    """Every query of every panel."""
    return [target["expr"] for panel in board["panels"] for target in panel["targets"]]


def stem(metric: str) -> str:
    """The declared name behind an exported one."""
    for ending in ENDINGS:
        metric = metric.removesuffix(ending)
    return metric


def test_the_file_is_what_its_program_writes(repository_root: Path) -> None:
    """A change by hand would be lost at the next run: `python ops/grafana/board.py --write`."""
    path = repository_root / "ops/grafana/board.py"
    spec = importlib.util.spec_from_file_location("billstream_board", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (repository_root / "ops/grafana/boards/pipeline.json").read_text() == module.board_text()


def test_it_shows_only_what_we_export(queries: list[str]) -> None:
    """A panel on a metric that nobody writes stays empty for ever, and looks like calm."""
    exported = {stem(note.name) for note in Metrics(LabelValues(), Build("", "", "")).notes()}
    shown = {stem(name) for query in queries for name in METRIC.findall(query)}
    assert sorted(shown - exported) == []


def test_it_reads_at_a_glance(board: dict[str, Any], queries: list[str]) -> None:
    """Every panel has a unit, a sentence and a zero line, at most five lines; at most five graphs are in view."""
    for panel in board["panels"]:
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["min"] == 0, panel["title"]
        assert 1 <= len(panel["targets"]) <= 5, panel["title"]
    graphs = [panel for panel in board["panels"] if panel["type"] == "timeseries"]
    assert len(graphs) <= 5
    assert queries


def test_no_two_panels_overlap(board: dict[str, Any]) -> None:
    """Each cell of the grid belongs to one panel, and none lies outside its 24 columns."""
    places = [panel["gridPos"] for panel in board["panels"]]
    cells = [(x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_parentheses_of_queries_close(queries: list[str]) -> None:
    """A query that does not close does not run."""
    assert [query for query in queries if query.count("(") != query.count(")")] == []


@pytest.mark.parametrize(
    "exported", ["billstream_b_seconds_bucket", "billstream_b_seconds_count", "billstream_b_seconds"]
)
def test_a_metric_is_known_by_its_declared_name(exported: str) -> None:
    """The format's endings are taken off, the unit stays."""
    assert stem(exported) == "billstream_b_seconds"
