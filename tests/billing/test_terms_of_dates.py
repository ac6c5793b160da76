"""Whether an amendment is about some dates, and what happened to an entry: why a period is computed again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from billing.dated_terms import terms_hash
from billing.entries import BillingEntry, Hold
from billing.reasons import reason_of
from billing.testing import contract_of, directory_of, open_desk
from schemas.draft import CorrectionReason
from schemas.inputs import Category

FIRST, END = date(2025, 3, 1), date(2025, 4, 1)
WEEK: dict[str, object] = {"id": "week", "window": "week", "hours": "40", "pool": "all"}
CONTRACT: dict[str, object] = {
    "from": "2025-01-01",
    "rates": [{"rate": "100", "to": "2025-03-10"}, {"rate": "110", "from": "2025-03-10"}],
    "caps": [WEEK],
}
DIRECTORY: dict[str, object] = {
    "firm": {"name": "The Firm", "zone": "UTC", "currency": "USD", "rates": [{"role": "senior", "rate": "200"}]},
    "clients": [
        {"id": "acme", "name": "Acme", "rates": [{"rate": "150"}]},
        {"id": "other", "name": "Other", "rates": [{"rate": "155"}]},
    ],
    "projects": [
        {"id": "alpha", "client": "acme", "name": "Alpha", "tags": ["x"], "rates": [{"rate": "170"}]},
        {"id": "omega", "client": "other", "name": "Omega", "rates": [{"rate": "175"}]},
    ],
    "people": [
        {"id": "ana", "name": "Ana", "roles": [{"role": "senior"}], "rates": [{"rate": "180"}]},
        {"id": "bo", "name": "Bo", "roles": [{"role": "junior"}]},
    ],
}


def hashed(clauses: dict[str, object], directory: dict[str, object], people: Sequence[str] = ("ana",)) -> str:
    """The hash of what is said about March."""
    return terms_hash(
        contract_of(CONTRACT | clauses), directory_of("", DIRECTORY | directory), tuple(people), FIRST, END
    )


def changed(part: str, number: int, **members: object) -> dict[str, object]:
    """The directory with one row of one part changed."""
    rows = DIRECTORY[part]
    assert isinstance(rows, list)
    return {part: [row | members if at == number else row for at, row in enumerate(rows)]}


RATES: list[dict[str, object]] = [{"rate": "100", "to": "2025-03-10"}, {"rate": "110", "from": "2025-03-10"}]
LATER: dict[str, object] = {"rate": "9", "from": "2025-04-01"}
FIRM = DIRECTORY["firm"]
assert isinstance(FIRM, dict)


@pytest.mark.parametrize(
    ("clauses", "directory"),
    [
        pytest.param({"rates": [*RATES, {"role": "x", "rate": "1", "from": "2025-04-01"}]}, {}, id="a later rate"),
        pytest.param({"rates": [*RATES, {"role": "x", "rate": "1", "to": "2025-03-01"}]}, {}, id="an earlier rate"),
        pytest.param({"rates": [RATES[0] | {"from": "2025-02-01"}, RATES[1]]}, {}, id="when an earlier row began"),
        pytest.param(
            {"rates": [RATES[0] | {"from": "2025-03-01"}, RATES[1]]}, {}, id="that the first row begins with it"
        ),
        pytest.param({"rates": [RATES[0], RATES[1] | {"to": "2025-04-01"}]}, {}, id="that the last row ends with it"),
        pytest.param({"to": "2025-04-01"}, {}, id="that the contract ends with it"),
        pytest.param({"name": "A name", "payment_terms_days": 7, "correction": "credit_now"}, {}, id="no money"),
        pytest.param({"clauses": {"rates": "§ 1"}, "caps": [WEEK | {"clause": "§ 2"}]}, {}, id="the words of clauses"),
        pytest.param({}, {"firm": FIRM | {"name": "New name"}}, id="a new name of the firm"),
        pytest.param(
            {}, {"firm": FIRM | {"rates": [*FIRM["rates"], LATER | {"role": "x"}]}}, id="a later rate of the firm"
        ),
        pytest.param(
            {},
            changed("clients", 0, rates=[{"rate": "150", "to": "2025-04-01"}, LATER]),
            id="a later rate of the client",
        ),
        pytest.param(
            {},
            changed("projects", 0, rates=[{"rate": "170", "to": "2025-04-01"}, LATER]),
            id="a later rate of a project",
        ),
        pytest.param(
            {}, changed("people", 0, rates=[{"rate": "180", "to": "2025-04-01"}, LATER]), id="a later rate of a person"
        ),
        pytest.param({}, changed("people", 1, rates=[{"rate": "9"}]), id="somebody who did not work here"),
        pytest.param({}, changed("people", 0, name="Anna"), id="a name of a person"),
        pytest.param(
            {}, changed("people", 0, roles=[{"role": "senior", "to": "2025-05-01"}]), id="a role that ends later"
        ),
        pytest.param({}, changed("clients", 1, rates=[{"rate": "9"}]), id="a rate of another client"),
        pytest.param({}, changed("projects", 1, rates=[{"rate": "9"}], tags=["y"]), id="a project of another client"),
    ],
)
def test_what_is_said_of_other_dates_is_no_reason(clauses: dict[str, object], directory: dict[str, object]) -> None:
    """Nothing that bills March otherwise was said."""
    assert hashed(clauses, directory) == hashed({}, {})


@pytest.mark.parametrize(
    ("clauses", "directory"),
    [
        pytest.param({"rates": [RATES[0] | {"rate": "101"}, RATES[1]]}, {}, id="a rate"),
        pytest.param({"rates": [RATES[0] | {"from": "2025-03-02"}, RATES[1]]}, {}, id="a row begins a day inside"),
        pytest.param({"rates": [RATES[0], RATES[1] | {"to": "2025-03-31"}]}, {}, id="a row ends a day before"),
        pytest.param({"rates": [*RATES, {"role": "x", "rate": "1", "from": "2025-03-31"}]}, {}, id="a rate of one day"),
        pytest.param(
            {"rates": [*RATES, {"role": "x", "rate": "1", "to": "2025-03-02"}]}, {}, id="a rate of the first day"
        ),
        pytest.param({"to": "2025-03-31"}, {}, id="the contract ends inside"),
        pytest.param({"from": "2025-01-02"}, {}, id="the contract begins later"),
        pytest.param({"zone": "Europe/Berlin"}, {}, id="another clock"),
        pytest.param({}, {"firm": FIRM | {"currency": "EUR"}}, id="the currency of the firm"),
        pytest.param({}, {"firm": FIRM | {"rates": [{"role": "senior", "rate": "201"}]}}, id="a rate of the firm"),
        pytest.param({}, changed("clients", 0, rates=[{"rate": "9"}]), id="a rate of the client"),
        pytest.param({}, changed("projects", 0, rates=[{"rate": "9"}]), id="a rate of a project"),
        pytest.param({}, changed("projects", 0, tags=["y"]), id="a tag of a project"),
        pytest.param({}, changed("people", 0, rates=[{"rate": "9"}]), id="a rate of a person"),
        pytest.param({}, changed("people", 0, roles=[{"role": "partner"}]), id="a role of a person"),
    ],
)
def test_what_is_said_of_the_dates_is_one(clauses: dict[str, object], directory: dict[str, object]) -> None:
    """Something that may bill March otherwise was said."""
    assert hashed(clauses, directory) != hashed({}, {})


@pytest.mark.parametrize("bound", ["from", "to"])
def test_rows_that_begin_or_end_on_different_days_are_not_the_same(bound: str) -> None:
    """A rate of somebody from 12 March on, or until then, is another one than from or until the 13th."""
    twelfth, thirteenth = (
        hashed({"rates": [*RATES, {"role": "x", "rate": "1", bound: f"2025-03-{day}"}]}, {}) for day in (12, 13)
    )
    assert twelfth != thirteenth


def test_a_contract_without_a_beginning_has_terms_too() -> None:
    """What began before anybody remembers is not the same as a first day."""
    assert hashed({"from": None}, {}) != hashed({}, {})
    assert hashed({}, {}, ("ana", "bo")) != hashed({}, {})


(ENTRY,) = open_desk().entries(
    "entry  date  worked  person  item  project  task\na  2025-03-03  1.00  ana  Talk  alpha  plan"
)
EDIT, DECISION = CorrectionReason.EDIT, CorrectionReason.DECISION


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (replace(ENTRY), None),
        (replace(ENTRY, rank=7), None),
        (replace(ENTRY, content="other"), EDIT),
        (replace(ENTRY, written_off="goodwill"), CorrectionReason.WRITE_OFF),
        (replace(ENTRY, released=frozenset({"x"})), CorrectionReason.RELEASE),
        (replace(ENTRY, holds=(Hold("on_hold"),)), CorrectionReason.RELEASE),
        (replace(ENTRY, category=Category.NON_BILLABLE), DECISION),
        (replace(ENTRY, confidence=Decimal("0.5")), DECISION),
        (replace(ENTRY, service_item="Plan"), DECISION),
        (replace(ENTRY, person_id="bo"), EDIT),
        (replace(ENTRY, project_id="beta"), EDIT),
        (replace(ENTRY, task="do"), EDIT),
        (replace(ENTRY, premise="other"), None),
        (replace(ENTRY, content="other", written_off="goodwill"), EDIT),
        (replace(ENTRY, written_off="goodwill", service_item="Plan"), CorrectionReason.WRITE_OFF),
    ],
)
def test_the_reason_of_a_changed_entry(now: BillingEntry, reason: CorrectionReason | None) -> None:
    """The first thing that happened to it, in a fixed order; what only contract or directory see otherwise is none."""
    assert reason_of(ENTRY, now, is_living=True, stood_here=[True]) is reason


@pytest.mark.parametrize(
    ("is_there", "is_living", "stood_here", "reason"),
    [
        (True, True, [True], CorrectionReason.MOVE),
        (True, False, [True], CorrectionReason.DELETION),
        (False, True, [], CorrectionReason.LATE),
        (False, True, [True, False], CorrectionReason.MOVE),
        (False, True, [False, True], CorrectionReason.RESTORED),
        (False, True, [True, True, False], CorrectionReason.MOVE),
        (False, True, [False, False, True], CorrectionReason.RESTORED),
        (False, True, [True], CorrectionReason.RESTORED),
        (False, True, [False], CorrectionReason.MOVE),
    ],
)
def test_the_reason_of_an_entry_that_came_or_left(
    is_there: bool, is_living: bool, stood_here: list[bool], reason: CorrectionReason
) -> None:
    """Gone for good or elsewhere; never here before, or back from where it stood last."""
    then, now = (ENTRY, None) if is_there else (None, ENTRY)
    assert reason_of(then, now, is_living=is_living, stood_here=stood_here) is reason


def test_what_was_never_here_and_is_not_has_no_reason() -> None:
    """An entry that is on neither side."""
    assert reason_of(None, None, is_living=True, stood_here=[]) is None
