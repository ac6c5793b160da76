"""What a batch agent sees: one partition's fetch, and the promises of the handler that folds it."""

import asyncio
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


Settling = asyncio.Future[None]
"""What of a batch is still on its way: done when its outputs are acknowledged, failed when that cannot be known."""


def settled() -> Settling:
    """Nothing is on its way."""
    nothing: Settling = asyncio.get_running_loop().create_future()
    nothing.set_result(None)
    return nothing


class BatchHandler(Protocol):
    """The business end of a batch agent. All three run on the app's event loop.

    For one partition the calls never overlap: `assigned`, then any number of `process`, then `revoked`.
    Different partitions run concurrently.
    """

    async def assigned(self, partition: int, committed: int | None) -> int | None:
        """Called once the app owns the partition and has recovered its tables; `committed` is the group's offset.

        Return the offset to resume from (the next to be read), or None for the group's. Raising stops the worker.
        """

    async def process(self, batch: Batch) -> Settling | None:
        """Do the batch. What it returns is done when the batch's outputs are acknowledged; None when they are already.

        The next batches may begin before that, `settling_max` at most, so that nothing waits for the way to the broker
        and back. The group's offset moves past a batch only when it and all before it are settled. The same records may
        come again after a crash or a move. It is cancelled, and so is what is still on its way, when the partition is
        taken away and there is no time to finish. Raising stops the worker; nothing of the batch is committed.
        """

    async def revoked(self, partition: int) -> None:
        """Called when the partition was given up or the worker stops: no `process` of it runs any more, and what it
        returned is done, or was cancelled.
        """


SETTLING_MAX = 4
"""How many batches may wait for acknowledgements: enough to hide the way to the broker, little to do again."""


@dataclass(frozen=True, slots=True)
class BatchAgent:
    """A handler installed on a topic; `records_max` bounds one batch, and with it the time between two commits.

    `settling_max` bounds how many batches of a partition are not settled: more than a few only where the outside world
    settles them, and not in their order.
    """

    name: str
    topic: str
    handler: BatchHandler
    records_max: int
    settling_max: int = SETTLING_MAX


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
