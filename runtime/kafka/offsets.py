"""Where topics begin and end right now."""

from collections.abc import Mapping, Sequence

from runtime.errors import Misconfigured
from runtime.kafka.connection import KafkaConnection
from runtime.kafka.listing import Span, list_spans
from runtime.kafka.topics import describe_topics


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
    return await list_spans(connection, {name: seen[name].partitions for name in topics})


async def end_offsets(connection: KafkaConnection, topics: Sequence[str]) -> Mapping[tuple[str, int], int]:
    """The offset the next record of each partition will get, by (topic, partition)."""
    return {place: span.end for place, span in (await spans(connection, topics)).items()}
