"""What the agents tell metrics and health: counts as things happen, gauges on a slow beat; no names, no amounts."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from billing.running import cap_limit
from books.book import Book
from books.catalog import Catalog
from books.counting import RECOVERED, THRESHOLD
from books.rows import CapRow, DocumentRow, EntryRow, HoursRow
from books.stores.port import Rows
from runtime.clock import Clock
from runtime.health import Finding
from runtime.metrics import LabelValues, Metrics
from schemas.canonical import instant_micros
from schemas.draft import DocumentState
from schemas.entry import EntryVersion
from schemas.inputs import DeliveryState, ImportCompleted, SourceWatermark
from schemas.values import Record
from streams.agents.deliver import NAME as DELIVER
from streams.agents.fold import Applied
from streams.engine.batch import PartitionProgress
from streams.topics import COMMANDS, HOURS, JOURNAL, RESULTS, TIME_ENTRIES, WORK

STALLED_SECONDS = 30.0
DELIVERY_SECONDS_MAX = 300.0
"""Well above the patience of a delivery: whoever takes longer hangs."""
ROWS_IN_A_SLICE = 2_000
REASONS = (
    "frame_short",
    "frame_magic",
    "schema_unknown",
    "schema_newer",
    "avro_broken",
    "avro_trailing",
    "record_too_large",
    "value_invalid",
    "record_not_allowed",
    "wrong_partition",
    "revision_invalid",
    "revision_mislabelled",
    "currency_changed",
    "tick_ahead",
    "record_misplaced",
    "payment_account_unknown",
    "payment_unusable",
    "unexpected",
)
"""Why a record may end as a dead letter; the labels of its counter."""
LETTER_TOPICS = (TIME_ENTRIES, COMMANDS, RESULTS, JOURNAL, WORK, HOURS)
"""Where such a record may have stood."""


def label_values(sources: Iterable[str], sinks: Iterable[str]) -> LabelValues:
    """The closed sets of label values of a worker."""
    return LabelValues(
        sources=tuple(sources),
        sinks=tuple(sinks),
        topics=LETTER_TOPICS,
        entry_outcomes=("applied", "ignored"),
        entry_stages=("fold",),
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
        self._lagging: set[tuple[str, int]] = set()

    def accepted(self, records: Iterable[Record]) -> None:
        """Records that were appended to a journal."""
        received: Counter[str] = Counter()
        for record in records:
            if isinstance(record, EntryVersion):
                received[record.source] += 1
            elif isinstance(record, SourceWatermark | ImportCompleted):
                read_at = record.envelope.recorded_at.timestamp()
                self._metrics.connector_last_success_timestamp_seconds.labels(record.source).set(read_at)
        for source, count in received.items():
            self._metrics.entries_received_total.labels(source).inc(count)

    def dead_letter(self, topic: str, reason: str) -> None:
        """A record that ended as a dead letter."""
        self._metrics.dead_letters_total.labels(topic, _reason(reason)).inc()

    def pending_letters(self, counts: Mapping[tuple[str, str], int]) -> None:
        """How many dead letters of each (topic, reason) wait for a person; what is not named has none."""
        pending: Counter[tuple[str, str]] = Counter()
        for (topic, reason), count in counts.items():
            if topic in LETTER_TOPICS:
                pending[topic, _reason(reason)] += count
        for topic in LETTER_TOPICS:
            for reason in REASONS:
                self._metrics.dead_letters_pending.labels(topic, reason).set(pending[topic, reason])

    def applied(self, applied: Applied) -> None:
        """A batch whose outputs are acknowledged."""
        now = self._clock.now()
        entries = [record for record in applied.records if isinstance(record, EntryVersion)]
        sources = {entry.source for entry in entries}
        waits = {source: self._metrics.entry_end_to_end_seconds.labels(source) for source in sources}
        for entry in entries:
            waits[entry.source].observe(max(0.0, (now - entry.envelope.recorded_at).total_seconds()))
        for entry in applied.ignored:
            self._metrics.duplicates_ignored_total.labels(entry.source).inc()
        self._metrics.entries_settled_total.labels("applied").inc(len(entries) - len(applied.ignored))
        self._metrics.entries_settled_total.labels("ignored").inc(len(applied.ignored))
        if entries:
            # Once for a batch: an observation for each entry would cost as much as some entries do.
            self._metrics.entry_processing_seconds.labels("fold").observe(applied.seconds / len(applied.records))
        for alert in applied.alerts:
            self._metrics.cap_alerts_total.labels(alert.kind).inc()

    def recovered(self, seconds: float) -> None:
        """A partition whose journal was applied to the end it had when it was assigned."""
        self._metrics.recovery_seconds.observe(seconds)

    def rebalanced(self, times: int) -> None:
        """Partitions were dealt out anew."""
        self._metrics.rebalances_total.inc(times)

    def delivered(self, sink: str, state: DeliveryState, seconds: float) -> None:
        """A delivery that was settled, and how long its last try took."""
        self._metrics.sink_requests_total.labels(sink, state.value).inc()
        self._metrics.sink_request_seconds.labels(sink, state.value).observe(seconds)

    def held(self, records: Mapping[str, int], ratio: float) -> None:
        """The requests for deliveries that a worker holds by sink, and their bytes over their bound."""
        for sink, count in records.items():
            self._metrics.deliveries_held.labels(sink).set(count)
        self._metrics.deliveries_held_ratio.set(ratio)

    def lags(self, progress: Iterable[PartitionProgress]) -> None:
        """How far each partition is behind; one that was taken away is its new owner's to tell.

        Of the two that read `work` it is `categorise`: a delivery waits for others, and has a check of its own.
        """
        now = {(one.topic, one.partition): one for one in progress if one.agent != DELIVER}
        for topic, partition in self._lagging - now.keys():
            self._metrics.forget_partition(topic, partition)
        self._lagging = set(now)
        for one in now.values():
            place = (one.topic, str(one.partition))
            self._metrics.consumer_lag_records.labels(*place).set(one.lag)
            self._metrics.consumer_lag_seconds.labels(*place).set(one.progress_age_seconds if one.lag else 0)

    async def rows(self, rows: Rows, tenant: str, book: str) -> None:
        """What the rows of a book say: drafts by state, the fullest cap, and whether all seconds are accounted for."""
        view = Book(rows, tenant, book)
        now_micros = instant_micros(self._clock.now())
        drafts = dict.fromkeys((state.value for state in DocumentState), 0)
        oldest_micros = dict.fromkeys(drafts, now_micros)
        for _, document in view.scan(DocumentRow):
            drafts[document.state] += 1
            oldest_micros[document.state] = min(oldest_micros[document.state], document.state_micros)
        for state, count in drafts.items():
            self._metrics.drafts.labels(state).set(count)
            self._metrics.draft_oldest_seconds.labels(state).set((now_micros - oldest_micros[state]) // 1_000_000)
        self._metrics.cap_used_ratio_max.labels(tenant).set(fullest_cap(view))
        self._metrics.conservation_difference.labels("time").set(await hours_difference(view))


def _reason(said: str) -> str:
    """The label of a reason; words of a newer version share one."""
    return said if said in REASONS else "unexpected"


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


async def hours_difference(book: Book) -> int:
    """Seconds of entries minus seconds of running hours: 0 unless a total went wrong (rule 8).

    The rows are read at one moment and added up in slices, so that a large book holds up nothing else.
    """
    hours = list(book.scan(HoursRow))
    difference = -sum(row.worked_seconds for _, row in hours)
    for number, (_, row) in enumerate(book.scan(EntryRow)):
        difference += 0 if row.hours is None else row.hours.worked_seconds
        if number % ROWS_IN_A_SLICE == ROWS_IN_A_SLICE - 1:
            await asyncio.sleep(0)
    return difference


class Assigned(Protocol):
    """What a check needs of an app."""

    assignments: int

    def batch_progress(self) -> Sequence[PartitionProgress]:
        """Numbers of each batch partition that is ours."""


class Delivering(Protocol):
    """What a check needs of the `deliver` agent."""

    def busy_seconds(self) -> float:
        """How long the oldest delivery under way has taken."""


async def deliveries_check(app: Assigned, agent: Delivering) -> Finding:
    """Ready once partitions are assigned and no delivery takes longer than any patience."""
    if not app.assignments:
        return Finding(ok=False, reason="no partition is assigned yet")
    busy_seconds = agent.busy_seconds()
    if busy_seconds > DELIVERY_SECONDS_MAX:
        return Finding(ok=False, reason=f"a delivery has not ended for {busy_seconds:.0f} s")
    return Finding(ok=True)


async def partitions_check(app: Assigned, behind: Callable[[], Sequence[int]] = tuple) -> Finding:
    """Ready once partitions are assigned, perhaps none, the journals that were given have been applied to the ends they
    had then, and no partition has work without moving.
    """
    if not app.assignments:
        return Finding(ok=False, reason="no partition is assigned yet")
    if recovering := behind():
        return Finding(ok=False, reason=f"journal {', '.join(map(str, recovering))} is being applied again")
    progress = app.batch_progress()
    stalled = [one for one in progress if one.lag and one.progress_age_seconds > STALLED_SECONDS]
    if stalled:
        worst = max(stalled, key=lambda one: one.progress_age_seconds)
        return Finding(
            ok=False,
            reason=f"{worst.topic}/{worst.partition} has {worst.lag} records waiting"
            f" and has not moved for {worst.progress_age_seconds:.0f} s",
        )
    return Finding(ok=True)
