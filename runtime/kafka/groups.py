"""Consumer groups from outside: where they stand, whether somebody is in them, and putting an empty one at offsets."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, for_code

from runtime.kafka.admin import admin_client, unreachable
from runtime.kafka.connection import KafkaConnection
from runtime.kafka.patience import Answer, patiently

READY_LIMIT_SECONDS = 60
"""A new cluster makes the topic of its groups at the first question, and says so for a while."""
_QUIET = frozenset({"Empty", "Dead", ""})
Place = tuple[str, int]


async def committed_offsets(connection: KafkaConnection, groups: Sequence[str]) -> Mapping[str, Mapping[Place, int]]:
    """Group -> (topic, partition) -> the offset it goes on at; places without one are left out."""
    found: dict[str, Mapping[Place, int]] = {}
    async with admin_client(connection) as admin:
        for group in groups:
            # A coordinator that is still loading answers this question with nothing, which the client takes for the
            # answer; the question for the group's state it answers with an error.
            await _state(admin, group)
            offsets = await admin.list_consumer_group_offsets(group)
            found[group] = {(one.topic, one.partition): int(at.offset) for one, at in offsets.items() if at.offset >= 0}
    return found


async def members(connection: KafkaConnection, groups: Sequence[str]) -> tuple[str, ...]:
    """Those of the groups in which somebody works now."""
    async with admin_client(connection) as admin:
        return tuple([group for group in groups if await _state(admin, group) not in _QUIET])


async def _state(admin: AIOKafkaAdminClient, group: str) -> str:
    """The state of a group, from a coordinator that has loaded all that is known of it."""

    async def ask() -> str:
        (answer,) = await admin.describe_consumer_groups([group])
        (described,) = answer.groups
        if described[0]:
            raise for_code(described[0])
        return str(described[2])

    return await _when_ready(ask)


async def commit_offsets(connection: KafkaConnection, group: str, offsets: Mapping[Place, int]) -> None:
    """Put a group without members at offsets; raises Unavailable when the cluster does not take them."""
    if not offsets:
        return
    consumer = AIOKafkaConsumer(**connection.client_arguments(), group_id=group, enable_auto_commit=False)
    try:
        await consumer.start()
        places = {TopicPartition(*place): offset for place, offset in offsets.items()}
        consumer.assign(list(places))
        await _when_ready(lambda: consumer.commit(places))
    except (KafkaError, OSError, TimeoutError) as error:
        raise unreachable(connection, error) from error
    finally:
        await consumer.stop()


async def _when_ready(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask again while the cluster says that its coordinator is not there yet."""
    async with asyncio.timeout(READY_LIMIT_SECONDS):
        return await patiently(ask, READY_LIMIT_SECONDS)
