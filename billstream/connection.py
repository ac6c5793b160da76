"""Where the broker of a project is: the configured cluster, or the embedded one whose address is in its folder."""

from pathlib import Path

from billstream.settings import Installation
from runtime.errors import Unavailable
from runtime.kafka import KafkaConnection

BROKER_FOLDER = "broker"


def broker_folder(installation: Installation) -> Path:
    """The folder of the embedded broker."""
    return installation.data_folder / BROKER_FOLDER


def configured_connection(installation: Installation) -> KafkaConnection | None:
    """The cluster of the settings; None means the embedded broker."""
    broker = installation.settings.broker
    if not broker.servers:
        return None
    sasl = broker.security_protocol.value.startswith("SASL")
    return KafkaConnection(
        bootstrap_servers=broker.servers,
        security_protocol=broker.security_protocol.value,
        sasl_mechanism=broker.sasl_mechanism if sasl else None,
        sasl_username=broker.sasl_username or None,
        sasl_password_file=broker.sasl_password_file,
        ssl_ca_file=broker.ssl_ca_file,
        ssl_cert_file=broker.ssl_cert_file,
        ssl_key_file=broker.ssl_key_file,
    )


def embedded_connection(servers: str) -> KafkaConnection:
    """The connection to a broker on loopback."""
    return KafkaConnection(bootstrap_servers=servers)


def connection_of(installation: Installation) -> KafkaConnection:
    """The broker of a project; Unavailable when none is configured and none was ever started here."""
    configured = configured_connection(installation)
    if configured is not None:
        return configured
    from runtime.broker.jars import kafka_version, pinned_jars
    from runtime.broker.properties import LOOPBACK
    from runtime.broker.state import load

    ports = load(broker_folder(installation), kafka_version(pinned_jars())).ports
    if ports is None:
        raise Unavailable(
            "broker_missing",
            "No broker is configured, and none was started in this project.",
            "Run `billstream up` in another terminal, or set BILLSTREAM_BROKERS.",
        )
    return embedded_connection(f"{LOOPBACK}:{ports.broker}")
