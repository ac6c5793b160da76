"""Whether a broker answers, asked as a client would ask it: an open port proves nothing."""

import asyncio
import logging

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from runtime.broker.properties import LOOPBACK

ANSWER_TIMEOUT_SECONDS = 5.0


async def cluster_answering_at(port: int, advertised_port: int | None = None) -> str | None:
    """The id of the cluster whose broker answers on this port and is in its own metadata; None for nobody.

    In its metadata it stands with the port that it is advertised at, this one unless another is given.
    """
    if not await _listens(port):
        return None
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
            return await _ask(port, advertised_port or port)
    except (KafkaError, OSError, TimeoutError):
        return None


async def _ask(port: int, advertised_port: int) -> str | None:
    admin = AIOKafkaAdminClient(
        bootstrap_servers=f"{LOOPBACK}:{port}",
        request_timeout_ms=int(ANSWER_TIMEOUT_SECONDS * 1000),
    )
    try:
        await admin.start()
        cluster = await admin.describe_cluster()
    finally:
        await admin.close()
    present = any(broker["port"] == advertised_port for broker in cluster["brokers"])
    return str(cluster["cluster_id"]) if present else None


async def _listens(port: int) -> bool:
    """Spares the client library its loud log lines while nothing listens yet."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(LOOPBACK, port), ANSWER_TIMEOUT_SECONDS)
    except (OSError, TimeoutError):
        return False
    writer.close()
    try:
        await writer.wait_closed()
    except OSError:
        logging.getLogger(__name__).debug("the probe's connection was cut")
    return True
