"""Where topics begin and end right now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from runtime.errors import Misconfigured
from runtime.kafka.admin import unreachable
from runtime.kafka.connection import KafkaConnection
from runtime.kafka.topics import describe_topics

REQUEST_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Span:
    """Offset of the first record kept and the one the next record will get; equal when the partition is empty."""

    beginning: int
    end: int


async def spans(connection: KafkaConnection, topics: Sequence[str]) -> Mapping[tuple[str, int], Span]:
    """Beginning and end of each partition of the topics, by (topic, partition).

    Raises Misconfigured when a topic does not exist, Unavailable when the cluster does not answer.
    """
    seen = await describe_topics(connection, topics)
    missing = [topic for topic in topics if topic not in seen]
    if missing:
        raise Misconfigured(
            "kafka-topic-missing",
            f"The topics {', '.join(missing)} do not exist.",
            "Start Billstream once with this Kafka, or check the topic names in the settings.",
        )
    partitions = [TopicPartition(name, number) for name in topics for number in range(seen[name].partitions)]
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


async def end_offsets(connection: KafkaConnection, topics: Sequence[str]) -> Mapping[tuple[str, int], int]:
    """The offset the next record of each partition will get, by (topic, partition)."""
    return {place: span.end for place, span in (await spans(connection, topics)).items()}
