"""The fold agent at its edges: what is interrupted leaves nothing behind, what is taken away can come back."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord

from books.stores.sqlite import SqliteStore
from books.testing import BOOK, TENANT, Story, entry, week_cap
from schemas.codec import decode, encode
from schemas.outputs import DeadLetter
from streams.agents import fold
from streams.agents.fold import FoldHandler, FoldSettings
from streams.engine.batch import Batch
from streams.engine.publisher import Outgoing
from streams.tails import fingerprint
from streams.topics import ALERTS, DEAD_LETTERS, DOCUMENTS, HOURS, JOURNAL, WORK


class MemoryPublisher:
    """Keeps what is published; `broken` is what the next call raises."""

    def __init__(self) -> None:
        self.published: list[Outgoing] = []
        self.broken: BaseException | None = None

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        """See `Publisher`."""
        if self.broken is not None:
            error, self.broken = self.broken, None
            raise error
        self.published += outgoing

    def of(self, topic: str) -> list[Outgoing]:
        """What was published to a topic."""
        return [one for one in self.published if one.topic == topic]


class KnownTails:
    """A journal's end and the tails of its outputs, as the test says."""

    def __init__(self, end: int = 0, tails: Mapping[str, int] | None = None) -> None:
        self.end, self.tails = end, tails or dict.fromkeys((DOCUMENTS, ALERTS, HOURS), -1)
        self.interrupted: BaseException | None = None
        self.beginning = 0
        self.fingerprints: dict[int, str] = {}

    def hold(self, batch: Batch) -> None:
        """The journal is these records."""
        self.end = batch.next_offset
        self.fingerprints = {record.offset: fingerprint(record) for record in batch.records}

    async def journal_bounds(self, partition: int) -> tuple[int, int]:
        """See `Tails`."""
        if self.interrupted is not None:
            raise self.interrupted
        return self.beginning, self.end

    async def journal_fingerprint(self, partition: int, offset: int) -> str | None:
        """See `Tails`."""
        return self.fingerprints.get(offset)

    async def highest_origins(self, partition: int) -> Mapping[str, int]:
        """See `Tails`."""
        return self.tails


@pytest.fixture
def publisher() -> MemoryPublisher:
    """Nothing published yet."""
    return MemoryPublisher()


@pytest.fixture
def month() -> Story:
    """A story with an alert and a draft in it; its journal is what the handler is given."""
    story = Story().begin(caps=[week_cap(hours="4")])
    story.say(entry("a", hours="3"), entry("b", "2026-10-06T09:00", "3"))
    story.close()
    return story


def handler(tmp_path: Path, publisher: MemoryPublisher, tails: KnownTails | None = None) -> FoldHandler:
    """A handler over a store in a file."""
    return FoldHandler(
        FoldSettings(TENANT, BOOK, 1),
        lambda partition: SqliteStore(tmp_path / f"{partition}.sqlite", "1"),
        publisher,  # type: ignore[arg-type]  # publishes to memory
        tails or KnownTails(),
    )


def batch(values: Sequence[bytes], first: int) -> Batch:
    """Records of the journal from an offset on."""
    records = [
        ConsumerRecord(JOURNAL, 0, first + number, 1_790_000_000_000, 0, None, value, 0, 0, len(value), ())
        for number, value in enumerate(values)
    ]
    return Batch(JOURNAL, 0, records, first + len(values), first + len(values))


def values_of(story: Story) -> list[bytes]:
    """The journal of a story as bytes."""
    return [encode(record) for record in story.journal.records]


async def test_a_partition_taken_away_while_it_is_given_leaves_nothing(
    tmp_path: Path, publisher: MemoryPublisher
) -> None:
    """A rebalance may interrupt `assigned`; giving the partition up is then no error, and it can come back."""
    tails = KnownTails()
    one = handler(tmp_path, publisher, tails)
    tails.interrupted = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        await one.assigned(0, None)
    await one.revoked(0)
    tails.interrupted = None
    assert await one.assigned(0, None) == 0
    await one.revoked(0)


async def test_rows_are_kept_only_when_their_outputs_were_acknowledged(
    tmp_path: Path, publisher: MemoryPublisher, month: Story
) -> None:
    """Rule 1: a broker that does not answer leaves the store where it was; the batch is done again as a whole."""
    one = handler(tmp_path, publisher)
    await one.assigned(0, None)
    publisher.broken = ConnectionError("no answer")
    with pytest.raises(ConnectionError):
        await one.process(batch(values_of(month), 0))
    await one.revoked(0)
    assert SqliteStore(tmp_path / "0.sqlite", "1").position.next_offset == 0
    again = handler(tmp_path, publisher)
    assert await again.assigned(0, None) == 0
    await again.process(batch(values_of(month), 0))
    await again.revoked(0)
    assert SqliteStore(tmp_path / "0.sqlite", "1").position.next_offset == len(month.journal.records)
    assert len(publisher.of(DOCUMENTS)) == 1


async def test_a_rebuild_is_silent_and_goes_on_from_the_tails(
    tmp_path: Path, publisher: MemoryPublisher, month: Story
) -> None:
    """Rule 2: below the journal's end only what lies at or after the highest origin in its topic comes again."""
    values = values_of(month)
    highest = {DOCUMENTS: len(values), ALERTS: -1, HOURS: len(values)}
    one = handler(tmp_path, publisher, KnownTails(len(values), highest))
    await one.assigned(0, None)
    await one.process(batch(values, 0))
    await one.revoked(0)
    assert [len(publisher.of(topic)) for topic in (DOCUMENTS, HOURS, JOURNAL, WORK)] == [0, 0, 0, 0]
    assert len(publisher.of(ALERTS)) == len(month.journal.alerts) > 0


async def test_what_is_open_is_asked_again_at_a_start(tmp_path: Path, publisher: MemoryPublisher, month: Story) -> None:
    """Rule 2: facts that were not read back and work without an answer are published when the end is reached."""
    asked = [value for value in values_of(month) if type(decode(value)).__name__ in {"EntryVersion", "CloseDocument"}]
    setup = values_of(month)[:3]
    tails = KnownTails(len(setup) + len(asked))
    one = handler(tmp_path, publisher, tails)
    await one.assigned(0, None)
    await one.process(batch(setup, 0))
    assert publisher.of(WORK) == []
    await one.process(batch(asked, len(setup)))
    assert len(publisher.of(WORK)) == 2
    await one.revoked(0)
    tails.hold(batch([*setup, *asked], 0))
    again = handler(tmp_path, publisher, tails)
    await again.assigned(0, None)
    await again.revoked(0)
    assert len(publisher.of(WORK)) == 4
    assert len({one.key for one in publisher.of(WORK)}) == 2


async def test_what_cannot_be_read_is_a_letter_and_the_rest_goes_on(
    tmp_path: Path, publisher: MemoryPublisher, month: Story
) -> None:
    """Rule 10: foreign bytes in the journal end whole in `dead-letters`; the records beside them are applied."""
    values = [b"nonsense", *values_of(month), b""]
    one = handler(tmp_path, publisher)
    await one.assigned(0, None)
    await one.process(batch(values, 0))
    await one.revoked(0)
    letters = [decode(letter.value) for letter in publisher.of(DEAD_LETTERS)]
    assert [letter.value for letter in letters if isinstance(letter, DeadLetter)] == [b"nonsense", b""]
    assert len(publisher.of(DOCUMENTS)) == 1


async def test_records_below_the_stores_offset_are_skipped(
    tmp_path: Path, publisher: MemoryPublisher, month: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The group's offset may lag behind: what the store reflects already is not applied again."""
    monkeypatch.setattr(fold, "COMMIT_SECONDS", 0)
    values = values_of(month)
    one = handler(tmp_path, publisher)
    await one.assigned(0, None)
    await one.process(batch(values, 0))
    known = len(publisher.published)
    await one.process(batch(values, 0))
    assert len(publisher.published) == known
    await one.revoked(0)
