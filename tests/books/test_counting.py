"""Running hours, caps and alerts: totals follow from rows, thresholds fire once (design rules 4 and 8)."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from books.rows import CapRow, EntryRow, HoursRow
from books.testing import Story, contract, directory, entry, entry_id, envelope, firm, terms, week_cap
from schemas import commands
from schemas.entry import Deletion
from schemas.facts import AlertRaised
from schemas.inputs import Category
from schemas.values import Record


def alerts(story: Story) -> list[tuple[str, tuple[int, ...]]]:
    """Kind and thresholds of the alerts, in the order in which consumers see them."""
    return [(alert.kind, alert.thresholds) for alert in story.journal.alerts]


def at_hours(story: Story, hours: str, revision: int) -> list[tuple[str, tuple[int, ...]]]:
    """Bring the week to so many hours and return the alerts that this gave."""
    known = len(story.journal.alerts)
    story.say(entry("growing", hours=hours, revision=revision))
    return alerts(story)[known:]


def test_each_threshold_fires_once_for_a_window(story: Story) -> None:
    """BD-29: 18, 21, 31, 33, 40.5 h, then back to 31 h, then 34 h; the recovery is told, 80 % does not fire again."""
    story.say(contract(terms(caps=[week_cap()])))
    hours = ("18", "21", "31", "33", "40.5", "31", "34")
    assert [at_hours(story, text, number) for number, text in enumerate(hours, start=1)] == [
        [],
        [("cap_threshold", (50,))],
        [],
        [("cap_threshold", (80,))],
        [("cap_threshold", (100,))],
        [("cap_recovered", ())],
        [],
    ]


def test_thresholds_fire_again_after_a_recovery_if_the_contract_says_so(story: Story) -> None:
    """BD-29: with `rearm` the 80 % alert comes again at 34 h, under an id of its own."""
    story.say(contract(terms(caps=[week_cap(rearm=True)])))
    for number, text in enumerate(("40.5", "31", "34", "41"), start=1):
        at_hours(story, text, number)
    assert alerts(story) == [
        ("cap_threshold", (50, 80, 100)),
        ("cap_recovered", ()),
        ("cap_threshold", (80,)),
        ("cap_threshold", (100,)),
    ]
    assert len({alert.alert_id for alert in story.journal.alerts}) == 4


def test_one_event_that_crosses_several_thresholds_is_one_message(story: Story) -> None:
    """BD-29: a jump from 18 h to 40.5 h names all three thresholds at once."""
    story.say(contract(terms(caps=[week_cap()])))
    at_hours(story, "18", 1)
    assert at_hours(story, "40.5", 2) == [("cap_threshold", (50, 80, 100))]
    (alert,) = story.journal.alerts
    assert (str(alert.used_percent), alert.cause_entry_id, alert.pool) == ("101.25", entry_id("growing"), "dana")


def test_an_alert_is_published_once_whoever_proposes_it_again(story: Story) -> None:
    """Section 1: the fact of an alert counts when it is read back, the first of its id, and no other after it."""
    story.say(contract(terms(caps=[week_cap()])))
    at_hours(story, "21", 1)
    (fact,) = [record for record in story.journal.records if isinstance(record, AlertRaised)]
    story.say(fact, fact.model_copy(update={"text": "another text"}))
    assert len(story.journal.alerts) == 1


def test_a_changed_limit_judges_its_windows_anew(story: Story) -> None:
    """A cap that is lowered below what was worked says so at once, and once."""
    story.say(contract(terms(caps=[week_cap()])), entry("a", hours="12"))
    assert alerts(story) == []
    story.say(contract(terms(caps=[week_cap(hours="20")])))
    assert alerts(story) == [("cap_threshold", (50,))]
    story.say(contract(terms(caps=[week_cap(hours="20")], name="renamed")))
    assert len(story.journal.alerts) == 1


def test_held_and_unbillable_work_uses_no_cap(story: Story) -> None:
    """A cap counts what would be billed: nothing held, written off, not billable or of a person nobody knows."""
    story.say(contract(terms(caps=[week_cap()])))
    story.say(
        entry("internal", hours="5"),
        entry("twice", "2026-10-05T10:00", "5"),
        entry("stranger", "2026-10-06T09:00", "5", person_ref="X"),
        entry("held", "2026-10-07T09:00", "5"),
        entry("off", "2026-10-08T09:00", "5"),
    )
    story.order(commands.HoldEntry, entry_id=entry_id("held"))
    story.order(commands.WriteOff, entry_id=entry_id("off"))
    assert [cap.used_seconds for _, cap in story.book.scan(CapRow) if cap.used_seconds] == []


def recomputed(story: Story) -> tuple[dict[str, tuple[int, int, int, int]], dict[str, int]]:
    """Hours and used caps as sums over the entries' rows."""
    hours: dict[str, list[int]] = {}
    caps: Counter[str] = Counter()
    for _, row in story.book.scan(EntryRow):
        for part in row.caps:
            caps[part.key] += part.seconds
        if row.hours is not None:
            total = hours.setdefault(row.hours.key, [0, 0, 0, 0])
            said = (row.hours.worked_seconds, row.hours.billable_seconds, row.hours.held_seconds, 1)
            total[:] = [one + more for one, more in zip(total, said, strict=True)]
    return {key: (a, b, c, d) for key, (a, b, c, d) in hours.items()}, {key: n for key, n in caps.items() if n}


@st.composite
def events(draw: st.DrawFn) -> Record:
    """Anything that changes what an entry counts for."""
    name = draw(st.sampled_from(["a", "b", "c"]))
    number = draw(st.integers(1, 1_000_000))
    kind = draw(st.integers(0, 9))
    order = {"envelope": envelope(f"o{number}"), "command_id": f"o{number}", "person": "dana", "reason": "so"}
    about = {**order, "entry_id": entry_id(name)}
    if kind == 0:
        return directory(firm(people=draw(st.sampled_from([[], PEOPLE]))), f"d{number}")
    if kind == 1:
        caps = draw(st.sampled_from([[], [week_cap()], [week_cap(hours="2", pool="all", window="month")]]))
        return contract(terms(caps=caps), f"c{number}")
    if kind == 2:
        return commands.AssignEntry.model_validate({**about, "client_id": draw(st.sampled_from(["acme", "birch"]))})
    if kind == 3:
        return commands.CorrectEntry.model_validate({**about, "category": draw(st.sampled_from(Category))})
    if kind == 4:
        return draw(st.sampled_from([commands.HoldEntry, commands.WriteOff])).model_validate(about)
    return entry(
        name,
        f"2026-10-0{draw(st.integers(4, 6))}T{draw(st.integers(9, 11)):02d}:00",
        draw(st.sampled_from(["0", "1", "2.5", "30"])),
        revision=draw(st.integers(1, 4)),
        person_ref=draw(st.sampled_from(["Dana", "Bo", "X"])),
        client_ref=draw(st.sampled_from(["Acme Ltd", "Birch AG", "?"])),
        running=draw(st.sampled_from([False, False, True])),
        description=draw(st.sampled_from(["internal", "build", "test"])),
        deletion=draw(st.sampled_from([Deletion.NONE, Deletion.NONE, Deletion.REPORTED])),
    )


PEOPLE = [{"id": "dana", "name": "Dana", "roles": [{"role": "junior"}]}, {"id": "bo", "name": "Bo"}]


@given(st.lists(events(), min_size=1, max_size=14))
def test_totals_are_the_sums_of_the_rows_after_any_history(history: list[Record]) -> None:
    """Rule 4: no stored total is the truth; each equals what its entries add up to, and empty ones are gone."""
    story = Story().begin(caps=[week_cap()])
    story.say(*history)
    hours, caps = recomputed(story)
    stored = {
        key: (row.worked_seconds, row.billable_seconds, row.held_seconds, row.entries)
        for key, row in story.book.scan(HoursRow)
    }
    assert stored == hours
    assert {key: row.used_seconds for key, row in story.book.scan(CapRow) if row.used_seconds} == caps


def test_an_edited_text_counts_until_it_is_decided_anew(story: Story) -> None:
    """An entry that is being decided again keeps its place in the cap: no recovery is told, and nothing fires twice."""
    story.say(contract(terms(caps=[week_cap(hours="10", rearm=True)])), entry("long", hours="12"))
    assert alerts(story) == [("cap_threshold", (50, 80, 100))]
    for revision in (2, 3):
        story.say(entry("long", hours="12", description=f"said better, {revision}", revision=revision))
    assert alerts(story) == [("cap_threshold", (50, 80, 100))]


def test_an_amendment_is_judged_by_what_it_leaves_behind(story: Story) -> None:
    """A cap that moves from seniors to juniors counts the juniors' hours only; the way there crosses nothing."""
    seniors = week_cap(hours="40", pool="role", roles=["senior"])
    story.say(contract(terms(caps=[seniors])))
    story.say(entry("dana", hours="23"), entry("bo", "2026-10-06T09:00", hours="23", person_ref="Bo"))
    story.say(contract(terms(caps=[week_cap(hours="40", pool="role", roles=["junior"])])))
    assert alerts(story) == [("cap_threshold", (50,)), ("cap_threshold", (50,))]
    used = {key.split("\x1f")[2]: row.used_seconds for key, row in story.book.scan(CapRow)}
    assert used == {"junior": 23 * 3600, "senior": 0}


def test_a_higher_limit_arms_the_thresholds_it_takes_out_of_reach(story: Story) -> None:
    """Ten hours become forty: what the ten had fired says nothing about the forty."""
    story.say(contract(terms(caps=[week_cap(hours="10")])), entry("one", hours="12"))
    story.say(contract(terms(caps=[week_cap(hours="40")])))
    story.say(entry("one", hours="44", revision=2))
    assert alerts(story) == [("cap_threshold", (50, 80, 100)), ("cap_threshold", (50, 80, 100))]
