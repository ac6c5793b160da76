"""Checks that ask other programs: the broker, its topics, the journal, and a running worker."""

import asyncio
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from billstream.cli.exits import Exit
from billstream.connection import broker_folder, configured_connection, connection_of
from billstream.dead_letters.asking import open_by_reason
from billstream.examining.finding import Finding, Patient, failed, ok, skipped, warning
from billstream.examining.project import is_held, positions, running_workers
from billstream.kafka_desk import open_desk
from billstream.settings import Installation
from runtime.broker.embedded import LOCK_FILE
from runtime.broker.ports import is_free
from runtime.errors import MachineryError
from runtime.kafka.connection import KafkaConnection
from runtime.kafka.listing import Span, list_spans
from runtime.kafka.topics import compare, describe_topics
from streams.topics import DEAD_LETTERS, JOURNAL, book_partition, topic_specs

ASK_SECONDS = 12
SKEW_SECONDS_MAX = 60
HEALTH_SECONDS = 2
LETTERS_SECONDS = 90
"""A front door that was never used here reads the whole journal first."""
REASONS_NAMED_MAX = 5
LOOK_AT_LETTERS = "Look with `billstream dead-letters list`; docs/runbooks/dead-letters.md says what to do."
HEALTH_BYTES_MAX = 2_000_000
_CONSERVATION = re.compile(r'^billstream_conservation_difference\{kind="([a-z_]+)"\} ([-+0-9.eE]+)$', re.MULTILINE)
NOT_RUNNING = "the embedded broker does not run"
START = "Start it with `billstream up`."


@dataclass(frozen=True)
class Reached:
    """A broker that answered, and where its journal and dead letters end."""

    connection: KafkaConnection
    spans: dict[tuple[str, int], Span]


async def broker(patient: Patient, installation: Installation) -> Finding:
    """The broker answers; an embedded one that does not run is no fault."""
    connection = _connection(installation)
    if connection is None:
        return skipped(f"{NOT_RUNNING}; `billstream up` starts it")
    try:
        async with asyncio.timeout(ASK_SECONDS):
            seen = await describe_topics(connection, [JOURNAL])
    except TimeoutError:
        fix = "Check the address and the network."
        return failed(f"{connection.bootstrap_servers} did not answer in {ASK_SECONDS} s", fix, Exit.UNAVAILABLE)
    return ok(f"{connection.bootstrap_servers} answers" + ("" if seen else "; it has no journal yet"))


async def topics(patient: Patient, installation: Installation) -> Finding:
    """Every topic is there with the settings that keep what must be kept."""
    connection = _connection(installation)
    if connection is None:
        return skipped(NOT_RUNNING)
    settings = installation.settings
    specs = topic_specs(settings.partitions, settings.broker.replication_factor)
    async with asyncio.timeout(ASK_SECONDS):
        seen = await describe_topics(connection, [one.name for one in specs])
    missing = [one.name for one in specs if one.name not in seen]
    if missing:
        return warning(f"missing: {', '.join(missing)}", "Start a worker: it makes them before it reads any.")
    different = [difference for one in specs for difference in compare(one, seen[one.name])]
    if different:
        fix = "Change the topics with your cluster's tools, or the settings where they are meant otherwise."
        return failed("; ".join(different[:3]), fix, Exit.CONFIGURATION)
    return ok(f"{len(specs)} topics with {settings.partitions} partitions, as they must be")


async def journal(patient: Patient, installation: Installation) -> Finding:
    """The book's journal can be read, and no store is ahead of it."""
    reached = await _reached(installation)
    if reached is None:
        return skipped("there is no journal to ask")
    settings = installation.settings
    partition = book_partition(settings.tenant, settings.book, settings.partitions)
    span = reached.spans[JOURNAL, partition]
    if span.beginning > 0:
        fix = "The retention of `journal` must be -1. Restore the journal from a backup."
        return failed(f"the journal begins at {span.beginning}: its first records are gone", fix)
    ahead = [name for name, position in positions(installation, partition) if position > span.end]
    if ahead:
        fix = "The broker lost records or is another one: restore it, or remove these stores to rebuild them."
        return failed(f"the journal ends at {span.end}, before {', '.join(ahead)}", fix)
    return ok(f"{span.end} records in partition {partition}")


async def clock_skew(patient: Patient, installation: Installation) -> Finding:
    """The newest record of the journal is not of the future."""
    reached = await _reached(installation)
    if reached is None:
        return skipped("there is no journal to compare with")
    settings = installation.settings
    partition = book_partition(settings.tenant, settings.book, settings.partitions)
    span = reached.spans[JOURNAL, partition]
    if span.end == span.beginning:
        return skipped("the journal is empty")
    written = await _newest(reached.connection, TopicPartition(JOURNAL, partition), span.end)
    if written is None:
        return skipped("the newest record could not be read")
    ahead_seconds = int((written - datetime.now(UTC)).total_seconds())
    if ahead_seconds > SKEW_SECONDS_MAX:
        fix = "Set the clocks of this machine and of the workers; use a time service."
        return failed(f"the newest record is {ahead_seconds} s ahead of this machine's clock", fix)
    return ok(f"the newest record is of {written:%Y-%m-%d %H:%M:%S} UTC")


async def dead_letters(patient: Patient, installation: Installation) -> Finding:
    """What could not be read or applied."""
    reached = await _reached(installation)
    if reached is None:
        return skipped("there is no broker to ask")
    count = sum(one.end - one.beginning for (topic, _), one in reached.spans.items() if topic == DEAD_LETTERS)
    if not count:
        return ok("none")
    try:
        async with asyncio.timeout(LETTERS_SECONDS), open_desk(installation) as desk:
            found = await open_by_reason(desk)
    except TimeoutError:
        return warning(f"{count} records; which are open was not known in {LETTERS_SECONDS} s", LOOK_AT_LETTERS)
    if not found:
        return ok(f"none is open; {count} records in the topic")
    named = ", ".join(f"{one.letters} {one.reason} in {one.topic}" for one in found[:REASONS_NAMED_MAX])
    return warning(f"{sum(one.letters for one in found)} open: {named}", LOOK_AT_LETTERS)


async def ports(patient: Patient, installation: Installation) -> Finding:
    """The address of metrics and health is free, or ours."""
    where = installation.settings.health
    if where.port == 0:
        return ok("a free port is picked at each start")
    if is_free(where.port):
        return ok(f"{where.port} is free")
    if await _health(installation, "livez") is not None:
        return ok(f"{where.port} is held by a running Billstream")
    if await _asked(installation, "livez") is not None:
        fix = "Set `health.port` to another one, or to 0 for a free one, before you start this one."
        return warning(f"{where.port} is held by the Billstream of another project", fix)
    fix = "Set `health.port` to another one, or to 0 for a free one."
    return failed(f"another program listens on {where.port}", fix, Exit.CONFIGURATION)


async def worker(patient: Patient, installation: Installation) -> Finding:
    """A running worker says of itself that it is ready."""
    said = await _health(installation, "readyz")
    if said is None:
        if running_workers(installation):
            fix = "Set `health.port` to a fixed port to ask it."
            return warning("a worker runs; its health could not be asked", fix)
        return skipped("no worker runs here; `billstream up` starts one")
    status, text = said
    if status == 200:
        return ok("a worker is ready")
    return warning(f"a worker is not ready: {_reasons(text)}", "See docs/runbooks/worker-not-ready.md.")


async def conservation(patient: Patient, installation: Installation) -> Finding:
    """Nothing is lost or doubled: the metric that must read 0."""
    said = await _health(installation, "metrics")
    kinds = {} if said is None else {kind: float(value) for kind, value in _CONSERVATION.findall(said[1])}
    if not kinds:
        return skipped("no worker runs here; its metric says")
    broken = [f"{kind} {value:g}" for kind, value in kinds.items() if value]
    if broken:
        return failed(f"not 0: {', '.join(broken)}", "See docs/runbooks/conservation-difference.md.")
    return ok(f"0 for {', '.join(kinds)}")


def _connection(installation: Installation) -> KafkaConnection | None:
    """The broker to ask; None when it is the embedded one and nobody runs it."""
    configured = configured_connection(installation)
    if configured is not None:
        return configured
    return connection_of(installation) if is_held(broker_folder(installation) / LOCK_FILE) else None


async def _reached(installation: Installation) -> Reached | None:
    """Where journal and dead letters begin and end; None without a broker, or before they were made."""
    connection = _connection(installation)
    if connection is None:
        return None
    try:
        async with asyncio.timeout(ASK_SECONDS):
            seen = await describe_topics(connection, [JOURNAL, DEAD_LETTERS])
            if len(seen) < 2:
                return None
            spans = await list_spans(connection, {name: one.partitions for name, one in seen.items()})
    except (MachineryError, TimeoutError):
        return None  # the check of the broker says so
    partition = book_partition(
        installation.settings.tenant, installation.settings.book, installation.settings.partitions
    )
    return Reached(connection, dict(spans)) if (JOURNAL, partition) in spans else None


async def _newest(connection: KafkaConnection, place: TopicPartition, end: int) -> datetime | None:
    """When the newest record was written, by its writer's clock."""
    consumer: AIOKafkaConsumer[bytes | None, bytes | None] = AIOKafkaConsumer(
        **connection.client_arguments(), enable_auto_commit=False
    )
    try:
        async with asyncio.timeout(ASK_SECONDS):
            await consumer.start()
            consumer.assign([place])
            consumer.seek(place, end - 1)
            record = await consumer.getone()
    except (KafkaError, OSError, TimeoutError):
        return None
    finally:
        await consumer.stop()
    return datetime.fromtimestamp(record.timestamp / 1000, UTC)


async def _health(installation: Installation, page: str) -> tuple[int, str] | None:
    """What a worker of this project says; None when none runs.

    Where the broker is the embedded one, a worker of this project holds its locks; who answers else is another's.
    """
    if configured_connection(installation) is None and not running_workers(installation):
        return None
    return await _asked(installation, page)


async def _asked(installation: Installation, page: str) -> tuple[int, str] | None:
    """What a Billstream at the address of health says, whose ever it is; None when there is none."""
    where = installation.settings.health
    if where.port == 0:
        return None
    limit = aiohttp.ClientTimeout(total=HEALTH_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit) as client,
            client.get(f"http://{where.host}:{where.port}/{page}") as answer,
        ):
            content = await answer.content.read(HEALTH_BYTES_MAX)
            is_ours = b"billstream" in content if page == "metrics" else answer.content_type == "application/json"
            return (answer.status, content.decode("utf-8", "replace")) if is_ours else None
    except (aiohttp.ClientError, OSError, TimeoutError):
        return None


def _reasons(text: str) -> str:
    """The causes that a worker names, in a few words."""
    try:
        said = json.loads(text)
        checks = said.get("checks", said)
        named = [f"{name}: {one.get('reason', '')}" for name, one in checks.items() if not one.get("ok", True)]
    except (ValueError, AttributeError):
        named = []
    return "; ".join(named)[:200] or "it says no more"
