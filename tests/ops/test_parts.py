"""What the containers start and are told: commands that exist, settings that are valid, an address that is asked."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from billstream.settings import Installation, load_settings

PARTS = ("worker", "importer")


@pytest.fixture(scope="module")
def services(repository_root: Path) -> dict[str, Any]:
    """The services of the compose file."""
    text = (repository_root / "docker-compose.yml").read_text()
    parsed: dict[str, Any] = YAML(typ="safe", pure=True).load(text)["services"]
    return parsed


@pytest.fixture(scope="module")
def installation(repository_root: Path, services: dict[str, Any]) -> Installation:
    """The settings as the worker's container reads them."""
    return load_settings(repository_root / "ops/docker/billstream.yaml", services["worker"]["environment"])


@pytest.mark.parametrize("part", PARTS)
def test_each_part_starts_a_command_that_exists(part: str, services: dict[str, Any]) -> None:
    """`billstream worker` and its like are commands of the command line."""
    from typer.core import TyperGroup
    from typer.main import get_command

    from billstream.cli.application import application

    program, command = services[part]["command"]
    assert program == "billstream"
    known = get_command(application)
    assert isinstance(known, TyperGroup)
    assert command in known.commands


def test_the_containers_settings_are_valid(installation: Installation) -> None:
    """File and variables together are accepted, point to the Kafka beside them, and are heard by Prometheus."""
    settings = installation.settings
    assert settings.broker.servers == "kafka:9092"
    assert settings.health.host == "0.0.0.0"  # inside the private network; compose publishes no port


def test_health_is_asked_where_it_listens(
    installation: Installation, services: dict[str, Any], repository_root: Path
) -> None:
    """The probe and Prometheus use the port of the settings."""
    port = installation.settings.health.port
    assert all(f":{port}/readyz" in services[part]["healthcheck"]["test"][-1] for part in PARTS)
    scraped = YAML(typ="safe", pure=True).load((repository_root / "ops/prometheus/prometheus.yml").read_text())
    targets = scraped["scrape_configs"][0]["static_configs"][0]["targets"]
    assert targets == [f"{part}:{port}" for part in PARTS]


def test_what_is_written_lies_on_the_volume(installation: Installation) -> None:
    """The root is read-only: data and drafts go where a volume is mounted."""
    home = Path("/var/lib/billstream")
    assert installation.data_folder == home
    assert all(sink.folder.is_relative_to(home) for sink in installation.settings.sinks.values())


def test_what_is_watched_lies_in_the_inbox(installation: Installation) -> None:
    """Each source of the sample settings has its folder under /inbox, and the guide makes them all."""
    assert {str(s.folder) for s in installation.settings.sources.values()} == {
        "/inbox/toggl",
        "/inbox/harvest",
        "/inbox/clockify",
    }
