"""Whether documents may leave for sinks: after a restore nothing is sent until a proof of what was restored holds.

The word stands in the cluster, so that workers of every host see it: as long as the topic exists, sending is held.
"""

from aiokafka.errors import for_code

from runtime.errors import Unavailable
from runtime.kafka.admin import admin_client
from runtime.kafka.connection import KafkaConnection
from runtime.kafka.topics import TopicSpec, describe_topics, ensure_topics

SENDING_HELD = "sending-held"
WHY = "nothing is sent after a restore until `billstream restore --verify` holds and the worker is started again"
_UNKNOWN_TOPIC = 3


async def is_held(connection: KafkaConnection) -> bool:
    """Whether nothing may be sent now."""
    return SENDING_HELD in await describe_topics(connection, [SENDING_HELD])


async def hold(connection: KafkaConnection, replication_factor: int) -> None:
    """From now on no worker that starts sends anything; a repeat is harmless."""
    await ensure_topics(connection, [TopicSpec(SENDING_HELD, 1, replication_factor)])


async def allow(connection: KafkaConnection) -> None:
    """Workers that start from now on send again; a repeat is harmless. Raises Unavailable when the cluster refuses."""
    if not await is_held(connection):
        return
    async with admin_client(connection) as admin:
        answer = await admin.delete_topics([SENDING_HELD])
    refused = [for_code(one[1]).__name__ for one in answer.topic_error_codes if one[1] not in {0, _UNKNOWN_TOPIC}]
    if refused:
        raise Unavailable(
            "sending_still_held",
            f"The cluster does not delete the topic {SENDING_HELD} ({', '.join(refused)}).",
            "Allow our user to delete it, or delete it with Kafka's own tools.",
        )
