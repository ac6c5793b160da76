"""The topics of an installation with their settings (design section 1); made and checked at every start."""

from functools import lru_cache

from runtime.kafka.partitions import partition_for
from runtime.kafka.topics import TopicSpec

TIME_ENTRIES = "time-entries"
COMMANDS = "commands"
RESULTS = "results"
JOURNAL = "journal"
WORK = "work"
DOCUMENTS = "documents"
OUTBOX = "outbox"
ALERTS = "alerts"
HOURS = "hours"
DEAD_LETTERS = "dead-letters"
SOURCE_PROGRESS = "source-progress"

_DAY_MILLISECONDS = 86_400_000
_FOR_EVER = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
_DAYS_90 = {"cleanup.policy": "delete", "retention.ms": str(90 * _DAY_MILLISECONDS), "retention.bytes": "-1"}
_COMPACTED = {"cleanup.policy": "compact"}
# One broker does not make a record safe against a dying disk: what cannot be had again is flushed for each batch.
_FLUSHED = {"flush.messages": "1"}
INPUT_BYTES_MAX = 4 * 1024 * 1024
DOCUMENT_BYTES_MAX = 16 * 1024 * 1024


def topic_specs(partitions: int, replication_factor: int) -> tuple[TopicSpec, ...]:
    """All topics. The partition count is fixed for an installation's life, because a book's partition follows from
    it.
    """
    small = {"max.message.bytes": str(INPUT_BYTES_MAX)}
    large = {"max.message.bytes": str(DOCUMENT_BYTES_MAX)}
    safe = acknowledged_by_two(replication_factor)
    settings: dict[str, dict[str, str]] = {
        TIME_ENTRIES: {**_DAYS_90, **_FLUSHED, **small},
        COMMANDS: {**_FOR_EVER, **_FLUSHED, **small},
        RESULTS: {**_DAYS_90, **small},
        JOURNAL: {**_FOR_EVER, **_FLUSHED, **large},
        WORK: {**_DAYS_90, **large},
        DOCUMENTS: {**_FOR_EVER, **large},
        OUTBOX: {**_COMPACTED, **small},
        ALERTS: {**_DAYS_90, **small},
        HOURS: {**_COMPACTED, **small},
        DEAD_LETTERS: {**_FOR_EVER, **large},
        SOURCE_PROGRESS: {**_COMPACTED, **small},
    }
    return tuple(
        TopicSpec(name, partitions, replication_factor, {**own, **safe}, fixed=True) for name, own in settings.items()
    )


def acknowledged_by_two(replication_factor: int) -> dict[str, str]:
    """What a topic with enough replicas asks for: a write counts when two brokers have it."""
    return {"min.insync.replicas": "2"} if replication_factor >= 3 else {}


def book_name(tenant: str, book: str) -> str:
    """The name of a book among all tenants; the key of its journal records."""
    return f"{tenant}/{book}"


@lru_cache(maxsize=1024)
def book_partition(tenant: str, book: str, partitions: int) -> int:
    """The partition of everything that belongs to a book."""
    return partition_for(book_name(tenant, book), partitions)


def work_partition(request_id: str, partitions: int) -> int:
    """Where a request for slow work goes: spread, because slow work has no order."""
    return partition_for(request_id, partitions)
