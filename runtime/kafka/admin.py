"""An admin client for the length of a block, with its errors turned into sentences."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from runtime.errors import MachineryError, Unavailable
from runtime.kafka.connection import KafkaConnection

REQUEST_TIMEOUT_SECONDS = 30


@contextlib.asynccontextmanager
async def admin_client(connection: KafkaConnection) -> AsyncIterator[AIOKafkaAdminClient]:
    """A started admin client; raises Unavailable when the cluster cannot be reached or breaks off inside the block."""
    admin = AIOKafkaAdminClient(
        **connection.client_arguments(),
        request_timeout_ms=REQUEST_TIMEOUT_SECONDS * 1000,
    )
    try:
        async with asyncio.timeout(REQUEST_TIMEOUT_SECONDS):
            await admin.start()
        yield admin
    except (KafkaError, OSError, TimeoutError) as error:
        raise unreachable(connection, error) from error
    finally:
        await admin.close()


def unreachable(connection: KafkaConnection, error: BaseException) -> MachineryError:
    """The error for a cluster that does not answer."""
    return Unavailable(
        "kafka-unreachable",
        f"Kafka at {connection.bootstrap_servers} does not answer ({type(error).__name__}).",
        "Check that it runs, that the address is right, and the security settings.",
        detail=repr(error),
    )
