"""Dead letters: whole up to their limit, the same again for the same place, counted while nobody has settled them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from books.stores.memory import MemoryStore
from books.stores.port import Rows
from books.testing import BOOK, TENANT, Story
from books.version import FOLD_VERSION
from runtime.clock import SimulatedClock
from runtime.errors import Unavailable
from runtime.metrics import Build, Metrics
from schemas import commands
from schemas.codec import decode
from schemas.outputs import DeadLetter
from streams.engine.publisher import PublisherLimits
from streams.letter_beat import LetterBeat
from streams.letter_log import LetterNote, LetterPage, ReadLimits, hash_of, note_of, starts_within
from streams.letters import DETAIL_CHARACTERS_MAX, KEPT_BYTES_MAX, KEY_BYTES_MAX, Place, dead_letter
from streams.metering import Meter, label_values
from streams.topics import DOCUMENT_BYTES_MAX, TIME_ENTRIES

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
Sample = Callable[..., float | None]


def letter_of(
    value: bytes, key: bytes = b"k", offset: int = 7, detail: str = "it says", reason: str = "x"
) -> DeadLetter:
    place = Place(TIME_ENTRIES, 0, offset, 1_790_000_000_000, key, value)
    made = decode(dead_letter(place, TENANT, BOOK, "sequence", reason, detail).value)
    assert isinstance(made, DeadLetter)
    return made


def test_a_letter_holds_the_record_whole() -> None:
    """Up to the limit, key and value are what they were, and nothing says otherwise."""
    letter = letter_of(bytes(KEPT_BYTES_MAX - 1))
    assert (len(letter.value), letter.key, letter.whole_bytes) == (KEPT_BYTES_MAX - 1, b"k", 0)


@pytest.mark.parametrize(("key_bytes", "value_bytes"), [(1, KEPT_BYTES_MAX), (KEPT_BYTES_MAX, 9), (9, 40_000_000)])
def test_a_letter_always_fits_into_its_topic(key_bytes: int, value_bytes: int) -> None:
    """A record that is larger than any topic holds, as out of a compressed batch, is cut: else it would stop the
    partition for ever.
    """
    place = Place(TIME_ENTRIES, 0, 7, 1_790_000_000_000, bytes(key_bytes), bytes(value_bytes))
    outgoing = dead_letter(place, TENANT, BOOK, "sequence", "record_too_large", "x" * 1_000_000)
    assert outgoing.size_bytes < min(DOCUMENT_BYTES_MAX, PublisherLimits().record_bytes) - 512
    letter = decode(outgoing.value)
    assert isinstance(letter, DeadLetter)
    assert letter.whole_bytes == key_bytes + value_bytes
    assert len(letter.key) <= KEY_BYTES_MAX
    assert len(letter.detail) == DETAIL_CHARACTERS_MAX


def test_a_note_holds_no_record() -> None:
    """A list of many letters stays small: of key and detail only the beginning is kept, of the value its hash."""
    note = note_of(letter_of(b"v" * 9_000, b"k" * 9_000, detail="d" * 3_000), 3, 4)
    assert (len(note.key), len(note.detail), note.size_bytes, note.place) == (200, 500, 9_000, (3, 4))
    assert note.value_hash == hash_of(b"v" * 9_000)


@given(
    st.dictionaries(st.integers(0, 11), st.tuples(st.integers(0, 500), st.integers(0, 500)), max_size=12),
    st.integers(0, 1_000),
)
def test_reading_is_bounded_and_takes_the_newest(spans: dict[int, tuple[int, int]], letters_max: int) -> None:
    """Never more than allowed in all, nothing left out while there is room, and always the end of a partition."""
    ordered = {partition: (min(span), max(span)) for partition, span in spans.items()}
    starts = starts_within(ordered, letters_max)
    taken = sum(end - starts[partition] for partition, (_, end) in ordered.items())
    there = sum(end - beginning for beginning, end in ordered.values())
    assert taken == min(letters_max, there) or taken > letters_max - len(ordered)
    assert all(beginning <= starts[partition] <= end for partition, (beginning, end) in ordered.items())


@dataclass
class Topic:
    """Letters as a topic gives them."""

    notes: list[LetterNote] = field(default_factory=list)
    silent: bool = False
    asked_after: list[Mapping[int, int]] = field(default_factory=list)

    async def page(self, *, after: Mapping[int, int], limits: ReadLimits) -> LetterPage:
        """What is behind the position."""
        if self.silent:
            raise Unavailable("letters_unreadable", "No answer.")
        self.asked_after.append(after)
        return LetterPage(tuple(self.notes[after.get(0, 0) :]), 0, {0: len(self.notes)})


@dataclass
class App:
    """An app that stops when the topic was read three times."""

    topic: Topic

    @property
    def should_stop(self) -> bool:
        """True at the end."""
        return len(self.topic.asked_after) >= 3

    async def sleep(self, seconds: float) -> None:
        """Time passes."""
        assert seconds > 1


@dataclass
class Folder:
    """Who folds the book, or does not."""

    story: Story
    is_owner: bool = True

    def owns(self, partition: int) -> bool:
        """Whether the book is ours."""
        return self.is_owner

    def rows(self, partition: int) -> Rows | None:
        """The rows of the story."""
        return self.story.journal.rows


@pytest.fixture
def metrics() -> Metrics:
    """Metrics of a worker."""
    return Metrics(label_values([], []), Build("1", "", "3"))


@pytest.fixture
def topic() -> Topic:
    """A topic with two letters of one reason."""
    notes = [note_of(letter_of(b"a", offset=one, reason="frame_short"), 0, one) for one in range(2)]
    return Topic(notes)


@pytest.fixture
def folder() -> Folder:
    """A book without settlements."""
    return Folder(Story())


@pytest.fixture
def beat(topic: Topic, folder: Folder, metrics: Metrics) -> LetterBeat:
    """What counts them."""
    return LetterBeat(App(topic), TENANT, BOOK, 1, topic, folder, Meter(metrics, SimulatedClock(NOON)))


@pytest.fixture
def pending(metrics: Metrics) -> Callable[[], float | None]:
    """The metric as a scraper reads it."""
    labels = {"topic": TIME_ENTRIES, "reason": "frame_short"}
    return lambda: metrics.registry.get_sample_value("billstream_dead_letters_pending", labels)


async def test_open_letters_are_a_metric(beat: LetterBeat, folder: Folder, topic: Topic, pending: Sample) -> None:
    """They are counted once each, and leave when somebody settles them."""
    await beat.once()
    topic.notes.append(topic.notes[0])
    await beat.once()
    assert pending() == 2
    letter_id = topic.notes[0].letter_id
    folder.story.order(commands.SettleDeadLetter, dead_letter_id=letter_id, outcome="discarded")
    await beat.once()
    assert pending() == 1
    topic.notes.append(topic.notes[0])
    await beat.once()
    assert pending() == 1


async def test_only_what_is_new_is_read(beat: LetterBeat, topic: Topic) -> None:
    """The topic is read once; after that only its end."""
    await beat.once()
    await beat.once()
    assert topic.asked_after == [{}, {0: 2}]


async def test_it_counts_until_the_app_stops(beat: LetterBeat, topic: Topic) -> None:
    """Again and again, with a pause; then it ends."""
    await beat.run()
    assert len(topic.asked_after) == 3


async def test_whoever_does_not_fold_the_book_says_none(beat: LetterBeat, folder: Folder, pending: Sample) -> None:
    """Its new owner tells; two workers that both told would double the number."""
    await beat.once()
    folder.is_owner = False
    await beat.once()
    assert pending() == 0
    folder.is_owner = True
    await beat.once()
    assert pending() == 2


async def test_a_silent_broker_leaves_the_number_as_it_was(beat: LetterBeat, topic: Topic, pending: Sample) -> None:
    """A metric that fell to 0 would end an alert."""
    await beat.once()
    topic.silent = True
    await beat.once()
    assert pending() == 2


async def test_letters_of_other_books_and_unknown_words(
    beat: LetterBeat, topic: Topic, metrics: Metrics, pending: Sample
) -> None:
    """Another book's are its own; a reason of a newer version is counted under one label."""
    stranger = letter_of(b"b", offset=9)
    other = stranger.model_copy(update={"envelope": stranger.envelope.model_copy(update={"book": "other"})})
    topic.notes += [note_of(other, 0, 9), note_of(letter_of(b"c", offset=10, reason="newer_word"), 0, 10)]
    await beat.once()
    unexpected = {"topic": TIME_ENTRIES, "reason": "unexpected"}
    assert metrics.registry.get_sample_value("billstream_dead_letters_pending", unexpected) == 1
    assert pending() == 2


def test_rows_of_a_store_without_letters_are_none() -> None:
    """A fresh store knows of no settlement."""
    assert list(MemoryStore(FOLD_VERSION).rows.scan("letter", "", "~")) == []
