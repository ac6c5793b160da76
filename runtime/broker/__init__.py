"""The embedded Kafka broker; start reading at `embedded.py`."""

from runtime.broker.cluster import EmbeddedCluster
from runtime.broker.embedded import BrokerOptions, EmbeddedBroker
from runtime.progress import OnProgress, Progress, Step

__all__ = ["BrokerOptions", "EmbeddedBroker", "EmbeddedCluster", "OnProgress", "Progress", "Step"]
