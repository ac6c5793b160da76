"""What the agents tell metrics and health: counts as things happen, gauges on a slow beat; no names, no amounts."""

from collections.abc import Iterable

from billing.running import cap_limit
from books.book import Book
from books.catalog import Catalog
from books.counting import RECOVERED, THRESHOLD
from books.effects import Effects
from books.rows import CapRow, DocumentRow, EntryRow, HoursRow
from books.stores.port import Rows
from runtime.clock import Clock
from runtime.health import Finding
from runtime.metrics import LabelValues, Metrics
from schemas.draft import DocumentState
from schemas.entry import EntryVersion
from schemas.inputs import DeliveryState
from schemas.values import Record
from streams.engine.app import EngineApp
from streams.engine.batch import PartitionProgress
from streams.topics import COMMANDS, JOURNAL, RESULTS, TIME_ENTRIES, WORK

STALLED_SECONDS = 30.0
REASONS = (
    "frame_short",
    "frame_magic",
    "schema_unknown",
    "avro_broken",
    "avro_trailing",
    "record_too_large",
    "value_invalid",
    "record_not_allowed",
    "wrong_partition",
    "revision_invalid",
    "revision_mislabelled",
    "unexpected",
)
"""Why a record may end as a dead letter; the labels of its counter."""


def label_values(sources: Iterable[str], sinks: Iterable[str]) -> LabelValues:
    """The closed sets of label values of a worker."""
    return LabelValues(
        sources=tuple(sources),
        sinks=tuple(sinks),
        topics=(TIME_ENTRIES, COMMANDS, RESULTS, JOURNAL, WORK),
        entry_outcomes=("applied", "ignored"),
        entry_stages=("total",),
        dead_letter_reasons=REASONS,
        conservation_kinds=("time",),
        cap_alert_kinds=(THRESHOLD, RECOVERED),
        sink_outcomes=tuple(state.value for state in DeliveryState),
        draft_kinds=tuple(state.value for state in DocumentState),
    )


class Meter:
    """Turns what agents report into metrics. One for each worker process."""

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock

    def accepted(self, records: Iterable[Record]) -> None:
        """Records that were appended to a journal."""
        for record in records:
            if isinstance(record, EntryVersion):
                self._metrics.entries_received_total.labels(record.source).inc()

    def dead_letter(self, topic: str, reason: str) -> None:
        """A record that ended as a dead letter."""
        self._metrics.dead_letters_total.labels(topic, reason if reason in REASONS else "unexpected").inc()

    def applied(self, records: Iterable[Record], effects: Effects, ignored: int) -> None:
        """A batch whose rows and offset are committed."""
        now = self._clock.now()
        entries = [record for record in records if isinstance(record, EntryVersion)]
        for entry in entries:
            waited_seconds = max(0.0, (now - entry.envelope.recorded_at).total_seconds())
            self._metrics.entry_end_to_end_seconds.labels(entry.source).observe(waited_seconds)
        self._metrics.entries_settled_total.labels("applied").inc(len(entries) - ignored)
        self._metrics.entries_settled_total.labels("ignored").inc(ignored)
        for _, alert in effects.alerts:
            self._metrics.cap_alerts_total.labels(alert.kind).inc()

    def delivered(self, sink: str, state: DeliveryState) -> None:
        """A delivery that was settled."""
        self._metrics.sink_requests_total.labels(sink, state.value).inc()

    def lags(self, progress: Iterable[PartitionProgress]) -> None:
        """How far each partition is behind."""
        for one in progress:
            place = (one.topic, str(one.partition))
            self._metrics.consumer_lag_records.labels(*place).set(one.lag)
            self._metrics.consumer_lag_seconds.labels(*place).set(one.progress_age_seconds if one.lag else 0)

    def rows(self, rows: Rows, tenant: str, book: str) -> None:
        """What the rows of a book say: drafts by state, the fullest cap, and whether all seconds are accounted for."""
        view = Book(rows, tenant, book)
        drafts = dict.fromkeys((state.value for state in DocumentState), 0)
        for _, document in view.scan(DocumentRow):
            drafts[document.state] += 1
        for state, count in drafts.items():
            self._metrics.drafts.labels(state).set(count)
        self._metrics.cap_used_ratio_max.labels(tenant).set(fullest_cap(view))
        self._metrics.conservation_difference.labels("time").set(hours_difference(view))


def fullest_cap(book: Book) -> float:
    """The highest share that any cap window is used, 1 when it is full."""
    agreements = Catalog(book).agreements
    shares = [0.0]
    for key, row in book.scan(CapRow):
        contract_id, cap_id, _pool, window = key.split("\x1f")
        agreement = agreements.get(contract_id)
        if agreement is not None and any(cap.id == cap_id for cap in agreement.compiled.caps):
            limit = cap_limit(agreement.compiled, cap_id, window)
            shares.append(row.used_seconds / limit if limit else 1.0)
    return max(shares)


def hours_difference(book: Book) -> int:
    """Seconds of entries minus seconds of running hours: 0 unless a total went wrong (rule 8)."""
    entries = sum(row.hours.worked_seconds for _, row in book.scan(EntryRow) if row.hours is not None)
    return entries - sum(row.worked_seconds for _, row in book.scan(HoursRow))


async def partitions_check(app: EngineApp) -> Finding:
    """Ready once partitions are assigned and no partition has work without moving."""
    progress = app.batch_progress()
    if not progress:
        return Finding(ok=False, reason="no partition is assigned yet")
    stalled = [one for one in progress if one.lag and one.progress_age_seconds > STALLED_SECONDS]
    if stalled:
        worst = max(stalled, key=lambda one: one.progress_age_seconds)
        return Finding(
            ok=False,
            reason=f"{worst.topic}/{worst.partition} has {worst.lag} records waiting"
            f" and has not moved for {worst.progress_age_seconds:.0f} s",
        )
    return Finding(ok=True)
