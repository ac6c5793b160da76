"""Overlapping time of one person is held as `possible_duplicate`, whichever entry came first (design rule 10)."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from books.entries import holds_of
from books.testing import Story, entry, entry_id
from schemas import commands
from schemas.entry import Deletion, EntryVersion


def duplicates(story: Story, *names: tuple[str, str]) -> dict[str, str]:
    """Name -> the entry it may repeat."""
    return {name: story.row(name, source).duplicate_of for name, source in names}


def test_the_later_of_two_overlapping_entries_is_held(story: Story) -> None:
    """The same hour from two sources: the one that sorts first is billed, the other waits for a person."""
    story.say(entry("h", "2026-10-05T09:30", source="harvest"), entry("t", "2026-10-05T09:00"))
    assert story.row("h", "harvest").duplicate_of == entry_id("t")
    assert [hold.reason for hold in holds_of(story.row("h", "harvest"))] == ["possible_duplicate"]
    assert str(story.preview().net) == "150.00"


def test_entries_that_touch_do_not_overlap(story: Story) -> None:
    """One ends when the other begins; another person may work at the same time."""
    story.say(entry("a"), entry("b", "2026-10-05T10:00"), entry("c", person_ref="Bo"))
    assert set(duplicates(story, ("a", "toggl"), ("b", "toggl"), ("c", "toggl")).values()) == {""}


def test_a_person_releases_a_duplicate(story: Story) -> None:
    """A person who says that both are right settles it, for this entry."""
    story.say(entry("a"), entry("b", "2026-10-05T09:30"))
    story.order(commands.ReleaseEntry, entry_id=entry_id("b"), held_reason="possible_duplicate")
    assert str(story.preview().net) == "300.00"


def test_the_other_is_free_when_the_first_goes_away(story: Story) -> None:
    """Deleted, moved in time, shortened or found to be another person's: what it stood in the way of is billed."""
    ways: tuple[EntryVersion, ...] = (
        entry("a", deletion=Deletion.REPORTED, revision=2),
        entry("a", "2026-10-06T09:00", revision=2),
        entry("a", hours="0.5", revision=2),
        entry("a", person_ref="Bo", revision=2),
        entry("a", person_ref="Stranger", revision=2),
    )
    for way in ways:
        one = Story().begin()
        one.say(entry("a"), entry("b", "2026-10-05T09:30"))
        assert one.row("b").duplicate_of == entry_id("a")
        one.say(way)
        assert one.row("b").duplicate_of == "", way


def test_strangers_are_compared_by_the_name_their_source_gave(story: Story) -> None:
    """A person nobody knows yet is a person all the same; a name that is corrected takes the entry along."""
    story.say(entry("a", person_ref="X"), entry("b", "2026-10-05T09:30", person_ref="X"))
    assert story.row("b").duplicate_of == entry_id("a")
    story.say(entry("a", person_ref="Y", revision=2))
    assert story.row("b").duplicate_of == ""


def test_entries_without_clock_times_need_more_to_look_alike(story: Story) -> None:
    """Another source, the same day, the same length within a minute, and not two clients: only together."""
    story.say(entry("a", "", "2", work_date="2026-10-05"))
    others = {
        "same": entry("same", "", "2", work_date="2026-10-05", source="harvest"),
        "source": entry("source", "", "2", work_date="2026-10-05"),
        "day": entry("day", "", "2", work_date="2026-10-06", source="harvest"),
        "length": entry("length", "", "2.1", work_date="2026-10-05", source="harvest"),
        "client": entry("client", "", "2", work_date="2026-10-05", source="harvest", client_ref="Birch AG"),
    }
    story.say(*others.values())
    marked = {name for name, one in others.items() if story.row(name, one.source).duplicate_of}
    assert marked <= {"same", "source"}
    assert story.row("a").duplicate_of or story.row("same", "harvest").duplicate_of
    assert story.row("length", "harvest").duplicate_of == ""


@st.composite
def short_days(draw: st.DrawFn) -> EntryVersion:
    """An entry that shares an evening with others, over midnight too, from one of two sources."""
    name = draw(st.sampled_from(["1", "2", "3", "4"]))
    hour = draw(st.integers(20, 27))
    start = f"2026-10-0{5 + hour // 24}T{hour % 24:02d}:{draw(st.sampled_from(['00', '30']))}"
    dated = draw(st.booleans())
    return entry(
        name,
        "" if dated else start,
        draw(st.sampled_from(["0", "0.5", "1", "3"])),
        work_date="2026-10-05" if dated else None,
        source=draw(st.sampled_from(["toggl", "harvest"])),
        client_ref=draw(st.sampled_from(["Acme Ltd", "Birch AG", "?"])),
        revision=draw(st.integers(1, 2)),
        deletion=draw(st.sampled_from([Deletion.NONE, Deletion.NONE, Deletion.REPORTED])),
    )


@given(st.lists(short_days(), min_size=2, max_size=7), st.randoms(use_true_random=False))
def test_the_order_of_arrival_makes_no_duplicate(history: list[EntryVersion], random: Random) -> None:
    """Which of two entries is held follows from the two, not from which came first, and never marks both of a pair."""
    shuffled = history.copy()
    random.shuffle(shuffled)
    marks = []
    for order in (history, shuffled):
        story = Story().begin()
        story.say(*order)
        marks.append(
            {key: story.row(*key).duplicate_of for key in {(one.source_entry_id, one.source) for one in history}}
        )
    assert marks[0] == marks[1]
    for (name, source), other in marks[0].items():
        back = {entry_id(*key): value for key, value in marks[0].items()}.get(other)
        assert other == "" or back != entry_id(name, source)
