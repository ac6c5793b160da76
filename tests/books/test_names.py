"""Names to ids, contracts and dates: what is unknown stays visible, and no name stops a book (design rule 10)."""

import pytest

from books.duplicates import UNASSIGNED
from books.entries import holds_of
from books.rows import EntryRow
from books.testing import Story, contract, directory, entry, entry_id, envelope, firm, scope, terms, week_cap
from schemas import commands
from schemas.draft import DocumentState
from schemas.entry import EntryVersion
from schemas.facts import CommandRefused, DocumentDrafted


def test_an_entry_of_an_unknown_client_waits_unassigned(story: Story) -> None:
    """Rule 10: it belongs to the reserved client and to no invoice until a person assigns it."""
    story.say(entry("a", client_ref="Who?"))
    assert (story.row("a").client_id, story.row("a").contract_id) == (UNASSIGNED, "")
    assert story.preview().worked_seconds == 0
    story.order(commands.AssignEntry, entry_id=entry_id("a"), client_id="birch")
    assert story.preview(scope("birch")).worked_seconds == 3600


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"client_id": "brich"}, "client_unknown"),
        ({"client_id": "birch", "person_id": "dan"}, "person_unknown"),
        ({"project_id": "portal"}, "project_unknown"),
        ({"client_id": "birch", "project_id": "portal"}, "project_unknown"),
    ],
)
def test_an_assignment_to_nobody_is_refused(story: Story, wrong: dict[str, str], code: str) -> None:
    """A typing mistake must not take an entry out of sight: only what the directory has can be assigned."""
    story.say(entry("a", client_ref="Who?"))
    fact = story.verdict(story.order(commands.AssignEntry, entry_id=entry_id("a"), **wrong))
    assert isinstance(fact, CommandRefused)
    assert fact.reason == code
    assert story.row("a").client_id == UNASSIGNED
    right = story.order(commands.AssignEntry, entry_id=entry_id("a"), client_id="acme", project_id="portal")
    assert story.verdicts(right) == []
    assert (story.row("a").client_id, story.row("a").project_id) == ("acme", "portal")


def test_an_assignment_stays_when_the_source_changes_its_mind(story: Story) -> None:
    """What a person asserted about an entry survives later versions of it."""
    story.say(entry("a", client_ref="Who?"))
    story.order(commands.AssignEntry, entry_id=entry_id("a"), client_id="birch")
    story.say(entry("a", client_ref="Acme Ltd", hours="2", revision=2))
    assert (story.row("a").client_id, story.row("a").worked_seconds) == ("birch", 7200)


def test_a_move_between_clients_takes_the_seconds_along(story: Story) -> None:
    """One version moves an entry: it leaves one client's preview and stands in the other's."""
    story.say(entry("a", hours="2"))
    assert [story.preview(scope(client)).worked_seconds for client in ("acme", "birch")] == [7200, 0]
    story.say(entry("a", client_ref="Birch AG", hours="2", revision=2))
    assert [story.preview(scope(client)).worked_seconds for client in ("acme", "birch")] == [0, 7200]


@pytest.mark.parametrize("person", ["Stranger", ""])
def test_an_unknown_person_is_held(story: Story, person: str) -> None:
    """Nobody's hours are billed for somebody else."""
    story.say(entry("a", person_ref=person))
    assert [hold.reason for hold in holds_of(story.row("a"))] == ["person_unknown"]
    assert story.preview().net == 0


def test_an_entry_without_a_date_does_not_vanish(story: Story) -> None:
    """Rule 10: the model refuses such entries now; one that came in before is held with its reason."""
    story.say(entry("a").model_copy(update={"start": None, "end": None}))
    assert [hold.reason for hold in holds_of(story.row("a"))] == ["date_missing"]


def test_a_missing_rate_holds_the_entry(story: Story) -> None:
    """BD-16: Kim has no role and no rate; the time is held with its reason and never billed at zero."""
    story.say(entry("a", person_ref="Kim", hours="3.25"))
    body = story.preview()
    assert [(place.bucket.value, place.reason, place.seconds) for place in body.placements] == [
        ("held", "rate_missing", 11_700)
    ]
    assert body.net == 0


def test_a_project_that_fits_two_clients_needs_the_client(story: Story) -> None:
    """A name that means two things means neither; with the client it is clear."""
    projects = [
        {"id": "web-a", "client": "acme", "name": "Web"},
        {"id": "web-b", "client": "birch", "name": "Web"},
        {"id": "portal", "client": "acme", "name": "Portal"},
    ]
    story.say(directory(firm(projects=projects)))
    story.say(
        entry("clear", project_ref="Web"),
        entry("open", project_ref="Web", client_ref=""),
        entry("known", project_ref="Portal", client_ref=""),
    )
    found = {name: (story.row(name).client_id, story.row(name).project_id) for name in ("clear", "open", "known")}
    assert found == {"clear": ("acme", "web-a"), "open": (UNASSIGNED, ""), "known": ("acme", "portal")}


@pytest.mark.parametrize("client", ["Acme Ltd", "", "Who?"])
def test_a_project_nobody_knows_stops_nothing(story: Story, client: str) -> None:
    """An order that names a project the directory does not have, or no longer has, leaves the book standing."""
    story.say(entry("a", client_ref=client))
    story.order(commands.AssignEntry, entry_id=entry_id("a"), project_id="nonsense")
    story.order(commands.AssignEntry, entry_id=entry_id("a"), project_id="portal")
    story.say(directory(firm(projects=[])), entry("b", "2026-10-06T09:00"))
    assert story.row("b").client_id == "acme"


def test_a_contract_of_a_project_goes_before_the_general_one(story: Story) -> None:
    """Design rule 7: a client may have one contract for each project; the rest is billed by the general one."""
    story.say(contract(terms(id="acme-portal", project="portal", rates=[{"role": "senior", "rate": "200.00"}])))
    story.say(entry("a", project_ref="Portal"), entry("b", "2026-10-06T09:00", project_ref="Shop"))
    assert str(story.preview(scope(contract_id="acme-portal")).net) == "200.00"
    assert str(story.preview().net) == "150.00"


def test_work_outside_of_a_contracts_dates_has_no_contract(story: Story) -> None:
    """A contract covers `[from, to)`; work of other days is held, visibly, and waits for a contract."""
    story.say(contract(terms(**{"from": "2026-10-01", "to": "2026-11-01"})))
    story.say(entry("in", "2026-10-31T23:00"), entry("out", "2026-11-01T00:00"))
    assert (story.row("in").contract_id, story.row("out").contract_id) == ("acme-2026", "")


@pytest.mark.parametrize(
    ("zone", "day"), [("Europe/Berlin", "2025-04-01"), ("America/New_York", "2025-03-31"), ("UTC", "2025-03-31")]
)
def test_the_contracts_zone_decides_the_day(story: Story, zone: str, day: str) -> None:
    """BD-59: an entry of 22:30Z on 31 March is April in Berlin and March in New York."""
    story.say(contract(terms(zone=zone)), entry("a", "2025-03-31T22:30"), entry("b", "", work_date="2025-03-31"))
    assert (story.row("a").local_date, story.row("b").local_date) == (day, "2025-03-31")


def test_a_role_that_changes_is_that_of_the_work_date(story: Story) -> None:
    """BD-15: a directory that comes later settles the open period anew, each day with the role of that day."""
    story.say(entry("june", "2025-06-30T09:00", "6"), entry("july", "2025-07-01T09:00", "6"))
    roles = [{"role": "junior", "to": "2025-07-01"}, {"role": "senior", "from": "2025-07-01"}]
    story.say(directory(firm(people=[{"id": "dana", "name": "Dana", "roles": roles}])))
    assert [story.row(name).role for name in ("june", "july")] == ["junior", "senior"]
    both = story.preview(scope(first="2025-06-01", end="2025-08-01"))
    assert str(both.net) == str(6 * 90 + 6 * 150) + ".00"


def test_a_contract_may_be_called_directory(story: Story) -> None:
    """No id that a person may choose stands for something of ours."""
    story.say(contract(terms(id="directory")), entry("a"), directory(firm(), "again"), entry("b", "2026-10-06T09:00"))
    assert {row.contract_id for _, row in story.book.scan(EntryRow)} <= {"directory", "acme-2026"}


def test_a_revision_that_is_no_document_is_a_dead_letter_and_changes_nothing(story: Story) -> None:
    """What cannot be applied is told with its offset; the terms in force stay in force."""
    broken = contract(terms()).model_copy(update={"document": "{}", "envelope": envelope("broken")})
    other = contract(terms("birch")).model_copy(update={"contract_id": "acme-2026", "envelope": envelope("other")})
    story.say(entry("a"), broken, other)
    assert [reason for _, reason, _ in story.journal.unapplied] == ["revision_invalid", "revision_mislabelled"]
    assert str(story.preview().net) == "150.00"


def test_an_old_revision_that_is_appended_again_does_not_come_back(story: Story) -> None:
    """Section 1: twice is harmless; a writer that was slow to die cannot put yesterday's terms in force again."""
    old, new = contract(terms(), "old"), contract(terms(rates=[{"role": "senior", "rate": "200.00"}]), "new")
    story.say(old, new, old, entry("a"))
    assert str(story.preview().net) == "200.00"
    people_old, people_new = directory(firm(), "p1"), directory(firm(people=[]), "p2")
    story.say(people_old, people_new, people_old)
    assert story.row("a").person_id == ""


def test_a_caps_window_may_change(story: Story) -> None:
    """A revision that makes a weekly cap a monthly one judges all entries by the new windows."""
    story.say(contract(terms(caps=[week_cap(hours="2")])), entry("a", hours="3"), entry("b", "2026-10-20T09:00", "3"))
    story.say(contract(terms(caps=[week_cap(hours="4", window="month")])))
    assert sum(bucket.seconds for bucket in story.preview().buckets if bucket.bucket.value == "written_down") == 7200
    story.say(contract(terms(), "without caps"), entry("c", "2026-10-21T09:00"))
    assert str(story.preview().net) == "1050.00"


def test_separators_in_texts_keep_to_their_texts(story: Story) -> None:
    """Texts from outside cannot make one key look like another."""
    nasty: EntryVersion = entry("a", person_ref="Dana\x1fx", client_ref="Acme\x1fLtd", description="\x1f\x00")
    story.say(nasty, entry("b", person_ref="\x1f", account="ac\x1fcount"))
    command = story.close()
    assert isinstance(story.verdict(command), DocumentDrafted)
    assert story.document().state == DocumentState.DRAFT.value
