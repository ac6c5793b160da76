"""The offline decider: precedence of its grounds, and what it leaves to a person (design rules 10 and 11)."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.entry import EntryKind
from schemas.inputs import Category, DecisionRank
from schemas.work import DecideEntry, Remembered
from streams.deciding.offline import decide
from streams.deciding.port import Verdict

RULE = {"id": "fixes", "tags": ["bugfix"], "category": "non_billable", "clause": "defects are mended at our cost"}
MATTER = {"id": "QW-1", "code_sets": ["L"], "codes_required": True}
REMEMBERED = Remembered(category=Category.NON_BILLABLE, entry_id="earlier")


def verdict(text: str, facts: dict[str, object] | None = None, matter: object = None, **said: object) -> Verdict:
    """What the decider says of a text under some contract facts."""
    envelope = {
        "event_id": "e",
        "tenant": "t",
        "book": "b",
        "origin": "test",
        "recorded_at": "2026-10-01T12:00:00Z",
        "producer": "test",
    }
    fields: dict[str, object] = {
        "envelope": envelope,
        "request_id": "r",
        "entry_id": "entry",
        "input_hash": "h",
        "kind": EntryKind.TIME,
        "client_id": "acme",
        "role": "senior",
        "project_ref": "",
        "task_ref": "",
        "service_item": "",
        "tags": (),
        "description": text,
        "billable_hint": None,
        "remembered": None,
        "facts": json.dumps({"decide": facts or {}, "matter": matter}),
    }
    return decide(DecideEntry.model_validate({**fields, **said}))


def test_grounds_go_before_each_other_in_their_order() -> None:
    """Source field before contract rule before approved memory before words."""
    facts: dict[str, object] = {"rules": [RULE], "covers": ["reports"]}
    everything = {"billable_hint": False, "tags": ("bugfix",), "remembered": REMEMBERED}
    ranks = []
    for dropped in ((), ("billable_hint",), ("billable_hint", "tags"), ("billable_hint", "tags", "remembered")):
        said = {name: value for name, value in everything.items() if name not in dropped}
        ranks.append(verdict("monthly reports", facts, **said).rank)
    assert ranks == [
        DecisionRank.SOURCE_FIELD,
        DecisionRank.CONTRACT_RULE,
        DecisionRank.MEMORY,
        DecisionRank.OFFLINE,
    ]


@pytest.mark.parametrize(
    ("text", "facts", "category", "held"),
    [
        ("wrote the import of orders", {}, Category.BILLABLE, ""),
        ("monthly reports", {"covers": ["reports"]}, Category.RETAINER, ""),
        ("relaunch: header", {"projects": [{"name": "Website", "aliases": ["relaunch"]}]}, Category.PROJECT, ""),
        ("travel to the plant", {"non_billable": ["travel"]}, Category.NON_BILLABLE, ""),
        ("rewrote it, our mistake", {}, Category.NON_BILLABLE, ""),
        ("wip", {}, Category.BILLABLE, "decision_unsure"),
        ("", {}, Category.BILLABLE, "decision_unsure"),
        ("train to the plant", {}, Category.NON_BILLABLE, "decision_unsure"),
        ("wrote the import of orders", {"covers": ["reports"]}, Category.BILLABLE, "decision_unsure"),
        ("wrote the import of orders", {"hourly": False}, Category.BILLABLE, "decision_unsure"),
        ("call about the escrow", {"review": ["escrow"]}, Category.BILLABLE, "review_by_rule"),
    ],
)
def test_what_the_contract_and_the_words_settle(
    text: str, facts: dict[str, object], category: Category, held: str
) -> None:
    """Only what the contract or plain words settle is settled; the rest is held with a reason."""
    found = verdict(text, facts)
    assert (found.category, found.held_reason) == (category, held)
    assert (found.confidence < Decimal("0.8")) == bool(held)


def test_a_source_that_says_billable_settles_nothing() -> None:
    """It is most tools' default."""
    assert verdict("wip", billable_hint=True).held_reason == "decision_unsure"


def test_a_matter_that_wants_codes_gets_them_or_is_held() -> None:
    """No default code is made up."""
    coded = verdict("Draft deposition outline", matter=MATTER)
    assert (coded.utbms_task, coded.utbms_activity, coded.held_reason) == ("L330", "A103", "")
    assert verdict("Quay wall", matter=MATTER).held_reason == "utbms_code_missing"


def test_a_cost_needs_no_task_code_and_no_words() -> None:
    """An expense is billable unless its source or the contract says otherwise."""
    found = verdict("", matter=MATTER, kind=EntryKind.EXPENSE)
    assert (found.category, found.held_reason) == (Category.BILLABLE, "")
    assert verdict("", kind=EntryKind.EXPENSE, billable_hint=False).category is Category.NON_BILLABLE


@given(st.text(max_size=200), st.sampled_from([None, True, False]))
def test_any_text_gets_one_and_the_same_verdict(text: str, hint: bool | None) -> None:
    """Texts are from outside: whatever they hold, the answer is inside the closed sets and repeats."""
    first = verdict(text, {"covers": ["reports"]}, MATTER, billable_hint=hint)
    assert first == verdict(text, {"covers": ["reports"]}, MATTER, billable_hint=hint)
    assert first.category in set(Category) - {Category.UNKNOWN}
