"""Asks the leaders themselves where their partitions begin and end, which also proves that they lead."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from runtime.kafka.admin import unreachable
from runtime.kafka.connection import KafkaConnection

REQUEST_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Span:
    """Offset of the first record kept and the one the next record will get; equal when the partition is empty."""

    beginning: int
    end: int


async def list_spans(connection: KafkaConnection, counts: Mapping[str, int]) -> Mapping[tuple[str, int], Span]:
    """The span of each partition, by (topic, partition); `counts` has each topic's number of partitions.

    Waits for leaders that are not ready yet. Raises Unavailable when the cluster does not answer in time.
    """
    partitions = [TopicPartition(name, number) for name, count in counts.items() for number in range(count)]
    if not partitions:
        return {}
    consumer = AIOKafkaConsumer(
        **connection.client_arguments(),
        enable_auto_commit=False,
        request_timeout_ms=REQUEST_TIMEOUT_SECONDS * 1000,
    )
    try:
        await consumer.start()
        beginnings = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
    except (KafkaError, OSError, TimeoutError) as error:
        raise unreachable(connection, error) from error
    finally:
        await consumer.stop()
    return {(one.topic, one.partition): Span(beginnings[one], ends[one]) for one in partitions}
