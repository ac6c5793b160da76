"""The process's metrics under one prefix, in a registry of its own; names, labels and units of operations section 9.

The names are the product's vocabulary for people who run it; what their label values mean is given by the caller.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

PREFIX = "billstream_"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SERIES_MAX = 2_000

# Each list has a boundary exactly at its objective: 0.25 s to an alert, 5 s to the hours, 15 s for a recovery.
PROCESSING_BUCKETS = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
END_TO_END_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)
REQUEST_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
RECOVERY_BUCKETS = (0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0)


@dataclass(frozen=True, kw_only=True)
class LabelValues:
    """The closed sets of label values this process knows; each of them is shown at 0 from the start."""

    sources: Sequence[str] = ()
    sinks: Sequence[str] = ()
    topics: Sequence[str] = ()
    entry_outcomes: Sequence[str] = ()
    entry_stages: Sequence[str] = ()
    dead_letter_reasons: Sequence[str] = ()
    conservation_kinds: Sequence[str] = ()
    cap_alert_kinds: Sequence[str] = ()
    sink_outcomes: Sequence[str] = ()
    draft_kinds: Sequence[str] = ()


@dataclass(frozen=True)
class Build:
    """What runs: our version, the revision it was built from, and Python's version."""

    version: str
    revision: str
    python: str


@dataclass(frozen=True)
class MetricNote:
    """One line of the reference page: what a metric is called and means."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str


class Metrics:
    """All metrics of one process, as attributes named like the metric without its prefix. Make one, pass it on."""

    def __init__(self, values: LabelValues, build: Build) -> None:
        # The extra `_created` series would double what each counter costs; the library has this switch for all only.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library left this one unannotated
        self.registry = CollectorRegistry(auto_describe=True)
        self._notes: list[MetricNote] = []
        self._declare_entries()
        self._declare_billing()
        self._declare_machinery()
        self._start_at_zero(values)
        self.build_info.labels(build.version, build.revision, build.python).set(1)
        ProcessCollector(registry=self.registry)

    def exposition(self) -> bytes:
        """The text a scraper reads; its type is CONTENT_TYPE."""
        return generate_latest(self.registry)

    def notes(self) -> tuple[MetricNote, ...]:
        """Every metric of ours, in the order of the reference page."""
        return tuple(self._notes)

    def forget_partition(self, topic: str, partition: int) -> None:
        """Drop the lag of a partition that was taken away: its new owner reports it."""
        for gauge in (self.consumer_lag_records, self.consumer_lag_seconds):
            if (topic, str(partition)) in _label_values(gauge):
                gauge.remove(topic, str(partition))

    def _declare_entries(self) -> None:
        self.entries_received_total = self._counter(
            "entries_received_total", "Entries a source handed in, before duplicates are set aside.", "source"
        )
        self.entries_settled_total = self._counter(
            "entries_settled_total", "Entries that reached an outcome.", "outcome"
        )
        self.entry_processing_seconds = self._histogram(
            "entry_processing_seconds",
            "Time for each record of a batch that holds entries, by stage.",
            PROCESSING_BUCKETS,
            "stage",
        )
        self.entry_end_to_end_seconds = self._histogram(
            "entry_end_to_end_seconds", "From the entry's arrival to its running hours.", END_TO_END_BUCKETS, "source"
        )
        self.duplicates_ignored_total = self._counter(
            "duplicates_ignored_total", "Entries that were already known and changed nothing.", "source"
        )
        self.dead_letters_total = self._counter(
            "dead_letters_total", "Records that could not be read or applied.", "topic", "reason"
        )
        self.dead_letters_pending = self._gauge(
            "dead_letters_pending", "Dead letters that nobody has settled yet.", "topic", "reason"
        )

    def _declare_billing(self) -> None:
        self.conservation_difference = self._gauge(
            "conservation_difference", "What came in minus what is accounted for; must be 0.", "kind"
        )
        self.cap_used_ratio_max = self._gauge(
            "cap_used_ratio_max", "Highest use of any cap, 1 when it is full.", "tenant"
        )
        self.cap_alerts_total = self._counter("cap_alerts_total", "Alerts about caps that were raised.", "kind")
        self.drafts = self._gauge("drafts", "Drafts by the state they are in.", "kind")
        self.draft_oldest_seconds = self._gauge(
            "draft_oldest_seconds", "How long the oldest draft has been in its state.", "kind"
        )
        self.sink_requests_total = self._counter(
            "sink_requests_total", "Deliveries to a destination, by how they ended.", "sink", "outcome"
        )
        self.sink_request_seconds = self._histogram(
            "sink_request_seconds", "Time the last try of a delivery took.", REQUEST_BUCKETS, "sink", "outcome"
        )
        self.deliveries_held = self._gauge(
            "deliveries_held",
            "Deliveries that a worker has in hand: they wait for their turn, or are under way.",
            "sink",
        )
        self.deliveries_held_ratio = self._gauge(
            "deliveries_held_ratio", "Size of the deliveries in hand over its bound; from 1 on no other begins."
        )

    def _declare_machinery(self) -> None:
        self.consumer_lag_records = self._gauge(
            "consumer_lag_records", "Records not yet applied.", "topic", "partition"
        )
        self.consumer_lag_seconds = self._gauge(
            "consumer_lag_seconds", "Age of the oldest record not yet applied.", "topic", "partition"
        )
        self.connector_last_success_timestamp_seconds = self._gauge(
            "connector_last_success_timestamp_seconds",
            "When the newest watermark or import of a source was made.",
            "source",
        )
        self.live_lag_seconds = self._gauge(
            "live_lag_seconds", "Age of the oldest record not yet done, as the last back-fill saw it."
        )
        self.backfill_paused_seconds_total = self._counter(
            "backfill_paused_seconds_total", "Time that back-fills waited because live work was behind."
        )
        self.rebalances_total = self._counter("rebalances_total", "Times partitions were given to this worker.")
        self.recovery_seconds = self._histogram(
            "recovery_seconds", "From a journal's assignment to the end it had then.", RECOVERY_BUCKETS
        )
        self.build_info = self._gauge(
            "build_info", "What runs here; the value is always 1.", "version", "revision", "python"
        )

    def _start_at_zero(self, values: LabelValues) -> None:
        """Rates need a first sample, so every known value exists before its first event."""
        one_label: Iterable[tuple[Counter | Gauge | Histogram, Sequence[str]]] = (
            (self.entries_received_total, values.sources),
            (self.entry_end_to_end_seconds, values.sources),
            (self.duplicates_ignored_total, values.sources),
            (self.entries_settled_total, values.entry_outcomes),
            (self.entry_processing_seconds, values.entry_stages),
            (self.conservation_difference, values.conservation_kinds),
            (self.cap_alerts_total, values.cap_alert_kinds),
            (self.drafts, values.draft_kinds),
            (self.draft_oldest_seconds, values.draft_kinds),
        )
        for metric, known in one_label:
            for value in known:
                metric.labels(value)
        for topic in values.topics:
            for reason in values.dead_letter_reasons:
                self.dead_letters_total.labels(topic, reason)
                self.dead_letters_pending.labels(topic, reason)
        for sink in values.sinks:
            self.deliveries_held.labels(sink)
            for outcome in values.sink_outcomes:
                self.sink_requests_total.labels(sink, outcome)
                self.sink_request_seconds.labels(sink, outcome)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        self._notes.append(MetricNote(PREFIX + name, "counter", labels, meaning))
        return Counter(PREFIX + name, meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        self._notes.append(MetricNote(PREFIX + name, "gauge", labels, meaning))
        return Gauge(PREFIX + name, meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, buckets: Sequence[float], *labels: str) -> Histogram:
        self._notes.append(MetricNote(PREFIX + name, "histogram", labels, meaning))
        return Histogram(PREFIX + name, meaning, labels, buckets=buckets, registry=self.registry)


def _label_values(gauge: Gauge) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(sample.labels.values()) for metric in gauge.collect() for sample in metric.samples)
