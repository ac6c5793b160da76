"""The container's Kafka: a real Kafka reads its settings and prepares a volume with them, without a container."""

import subprocess
from pathlib import Path

import pytest

from runtime.broker.download import ensure_jars
from runtime.broker.jars import kafka_version, pinned_jars
from runtime.broker.process import java_executable

CLUSTER_ID = "pQm8ZJ1xSdKc3mHk5r7T2A"


@pytest.fixture(scope="module")
def storage_tool(repository_root: Path) -> list[str]:
    """The command that prepares a volume, as Kafka's own script would run it."""
    jars = ensure_jars(pinned_jars(), repository_root / ".billstream/cache")
    logs = f"-Dlog4j2.configurationFile={repository_root}/ops/kafka/log4j2.properties"
    return [str(java_executable()), "-Xmx128m", logs, "-cp", ":".join(map(str, jars)), "kafka.tools.StorageTool"]


def formatted(storage_tool: list[str], folder: Path, settings: str) -> subprocess.CompletedProcess[str]:
    """Prepare `folder` with these settings of a broker."""
    file = folder / "server.properties"
    file.write_text(settings.replace("/var/lib/kafka/data", str(folder)))
    command = [*storage_tool, "format", "--ignore-formatted", "--cluster-id", CLUSTER_ID, "--config", str(file)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.broker
def test_kafka_accepts_the_settings_of_its_container(
    storage_tool: list[str], tmp_path: Path, repository_root: Path
) -> None:
    """Formatting reads every setting; a second time it leaves the volume as it is; nonsense is refused."""
    settings = (repository_root / "ops/kafka/server.properties").read_text()
    first = formatted(storage_tool, tmp_path, settings)
    assert first.returncode == 0, first.stdout + first.stderr
    before = (tmp_path / "records/meta.properties").read_text()
    assert CLUSTER_ID in before
    assert formatted(storage_tool, tmp_path, settings).returncode == 0
    assert (tmp_path / "records/meta.properties").read_text() == before
    assert formatted(storage_tool, tmp_path, settings.replace("node.id=1", "node.id=one")).returncode != 0


def test_compose_and_the_embedded_broker_run_the_same_kafka(repository_root: Path) -> None:
    """What works in the demo works in containers: one version in both."""
    assert f"apache/kafka:{kafka_version(pinned_jars())}$" in (repository_root / "docker-compose.yml").read_text()


def test_the_cluster_id_of_the_compose_file_is_used(repository_root: Path) -> None:
    """The identity that the test above formats with is the compose file's default."""
    assert f"CLUSTER_ID:-{CLUSTER_ID}}}" in (repository_root / "docker-compose.yml").read_text()
