"""The contract language and the directory: what is accepted, refused with "not yet", and found by name."""

from datetime import date

import pytest
from pydantic import ValidationError

from billing.contract import compile_contract, needed_dates
from billing.testing import contract_of, directory_of, open_desk
from schemas.contract import ContractDocument
from schemas.directory import name_index
from schemas.period import parse_period


def test_defaults_of_later_clauses_are_accepted() -> None:
    """A contract may say that it has no retainer and uses the default correction."""
    assert contract_of({"retainers": None, "prorate": "none", "correction": "adjust_next"}).retainers == ()


@pytest.mark.parametrize(
    ("clauses", "word"),
    [
        ({"rates": [{"rate": "1"}, {"rate": "2", "from": "2025-01-01"}]}, "valid on one date"),
        ({"rates": [{"rate": "1", "service_item": "Design"}]}, "also names the role"),
        ({"rates": [{"rate": "1", "person": "ana", "role": "senior"}]}, "neither role"),
        ({"rates": [{"rate": "-1"}]}, "negative"),
        ({"rates": [{"rate": "1", "currency": "dollar"}]}, "not a currency"),
        ({"zone": "Mars/Base"}, "not a time zone"),
        ({"increments": [{"minutes": 7}]}, "minutes"),
        ({"increments": [{"minutes": 6, "mode": "down", "tolerance_minutes": 2}]}, "tolerance"),
        ({"rounding": {"amount_basis": "displayed"}}, "quantity_decimals"),
        ({"caps": [{"id": "a", "window": "week", "hours": "1", "overflow": "overage_rate"}]}, "overage_rate"),
        ({"caps": [{"id": "a", "window": "contract", "hours": "1", "overflow": "carry_forward"}]}, "comes again"),
        ({"caps": [{"id": "a", "window": "dates", "hours": "1"}]}, "window_from"),
        ({"taxes": [{"kinds": ["fee"], "category": "S", "percent": "20"}]}, "kind 'expense'"),
        ({"taxes": [{"category": "Z", "percent": "0"}]}, "reason text"),
        ({"premiums": [{"id": "x", "factor": "2"}]}, "condition"),
        ({"premiums": [{"id": "x", "factor": "2", "outside": "18:00-09:00"}]}, "not a span"),
        ({"exchange": {"fx_date": "contract_rate"}}, "contract_rates"),
        ({"from": "2025-01-01", "to": "2025-01-01"}, "must be after"),
        ({"unknown_clause": 1}, "unknown_clause"),
    ],
)
def test_a_contract_that_contradicts_itself_is_refused(clauses: dict[str, object], word: str) -> None:
    """Each mistake is named; a bill never depends on which of two rows is read first."""
    with pytest.raises(ValidationError, match=word):
        contract_of(clauses)


def test_rows_of_one_cap_may_change_only_what_counts_by_date() -> None:
    """Another window or pool is another cap."""
    cap = {"id": "a", "window": "week", "hours": "40", "pool": "all"}
    with pytest.raises(ValidationError, match="use another id"):
        contract_of({"caps": [cap | {"to": "2025-02-01"}, cap | {"from": "2025-02-01", "pool": "person"}]})
    with pytest.raises(ValidationError, match="needs 'from'"):
        ContractDocument.model_validate(
            {"id": "c", "client": "a", "currency": "EUR", "zone": "UTC", "caps": [cap | {"window": "contract"}]}
        )


@pytest.mark.parametrize(
    ("clauses", "first"),
    [
        ({}, date(2025, 10, 1)),
        ({"caps": [{"id": "a", "window": "week", "hours": "1", "pool": "all"}]}, date(2025, 9, 29)),
        ({"caps": [{"id": "a", "window": "contract", "hours": "1", "pool": "all"}]}, date(2024, 1, 1)),
        (
            {"caps": [{"id": "a", "window": "day", "hours": "1", "pool": "all", "overflow": "carry_forward"}]},
            date(2024, 1, 1),
        ),
        (
            {
                "caps": [{"id": "a", "window": "week", "hours": "1", "pool": "all"}],
                "increments": [{"minutes": 6, "scope": "period"}],
            },
            date(2025, 9, 1),
        ),
        ({"day_attribution": "split"}, date(2025, 8, 31)),
        ({"amount_caps": [{"id": "n", "window": "contract", "amount": "1", "counts": "fees"}]}, date(2024, 1, 1)),
    ],
)
def test_a_period_needs_the_entries_of_its_windows(clauses: dict[str, object], first: date) -> None:
    """The first date goes back as far as something that overlaps the period is counted from."""
    contract = compile_contract(contract_of(clauses))
    assert needed_dates(contract, parse_period("2025-10")) == (first, date(2025, 11, 1))


MONTH_AND_WEEK = [
    {"id": "w", "window": "week", "hours": "1", "pool": "all"},
    {"id": "m", "window": "month", "hours": "1", "pool": "all"},
]
MONTHLY = {"id": "care", "hours": "1", "fee": "1"}
CARRIED = MONTHLY | {"rollover": "all", "rollover_forever": True}
BLOCK = {"id": "b", "hours": "1", "purchased": "2025-02-10"}
BANDS = {"id": "t", "bands": [{"rate": "1"}]}
DEPOSIT = {"id": "d", "amount": "1", "on": "2025-10-01", "deduct_from": "next_invoices"}
PHASE = {"id": "p", "window": "dates", "window_from": "2025-09-15", "window_to": "2026-01-01"} | {
    "amount": "1",
    "counts": "fees",
}


@pytest.mark.parametrize(
    ("clauses", "first"),
    [
        ({"caps": MONTH_AND_WEEK}, date(2025, 9, 29)),
        ({"retainers": [MONTHLY]}, date(2025, 10, 1)),
        ({"retainers": [MONTHLY], "caps": MONTH_AND_WEEK[:1]}, date(2025, 9, 29)),
        ({"retainers": [CARRIED]}, date(2024, 1, 1)),
        ({"retainers": [CARRIED | {"to": "2025-09-01"}]}, date(2025, 10, 6)),
        ({"prepaid_blocks": [BLOCK]}, date(2025, 2, 10)),
        ({"prepaid_blocks": [BLOCK | {"expires": "2025-10-05"}]}, date(2025, 10, 6)),
        ({"prepaid_blocks": [BLOCK], "retainers": [MONTHLY]}, date(2025, 2, 1)),
        ({"tiers": [BANDS]}, date(2025, 10, 6)),
        ({"tiers": [BANDS | {"reset": "contract"}]}, date(2024, 1, 1)),
        ({"prepaid_blocks": [BLOCK], "tiers": [BANDS]}, date(2025, 2, 10)),
        ({"retainers": [CARRIED], "to": "2025-10-06"}, date(2025, 10, 6)),
        ({"retainers": [CARRIED], "to": "2025-10-07"}, date(2024, 1, 1)),
        ({"prepaid_blocks": [BLOCK], "to": "2025-10-06"}, date(2025, 10, 6)),
        ({"prepaid_blocks": [BLOCK | {"expires": "2025-10-06"}]}, date(2025, 2, 10)),
        ({"retainers": [MONTHLY], "from": "2025-10-06"}, date(2025, 10, 6)),
        ({"amount_caps": [PHASE]}, date(2025, 9, 15)),
        ({"amount_caps": [PHASE], "discounts": [{"id": "d", "percent": "5", "counts": "fees"}]}, date(2025, 9, 15)),
        ({"amount_caps": [PHASE], "discounts": [{"id": "d", "amount": "5", "counts": "fees"}]}, date(2025, 9, 1)),
        ({"discounts": [{"id": "d", "amount": "5", "counts": "fees"}]}, date(2025, 10, 6)),
        ({"deposits": [DEPOSIT]}, date(2024, 1, 1)),
        ({"deposits": [DEPOSIT], "from": "2025-06-10"}, date(2025, 6, 1)),
        ({"deposits": [DEPOSIT], "from": "2025-06-10", "day_attribution": "split"}, date(2025, 5, 1)),
        ({"increments": [{"minutes": 6, "scope": "line"}]}, date(2025, 10, 6)),
        ({"increments": [{"minutes": 6, "scope": "period"}], "caps": MONTH_AND_WEEK[:1]}, date(2025, 10, 6)),
        ({"increments": [{"minutes": 6, "scope": "period"}], "caps": MONTH_AND_WEEK}, date(2025, 9, 1)),
    ],
)
def test_what_a_step_needs_is_right_in_all_steps_before_it(clauses: dict[str, object], first: date) -> None:
    """A week's invoice: a month's cap needs the week in which the month began, a balance all that drew from it."""
    contract = compile_contract(contract_of(clauses))
    assert needed_dates(contract, parse_period("2025-W41"))[0] == first


def test_entries_outside_of_the_needed_dates_change_nothing() -> None:
    """A caller who passes everything gets the same bytes as one who passes what is needed."""
    desk = open_desk(rates=[{"rate": "100"}])
    few = desk.entries("entry  date  worked\na  2025-03-03  1.00")
    more = desk.entries("entry  date  worked\nb  2025-02-28  1.00\nc  2025-04-01  1.00")
    assert desk.bill(few).body == desk.bill([*few, *more]).body


def test_names_at_sources_resolve_or_stay_open() -> None:
    """Exact, trimmed, without case; a source's own names go first; two matches are none."""
    document = directory_of(
        "",
        {
            "people": [
                {"id": "dana", "name": "Dana Kim", "emails": ["dana@firm.example"], "names": ["DK"]},
                {"id": "dan", "name": "Dan Kim", "names": ["D. Kim", "DK"], "names_at": {"toggl": ["DK"]}},
            ],
            "projects": [
                {"id": "a-web", "client": "acme", "name": "Website"},
                {"id": "b-web", "client": "birch", "name": "Website"},
            ],
            "clients": [{"id": "acme", "name": "Acme"}, {"id": "birch", "name": "Birch"}],
        },
    )
    index = name_index(document)
    assert index.person("  dana  KIM ") == "dana"
    assert index.person("DANA@firm.example") == "dana"
    assert index.person("DK") is None
    assert index.person("DK", "toggl") == "dan"
    assert index.person("") is None
    assert index.client("acme") == "acme"
    assert index.project("website") is None
    assert index.project("website", client_id="birch") == "b-web"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"people": [{"id": "a", "name": "A"}, {"id": "a", "name": "B"}]}, "twice"),
        ({"projects": [{"id": "p", "client": "nobody", "name": "P"}]}, "not in the directory"),
        (
            {"people": [{"id": "a", "name": "A", "roles": [{"role": "x"}, {"role": "y", "from": "2025-01-01"}]}]},
            "one date",
        ),
        ({"firm": {"name": "F", "zone": "UTC", "currency": "USD", "rates": [{"role": "", "rate": "1"}]}}, "role"),
    ],
)
def test_a_directory_that_is_unclear_is_refused(change: dict[str, object], word: str) -> None:
    """Ids are clear, rows of one thing do not overlap, projects have a client."""
    with pytest.raises(ValidationError, match=word):
        directory_of("", change)
