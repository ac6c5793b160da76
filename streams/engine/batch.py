"""What a batch agent sees: one partition's fetch, and the promises of the handler that folds it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from aiokafka import ConsumerRecord


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one partition in offset order, fetched together; never empty.

    Offsets may have gaps (compaction, transaction markers). `next_offset` is where reading goes on after this batch;
    it is at least one more than the last record's offset. `highwater` is the partition's readable
    end as the broker last told.
    """

    topic: str
    partition: int
    records: Sequence["ConsumerRecord[bytes | None, bytes | None]"]
    next_offset: int
    highwater: int

    @property
    def first_offset(self) -> int:
        """Offset of the first record."""
        return int(self.records[0].offset)

    @property
    def last_offset(self) -> int:
        """Offset of the last record."""
        return int(self.records[-1].offset)


class BatchHandler(Protocol):
    """The business end of a batch agent. All three run on the app's event loop.

    For one partition the calls never overlap: `assigned`, then any number of `process`, then `revoked`.
    Different partitions run concurrently.
    """

    async def assigned(self, partition: int, committed: int | None) -> int | None:
        """Called once the app owns the partition and has recovered its tables; `committed` is the group's offset.

        Return the offset to resume from (the next to be read), or None for the group's. Raising stops the worker.
        """

    async def process(self, batch: Batch) -> None:
        """Do the whole batch: when this returns, its outputs are acknowledged and its rows are safe.

        The group's offset moves only afterwards. The same records may come again after a crash or a move.
        It is cancelled when the partition is taken away and the batch does not finish in time. Raising stops the
        worker; nothing of the batch is committed.
        """

    async def revoked(self, partition: int) -> None:
        """Called when the partition was given up or the worker stops; no `process` of it is running any more."""


@dataclass(frozen=True, slots=True)
class BatchAgent:
    """A handler installed on a topic; `records_max` bounds one batch, and with it the time between two commits."""

    name: str
    topic: str
    handler: BatchHandler
    records_max: int


class PartitionState(StrEnum):
    """What the engine is doing with a partition right now."""

    STARTING = "starting"
    WAITING = "waiting"
    PROCESSING = "processing"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class PartitionProgress:
    """Plain numbers for health and metrics.

    `position` is the next offset to be processed, `committed` the group's offset as this worker last wrote it, and
    `progress_age_seconds` the time since a batch was finished or the end of the partition was seen.
    """

    agent: str
    topic: str
    partition: int
    state: PartitionState
    position: int
    committed: int | None
    highwater: int
    progress_age_seconds: float

    @property
    def lag(self) -> int:
        """Records (at most) that wait to be processed."""
        return max(0, self.highwater - self.position)
