"""Partitions share one event loop: a batch of thousands in one of them lets a record of another one pass."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord

from books.stores.sqlite import SqliteStore
from books.testing import BOOK, TENANT, Story, entry, undecided
from books.version import FOLD_VERSION
from runtime.clock import SimulatedClock
from schemas.codec import encode
from schemas.entry import EntryVersion
from schemas.work import DecideEntry, DeliverDocument
from streams.agents.categorise import CategoriseHandler, CategoriseSettings
from streams.agents.fold import FoldHandler, FoldSettings
from streams.agents.sequence import SequenceHandler, SequenceSettings
from streams.deciding.offline import OfflineDecider
from streams.engine import slices
from streams.engine.batch import Batch, BatchHandler, Settling, settled
from streams.engine.publisher import Outgoing
from streams.topics import ALERTS, DOCUMENTS, HOURS, JOURNAL, TIME_ENTRIES, WORK

MANY = 300


class Published:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.records: list[Outgoing] = []

    async def post(self, outgoing: Sequence[Outgoing]) -> Settling:
        """See `Publisher`."""
        self.records += outgoing
        return settled()


class NothingYet:
    """An empty journal and empty outputs."""

    async def journal_bounds(self, partition: int) -> tuple[int, int]:
        """See `Tails`."""
        return 0, 0

    async def journal_fingerprint(self, partition: int, offset: int) -> str | None:
        """See `Tails`."""
        return None

    async def highest_origins(self, partition: int) -> dict[str, int]:
        """See `Tails`."""
        return dict.fromkeys((DOCUMENTS, ALERTS, HOURS), -1)


@pytest.fixture
def published() -> Published:
    """Nothing yet."""
    return Published()


@pytest.fixture(autouse=True)
def _short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each record ends its slice: turns are counted, not milliseconds."""
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0)


def batch(topic: str, partition: int, values: Sequence[bytes]) -> Batch:
    """Records of a partition from its beginning."""
    records = [
        ConsumerRecord(topic, partition, number, 1_790_000_000_000, 0, None, value, 0, 0, len(value), ())
        for number, value in enumerate(values)
    ]
    return Batch(topic, partition, records, len(values), len(values))


def many() -> list[EntryVersion]:
    """Entries of many days."""
    return [entry(f"e{number}", f"2026-10-{1 + number % 28:02d}T09:00") for number in range(MANY)]


async def turns_beside(handler: BatchHandler, large: Batch, small: Batch) -> tuple[int, int]:
    """How many turns of the loop the small batch needed, and how many the large one that began before it."""
    turns = {"small": 0, "large": 0}

    async def count(name: str, working: "asyncio.Future[Settling | None]") -> None:
        while not working.done():
            turns[name] += 1
            await asyncio.sleep(0)
        await working

    flood = asyncio.ensure_future(handler.process(large))
    await asyncio.sleep(0)
    drop = asyncio.ensure_future(handler.process(small))
    await asyncio.gather(count("large", flood), count("small", drop))
    return turns["small"], turns["large"]


async def test_a_record_passes_a_flood_into_another_journal(published: Published) -> None:
    """`sequence`: it is checked and appended while the flood is not."""
    handler = SequenceHandler(SequenceSettings(TENANT, BOOK, 1), published)  # type: ignore[arg-type]  # to memory
    values = [encode(one) for one in many()]
    small, large = await turns_beside(handler, batch(TIME_ENTRIES, 0, values), batch(TIME_ENTRIES, 0, values[:1]))
    assert small < 20 < MANY - 10 < large


async def test_a_record_is_folded_beside_a_flood(published: Published, tmp_path: Path) -> None:
    """`fold`: the rows of one partition change while those of another one are being changed."""
    handler = FoldHandler(
        FoldSettings(TENANT, BOOK, 2),
        lambda partition: SqliteStore(tmp_path / f"{partition}.sqlite", FOLD_VERSION),
        published,  # type: ignore[arg-type]  # publishes to memory
        NothingYet(),
    )
    for partition in (0, 1):
        await handler.assigned(partition, None)
    values = [encode(one) for one in (*Story().begin().journal.records, *many())]
    small, large = await turns_beside(handler, batch(JOURNAL, 0, values), batch(JOURNAL, 1, values[-1:]))
    for partition in (0, 1):
        await handler.revoked(partition)
    assert small < 20 < MANY - 10 < large


async def test_a_request_is_decided_beside_a_flood(published: Published) -> None:
    """`categorise`: the rules of a decider that needs no time let others pass, too."""
    asked: list[DecideEntry] = []

    def remember(request: DecideEntry | DeliverDocument) -> None:
        if isinstance(request, DecideEntry):
            asked.append(request)
        undecided(request)

    Story(remember).begin().say(*many())
    handler = CategoriseHandler(
        CategoriseSettings(TENANT, BOOK, 2),
        published,  # type: ignore[arg-type]  # publishes to memory
        OfflineDecider(),
        SimulatedClock(datetime(2026, 11, 2, tzinfo=UTC)),
    )
    values = [encode(one) for one in asked]
    assert len(values) >= MANY
    small, large = await turns_beside(handler, batch(WORK, 0, values), batch(WORK, 1, values[:1]))
    assert small < 20 < MANY - 10 < large
