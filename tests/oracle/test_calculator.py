"""The calculator and the product agree on whole months, and the calculator sees what is wrong."""

from random import Random

import pytest

from billstream.simulating.oracle.calculator import Calculator
from billstream.simulating.oracle.rating import wrong_amounts
from books.rows import DocumentRow
from books.testing import (
    BOOK,
    TENANT,
    Story,
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
    week_cap,
)
from schemas import commands, inputs
from schemas.draft import DocumentKind, DocumentState, body_hash
from schemas.entry import Deletion
from schemas.facts import DocumentDrafted
from schemas.inputs import Category, DecisionRank
from schemas.values import Record
from schemas.work import DecideEntry, DeliverDocument


class Whimsical:
    """Answers some questions at once, some twice, and keeps others for later."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.kept: list[Record] = []

    def __call__(self, request: DecideEntry | DeliverDocument) -> Record | None:
        if not isinstance(request, DecideEntry):
            return None
        category = self._random.choice([Category.BILLABLE, Category.BILLABLE, Category.NON_BILLABLE])
        rank = self._random.choice([DecisionRank.OFFLINE, DecisionRank.CLAUDE])
        answer = decision(request, category, rank, decider_version=self._random.randint(1, 2))
        if self._random.random() < 0.5:
            return answer
        self.kept.append(answer)
        return None


IN_DOLLARS: dict[str, object] = {
    "rates": [{"role": "senior", "rate": "150.00", "currency": "USD"}, {"role": "junior", "rate": "90.00"}],
    "exchange": {"fx_date": "work", "fallback_days": 4},
}


def month(seed: int, *, abroad: bool = False) -> list[Record]:
    """A random month: everything that can happen to entries, with closes and approvals between.

    `abroad` has seniors paid in dollars, whose rates come and change, and late work that gets only what is left.
    """
    random = Random(seed)
    answer = Whimsical(random)
    story = Story(answer)
    clauses = IN_DOLLARS | {"late_policy": "remaining_capacity"} if abroad else {}
    story.say(
        directory(firm()),
        contract(
            terms() | {"caps": [week_cap(hours="2" if abroad else "6", pool="all" if abroad else "person")], **clauses}
        ),
        contract(terms("birch")),
    )
    for step in range(120 if abroad else 60):
        if abroad and random.random() < 0.2:
            day, price = random.choice(["2026-10-01", "2026-10-03", "2026-10-06"]), random.choice(["0.92", "0.93"])
            story.say(exchange_rate(f"rate-{step}", day, price))
            continue
        happen(story, random, step, clauses)
        if answer.kept and random.random() < 0.4:
            story.say(answer.kept.pop(random.randrange(len(answer.kept))))
    story.say(*answer.kept, tick("2026-11-05T10:00"))
    return list(story.journal.records)


def exchange_rate(name: str, day: str, price: str) -> inputs.ExchangeRate:
    """What a dollar costs on a day; another price for the same day is a correction of the bank."""
    named = {"base": "USD", "quote": "EUR", "on": day, "rate": price, "rate_source": "ECB"}
    return inputs.ExchangeRate.model_validate({"envelope": envelope(name), **named})


def happen(story: Story, random: Random, step: int, agreed: dict[str, object]) -> None:
    """One thing happens."""
    name = random.choice("abcdefghijklmno" if agreed else "abcdefgh")
    about = {"entry_id": entry_id(name)}
    roll = random.random()
    if roll < 0.45:
        story.say(any_version(random, name, newest=90 if agreed else 4))
    elif roll < 0.5:
        story.say(expense(f"x{random.randint(1, 3)}", f"{random.randint(1, 90)}.50", revision=random.randint(1, 9)))
    elif roll < 0.65:
        order(story, random, about)
    elif roll < 0.78:
        story.close(scope(random.choice(["acme", "acme", "birch"]), *random.choice(OCTOBER_IN_PARTS)))
    elif roll < 0.9:
        about_documents(story, random)
    elif roll < 0.93:
        correction = random.choice(["adjust_next", "credit_and_rebill", "credit_now"])
        clauses = (
            terms(
                caps=[week_cap(hours="2", pool="all") if agreed else week_cap(hours=str(random.randint(3, 9)))],
                correction=correction,
            )
            | agreed
        )
        story.say(contract(clauses, f"contract-{step}"))
    elif roll < 0.96:
        people = [{"id": "dana", "name": "Dana", "roles": [{"role": random.choice(["senior", "junior"])}]}]
        story.say(directory(firm(people=people), f"directory-{step}"))
    else:
        story.say(tick(f"2026-11-02T{random.randint(0, 23):02d}:00"))


OCTOBER_IN_PARTS = [("2026-10-01", "2026-10-04"), ("2026-10-04", "2026-11-01"), ("2026-11-01", "2026-12-01")]


def about_documents(story: Story, random: Random) -> None:
    """A person approves, issues, voids or takes back what is there."""
    rows = [row for _, row in story.book.scan(DocumentRow)]
    if not rows:
        return
    row = random.choice(rows)
    match row.state:
        case DocumentState.DRAFT.value if random.random() < 0.9:
            story.approve(row)
        case DocumentState.DRAFT.value:
            story.order(commands.RejectDocument, document_id=row.document_id, revision=row.revision)
        case DocumentState.APPROVED.value if random.random() < 0.7:
            story.order(commands.IssueDocument, document_id=row.document_id)
        case DocumentState.ISSUED.value if random.random() < 0.3:
            story.order(commands.VoidDocument, document_id=row.document_id, rebill=random.random() < 0.5)
        case _:
            story.order(commands.ReopenPeriod, scope=scope(row.client_id, row.date_from, row.date_to))


RELEASED = ["possible_duplicate", "possible_duplicate", "held_by_person", "conflicting_version", "person_unknown"]


def drafts_of(story: Story) -> list[DocumentRow]:
    """The documents that might be approved."""
    return [row for _, row in story.book.scan(DocumentRow) if row.state == DocumentState.DRAFT.value]


def order(story: Story, random: Random, about: dict[str, str]) -> None:
    """A person orders something about an entry."""
    kinds: list[tuple[type[commands.Command], dict[str, object]]] = [
        (commands.HoldEntry, {}),
        (commands.WriteOff, {}),
        (commands.AssignEntry, {"client_id": random.choice(["acme", "birch", "brich"])}),
        (commands.CorrectEntry, {"category": random.choice([Category.BILLABLE, Category.NON_BILLABLE])}),
        (commands.ReleaseEntry, {"held_reason": random.choice(RELEASED)}),
    ]
    kind, fields = random.choice(kinds)
    story.order(kind, **about, **fields)


def any_version(random: Random, name: str, newest: int) -> Record:
    """A version of an entry, near to others in time and revision."""
    return entry(
        name,
        f"2026-10-0{random.randint(1, 6)}T{random.randint(8, 18):02d}:00",
        random.choice(["0", "0.5", "1", "3", "5"]),
        revision=random.randint(0, newest),
        seen=random.randint(0, 3),
        person_ref=random.choice(["Dana", "Dana", "Bo", "Who"]),
        client_ref=random.choice(["Acme Ltd", "Acme Ltd", "Birch AG", "?"]),
        running=random.random() < 0.05,
        deletion=random.choice([Deletion.NONE] * 6 + [Deletion.REPORTED]),
    )


@pytest.mark.parametrize("seed", range(60))
def test_every_draft_is_what_the_calculator_makes(seed: int) -> None:
    """Whatever happened before a close, its draft is byte for byte the naive calculation over the journal."""
    calculator = Calculator(list(enumerate(month(seed))), TENANT, BOOK)
    assert list(calculator.differences()) == []


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(40))
def test_drafts_in_other_currencies_and_of_what_is_left_are_what_the_calculator_makes(seed: int) -> None:
    """Kept exchange rates, time held for want of one, and late work under `remaining_capacity`."""
    calculator = Calculator(list(enumerate(month(seed, abroad=True))), TENANT, BOOK)
    assert list(calculator.differences()) == []


def late_month(policy: str) -> list[Record]:
    """Two hours of a week with a cap of two are approved; an hour of a junior on the day before comes late."""
    story = Story()
    story.say(directory(firm()))
    story.say(contract(terms(caps=[week_cap(hours="2", pool="all")], late_policy=policy)))
    story.say(entry("a", "2026-10-02T12:00", "2"))
    story.close(scope("acme", "2026-10-01", "2026-10-04"))
    story.approve(drafts_of(story)[0])
    story.say(entry("b", "2026-10-01T09:00", "1", person_ref="Bo"))
    story.close(scope("acme", "2026-10-04", "2026-11-01"))
    return list(story.journal.records)


@pytest.mark.parametrize(
    ("policy", "nets"), [("recompute_delta", ["300.00", "-60.00", "0.00"]), ("remaining_capacity", ["300.00", "0.00"])]
)
def test_late_work_gets_what_its_policy_leaves_it(policy: str, nets: list[str]) -> None:
    """It takes an hour of the senior's, or nothing; the calculator comes to the same documents."""
    calculator = Calculator(list(enumerate(late_month(policy))), TENANT, BOOK)
    assert [f"{fact.body.net:f}" for _, fact in calculator.drafts.values()] == nets
    assert list(calculator.differences()) == []


def test_a_credit_note_that_was_forgotten_is_seen() -> None:
    """A close that had to draft two documents and drafted one is a difference."""
    records = [
        (offset, record)
        for offset, record in enumerate(late_month("recompute_delta"))
        if not (isinstance(record, DocumentDrafted) and record.body.scope.kind is DocumentKind.CREDIT_NOTE)
    ]
    (found,) = Calculator(records, TENANT, BOOK).differences()
    assert "had to draft a document of kind credit_note, too: -60.00" in found.what


def test_months_hold_drafts_to_judge() -> None:
    """The test above has something to look at, corrections and credit notes among it."""
    facts = [f for seed in range(20) for _, f in Calculator(list(enumerate(month(seed))), TENANT, BOOK).drafts.values()]
    assert len(facts) > 40
    assert sum(bool(fact.body.corrections) for fact in facts) > 5
    assert any(fact.body.scope.kind is DocumentKind.CREDIT_NOTE for fact in facts)


def test_a_draft_that_is_a_cent_off_is_seen() -> None:
    """The oracle is no rubber stamp: a changed amount, a lost entry and a foreign hash are differences."""
    story = Story().begin()
    story.say(entry("a"), entry("b", "2026-10-06T09:00"))
    story.close()
    records = list(enumerate(story.journal.records))
    at, fact = next((n, r) for n, r in records if isinstance(r, DocumentDrafted))
    body = fact.body
    cheaper = body.model_copy(update={"net": body.net - 1})
    lost = body.model_copy(update={"lines": ()})
    for wrong in (cheaper, lost):
        records[at] = (at, fact.model_copy(update={"body": wrong, "content": body_hash(wrong)}))
        assert [one.offset for one in Calculator(records, TENANT, BOOK).differences()] == [at]
    records[at] = (at, fact.model_copy(update={"content": "0" * 64}))
    assert len(list(Calculator(records, TENANT, BOOK).differences())) == 1


@pytest.mark.parametrize("seed", range(20))
def test_amounts_are_hours_times_rate_below_the_cap(seed: int) -> None:
    """A second calculation, without billing/, agrees on seconds, amounts and what the weekly cap left."""
    random = Random(seed)
    story = Story().begin(caps=[week_cap(hours="10")])
    for number in range(30):
        story.say(
            entry(
                f"e{number}",
                f"2026-10-{random.randint(1, 28):02d}T{random.randint(6, 20):02d}:00",
                random.choice(["0.5", "1", "4.2"]),
                person_ref=random.choice(["Dana", "Bo"]),
            )
        )
    story.close()
    calculator = Calculator(list(enumerate(story.journal.records)), TENANT, BOOK)
    ((_, fact),) = calculator.drafts.values()
    assert wrong_amounts(calculator, fact) == ""
