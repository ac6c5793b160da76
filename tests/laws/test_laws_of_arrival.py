"""Invariant 3 where records arrive: in any order, any number of times and in any batches they make one open period."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from books.testing import Story, contract, directory, entry, expense, firm, scope, terms, week_cap
from schemas.entry import Deletion, EntryVersion

OCTOBER = scope(first="2026-10-01", end="2026-11-01")


@st.composite
def versions(draw: st.DrawFn) -> EntryVersion:
    """A version of one of a few entries: of two clients, with edits, deletions and expenses."""
    name, revision = draw(st.sampled_from("abcdefg")), draw(st.integers(1, 5))
    client = draw(st.sampled_from(["Acme Ltd", "Acme Ltd", "Birch AG"]))
    deletion = draw(st.sampled_from([Deletion.NONE] * 5 + [Deletion.REPORTED]))
    day = draw(st.sampled_from(["09-30", "10-01", "10-05", "10-06", "10-31"]))
    if name == "g":
        amount = draw(st.sampled_from(["10.00", "33.33"]))
        return expense(name, amount, f"2026-{day}", revision=revision, client_ref=client, deletion=deletion)
    hours, person = draw(st.sampled_from(["0.5", "1", "3.1", "7"])), draw(st.sampled_from(["Dana", "Bo", "Kim"]))
    said = {"revision": revision, "client_ref": client, "person_ref": person, "deletion": deletion}
    return entry(name, f"2026-{day}T{8 + ord(name) - 97:02d}:00", hours, **said)


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[EntryVersion], list[list[EntryVersion]]]:
    """Some versions, and the same ones mixed, some of them twice or more, cut into batches."""
    said = draw(st.lists(versions(), min_size=1, max_size=8))
    mixed = draw(st.permutations(said + draw(st.lists(st.sampled_from(said), max_size=5))))
    cuts = sorted(draw(st.sets(st.integers(0, len(mixed)), max_size=4)) | {0, len(mixed)})
    return said, [mixed[first:end] for first, end in pairwise(cuts)]


def told(groups: list[list[EntryVersion]], *, looks_between: bool) -> str:
    """October's preview after records that came in groups."""
    story = Story()
    agreed = terms("acme", caps=[week_cap(hours="9", pool="all")], increments=[{"minutes": 15, "scope": "day"}])
    story.say(directory(firm()), contract(agreed), contract(terms("birch")))
    for records in groups:
        story.say(*records)
        if looks_between:
            story.preview(OCTOBER)
    return story.preview(OCTOBER).model_dump_json()


@given(batches())
def test_order_repetition_and_batches_change_no_byte(
    arrived: tuple[list[EntryVersion], list[list[EntryVersion]]],
) -> None:
    """The same set of versions gives the same preview, byte for byte, however it was delivered (BD-61, BD-62)."""
    said, groups = arrived
    assert told(groups, looks_between=True) == told([said], looks_between=False)
