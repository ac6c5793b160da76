"""Making the Faust app: fixed settings for money (at least once, no web server, nothing created behind our back)."""

import importlib.metadata
import importlib.util
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import faust
from faust.types.app import BootStrategyT
from mode.supervisors import CrashingSupervisor

from schemas.errors import ConfigurationError
from streams.engine.batch import SETTLING_MAX, BatchAgent, BatchHandler, PartitionProgress
from streams.engine.consumer import BatchConsumer
from streams.engine.membership import Membership
from streams.engine.publisher import Publisher, PublisherLimits
from streams.engine.talk import quieten
from streams.engine.transport import EngineTransport

LEASE_SHARE = 0.6
"""Part of the session after which an unanswered member stops writing; the rest covers the way to the broker."""

PINNED = {"aiokafka": "0.14.0", "faust-streaming": "0.15.3", "mode-streaming": "0.7.1"}
"""The engine uses private parts of these three, proven for these versions only."""

FETCH_BYTES = 4 * 1024 * 1024
"""Per partition and fetch; the broker always returns at least one record batch, however large it is."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What an app needs to know. `client_arguments` are those of `runtime.kafka` for aiokafka clients.

    `data_folder` belongs to one worker process alone. A partition that is taken away waits `revoke_limit_seconds` for
    the batch in flight; that and the rebalance must fit into `rebalance_limit_seconds`. With an `instance_id`, which no
    other living process may have, a worker that is back within its session gets what it had, and nobody else moves.
    """

    application_id: str
    data_folder: Path
    client_arguments: Mapping[str, object]
    processing_guarantee: str = "at_least_once"
    commit_interval_milliseconds: int = 1_000
    session_limit_seconds: int = 12
    heartbeat_interval_seconds: int = 3
    rebalance_limit_seconds: int = 60
    revoke_limit_seconds: int = 10
    processing_limit_seconds: int = 600
    batch_records_max: int = 5_000
    publisher_limits: PublisherLimits = field(default_factory=PublisherLimits)
    instance_id: str = ""


class EngineApp(faust.App):  # type: ignore[misc]  # Faust carries no types
    """A Faust app that also runs batch agents; made by `create_app`."""

    engine_settings: EngineSettings
    batch_agents: dict[str, BatchAgent]
    membership: Membership
    publishers: list[Publisher]
    assignments: int = 0
    """How often partitions were given to us, with the tables recovered and the batch partitions begun."""

    async def on_start(self) -> None:
        """Subscribe the batch topics beside those of the ordinary agents."""
        for agent in self.batch_agents.values():
            # No acknowledgements: Faust must not count the offsets of a topic whose records it never sees.
            self.topics.add(self.topic(agent.topic, value_type=bytes, value_serializer="raw", acks=False))
        await super().on_start()

    def on_rebalance_end(self) -> None:
        """Faust says this when the rebalance and the recovery of its tables are done: now batches may flow."""
        super().on_rebalance_end()
        consumer = self.consumer
        assert isinstance(consumer, BatchConsumer), "the engine's transport was replaced"
        consumer.begin_batches()

    def batch_progress(self) -> tuple[PartitionProgress, ...]:
        """Numbers of each batch partition this worker owns; empty before the first assignment."""
        consumer = self._consumer
        return consumer.batch_progress() if isinstance(consumer, BatchConsumer) else ()

    def new_publisher(self) -> Publisher:
        """A publisher that stops writing once this worker may have lost its partitions; it ends with the app."""
        publisher = Publisher(
            self.engine_settings.client_arguments,
            membership=self.membership,
            limits=self.engine_settings.publisher_limits,
        )
        self.publishers.append(publisher)
        return publisher

    async def on_shutdown(self) -> None:
        """Everything that could publish has stopped by now."""
        for publisher in self.publishers:
            await publisher.stop()
        await super().on_shutdown()


def create_app(settings: EngineSettings) -> EngineApp:
    """A fresh app; call it inside the running event loop. Raises ConfigurationError for what we refuse to run."""
    _refuse_what_loses_records(settings)
    quieten()
    app = EngineApp(settings.application_id, **_faust_settings(settings))
    app.engine_settings = settings
    app.batch_agents = {}
    app.publishers = []
    app.membership = Membership(settings.session_limit_seconds * LEASE_SHARE)
    boot: BootStrategyT = app.boot_strategy
    boot.enable_web = False  # `web_enabled` alone is overruled by Faust's command line
    app.finalize()
    app.transport = EngineTransport(app.conf.broker_consumer, app)
    app.producer_transport = EngineTransport(app.conf.broker_producer, app)
    assert app.conf.processing_guarantee.value == "at_least_once", app.conf.processing_guarantee
    return app


def install_batch_agent(
    app: EngineApp,
    name: str,
    topic: str,
    handler: BatchHandler,
    *,
    records_max: int | None = None,
    settling_max: int = SETTLING_MAX,
) -> None:
    """Hand whole fetches of an existing topic to the handler; before the app starts. One agent per topic."""
    if topic in app.batch_agents:
        raise ValueError(f"topic {topic} has the batch agent {app.batch_agents[topic].name} already")
    if app.started:
        raise ValueError("batch agents are installed before the app starts")
    records_max = records_max or app.engine_settings.batch_records_max
    app.batch_agents[topic] = BatchAgent(name, topic, handler, records_max, settling_max)


def _refuse_what_loses_records(settings: EngineSettings) -> None:
    if settings.processing_guarantee != "at_least_once":
        raise ConfigurationError(
            "guarantee_refused",
            f"The processing guarantee {settings.processing_guarantee} is refused.",
            "Use at_least_once. Faust's exactly_once lost and doubled records when workers were killed: it ties a send"
            " to the partition it goes to, not to the one it came from. Exactness comes from ids and stored offsets.",
        )
    if importlib.util.find_spec("faust._cython.streams") is None:
        raise ConfigurationError(
            "faust_not_compiled",
            "Faust's compiled streams are missing.",
            "Install the wheel of faust-streaming: the plain Python streams acknowledge records of an old assignment.",
        )
    for package, version in PINNED.items():
        if (found := importlib.metadata.version(package)) != version:
            raise ConfigurationError(
                "engine_untested",
                f"{package} {found} is installed; the engine reaches below the surface of {version}.",
                f"Install {package}=={version}, or prove the engine on the other version first (tests/streams/engine).",
            )
    if settings.revoke_limit_seconds * 2 > settings.rebalance_limit_seconds:
        raise ConfigurationError(
            "rebalance_too_short",
            f"A batch may take {settings.revoke_limit_seconds} s to finish, a rebalance only"
            f" {settings.rebalance_limit_seconds} s.",
            "Make rebalance_limit_seconds at least twice revoke_limit_seconds.",
        )


def _faust_settings(settings: EngineSettings) -> dict[str, object]:
    arguments = settings.client_arguments
    servers = arguments["bootstrap_servers"]
    addresses = servers.split(",") if isinstance(servers, str) else list(servers)  # type: ignore[call-overload]
    return {
        "broker": [f"kafka://{address.strip()}" for address in addresses],
        "broker_credentials": _credentials(arguments),
        "processing_guarantee": "at_least_once",
        "store": "memory://",
        "datadir": str(settings.data_folder),
        "autodiscover": False,
        "web_enabled": False,
        "web_router_enabled": False,
        "web_tables_enabled": False,
        "web_bind": "127.0.0.1",
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "table_standby_replicas": 0,
        "consumer_auto_offset_reset": "earliest",
        "consumer_group_instance_id": settings.instance_id or None,
        "consumer_max_fetch_size": FETCH_BYTES,
        "recovery_consistency_check": True,
        "agent_supervisor": CrashingSupervisor,
        "stream_wait_empty": True,
        "stream_buffer_maxsize": 200,
        "broker_max_poll_records": 500,
        "broker_commit_interval": settings.commit_interval_milliseconds / 1000,
        "broker_session_timeout": settings.session_limit_seconds,
        "broker_heartbeat_interval": settings.heartbeat_interval_seconds,
        "broker_rebalance_timeout": settings.rebalance_limit_seconds,
        "broker_request_timeout": max(30, settings.session_limit_seconds),
        "broker_max_poll_interval": settings.processing_limit_seconds,
        "producer_request_timeout": 30,
        "producer_max_request_size": settings.publisher_limits.record_bytes,
        "worker_redirect_stdouts": False,
    }


def _credentials(arguments: Mapping[str, object]) -> faust.SASLCredentials | faust.SSLCredentials | None:
    protocol = arguments.get("security_protocol", "PLAINTEXT")
    context = arguments.get("ssl_context")
    assert context is None or isinstance(context, ssl.SSLContext), "an SSL context, made by runtime.kafka"
    if protocol == "PLAINTEXT":
        return None
    if protocol == "SSL":
        return faust.SSLCredentials(context)
    return faust.SASLCredentials(
        username=arguments.get("sasl_plain_username"),
        password=arguments.get("sasl_plain_password"),
        ssl_context=context,
        mechanism=arguments.get("sasl_mechanism", "PLAIN"),
    )
