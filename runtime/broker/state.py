"""What a broker's folder remembers between starts: its cluster's id, its ports, and which Kafka wrote it."""

import base64
import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from runtime.broker.properties import Ports
from runtime.errors import Misconfigured
from runtime.files import replace

STATE_FILE = "broker.json"
_CLUSTER_ID_BYTES = 16


@dataclass(frozen=True)
class BrokerState:
    """The content of `broker.json`; `formatted` turns true once the records folder is ready for use."""

    cluster_id: str
    kafka_version: str
    formatted: bool
    ports: Ports | None

    def with_ports(self, ports: Ports) -> "BrokerState":
        """The same folder on other ports."""
        return dataclasses.replace(self, ports=ports)

    def as_formatted(self) -> "BrokerState":
        """The same folder, ready for records."""
        return dataclasses.replace(self, formatted=True)


def load(folder: Path, kafka_version: str, cluster_id: str | None = None) -> BrokerState:
    """The folder's state, a new one when there is none yet, of this cluster or of one that is made for the folder.

    Raises Misconfigured when the file cannot be understood or a newer Kafka wrote the folder.
    """
    path = folder / STATE_FILE
    if not path.exists():
        return BrokerState(cluster_id or cluster_id_of(folder), kafka_version, formatted=False, ports=None)
    try:
        document = json.loads(path.read_bytes())
        ports = document["ports"]
        state = BrokerState(
            str(document["cluster_id"]),
            str(document["kafka_version"]),
            bool(document["formatted"]),
            Ports(int(ports["broker"]), int(ports["controller"])) if ports else None,
        )
        newer = _version_key(state.kafka_version) > _version_key(kafka_version)
    except (ValueError, KeyError, TypeError) as error:
        raise Misconfigured(
            "broker-state-unreadable",
            f"{str(path)!r} is not what Billstream wrote there.",
            "Restore the file from a backup, or choose another folder; the records beside it are untouched.",
            detail=repr(error),
        ) from error
    if newer:
        raise Misconfigured(
            "broker-folder-newer",
            f"The broker's folder was written by Kafka {state.kafka_version}; this is {kafka_version}.",
            "Use the newer Billstream again, or choose another folder.",
        )
    return dataclasses.replace(state, kafka_version=kafka_version)


def save(folder: Path, state: BrokerState) -> None:
    """Write the state, whole or not at all."""
    replace(folder / STATE_FILE, json.dumps(dataclasses.asdict(state), indent=1).encode() + b"\n")


def cluster_id_of(folder: Path) -> str:
    """An id of Kafka's form from the folder's path: it only has to differ between the brokers of one machine."""
    digest = hashlib.sha256(str(folder.resolve()).encode("utf-8", "surrogateescape")).digest()
    return base64.urlsafe_b64encode(digest[:_CLUSTER_ID_BYTES]).decode().rstrip("=")


def _version_key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
