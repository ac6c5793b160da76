"""Questions to a cluster of which a part is away."""

import pytest
from aiokafka.structs import BrokerMetadata

from runtime.broker.ports import free_ports
from runtime.kafka.admin import admin_client
from runtime.kafka.connection import KafkaConnection

pytestmark = pytest.mark.broker
TURNS = 20


async def test_a_broker_that_is_away_is_passed_over(kafka: str) -> None:
    """The cluster names two that have gone since; whoever is there answers, however often one asks."""
    async with admin_client(KafkaConnection(bootstrap_servers=kafka)) as admin:
        for number, port in enumerate(free_ports(2), start=98):
            admin._client.cluster._brokers[number] = BrokerMetadata(number, "127.0.0.1", port, None)
        for _ in range(TURNS):
            await admin.list_topics()
