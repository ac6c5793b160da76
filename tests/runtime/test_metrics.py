"""Metric names, labels and first samples follow the rules people's dashboards rely on."""

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from runtime.metrics import SERIES_MAX, Build, LabelValues, Metrics

LABELS = {"tenant", "source", "sink", "topic", "partition", "stage", "outcome", "reason", "route", "method", "code"} | {
    "model",
    "kind",
    "version",
    "revision",
    "python",
}
BUILD = Build("1.2", "abc", "3.11")
FULL = LabelValues(
    sources=[f"source{n}" for n in range(8)],
    sinks=[f"sink{n}" for n in range(6)],
    topics=[f"topic{n}" for n in range(11)],
    entry_outcomes=["billed", "held"],
    entry_stages=["decode", "rules", "total"],
    dead_letter_reasons=["unreadable", "too_large", "refused"],
    conservation_kinds=["seconds", "money"],
    cap_alert_kinds=["approaching", "reached"],
    sink_outcomes=["done", "unknown", "refused"],
    draft_kinds=["open", "approved"],
)


def samples(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """What a scraper reads, by name and labels."""
    families = text_string_to_metric_families(metrics.exposition().decode())
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def test_every_known_value_starts_at_zero() -> None:
    """A rate needs a first sample; the first dead letter must already be an increase."""
    found = samples(Metrics(FULL, BUILD))
    label = frozenset({("topic", "topic3"), ("reason", "too_large")})
    assert found["billstream_dead_letters_total", label] == 0
    assert found["billstream_entries_settled_total", frozenset({("outcome", "held")})] == 0
    assert found["billstream_sink_request_seconds_count", frozenset({("sink", "sink5"), ("outcome", "unknown")})] == 0


def test_two_processes_in_one_share_nothing() -> None:
    """Tests and the demo run several; none sees the other's numbers."""
    one, other = Metrics(FULL, BUILD), Metrics(FULL, BUILD)
    one.entries_received_total.labels("source1").inc()
    key = ("billstream_entries_received_total", frozenset({("source", "source1")}))
    assert (samples(one)[key], samples(other)[key]) == (1, 0)


def test_names_units_and_labels_keep_the_rules() -> None:
    """Prefix, base units, labels from the list only."""
    for note in Metrics(FULL, BUILD).notes():
        assert re.fullmatch(r"billstream_[a-z_]+", note.name)
        assert set(note.labels) <= LABELS
        assert note.meaning.endswith(".")
        assert (note.kind == "counter") == note.name.endswith("_total")
        assert note.kind != "histogram" or note.name.endswith("_seconds")


@pytest.mark.parametrize(
    ("name", "objective_seconds"),
    [("entry_end_to_end_seconds", 5.0), ("entry_processing_seconds", 0.25), ("recovery_seconds", 15.0)],
)
def test_a_bucket_ends_exactly_at_the_objective(name: str, objective_seconds: float) -> None:
    """Otherwise the share of entries in time would be a guess between two buckets."""
    found = samples(Metrics(FULL, BUILD))
    boundaries = {float(dict(labels)["le"]) for sample, labels in found if sample == f"billstream_{name}_bucket"}
    assert objective_seconds in boundaries


def test_a_large_installation_stays_within_the_budget() -> None:
    """Eight sources, six sinks, eleven topics with twelve partitions each."""
    metrics = Metrics(FULL, BUILD)
    for topic in FULL.topics:
        for partition in range(12):
            metrics.consumer_lag_records.labels(topic, str(partition)).set(1)
            metrics.consumer_lag_seconds.labels(topic, str(partition)).set(1)
    assert len(samples(metrics)) < SERIES_MAX


def test_a_partition_that_was_taken_away_shows_no_lag() -> None:
    """A stale number on the old owner would raise an alert for nothing."""
    metrics = Metrics(LabelValues(), BUILD)
    metrics.consumer_lag_seconds.labels("journal", "3").set(99)
    metrics.forget_partition("journal", 3)
    metrics.forget_partition("journal", 4)
    assert not [name for name, _ in samples(metrics) if name.startswith("billstream_consumer_lag")]


def test_the_build_says_what_runs() -> None:
    """One series with the value 1."""
    labels = frozenset({("version", "1.2"), ("revision", "abc"), ("python", "3.11")})
    assert samples(Metrics(LabelValues(), BUILD))["billstream_build_info", labels] == 1
