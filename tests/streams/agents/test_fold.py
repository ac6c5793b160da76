"""The fold agent at its edges: what is interrupted leaves nothing behind, what is taken away can come back."""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord

from books.fold import Fold
from books.stores.sqlite import SqliteStore
from books.testing import BOOK, TENANT, Story, entry, undecided, week_cap
from schemas.codec import decode, encode
from schemas.entry import EntryVersion
from schemas.errors import Unreadable
from schemas.outputs import DeadLetter
from schemas.values import Record
from streams.agents import fold, transaction
from streams.agents.fold import Applied, FoldHandler, FoldSettings
from streams.engine import slices
from streams.engine.batch import Batch, Settling, settled
from streams.engine.errors import EngineFault, PublishUnknown
from streams.engine.publisher import Outgoing
from streams.tails import fingerprint
from streams.topics import ALERTS, DEAD_LETTERS, DOCUMENTS, HOURS, JOURNAL, WORK


class MemoryPublisher:
    """Keeps what is published; `broken` is what the next call raises, `held` are acknowledgements kept back."""

    def __init__(self) -> None:
        self.published: list[Outgoing] = []
        self.broken: BaseException | None = None
        self.calls: list[int] = []
        self.held: list[Settling] | None = None

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        """See `Publisher`."""
        if self.broken is not None:
            error, self.broken = self.broken, None
            raise error
        self.published += outgoing
        self.calls.append(len(outgoing))

    async def post(self, outgoing: Sequence[Outgoing]) -> Settling:
        """See `Publisher`."""
        await self.publish(outgoing)
        if self.held is None:
            return settled()
        self.held.append(asyncio.get_running_loop().create_future())
        return self.held[-1]

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
        await (await one.process(batch(values_of(month), 0)))
    await one.revoked(0)
    assert SqliteStore(tmp_path / "0.sqlite", "1").position.next_offset == 0
    again = handler(tmp_path, publisher)
    assert await again.assigned(0, None) == 0
    await (await again.process(batch(values_of(month), 0)))
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
    await (await one.process(batch(values, 0)))
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
    await (await one.process(batch(setup, 0)))
    assert publisher.of(WORK) == []
    await (await one.process(batch(asked, len(setup))))
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
    await (await one.process(batch(values, 0)))
    await one.revoked(0)
    letters = [decode(letter.value) for letter in publisher.of(DEAD_LETTERS)]
    assert [letter.value for letter in letters if isinstance(letter, DeadLetter)] == [b"nonsense", b""]
    assert len(publisher.of(DOCUMENTS)) == 1


async def test_records_below_the_stores_offset_are_skipped(
    tmp_path: Path, publisher: MemoryPublisher, month: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The group's offset may lag behind: what the store reflects already is not applied again."""
    monkeypatch.setattr(transaction, "COMMIT_SECONDS", 0)
    values = values_of(month)
    one = handler(tmp_path, publisher)
    await one.assigned(0, None)
    await (await one.process(batch(values, 0)))
    known = len(publisher.published)
    await (await one.process(batch(values, 0)))
    assert len(publisher.published) == known
    await one.revoked(0)


async def test_a_store_ahead_of_its_journal_publishes_nothing(
    tmp_path: Path, publisher: MemoryPublisher, month: Story
) -> None:
    """Rule 1: what the broker lost cannot be gone on from; that is found before open facts and work go out."""
    asked = [*values_of(month)[:3], *(value for value in values_of(month) if type(decode(value)) is EntryVersion)]
    one = handler(tmp_path, publisher)
    await one.assigned(0, None)
    await (await one.process(batch(asked, 0)))
    await one.revoked(0)
    known = len(publisher.published)
    with pytest.raises(EngineFault) as lost:
        await handler(tmp_path, publisher, KnownTails(len(asked) - 1)).assigned(0, None)
    assert lost.value.code == "records_gone"
    assert len(publisher.published) == known


async def test_a_journal_whose_beginning_is_gone_is_refused(tmp_path: Path, publisher: MemoryPublisher) -> None:
    """Rule 1: a missing store may be made only from offset 0."""
    tails = KnownTails(10)
    tails.beginning = 5
    with pytest.raises(EngineFault) as lost:
        await handler(tmp_path, publisher, tails).assigned(0, None)
    assert lost.value.code == "records_gone"


async def test_a_store_of_another_journal_is_built_again(
    tmp_path: Path, publisher: MemoryPublisher, month: Story
) -> None:
    """Rule 1: a journal that was made anew and has grown past the store's offset is not mixed with the old rows."""
    values = values_of(month)
    one = handler(tmp_path, publisher)
    await one.assigned(0, None)
    await (await one.process(batch(values, 0)))
    await one.revoked(0)
    tails = KnownTails()
    other = batch([b"nonsense", *values], 0)
    tails.hold(other)
    again = handler(tmp_path, publisher, tails)
    assert await again.assigned(0, len(values)) == 0
    await (await again.process(other))
    await again.revoked(0)
    assert len(publisher.of(DEAD_LETTERS)) == 1, "the group's offset says nothing about this journal's letters"


async def test_a_store_goes_on_in_its_own_journal(tmp_path: Path, publisher: MemoryPublisher, month: Story) -> None:
    """The record that the store ends with stands where it stood: nothing is applied again."""
    values = values_of(month)
    one = handler(tmp_path, publisher)
    await one.assigned(0, None)
    await (await one.process(batch(values, 0)))
    await one.revoked(0)
    tails = KnownTails()
    tails.hold(batch([*values, values[0]], 0))
    again = handler(tmp_path, publisher, tails)
    assert await again.assigned(0, len(values)) == len(values)
    await again.revoked(0)


async def test_a_rebuild_repeats_no_letter_and_counts_nothing(
    tmp_path: Path, publisher: MemoryPublisher, month: Story
) -> None:
    """Below the group's offset all letters were acknowledged; below the journal's end nothing is new to metrics."""
    values = [b"nonsense", *values_of(month), b"more nonsense"]
    counted: list[Applied] = []
    letters: list[str] = []
    one = FoldHandler(
        FoldSettings(TENANT, BOOK, 1),
        lambda partition: SqliteStore(tmp_path / f"{partition}.sqlite", "1"),
        publisher,  # type: ignore[arg-type]  # publishes to memory
        KnownTails(len(values)),
        counted.append,
        lambda topic, reason: letters.append(reason),
    )
    await one.assigned(0, len(values) - 1)
    await (await one.process(batch(values, 0)))
    assert [(applied.records, applied.alerts) for applied in counted] == [([], [])]
    assert [decode(letter.value).offset for letter in publisher.of(DEAD_LETTERS)] == [len(values) - 1]  # type: ignore[attr-defined]
    assert letters == ["frame_magic"]
    fresh = encode(entry("late", "2026-10-07T09:00"))
    await (await one.process(batch([fresh, fresh], len(values))))
    await one.revoked(0)
    assert [len(applied.records) for applied in counted] == [0, 2]
    assert [version.source_entry_id for version in counted[-1].ignored] == ["late"]


async def test_batches_go_on_while_acknowledgements_are_on_their_way(
    tmp_path: Path, publisher: MemoryPublisher, month: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several batches may be under way, and none is kept before the outputs of all of them are acknowledged."""
    values = values_of(month)
    one = handler(tmp_path, publisher)
    await one.assigned(0, None)
    publisher.held = []
    first = await one.process(batch(values[:5], 0))
    second = await one.process(batch(values[5:], 5))
    monkeypatch.setattr(transaction, "COMMIT_SECONDS", 0)
    due = asyncio.ensure_future(one.process(batch(values[-1:], len(values))))
    while not due.done():
        assert one._owned[0].store.position.next_offset == 0
        if publisher.held:
            publisher.held.pop().set_result(None)
        await asyncio.sleep(0)
    await asyncio.gather(first, second, await due)
    assert one._owned[0].store.position.next_offset == len(values) + 1
    await one.revoked(0)


async def test_an_acknowledgement_that_never_comes_keeps_nothing(
    tmp_path: Path, publisher: MemoryPublisher, month: Story
) -> None:
    """The second batch's outputs are there, the first one's are not: the store stays where it was."""
    values = values_of(month)
    one = handler(tmp_path, publisher)
    await one.assigned(0, None)
    publisher.held = []
    first = await one.process(batch(values[:5], 0))
    lost = list(publisher.held)
    publisher.held = None
    second = await one.process(batch(values[5:], 5))
    await second
    lost[0].set_exception(PublishUnknown("the broker is gone"))
    with pytest.raises(PublishUnknown):
        await first
    await one.revoked(0)
    assert SqliteStore(tmp_path / "0.sqlite", "1").position.next_offset == 0


async def test_the_last_batch_before_a_silence_is_kept_soon(
    tmp_path: Path, publisher: MemoryPublisher, month: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to send another record for the rows, and the hours they changed, to be there."""
    monkeypatch.setattr(transaction, "COMMIT_SECONDS", 0.05)
    monkeypatch.setattr(transaction, "_seconds", lambda: 0.0)  # the batch itself never commits, however slow we are
    values = values_of(month)
    one = handler(tmp_path, publisher)
    await one.assigned(0, None)
    await (await one.process(batch(values, 0)))
    assert publisher.of(HOURS) == []
    async with asyncio.timeout(10):
        while one._owned[0].store.position.next_offset < len(values):  # noqa: ASYNC110  # the store tells nobody
            await asyncio.sleep(0.01)
    assert len(publisher.of(HOURS)) == 1, "the hours of one person and week, once"
    await one.revoked(0)


async def test_a_partition_given_up_while_its_rows_are_kept_keeps_them_once(
    tmp_path: Path, publisher: MemoryPublisher, month: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rebalance comes while the commit after the last batch waits for its hours: there are never two at once."""
    monkeypatch.setattr(transaction, "COMMIT_SECONDS", 0.01)
    monkeypatch.setattr(transaction, "_seconds", lambda: 0.0)  # the batch itself never commits, however slow we are
    values = values_of(month)
    one = handler(tmp_path, publisher)
    await one.assigned(0, None)
    await (await one.process(batch(values, 0)))
    publisher.held = []
    async with asyncio.timeout(10):
        while not publisher.held:  # noqa: ASYNC110  # the commit after a silence has begun
            await asyncio.sleep(0.002)
    giving_up = asyncio.ensure_future(one.revoked(0))
    while not giving_up.done():
        await asyncio.sleep(0)
        while publisher.held:
            publisher.held.pop().set_result(None)
    await giving_up
    assert SqliteStore(tmp_path / "0.sqlite", "1").position.next_offset == len(values)


async def test_the_loop_breathes_while_a_large_batch_is_applied(
    tmp_path: Path, publisher: MemoryPublisher, month: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Heartbeats and probes are answered between the records of a batch, however large it is."""
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0)
    one = handler(tmp_path, publisher)
    await one.assigned(0, None)
    working = asyncio.ensure_future(one.process(batch(values_of(month), 0)))
    turns = 0
    while not working.done():
        turns += 1
        await asyncio.sleep(0)
    await (await working)
    await one.revoked(0)
    assert turns > len(values_of(month))


async def test_the_loop_breathes_while_records_are_read(
    tmp_path: Path, publisher: MemoryPublisher, month: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading hundreds of them takes longer than a slice: it is work like any other."""
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0)
    turns, read = 0, fold._read
    read_in: list[int] = []

    def noted(record: "ConsumerRecord[bytes | None, bytes | None]") -> Record | Unreadable:
        read_in.append(turns)
        return read(record)

    monkeypatch.setattr(fold, "_read", noted)
    one = handler(tmp_path, publisher)
    await one.assigned(0, None)
    working = asyncio.ensure_future(one.process(batch(values_of(month), 0)))
    while not working.done():
        turns += 1
        await asyncio.sleep(0)
    await (await working)
    await one.revoked(0)
    assert len(set(read_in)) == len(read_in) == len(values_of(month))


async def test_a_revision_is_applied_while_the_loop_goes_on(
    tmp_path: Path, publisher: MemoryPublisher, month: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One revision may touch every entry of a book: nobody reads its half-changed rows, and a cancel waits for it."""
    begun, go_on = threading.Event(), threading.Event()
    apply = Fold.apply

    def slow(self: Fold, *arguments: object) -> None:
        if threading.current_thread() is not threading.main_thread():
            begun.set()
            assert go_on.wait(10), "nobody let the thread go on"
        apply(self, *arguments)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(Fold, "apply", slow)
    one = handler(tmp_path, publisher)
    await one.assigned(0, None)
    working = asyncio.ensure_future(one.process(batch(values_of(month), 0)))
    assert await asyncio.to_thread(begun.wait, 10)
    assert one.rows(0) is None
    working.cancel()
    await asyncio.sleep(0)
    assert not working.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await (await working)
    assert one.rows(0) is not None
    await one.revoked(0)
    store = SqliteStore(tmp_path / "0.sqlite", "1")
    assert store.position.next_offset == 0
    store.close()


async def test_open_work_is_published_some_at_a_time(
    tmp_path: Path, publisher: MemoryPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a start no more records are made at once than the publisher is handed."""
    monkeypatch.setattr(fold, "PUBLISHED_TOGETHER_MAX", 4)
    story = Story(undecided).begin()
    story.say(*(entry(f"e{number}", f"2026-10-{number:02d}T09:00") for number in range(1, 11)))
    one = handler(tmp_path, publisher, KnownTails(len(values_of(story))))
    await one.assigned(0, None)
    await (await one.process(batch(values_of(story), 0)))
    await one.revoked(0)
    assert len(publisher.of(WORK)) == 10
    assert max(publisher.calls) == 4


async def test_a_partition_is_ready_when_it_has_caught_up(
    tmp_path: Path, publisher: MemoryPublisher, month: Story
) -> None:
    """A recovery tells how far it is; the partition counts as owned only when the journal's end was reached."""
    values = values_of(month)
    recovered: list[float] = []
    one = FoldHandler(
        FoldSettings(TENANT, BOOK, 1),
        lambda partition: SqliteStore(tmp_path / f"{partition}.sqlite", "1"),
        publisher,  # type: ignore[arg-type]  # publishes to memory
        KnownTails(len(values)),
        on_recovered=recovered.append,
    )
    await one.assigned(0, None)
    await (await one.process(batch(values[:2], 0)))
    assert (one.owns(0), one.recovery().behind, one.recovery().done) == (False, (0,), 2)
    await (await one.process(batch(values[2:], 2)))
    assert (one.owns(0), one.recovery().behind, one.recovery().done) == (True, (), len(values))
    assert len(recovered) == 1
    await one.revoked(0)
