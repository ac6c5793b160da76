"""Talking to a Kafka cluster: connection settings, topics, offsets, and the partition of a key."""

from runtime.kafka.connection import ClientArguments, KafkaConnection
from runtime.kafka.listing import Span
from runtime.kafka.offsets import end_offsets, spans
from runtime.kafka.partitions import partition_for
from runtime.kafka.topics import TopicSeen, TopicSpec, describe_topics, ensure_topics

__all__ = [
    "ClientArguments",
    "KafkaConnection",
    "Span",
    "TopicSeen",
    "TopicSpec",
    "describe_topics",
    "end_offsets",
    "ensure_topics",
    "partition_for",
    "spans",
]
