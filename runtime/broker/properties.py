"""The texts a broker is started with: `server.properties`, its log settings, Java's flags. Pure; design section 4.

Paths are relative to the broker's folder, which is its working directory: no character of the folder's name can break a
properties file, and a folder that was moved still works.
"""

from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
RECORDS_FOLDER = "records"
LOGS_FOLDER = "logs"
TEMPORARY_FOLDER = "tmp"
SERVER_FILE = "server.properties"
LOG_FILE = "log4j2.properties"
CONSOLE_FILE = "console.log"
MESSAGE_BYTES_MAX = 16 * 1024 * 1024
INTERNAL_PARTITIONS = 8
# Kafka forgets a group's offsets after a week of silence by default; a firm on holiday must not start over.
OFFSETS_KEPT_MINUTES = 10 * 365 * 24 * 60


@dataclass(frozen=True)
class Ports:
    """Where clients connect, and the broker's own controller port."""

    broker: int
    controller: int


@dataclass(frozen=True)
class Seat:
    """A broker's place among those of a cluster, each of which is a controller, too.

    `voters` has the controller's port of each node id. Brokers talk among themselves on `peers_port`; clients are told
    to come to `advertised_port`, which may be that of something in between.
    """

    node_id: int
    cluster_id: str
    ports: Ports
    peers_port: int
    advertised_port: int
    voters: tuple[tuple[int, int], ...]


def server_properties(ports: Ports, seat: Seat | None = None) -> str:
    """The broker's settings: broker and controller in one, loopback only, topics never made by accident."""
    copies = 1 if seat is None else min(3, len(seat.voters))
    safe = max(1, copies - 1)
    settings = {
        "process.roles": "broker,controller",
        **_place(ports, seat),
        "controller.listener.names": "CONTROLLER",
        "log.dirs": RECORDS_FOLDER,
        # After a kill the controller takes the old broker for alive until its session ends; the default is 9 seconds.
        "broker.session.timeout.ms": 3000,
        "broker.heartbeat.interval.ms": 500,
        "auto.create.topics.enable": "false",
        # A topic that does not say how long it keeps records keeps them.
        "log.retention.ms": -1,
        "message.max.bytes": MESSAGE_BYTES_MAX,
        "replica.fetch.max.bytes": MESSAGE_BYTES_MAX,
        "replica.fetch.response.max.bytes": 2 * MESSAGE_BYTES_MAX,
        "socket.request.max.bytes": 4 * MESSAGE_BYTES_MAX,
        "queued.max.requests": 200,
        "max.connections": 500,
        "default.replication.factor": copies,
        "min.insync.replicas": safe,
        "offsets.topic.replication.factor": copies,
        "offsets.topic.num.partitions": INTERNAL_PARTITIONS,
        "offsets.retention.minutes": OFFSETS_KEPT_MINUTES,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": safe,
        "transaction.state.log.num.partitions": INTERNAL_PARTITIONS,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": safe,
        "share.coordinator.state.topic.num.partitions": INTERNAL_PARTITIONS,
        "group.initial.rebalance.delay.ms": 0,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "background.threads": 4,
        # The default of 128 MB would be half of the heap.
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        "log.cleaner.io.buffer.size": 256 * 1024,
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _place(ports: Ports, seat: Seat | None) -> dict[str, object]:
    """Who the broker is, where it listens, and who else there is. In a cluster brokers have a listener of their own."""
    broker, controller = f"BROKER://{LOOPBACK}:{ports.broker}", f"CONTROLLER://{LOOPBACK}:{ports.controller}"
    if seat is None:
        return {
            "node.id": 1,
            "controller.quorum.voters": f"1@{LOOPBACK}:{ports.controller}",
            "listeners": f"{broker},{controller}",
            "advertised.listeners": broker,
            "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "BROKER",
        }
    peers = f"PEERS://{LOOPBACK}:{seat.peers_port}"
    return {
        "node.id": seat.node_id,
        "controller.quorum.voters": ",".join(f"{node_id}@{LOOPBACK}:{port}" for node_id, port in seat.voters),
        "listeners": f"{broker},{peers},{controller}",
        "advertised.listeners": f"BROKER://{LOOPBACK}:{seat.advertised_port},{peers}",
        "listener.security.protocol.map": "BROKER:PLAINTEXT,PEERS:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PEERS",
    }


def log_properties() -> str:
    """Log4j's settings: warnings to a file, new at each start and after 2 MB, five old ones kept; no terminal."""
    settings = {
        "status": "error",
        "appender.file.type": "RollingFile",
        "appender.file.name": "file",
        "appender.file.fileName": f"{LOGS_FOLDER}/broker.log",
        "appender.file.filePattern": f"{LOGS_FOLDER}/broker.%i.log",
        "appender.file.layout.type": "PatternLayout",
        "appender.file.layout.pattern": "%d{yyyy-MM-dd'T'HH:mm:ss.SSS}{UTC}Z %p %encode{%m}{CRLF} (%c{1})%n%rEx{short}",
        "appender.file.policies.type": "Policies",
        "appender.file.policies.size.type": "SizeBasedTriggeringPolicy",
        "appender.file.policies.size.size": "2MB",
        # Each start begins a new file, so the last lines of a failed start are its own.
        "appender.file.policies.start.type": "OnStartupTriggeringPolicy",
        "appender.file.strategy.type": "DefaultRolloverStrategy",
        "appender.file.strategy.max": 5,
        "rootLogger.level": "warn",
        "rootLogger.appenderRef.file.ref": "file",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def java_flags(folder: Path, *, heap_mebibytes: int) -> tuple[str, ...]:
    """Flags that make a small broker start fast and die cleanly; tried on the bundled Java 25.

    Native libraries are unpacked below the broker's folder, because a shared temporary folder may forbid running code.
    """
    return (
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        f"-Xmx{heap_mebibytes}m",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:-UsePerfData",
        f"-XX:ErrorFile={LOGS_FOLDER}/java-crash.log",
        "--sun-misc-unsafe-memory-access=allow",
        "--enable-native-access=ALL-UNNAMED",
        "-Djava.awt.headless=true",
        f"-Djava.io.tmpdir={folder / TEMPORARY_FOLDER}",
        f"-Dlog4j2.configurationFile={LOG_FILE}",
    )
