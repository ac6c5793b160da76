"""Whether this worker is still a member of its group, as far as it can know without asking (design section 2, rule 1).

A process that was stopped for longer than its session (a zombie) must not write or commit when it wakes up. The broker
refuses its commits; nobody refuses its records. So every produce request first looks here: the last answered heartbeat
has to be younger than the session by a margin that covers the way to the broker.
"""

import asyncio
import time
from collections.abc import Callable, Mapping

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import MessageBatch

from streams.engine.errors import OwnershipLost

CHECK_AGAIN_SECONDS = 0.05


class Membership:
    """Written by the consumer's thread, read by everybody; each value is replaced whole, so no lock is needed."""

    def __init__(self, lease_seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._lease_seconds = lease_seconds
        self._clock = clock
        self._renewed_at: float | None = None

    def renew(self, asked_at_seconds: float) -> None:
        """The coordinator answered a request that was sent at that time of the monotonic clock."""
        self._renewed_at = asked_at_seconds

    def lose(self) -> None:
        """The coordinator does not know us any more; only a new join brings us back."""
        self._renewed_at = None

    @property
    def member(self) -> bool:
        """False once the group told us that we are out."""
        return self._renewed_at is not None

    @property
    def held(self) -> bool:
        """True while the broker cannot have given our partitions to somebody else."""
        renewed_at = self._renewed_at
        return renewed_at is not None and self._clock() - renewed_at < self._lease_seconds

    async def wait_held(self) -> None:
        """Return when the membership is certain; wait while the coordinator is silent. Raises OwnershipLost."""
        while not self.held:
            if not self.member:
                raise OwnershipLost("the group coordinator does not know this member any more")
            await asyncio.sleep(CHECK_AGAIN_SECONDS)


def fence(producer: AIOKafkaProducer, membership: Membership) -> None:
    """Let the producer write only for a member; one that was put out is dead from then on, and its callers are told.

    The client offers no such place. This is the last moment before a request is written, and before each retry.
    """
    send = producer._sender._send_produce_req

    async def send_as_member(node_id: int, batches: Mapping[TopicPartition, MessageBatch]) -> None:
        while not membership.held:
            if producer._closed:
                # Given up while it waited: its sender waits for this request, and its callers for their answers.
                for batch in batches.values():
                    batch.failure(KafkaError("the producer was closed before this was written"))
                return
            if not membership.member:
                break
            await asyncio.sleep(CHECK_AGAIN_SECONDS)
        await membership.wait_held()
        await send(node_id, batches)

    producer._sender._send_produce_req = send_as_member
