"""docker-compose.yml says what we mean, checked without an engine: its shape by a schema, its safety by rules."""

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

Service = dict[str, Any]
Compose = dict[str, Any]
VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::-([^}]*))?\}")
TAGGED = re.compile(r"^[a-z0-9./-]+:v?\d+\.\d+\.\d+(-[a-z-]+)?(@sha256:[0-9a-f]{64})?$")
LOOPBACK_PORT = re.compile(r"^127\.0\.0\.1:\d+:\d+$")
SECRET_WORD = re.compile(r"PASSWORD|SECRET|TOKEN|KEY")
MEMORY_MEBIBYTES_MAX = 3_500


def with_defaults(node: Any) -> Any:  # noqa: ANN401  # a parsed document has any shape
    """The document as Compose sees it when no variable is set."""
    match node:
        case dict():
            return {name: with_defaults(value) for name, value in node.items()}
        case list():
            return [with_defaults(value) for value in node]
        case str():
            return VARIABLE.sub(lambda found: found[2] or "", node)
        case _:
            return node


@pytest.fixture(scope="module")
def compose_text(repository_root: Path) -> str:
    """The file as it is written."""
    return (repository_root / "docker-compose.yml").read_text()


@pytest.fixture(scope="module")
def parsed(compose_text: str) -> Compose:
    """The file, parsed, with merged parts and the defaults of its variables; not to be changed by a test."""
    document: Compose = with_defaults(YAML(typ="safe", pure=True).load(compose_text))
    return document


@pytest.fixture
def compose(parsed: Compose) -> Compose:
    """A copy that a test may break."""
    return copy.deepcopy(parsed)


def is_pinned(service: Service) -> bool:
    """A whole version in the tag; `latest` and `12` are moving targets."""
    return bool(TAGGED.match(service["image"]))


def is_no_root(service: Service) -> bool:
    """A numeric user and group, neither of them 0: a name would be looked up in the image."""
    return bool(re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"]))


def has_no_powers(service: Service) -> bool:
    """No capability is kept and none can be gained."""
    return service.get("cap_drop") == ["ALL"] and service.get("security_opt") == ["no-new-privileges:true"]


def writes_only_where_meant(service: Service) -> bool:
    """A read-only root; scratch in memory with a limit; of the checkout and the host only the inbox can be changed."""
    binds = [v for v in service["volumes"] if v.startswith((".", "/")) and not v.endswith(":/inbox")]
    scratch = all("size=" in mount for mount in service["tmpfs"])
    return service.get("read_only") is True and scratch and all(volume.endswith(":ro") for volume in binds)


def has_limits(service: Service) -> bool:
    """Memory and processes are limited."""
    return "mem_limit" in service and "pids_limit" in service


def rotates_logs(service: Service) -> bool:
    """Logs cannot fill the disk."""
    return {"max-size", "max-file"} <= set(service.get("logging", {}).get("options", {}))


def listens_on_loopback(service: Service) -> bool:
    """Every published port is bound to loopback."""
    return all(LOOPBACK_PORT.match(port) for port in service.get("ports", []))


def names_no_secret(service: Service) -> bool:
    """A secret is the path of a file, never a value in the environment."""
    secrets = {name: value for name, value in service.get("environment", {}).items() if SECRET_WORD.search(name)}
    return all(value.startswith("/run/secrets/") for value in secrets.values())


def proves_function(service: Service) -> bool:
    """The health check asks the service something; a port or a process that exists proves nothing."""
    question = " ".join(service["healthcheck"]["test"])
    return bool(re.search(r"http://|kafka-topics\.sh", question)) and not re.search(r"\bnc\b|pgrep|/dev/tcp", question)


def stops_in_peace(service: Service) -> bool:
    """There is time to finish what is in flight."""
    return service.get("stop_grace_period") == "30s"


RULES: tuple[Callable[[Service], bool], ...] = (
    is_pinned,
    is_no_root,
    has_no_powers,
    writes_only_where_meant,
    has_limits,
    rotates_logs,
    listens_on_loopback,
    names_no_secret,
    proves_function,
    stops_in_peace,
)


def dangling(compose: Compose) -> set[str]:
    """Networks, volumes, secrets and services that are named but not declared, or declared but not used."""
    services = compose["services"].values()
    volumes = {v.split(":")[0] for s in services for v in s["volumes"] if not v.startswith((".", "/"))}
    named = {
        "networks": {n for s in services for n in s["networks"]},
        "volumes": volumes,
        "secrets": {n for s in services for n in s.get("secrets", [])},
    }
    return {n for kind, used in named.items() for n in used ^ set(compose[kind])} | {
        n for s in services for n in s.get("depends_on", {}) if n not in compose["services"]
    }


def test_the_file_has_the_shape_we_use(compose: Compose, repository_root: Path) -> None:
    """Only known keys with values of the right kind: a misspelt key would be ignored without a word."""
    schema = json.loads((repository_root / "tests/ops/compose.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(compose)


def test_the_services_of_the_guide_are_there(compose: Compose) -> None:
    """Kafka, worker and importer start alone; the dashboards are asked for."""
    services = compose["services"]
    assert set(services) == {"kafka", "worker", "importer", "prometheus", "grafana"}
    assert {name for name, service in services.items() if service.get("profiles") == ["monitoring"]} == {
        "prometheus",
        "grafana",
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_service_is_held_to_every_rule(rule: Callable[[Service], bool], compose: Compose) -> None:
    """No service is an exception."""
    assert [name for name, service in compose["services"].items() if not rule(service)] == []


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        (is_pinned, {"image": "apache/kafka:latest"}),
        (is_pinned, {"image": "apache/kafka"}),
        (is_no_root, {"user": "0:0"}),
        (is_no_root, {"user": "root"}),
        (has_no_powers, {"cap_drop": ["NET_RAW"]}),
        (has_no_powers, {"security_opt": ["seccomp:unconfined"]}),
        (writes_only_where_meant, {"read_only": False}),
        (writes_only_where_meant, {"volumes": ["./ops:/ops"]}),
        (writes_only_where_meant, {"tmpfs": ["/tmp"]}),
        (has_limits, {"mem_limit": ...}),
        (has_limits, {"pids_limit": ...}),
        (rotates_logs, {"logging": ...}),
        (listens_on_loopback, {"ports": ["9092:9092"]}),
        (listens_on_loopback, {"ports": ["0.0.0.0:9092:9092"]}),
        (names_no_secret, {"environment": {"ADMIN_PASSWORD": "admin"}}),
        (proves_function, {"healthcheck": {"test": ["CMD", "nc", "-z", "localhost", "9092"]}}),
        (proves_function, {"healthcheck": {"test": ["CMD", "pgrep", "java"]}}),
        (stops_in_peace, {"stop_grace_period": ...}),
    ],
)
def test_a_broken_service_is_found(rule: Callable[[Service], bool], change: Service, compose: Compose) -> None:
    """Each rule can fail; `...` stands for a key that is gone."""
    service = compose["services"]["kafka"] | change
    assert not rule({name: value for name, value in service.items() if value is not ...})


def test_nothing_dangles(compose: Compose) -> None:
    """What is named is declared, and what is declared is used; a missing one is found."""
    assert dangling(compose) == set()
    del compose["volumes"]["kafka-records"]
    assert dangling(compose) == {"kafka-records"}


def test_everybody_waits_for_what_they_need(compose: Compose) -> None:
    """Our parts start when Kafka has answered, Grafana when Prometheus has."""
    needs = {name: set(service.get("depends_on", {})) for name, service in compose["services"].items()}
    assert needs == {
        "kafka": set(),
        "worker": {"kafka"},
        "importer": {"kafka"},
        "prometheus": set(),
        "grafana": {"prometheus"},
    }


def test_records_and_rows_survive_a_restart(compose: Compose) -> None:
    """Kafka's records and each part's data lie on named volumes."""
    homes = {"kafka": "/var/lib/kafka/data", "worker": "/var/lib/billstream", "importer": "/var/lib/billstream"}
    for name, home in homes.items():
        assert [v for v in compose["services"][name]["volumes"] if v.endswith(f":{home}") and not v.startswith(".")]


def test_the_importer_can_move_files_away(compose: Compose) -> None:
    """A file that is done gets another name in its folder, so nobody else may have the inbox, and it not read-only."""
    inbox = {name: [v for v in one["volumes"] if ":/inbox" in v] for name, one in compose["services"].items()}
    assert {name: mounts for name, mounts in inbox.items() if mounts} == {"importer": ["./inbox:/inbox"]}


def test_all_together_fit_a_small_machine(compose: Compose) -> None:
    """The memory limits add up to less than 3.5 GiB."""
    limits = [int(service["mem_limit"].removesuffix("m")) for service in compose["services"].values()]
    assert sum(limits) <= MEMORY_MEBIBYTES_MAX


def test_every_mounted_file_exists(compose: Compose, repository_root: Path) -> None:
    """What comes from the checkout is there; an engine would make an empty folder in its place."""
    sources = {v.split(":")[0] for s in compose["services"].values() for v in s["volumes"] if v.startswith("./")}
    made_by_the_guide = {"./inbox"}
    assert sorted(source for source in sources - made_by_the_guide if not (repository_root / source).exists()) == []


def test_every_variable_is_in_the_guide(compose_text: str, repository_root: Path) -> None:
    """Each has a default, so that `docker compose up` alone works, and a line in the guide."""
    guide = (repository_root / "docs/guides/docker.md").read_text()
    found = {(name, default) for name, default in re.findall(r"\$\{([A-Z_]+)(:-[^}]*)?\}", compose_text)}
    assert sorted(name for name, default in found if not default or f"`{name}`" not in guide) == []


def test_no_variable_of_compose_looks_like_a_setting(compose_text: str) -> None:
    """Billstream refuses unknown BILLSTREAM_ variables, so a shell that has one of these can still run it."""
    assert [name for name, _ in VARIABLE.findall(compose_text) if name.startswith("BILLSTREAM_")] == []


def test_a_digest_can_be_set_for_every_image(compose_text: str) -> None:
    """Who looked up a digest gives it in a variable; nothing else is then accepted."""
    foreign = re.findall(r"docker\.io/(\S+)", compose_text)
    assert len(foreign) == 4
    assert [image for image in foreign if not re.search(r"\$\{[A-Z]+_DIGEST:-\}$", image)] == []
