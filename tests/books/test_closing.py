"""A close is an offset: what it drafts, what it waits for, and what it refuses (design rules 3, 6 and 7)."""

from datetime import UTC, datetime

import pytest

from books import closing
from books.book import SEPARATOR, key_of
from books.rows import CloseRow, CounterRow, FrozenRow, PendingRow, RateRow
from books.testing import (
    Story,
    billable,
    contract,
    decision,
    directory,
    entry,
    entry_id,
    envelope,
    expense,
    firm,
    scope,
    terms,
    tick,
    undecided,
    week_cap,
)
from schemas import commands, inputs
from schemas.draft import DocumentKind, DocumentState, body_hash
from schemas.entry import Deletion
from schemas.facts import CommandRefused, DocumentDrafted
from schemas.inputs import Category, DecisionRank
from schemas.work import DecideEntry, DeliverDocument


class Patient:
    """Slow work that answers when it is told to."""

    def __init__(self) -> None:
        self.asked: dict[str, DecideEntry] = {}

    def __call__(self, request: DecideEntry | DeliverDocument) -> None:
        if isinstance(request, DecideEntry):
            self.asked[request.description] = request

    def about(
        self, name: str, category: Category = Category.BILLABLE, rank: DecisionRank = DecisionRank.OFFLINE
    ) -> inputs.Decision:
        """The answer about an entry."""
        return decision(self.asked[f"Work on {name}"], category, rank)


@pytest.fixture
def slow() -> Patient:
    """Work that waits."""
    return Patient()


@pytest.fixture
def waiting(slow: Patient) -> Story:
    """A story whose entries are decided later."""
    return Story(slow).begin()


def reason(story: Story, command_id: str) -> str:
    """Why a command was refused."""
    fact = story.verdict(command_id)
    assert isinstance(fact, CommandRefused), fact
    return fact.reason


def test_the_draft_is_the_last_preview(story: Story) -> None:
    """Rule 3: preview and draft are the same bytes, caps, expenses and entries of other periods included."""
    story.begin(caps=[week_cap()], taxes=[{"category": "S", "percent": "19"}])
    days = [f"2026-{month}-{day:02d}T08:00" for month, day in (("09", 28), ("09", 30), ("10", 1), ("10", 2), ("10", 3))]
    story.say(*(entry(f"e{number}", day, "12") for number, day in enumerate(days)), expense("train", "45.90"))
    story.say(tick("2026-11-04T10:00"))
    before = story.preview()
    body = story.body(story.close())
    assert body == before
    assert body_hash(body) == story.document().content
    assert body.worked_seconds == 3 * 12 * 3600
    assert sum(bucket.seconds for bucket in body.buckets) == body.worked_seconds


def test_a_close_drafts_the_rows_of_its_own_offset(waiting: Story, slow: Patient) -> None:
    """Rule 6: entries, contracts, corrections and directory that come while it waits belong to the next draft."""
    waiting.say(entry("a", hours="2"), entry("z", "2026-10-08T09:00", "1"))
    waiting.say(slow.about("a"))
    answer = slow.about("z")
    command = waiting.close()
    assert waiting.verdicts(command) == []
    waiting.say(
        entry("a", hours="7", revision=2),
        entry("b", "2026-10-07T09:00", "3"),
        contract(terms(rates=[{"role": "senior", "rate": "999.00"}])),
        directory(firm(people=[{"id": "dana", "name": "Dana", "roles": [{"role": "junior"}]}])),
    )
    waiting.order(commands.WriteOff, entry_id=entry_id("a"))
    waiting.order(commands.CorrectEntry, entry_id=entry_id("a"), category=Category.NON_BILLABLE)
    waiting.say(answer)
    body = waiting.body(command)
    assert (body.worked_seconds, str(body.net)) == (10_800, "450.00")
    fact = waiting.verdict(command)
    assert isinstance(fact, DocumentDrafted)
    assert fact.close_offset < fact.decided_offset


def test_a_correction_is_the_decision_that_a_close_waits_for(waiting: Story, slow: Patient) -> None:
    """Rule 11: a person ranks above every answer. What a person says of an undecided entry ends its wait and counts; an
    answer that comes later does not."""
    waiting.say(entry("a", hours="2"), entry("b", "2026-10-06T09:00"))
    command = waiting.close()
    waiting.order(commands.CorrectEntry, entry_id=entry_id("a"), category=Category.BILLABLE)
    assert waiting.verdicts(command) == []
    waiting.say(slow.about("a", Category.NON_BILLABLE, rank=DecisionRank.CLAUDE))
    waiting.order(commands.CorrectEntry, entry_id=entry_id("b"), category=Category.NON_BILLABLE)
    fact = waiting.verdict(command)
    assert isinstance(fact, DocumentDrafted)
    assert (str(fact.body.net), fact.missing) == ("300.00", ())


def test_a_correction_of_another_text_is_none_of_what_was_frozen(waiting: Story, slow: Patient) -> None:
    """Rule 11: what a person says about a text that came after the close fits that text only."""
    waiting.say(entry("a", hours="2"))
    command = waiting.close()
    waiting.say(entry("a", hours="2", revision=2, description="internal meeting"))
    waiting.order(commands.CorrectEntry, entry_id=entry_id("a"), category=Category.NON_BILLABLE)
    assert waiting.verdicts(command) == []
    waiting.say(slow.about("a"))
    assert str(waiting.body(command).net) == "300.00"


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (commands.HoldEntry, {}),
        (commands.WriteOff, {}),
        (commands.AssignEntry, {"client_id": "birch"}),
    ],
)
def test_nobody_waits_for_an_entry_that_a_person_took_away(
    waiting: Story, kind: type[commands.Command], fields: dict[str, str]
) -> None:
    """An entry that was held, written off or moved needs no decision here; the draft holds it and names it."""
    waiting.say(entry("a", hours="2"))
    command = waiting.close()
    waiting.order(kind, entry_id=entry_id("a"), **fields)
    fact = waiting.verdict(command)
    assert isinstance(fact, DocumentDrafted)
    assert [bucket.reason for bucket in fact.body.buckets] == ["undecided"]
    assert fact.missing == (f"decision of entry {entry_id('a')}",)


def test_nobody_waits_for_an_entry_that_is_gone(waiting: Story, slow: Patient) -> None:
    """A deletion ends the wait for its entry only; an answer that still comes while the close waits is taken."""
    waiting.say(entry("a", hours="2"), entry("b", "2026-10-06T09:00"))
    command = waiting.close()
    waiting.say(entry("a", hours="2", revision=2, deletion=Deletion.REPORTED))
    assert waiting.verdicts(command) == []
    waiting.say(slow.about("a"), slow.about("b"))
    fact = waiting.verdict(command)
    assert isinstance(fact, DocumentDrafted)
    assert (str(fact.body.net), fact.missing) == ("450.00", ())
    assert [row for _, row in waiting.book.scan(PendingRow)] == []
    assert [key for key, _ in waiting.book.scan(CounterRow) if "missing" in key] == []


def test_a_close_waits_no_longer_than_its_contract_says(waiting: Story) -> None:
    """An answer that never comes must not block a client for ever: the wait has an end, named by the command or not."""
    waiting.say(contract(terms(close={"decision_wait_hours": 6})), tick("2026-11-02T10:00"), entry("a"))
    command = waiting.close()
    waiting.say(tick("2026-11-02T15:59"))
    assert waiting.verdicts(command) == []
    waiting.say(tick("2026-11-02T16:00"))
    assert isinstance(waiting.verdict(command), DocumentDrafted)


def test_before_the_first_tick_a_wait_begins_with_its_command(waiting: Story) -> None:
    """Without a clock the book has nothing but the moment at which the close was recorded."""
    waiting.say(entry("a"))
    command = waiting.close()
    waiting.say(tick("2026-10-02T11:59"))
    assert waiting.verdicts(command) == []
    waiting.say(tick("2026-10-02T12:00"))
    assert isinstance(waiting.verdict(command), DocumentDrafted)


def test_reopening_withdraws_a_close_that_waits(waiting: Story, slow: Patient) -> None:
    """A period that was reopened is not drafted behind the back of who did it; other periods go on."""
    november = scope(first="2026-11-01", end="2026-12-01")
    waiting.say(entry("a"), entry("n", "2026-11-05T09:00"))
    command, other = waiting.close(), waiting.close(november)
    waiting.order(commands.ReopenPeriod, scope=scope())
    waiting.say(slow.about("a"), slow.about("n"))
    assert reason(waiting, command) == "withdrawn"
    assert isinstance(waiting.verdict(other), DocumentDrafted)
    assert isinstance(waiting.verdict(waiting.close()), DocumentDrafted)


def test_a_draft_that_is_being_recorded_is_not_reopened(waiting: Story) -> None:
    """The draft is on its way to the journal: what is read back counts, so the order comes too early."""
    close = commands.CloseDocument(envelope=envelope("c"), command_id="c", person="dana", reason="oops", scope=scope())
    reopen = commands.ReopenPeriod(envelope=envelope("r"), command_id="r", person="dana", reason="oops", scope=scope())
    waiting.journal.append(close, reopen)
    assert reason(waiting, "r") == "close_open"
    assert isinstance(waiting.verdict("c"), DocumentDrafted)


def test_exchange_rates_are_those_of_the_closes_offset(waiting: Story, slow: Patient) -> None:
    """A rate that is mended while a close waits does not change what was closed."""
    dollars = [{"role": "senior", "rate": "100.00", "currency": "USD"}]
    waiting.say(contract(terms(rates=dollars)), tick("2026-11-02T10:00"), rate("0.90"), entry("a", hours="1"))
    before = waiting.preview()
    command = waiting.close()
    waiting.say(rate("0.50"), slow.about("a"))
    assert waiting.book.get(RateRow, key_of("USD", "EUR", "2026-11-02")) == RateRow(rate="0.50", rate_source="ECB")
    assert str(waiting.body(command).net) == "90.00"
    assert before.entries_hash == waiting.body(command).entries_hash


def rate(value: str) -> inputs.ExchangeRate:
    """EUR for a USD on the invoice date."""
    return inputs.ExchangeRate.model_validate(
        {
            "envelope": envelope(f"rate-{value}"),
            "base": "USD",
            "quote": "EUR",
            "on": "2026-11-02",
            "rate": value,
            "rate_source": "ECB",
        }
    )


def test_a_close_waits_for_a_decision_of_each_entry(waiting: Story, slow: Patient) -> None:
    """Rule 6: nothing is drafted until the last of its entries is decided, and then at once."""
    waiting.say(entry("a"), entry("b", "2026-10-06T09:00"))
    command = waiting.close()
    waiting.say(slow.about("a"))
    assert waiting.verdicts(command) == []
    waiting.say(slow.about("b"))
    fact = waiting.verdict(command)
    assert isinstance(fact, DocumentDrafted)
    assert fact.missing == ()


def test_decisions_are_those_of_the_moment_the_wait_ends(waiting: Story, slow: Patient) -> None:
    """Rule 6: a better decision that comes while the close still waits counts; one that comes later does not."""
    waiting.say(entry("a"), entry("b", "2026-10-06T09:00"))
    command = waiting.close()
    waiting.say(slow.about("a"), slow.about("a", Category.NON_BILLABLE, rank=DecisionRank.CLAUDE))
    waiting.say(slow.about("b"), slow.about("b", Category.NON_BILLABLE, rank=DecisionRank.CLAUDE))
    assert str(waiting.body(command).net) == "150.00"


def test_a_close_waits_until_its_sources_were_seen(story: Story) -> None:
    """Rule 6: every account of a source must have been seen up to the close's moment; what is earlier is not enough."""
    story.say(entry("a"))
    end = datetime(2026, 10, 31, tzinfo=UTC)
    command = story.close(sources=("toggl",), watermark_until=end)
    story.say(seen("main", end.replace(day=30)))
    assert story.verdicts(command) == []
    story.say(seen("second", end), seen("main", end))
    assert isinstance(story.verdict(command), DocumentDrafted)


def seen(account: str, until: datetime) -> inputs.SourceWatermark:
    """Toggl was read up to an instant."""
    return inputs.SourceWatermark(
        envelope=envelope(f"seen-{account}-{until}"), source="toggl", account=account, seen_until=until
    )


def test_a_tick_ends_the_wait_and_what_is_missing_is_named(waiting: Story) -> None:
    """Rule 6: after its time a close goes on; the undecided entry is held, and the fact says what was missing."""
    waiting.say(tick("2026-11-01T10:00"), entry("a"))
    until = datetime(2026, 11, 2, 10, tzinfo=UTC)
    command = waiting.close(wait_until=until, sources=("toggl",), watermark_until=until)
    waiting.say(tick("2026-11-02T09:59"))
    assert waiting.verdicts(command) == []
    waiting.say(tick("2026-11-02T10:00"))
    fact = waiting.verdict(command)
    assert isinstance(fact, DocumentDrafted)
    assert fact.missing == (f"decision of entry {entry_id('a')}", "source toggl seen up to 2026-11-02T10:00Z")
    assert [(place.bucket.value, place.seconds) for place in fact.body.placements] == [("held", 3600)]


def test_a_running_timer_is_not_waited_for(waiting: Story) -> None:
    """A timer that runs is held as it is; nobody can say what it will be."""
    waiting.say(entry("a", hours="0", running=True))
    fact = waiting.verdict(waiting.close())
    assert isinstance(fact, DocumentDrafted)


def test_two_closes_of_one_client_are_drafted_one_after_the_other(waiting: Story, slow: Patient) -> None:
    """The oldest of a client goes first; both are drafted, and revisions count them in the journal's order."""
    waiting.say(entry("a"))
    first = waiting.close()
    waiting.say(entry("b", "2026-10-06T09:00"))
    second = waiting.close()
    waiting.say(slow.about("b"))
    assert waiting.verdicts(first) + waiting.verdicts(second) == []
    waiting.say(slow.about("a"))
    assert [waiting.body(command).worked_seconds for command in (first, second)] == [3_600, 7_200]
    assert waiting.document().revision == 2
    assert list(waiting.book.scan(CloseRow)) == []
    frozen = {key.partition(SEPARATOR)[0] for key, _ in waiting.book.scan(FrozenRow)}
    assert frozen == {waiting.document().inputs}


def test_one_clients_wait_does_not_hold_up_another(waiting: Story, slow: Patient) -> None:
    """A close waits for its own entries only."""
    waiting.say(entry("a"), entry("b", client_ref="Birch AG"))
    slow_one, quick_one = waiting.close(), waiting.close(scope("birch"))
    waiting.say(slow.about("b"))
    assert waiting.verdicts(slow_one) == []
    assert isinstance(waiting.verdict(quick_one), DocumentDrafted)


def test_a_close_without_contract_or_directory_is_refused() -> None:
    """Rule 10: there is nothing to bill by, and the close says so."""
    story = Story()
    assert reason(story, story.close()) == "contract_unknown"
    story.say(directory(firm()), contract(terms()))
    assert reason(story, story.close(scope("birch"))) == "contract_unknown"
    assert reason(story, story.close(scope("birch", contract_id="acme-2026"))) == "contract_unknown"


def test_a_period_that_overlaps_a_live_document_is_refused(story: Story) -> None:
    """One second stands on one document: a close of other dates that share a day with a draft is refused."""
    story.say(entry("a"))
    story.close()
    assert reason(story, story.close(scope(first="2026-10-15", end="2026-11-15"))) == "period_overlaps"
    assert isinstance(story.verdict(story.close(scope(first="2026-11-01", end="2026-12-01"))), DocumentDrafted)


def test_a_period_that_overlaps_an_open_close_is_refused(waiting: Story) -> None:
    """Two closes under way may not share a day either, unless they are of the same period."""
    waiting.say(entry("a"))
    waiting.close()
    assert reason(waiting, waiting.close(scope(first="2026-10-15", end="2026-11-15"))) == "period_overlaps"


def test_a_credit_note_is_not_made_of_work(story: Story) -> None:
    """A credit note gives back what stands; work alone is refused, never drafted as a second invoice."""
    story.say(entry("a"))
    wanted = {DocumentKind.CREDIT_NOTE: "nothing_to_credit", DocumentKind.UNKNOWN: "document_kind_unknown"}
    for kind, word in wanted.items():
        command = story.close(scope().model_copy(update={"kind": kind}))
        assert reason(story, command) == word


def test_a_close_whose_period_was_approved_meanwhile_is_refused(waiting: Story, slow: Patient) -> None:
    """A close waits for the approval before it; when that stands, drafting again would promise what cannot be."""
    waiting.say(entry("a"))
    waiting.say(slow.about("a"))
    waiting.close()
    journal = waiting.journal
    approval = waiting.document()
    close = commands.CloseDocument(
        envelope=envelope("late"), command_id="late", person="dana", reason="again", scope=scope()
    )
    approve = commands.ApproveDocument(
        envelope=envelope("approve"),
        command_id="approve",
        person="dana",
        reason="fine",
        document_id=approval.document_id,
        revision=approval.revision,
        content=approval.content,
    )
    journal.append(approve, close)
    assert reason(waiting, "late") == "already_approved"
    assert waiting.document().state == DocumentState.APPROVED.value
    assert list(waiting.book.scan(CloseRow)) == []


def test_closes_that_fall_due_at_one_tick_are_kept_apart() -> None:
    """BD-80: several contracts end their month together; each is drafted with its own entries and nothing else."""
    story = Story()
    automatic = {"close": {"automatic": True, "close_grace_days": 3}}
    story.say(directory(firm()), contract(terms("acme", **automatic)), contract(terms("birch", **automatic)))
    story.say(entry("a", hours="2"), entry("b", "2026-10-06T09:00", "3", client_ref="Birch AG"))
    story.say(tick("2026-11-04T00:00"))
    drafted = {fact.body.scope.client_id: fact.body.worked_seconds for fact in drafts(story)}
    assert drafted == {"acme": 7_200, "birch": 10_800}


def drafts(story: Story) -> list[DocumentDrafted]:
    """All drafts of a story."""
    return [record for record in story.journal.records if isinstance(record, DocumentDrafted)]


def test_a_scheduled_close_comes_after_the_grace_in_the_contracts_zone() -> None:
    """BD-80: March in Berlin is closed at 4 April 00:00 local; what came before is in, what came after is not."""
    story = Story()
    berlin = {"zone": "Europe/Berlin", "close": {"automatic": True, "close_grace_days": 3}}
    story.say(directory(firm()), contract(terms("acme", **berlin)), tick("2025-04-03T10:00"))
    story.say(entry("A", "2025-03-28T09:00", "2"), tick("2025-04-03T21:59"))
    assert drafts(story) == []
    story.say(tick("2025-04-03T22:00"), entry("B", "2025-03-28T13:00", "2"), tick("2025-04-05T10:00"))
    (fact,) = drafts(story)
    assert (str(fact.body.net), fact.body.scope.date_from.isoformat()) == ("300.00", "2025-03-01")


def test_a_scheduled_close_happens_once_and_not_for_nothing() -> None:
    """Ticks go on; a period is closed by the clock once, and never when it holds no entry or was closed by a person."""
    story = Story()
    story.say(directory(firm()), contract(terms(close={"automatic": True, "close_grace_days": 3})))
    story.say(entry("a"))
    story.close()
    for text in ("2026-11-04T00:00", "2026-11-05T00:00", "2026-12-05T00:00"):
        story.say(tick(text))
    assert len(drafts(story)) == 1
    story.say(entry("n", "2026-11-05T09:00"), tick("2026-12-06T00:00"), tick("2026-12-07T00:00"))
    assert [fact.body.scope.date_from.month for fact in drafts(story)] == [10, 11]


def test_time_does_not_go_back(story: Story) -> None:
    """A late or repeated tick changes nothing: the invoice date follows the newest one."""
    story.say(entry("a"), tick("2026-11-20T10:00"), tick("2026-11-03T10:00"))
    assert story.preview().invoice_date.isoformat() == "2026-11-20"


def test_a_tick_from_far_ahead_is_ignored(story: Story) -> None:
    """A writer's mistake must not stop the book's clock for years: more than a day after its own record is no time."""
    wrong = tick("2099-01-01T00:00").model_copy(update={"envelope": envelope("ahead")})
    story.say(entry("a"), tick("2026-11-03T10:00"), wrong, tick("2026-11-04T10:00"))
    assert story.preview().invoice_date.isoformat() == "2026-11-04"
    assert [(offset, code) for offset, code, _ in story.journal.unapplied] == [(5, "tick_ahead")]


def test_a_command_counts_once(story: Story) -> None:
    """A command that is appended again, even with another content, is the one that came first."""
    story.say(entry("a"))
    command = story.close(command_id="once")
    story.say(entry("b", "2026-10-06T09:00"))
    story.close(command_id="once")
    assert len(story.verdicts(command)) == 1
    assert story.document().revision == 1


def test_undecided_entries_wait_in_the_preview_as_held() -> None:
    """A preview never waits: what is not decided is shown as held."""
    story = Story(undecided).begin()
    story.say(entry("a"))
    assert [(bucket.bucket.value, bucket.reason) for bucket in story.preview().buckets] == [("held", "undecided")]


def test_answers_may_come_before_their_entries(slow: Patient) -> None:
    """`results` and `time-entries` have no order between them: a decision waits for its entry."""
    first = Story(slow).begin()
    first.say(entry("a"))
    story = Story(undecided).begin()
    story.say(slow.about("a"), entry("a"))
    assert str(story.preview().net) == "150.00"
    assert billable(slow.asked["Work on a"]) is not None


def test_a_document_too_large_for_a_record_is_refused(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """A draft that no topic takes ends as a refusal of its close, and the book goes on; nothing is left waiting."""
    monkeypatch.setattr(closing, "DRAFT_BYTES_MAX", 2_000)
    story.say(*(entry(f"e{day}", f"2026-10-{day:02d}T09:00", "2", description="x" * 200) for day in range(1, 20)))
    assert reason(story, story.close()) == "document_too_large"
    assert list(story.book.scan(CloseRow)) == []
    monkeypatch.undo()
    assert isinstance(story.verdict(story.close()), DocumentDrafted)
