"""Makes topics with their settings before anybody uses them and says what differs; it never alters one."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from runtime.errors import MachineryError, Misconfigured, Unavailable
from runtime.kafka.admin import admin_client
from runtime.kafka.connection import KafkaConnection
from runtime.kafka.listing import list_spans

VISIBLE_TIMEOUT_SECONDS = 30.0
_POLL_SECONDS = 0.05
_ALREADY_EXISTS = 36
_NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class TopicSpec:
    """What a topic must be. `fixed` means exactly this many partitions for ever; otherwise more are fine.

    `preferred` settings are given to a topic that is made and never asked about: nothing is wrong without them.
    """

    name: str
    partitions: int
    replication_factor: int = 1
    settings: Mapping[str, str] = field(default_factory=lambda: _NO_SETTINGS)
    fixed: bool = True
    preferred: Mapping[str, str] = field(default_factory=lambda: _NO_SETTINGS)


@dataclass(frozen=True)
class TopicSeen:
    """What a topic is. `settings` are the effective ones, defaults of the cluster included."""

    name: str
    partitions: int
    replication_factor: int
    settings: Mapping[str, str]


async def ensure_topics(connection: KafkaConnection, specs: Sequence[TopicSpec]) -> tuple[str, ...]:
    """Make the missing topics, wait until the cluster serves them, and check all; the names of those made now.

    Raises Misconfigured with every difference between a spec and its topic, Unavailable when the cluster does not
    answer or a topic does not appear.
    """
    async with admin_client(connection) as admin:
        present = await _partitions(admin)
        missing = [spec for spec in specs if spec.name not in present]
        await _create(admin, missing)
        await _wait_until_served(admin, [spec.name for spec in specs])
        seen = await _describe(admin, [spec.name for spec in specs])
    # A broker names itself leader in the metadata a moment before it serves the partition; the leader's answer counts.
    await list_spans(connection, {spec.name: seen[spec.name].partitions for spec in missing})
    differences = [difference for spec in specs for difference in compare(spec, seen[spec.name])]
    if differences:
        raise _different(differences)
    return tuple(spec.name for spec in missing)


async def describe_topics(connection: KafkaConnection, names: Iterable[str]) -> Mapping[str, TopicSeen]:
    """The topics among `names` that exist; asking makes none, also where the cluster makes topics by itself."""
    async with admin_client(connection) as admin:
        present = await _partitions(admin)
        return await _describe(admin, [name for name in names if name in present])


def compare(spec: TopicSpec, seen: TopicSeen) -> tuple[str, ...]:
    """Every difference as a sentence; pure."""
    found = []
    if spec.partitions != seen.partitions and (spec.fixed or seen.partitions < spec.partitions):
        found.append(f"{spec.name} has {seen.partitions} partitions, not {spec.partitions}")
    if seen.replication_factor < spec.replication_factor:
        found.append(f"{spec.name} has {seen.replication_factor} copies, not {spec.replication_factor}")
    for setting, wanted in sorted(spec.settings.items()):
        actual = seen.settings.get(setting, "unknown")
        if actual != wanted:
            found.append(f"{spec.name} has {setting}={actual}, not {wanted}")
    return tuple(found)


async def _create(admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec]) -> None:
    if not specs:
        return
    new_topics = [
        NewTopic(spec.name, spec.partitions, spec.replication_factor, topic_configs={**spec.preferred, **spec.settings})
        for spec in specs
    ]
    response = await admin.create_topics(new_topics)
    refused = [
        f"{name}: {message or for_code(code).__name__}"
        for name, code, message in ((error[0], error[1], error[2]) for error in response.topic_errors)
        # Another worker may have made it between our look and our request; the check that follows covers it.
        if code not in {0, _ALREADY_EXISTS}
    ]
    if refused:
        raise Misconfigured(
            "kafka-topic-refused",
            f"Kafka refused to make {len(refused)} of the topics: {'; '.join(refused)}.",
            "Check the permissions of our user, the topic settings and the number of brokers.",
        )


async def _wait_until_served(admin: AIOKafkaAdminClient, names: Sequence[str]) -> None:
    """A topic counts once each partition has a leader; a client that comes earlier sees an unknown topic."""
    try:
        async with asyncio.timeout(VISIBLE_TIMEOUT_SECONDS):
            while unserved(await _partitions(admin), names):  # noqa: ASYNC110 - a cluster can only be asked again
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError as error:
        raise _not_served(names) from error


def unserved(present: Mapping[str, Sequence[tuple[int, int]]], names: Sequence[str]) -> list[str]:
    """The names without a topic, or with a partition without a leader; `present` has (leader, copies) each. Pure."""
    return [name for name in names if name not in present or any(leader < 0 for leader, _ in present[name])]


async def _partitions(admin: AIOKafkaAdminClient) -> Mapping[str, Sequence[tuple[int, int]]]:
    """Leader and number of copies of each partition of each topic. Asks for all: naming one could create it."""
    topics = await admin.describe_topics()
    return {
        str(topic["topic"]): [(int(one["leader"]), len(one["replicas"])) for one in topic["partitions"]]
        for topic in topics
    }


async def _describe(admin: AIOKafkaAdminClient, names: Sequence[str]) -> Mapping[str, TopicSeen]:
    if not names:
        return {}
    present = await _partitions(admin)
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    settings: dict[str, Mapping[str, str]] = {}
    for response in await admin.describe_configs(resources):
        for code, message, _, name, entries, *_rest in response.resources:
            if code != 0:
                raise Unavailable(
                    "kafka-topic-settings",
                    f"Kafka does not tell the settings of {name}: {message or for_code(code).__name__}.",
                    "Check that our user may describe topics, then try again.",
                )
            settings[name] = {entry[0]: entry[1] or "" for entry in entries}
    return {
        name: TopicSeen(name, len(present[name]), min(copies for _, copies in present[name]), settings[name])
        for name in names
    }


def _different(differences: Sequence[str]) -> MachineryError:
    return Misconfigured(
        "kafka-topics-differ",
        f"{len(differences)} settings of the topics are not as they must be: {'; '.join(differences)}.",
        "Nothing was changed. Alter the topics with Kafka's own tools, or set the partition count in the settings.",
    )


def _not_served(names: Sequence[str]) -> MachineryError:
    return Unavailable(
        "kafka-topic-not-served",
        f"Kafka does not serve all of the topics {', '.join(names)} after {VISIBLE_TIMEOUT_SECONDS:.0f} seconds.",
        "Check that all brokers run, then try again.",
    )
