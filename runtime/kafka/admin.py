"""An admin client for the length of a block, with its errors turned into sentences."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from runtime.errors import MachineryError, Unavailable
from runtime.kafka.connection import KafkaConnection

REQUEST_TIMEOUT_SECONDS = 30
READY_SECONDS = 5
"""A broker that takes no connection in this time is passed over for another one."""


@contextlib.asynccontextmanager
async def admin_client(connection: KafkaConnection) -> AsyncIterator[AIOKafkaAdminClient]:
    """A started admin client; raises Unavailable when the cluster cannot be reached or breaks off inside the block."""
    admin = AIOKafkaAdminClient(
        **connection.client_arguments(),
        request_timeout_ms=REQUEST_TIMEOUT_SECONDS * 1000,
    )
    ask_who_is_there(admin)
    try:
        async with asyncio.timeout(REQUEST_TIMEOUT_SECONDS):
            await admin.start()
        yield admin
    except (KafkaError, OSError, TimeoutError) as error:
        raise unreachable(connection, error) from error
    finally:
        await admin.close()


def ask_who_is_there(admin: AIOKafkaAdminClient) -> None:
    """Let what any broker can answer be asked of one that is there.

    The client asks one of the brokers it has heard of, by lot and once: with one of three away, each third question
    fails, and a worker that begins asks several.
    """
    send: Callable[[object, int | None], Awaitable[object]] = admin._send_request

    async def send_to_one_that_is_there(request: object, node_id: int | None = None) -> object:
        return await send(request, await _one_that_is_there(admin) if node_id is None else node_id)

    admin._send_request = send_to_one_that_is_there


async def _one_that_is_there(admin: AIOKafkaAdminClient) -> int | None:
    for broker in admin._client.cluster.brokers():
        with contextlib.suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(READY_SECONDS):
                if await admin._client.ready(broker.nodeId):
                    return int(broker.nodeId)
    return None


def unreachable(connection: KafkaConnection, error: BaseException) -> MachineryError:
    """The error for a cluster that does not answer."""
    return Unavailable(
        "kafka-unreachable",
        f"Kafka at {connection.bootstrap_servers} does not answer ({type(error).__name__}).",
        "Check that it runs, that the address is right, and the security settings.",
        detail=repr(error),
    )
