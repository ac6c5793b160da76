"""Composes a worker: topics, stores, agents and their ports into running apps. The only place that knows all agents.

A worker has four roles, each a consumer group: sequence, fold, slow work (categorise, the table of hours) and
deliveries. One process does all of them; a large firm gives some of them processes of their own.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from books.stores.snapshots import Snapshots
from books.version import FOLD_VERSION
from runtime.clock import Clock
from runtime.health import Finding, Health
from runtime.kafka.connection import KafkaConnection
from runtime.kafka.topics import ensure_topics
from runtime.metrics import Metrics
from schemas.errors import ConfigurationError
from sinks.base import DraftSink
from streams import sending, tails
from streams.agents import deliver, hours
from streams.agents.categorise import CategoriseHandler, CategoriseSettings
from streams.agents.fold import ORDERED, FoldHandler, FoldSettings
from streams.agents.sequence import SequenceHandler, SequenceSettings
from streams.beat import Beat, BookBeat, StartUp, has_partitions, has_recovered
from streams.deciding.port import Decider
from streams.engine.app import EngineApp, EngineSettings, create_app, install_batch_agent
from streams.engine.lanes import LaneLimits
from streams.letter_beat import LetterBeat
from streams.letter_log import LetterLog
from streams.metering import Meter, deliveries_check, partitions_check
from streams.partition_stores import PartitionStores, SnapshotBeat
from streams.slots import Role, Slot, take_slot
from streams.topics import (
    COMMANDS,
    JOURNAL,
    RESULTS,
    TIME_ENTRIES,
    WORK,
    topic_specs,
)

APPLICATION_ID = "billstream"
"""The groups of an installation begin with it."""
RECORDS_MAX = 2_000
"""Of one batch: what is applied without letting the event loop breathe stays well under a second."""


log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkerSettings:
    """What a worker needs to know. The workers of a host share `data_folder`; each takes a slot of its own in it."""

    tenant: str
    book: str
    partitions: int
    replication_factor: int
    connection: KafkaConnection
    data_folder: Path
    tick_seconds: int = 60
    session_limit_seconds: int = 12
    application_id: str = APPLICATION_ID
    roles: frozenset[Role] = frozenset(Role)
    snapshot_folder: Path | None = None
    snapshot_records: int = 100_000
    deliveries: LaneLimits = field(default_factory=LaneLimits)


@dataclass(frozen=True)
class WorkerParts:
    """The replaceable parts: a test, the demo and production give other ones."""

    decider: Decider
    sinks: Mapping[str, DraftSink]
    clock: Clock
    metrics: Metrics
    health: Health


async def make_worker(settings: WorkerSettings, parts: WorkerParts) -> Sequence[EngineApp]:
    """The apps of a worker, ready to start. Topics are made and checked first.

    Raises the errors of `ensure_topics`, and ConfigurationError when the data folder has no free slot.
    """
    specs = topic_specs(settings.partitions, settings.replication_factor)
    changelog = hours.changelog_spec(
        group_of(settings.application_id, Role.SLOW), settings.partitions, settings.replication_factor
    )
    await ensure_topics(settings.connection, (*specs, changelog))
    settings = await _may_send(settings, parts.health)
    slot = take_slot(settings.data_folder, settings.roles)
    makers = {Role.SEQUENCE: _sequencer, Role.FOLD: _folder, Role.SLOW: _slow, Role.DELIVER: _deliverer}
    start_up = StartUp(parts.health, settings.roles)
    return [make(settings, parts, slot, start_up) for role, make in makers.items() if role in settings.roles]


async def _may_send(settings: WorkerSettings, health: Health) -> WorkerSettings:
    """The settings without deliveries while sending is held; ConfigurationError when nothing else was asked for."""
    if Role.DELIVER not in settings.roles or not await sending.is_held(settings.connection):
        return settings
    log.warning("Documents are not sent: %s.", sending.WHY)
    rest = settings.roles - {Role.DELIVER}
    if not rest:
        raise ConfigurationError("sending_held", "Documents may not be sent now.", f"As it is, {sending.WHY}.")

    async def held() -> Finding:
        return Finding(ok=False, reason=sending.WHY)

    health.add_check("deliveries", held)
    return replace(settings, roles=rest)


def _sequencer(settings: WorkerSettings, parts: WorkerParts, slot: Slot, start_up: StartUp) -> EngineApp:
    """The way into the journals. A group of its own: a fetch for new entries must not wait until a batch is folded."""
    app = _app(settings, slot, Role.SEQUENCE)
    publisher = app.new_publisher()
    meter = Meter(parts.metrics, parts.clock)
    who = SequenceSettings(settings.tenant, settings.book, settings.partitions)
    for topic in (TIME_ENTRIES, COMMANDS, RESULTS):
        handler = SequenceHandler(who, publisher, meter.accepted, meter.dead_letter)
        install_batch_agent(app, f"sequence-{topic}", topic, handler, records_max=RECORDS_MAX)
    parts.health.add_check("inputs", lambda: partitions_check(app))
    app.task(Beat(app, Role.SEQUENCE, start_up, lambda: has_partitions(app), meter).run)
    return app


def _folder(settings: WorkerSettings, parts: WorkerParts, slot: Slot, start_up: StartUp) -> EngineApp:
    """The fold of the journals, and the passing of time in the book."""
    app = _app(settings, slot, Role.FOLD)
    publisher = app.new_publisher()
    meter = Meter(parts.metrics, parts.clock)
    tenant, book, count = settings.tenant, settings.book, settings.partitions
    shared = settings.snapshot_folder
    snapshots = None if shared is None else Snapshots(shared, FOLD_VERSION, slot.name)
    stores = PartitionStores(slot.folder / "books", FOLD_VERSION, snapshots, settings.snapshot_records)
    fold = FoldHandler(
        FoldSettings(tenant, book, count),
        stores.open,
        publisher,
        KafkaTails(settings.connection),
        meter.applied,
        meter.dead_letter,
        meter.recovered,
        stores.bring,
    )
    install_batch_agent(app, "fold", JOURNAL, fold, records_max=RECORDS_MAX)
    parts.health.add_check("partitions", lambda: partitions_check(app, lambda: fold.recovery().behind))
    book_beat = BookBeat(
        tenant, book, count, settings.tick_seconds, parts.clock, publisher, fold, meter, start_up.applied
    )
    app.task(Beat(app, Role.FOLD, start_up, lambda: has_recovered(app, fold), meter, book_beat.once).run)
    app.task(SnapshotBeat(app, fold.positions, stores).run)
    app.task(LetterBeat(app, tenant, book, count, LetterLog(settings.connection, count), fold, meter).run)
    return app


def _slow(settings: WorkerSettings, parts: WorkerParts, slot: Slot, start_up: StartUp) -> EngineApp:
    """Decisions, which may wait for the outside world, and the table of running hours."""
    app = _app(settings, slot, Role.SLOW)
    publisher = app.new_publisher()
    meter = Meter(parts.metrics, parts.clock)
    tenant, book, count = settings.tenant, settings.book, settings.partitions
    categorise = CategoriseHandler(
        CategoriseSettings(tenant, book, count), publisher, parts.decider, parts.clock, meter.dead_letter
    )
    install_batch_agent(app, "categorise", WORK, categorise, records_max=RECORDS_MAX)
    hours.install(app, publisher, tenant, book, count, meter.dead_letter)
    parts.health.add_check("decisions", lambda: partitions_check(app))
    app.task(Beat(app, Role.SLOW, start_up, lambda: has_partitions(app), meter).run)
    return app


def _deliverer(settings: WorkerSettings, parts: WorkerParts, slot: Slot, start_up: StartUp) -> EngineApp:
    """Deliveries: a group of its own, so that sinks that hang hold back no decision."""
    app = _app(settings, slot, Role.DELIVER)
    meter = Meter(parts.metrics, parts.clock)
    agent, lanes = deliver.install(
        app,
        settings.connection,
        app.new_publisher(),
        parts.sinks,
        deliver.DeliverSettings(settings.tenant, settings.book, settings.partitions, limits=settings.deliveries),
        parts.clock,
        meter.delivered,
        meter.dead_letter,
    )

    async def tell() -> None:
        meter.held({sink: lanes.held(sink) for sink in parts.sinks}, lanes.held_ratio)

    parts.health.add_check("deliveries", lambda: deliveries_check(app, agent))
    app.task(Beat(app, Role.DELIVER, start_up, lambda: has_partitions(app), meter, tell).run)
    return app


def _app(settings: WorkerSettings, slot: Slot, role: Role) -> EngineApp:
    return create_app(
        EngineSettings(
            application_id=group_of(settings.application_id, role),
            data_folder=slot.folder / role.value,
            client_arguments=settings.connection.client_arguments(),
            session_limit_seconds=settings.session_limit_seconds,
            instance_id=f"{slot.name}-{role.value}",
        )
    )


def group_of(application_id: str, role: Role) -> str:
    """The consumer group of a role; it must never change, for offsets and the table's changelog bear its name."""
    return f"{application_id}-{role.value}"


@dataclass(frozen=True)
class KafkaTails:
    """The tails of a partition, read from the cluster."""

    connection: KafkaConnection

    async def highest_origins(self, partition: int) -> Mapping[str, int]:
        """See `Tails`."""
        return await tails.highest_origins(self.connection, ORDERED, partition)

    async def journal_bounds(self, partition: int) -> tuple[int, int]:
        """See `Tails`."""
        return await tails.bounds_of(self.connection, JOURNAL, partition)

    async def journal_fingerprint(self, partition: int, offset: int) -> str | None:
        """See `Tails`."""
        return await tails.fingerprint_at(self.connection, JOURNAL, partition, offset)
