"""An invoice that follows its entries is the invoice: every sequence of changes, every kind of contract."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.contract import compile_contract
from billing.directory import compile_directory
from billing.entries import BillingEntry
from billing.following import BEGUN, FOLLOWED, FollowedInvoice
from billing.invoice import InvoiceRequest, compute_invoice, to_body
from schemas.clauses import CapBasis, CapWindow, DayAttribution, GroupBy, IncrementScope, Overflow
from schemas.contract import ContractDocument
from schemas.directory import DirectoryDocument
from schemas.draft import DocumentScope
from schemas.entry import EntryKind
from schemas.inputs import Category
from tests.second.firms import generate

CHANGES = 6
DIRECTORY = DirectoryDocument.model_validate(
    {
        "firm": {"name": "The Firm", "zone": "Europe/Berlin", "currency": "EUR"},
        "clients": [{"id": "acme", "name": "Acme"}],
        "people": [{"id": "ana", "name": "Ana", "roles": [{"role": "senior"}], "rates": [{"rate": "100"}]}],
    }
)


def request_of(seed: int) -> InvoiceRequest:
    """The request of a generated firm."""
    case = generate(seed)
    return InvoiceRequest(
        tenant="firm",
        book="main",
        scope=DocumentScope(
            client_id=case.contract.client,
            contract_id=case.contract.id,
            date_from=case.period.start,
            date_to=case.period.end,
        ),
        contract=compile_contract(case.contract),
        contract_revision="contract-1",
        directory=compile_directory(case.directory),
        directory_revision="directory-1",
        entries=case.entries,
        exchange_rates=case.rates,
        invoice_date=case.invoice_date,
    )


def changed(random: Random, entries: Sequence[BillingEntry], unused: list[BillingEntry]) -> list[BillingEntry]:
    """The entries after one is added, changed, decided anew, moved to another day or deleted."""
    found = list(entries)
    if unused and random.random() < 0.5:
        found.insert(random.randrange(len(found) + 1), unused.pop())
        return found
    if not found:
        return found
    at = random.randrange(len(found))
    one = found[at]
    later = None if one.start is None else one.start + timedelta(days=random.randrange(-3, 4))
    variants: list[BillingEntry | None] = [
        None,
        replace(one, content=f"{one.content}+", worked_seconds=random.choice([0, 1, 900, one.worked_seconds + 60])),
        replace(one, category=random.choice(list(Category))),
        replace(one, content=f"{one.content}*", start=later),
        replace(one, written_off="a gift"),
    ]
    new = random.choice(variants)
    found[at : at + 1] = [] if new is None else [new]
    return found


@given(st.integers(0, 10**12), st.integers())
def test_after_any_changes_it_is_the_invoice_byte_for_byte(seed: int, order: int) -> None:
    """Whatever was added, changed, decided or deleted, following answers as a computation from nothing does."""
    random, whole, followed = Random(order), request_of(seed), FollowedInvoice()
    unused = list(whole.entries)
    random.shuffle(unused)
    entries = [unused.pop() for _ in range(len(unused) // 2)]
    for _ in range(CHANGES):
        request = replace(whole, entries=entries)
        fresh = to_body(compute_invoice(request)).model_dump_json()
        assert to_body(followed.compute(request)).model_dump_json() == fresh
        assert followed.body(request).model_dump_json() == fresh
        entries = changed(random, entries, unused)


def followable(seed: int, random: Random) -> InvoiceRequest:
    """The request of a generated firm whose contract has only clauses that a body can be followed with."""
    request = request_of(seed)
    document = request.contract.document
    overflows = [Overflow.WRITE_DOWN, Overflow.HOLD_FOR_APPROVAL]
    caps = [
        cap
        if cap.overflow is Overflow.OVERAGE_RATE
        else cap.model_copy(update={"overflow": random.choice(overflows), "basis": random.choice([*CapBasis])})
        for cap in document.caps
        if cap.window is not CapWindow.ENTRY
    ]
    by_entry = [rule.model_copy(update={"scope": IncrementScope.ENTRY}) for rule in document.increments]
    group_by = [by for by in document.lines.group_by if by is not GroupBy.ENTRY and random.random() < 0.8]
    changes = {
        "caps": tuple(caps),
        "increments": tuple(by_entry[:1]),
        "lines": document.lines.model_copy(update={"group_by": tuple(group_by)}),
        "amount_caps": (),
        "premiums": (),
        "milestones": (),
        "deposits": (),
        "money_retainer": None,
        "trust": None,
        "day_attribution": DayAttribution.START,
    }
    return replace(request, contract=compile_contract(document.model_copy(update=changes)))


@given(st.integers(0, 10**12), st.integers())
def test_a_followed_body_is_the_body_byte_for_byte(seed: int, order: int) -> None:
    """Lines, sources, placements, sums and certificate are those of a computation from nothing, after each change."""
    random, followed = Random(order), FollowedInvoice()
    whole = followable(seed, random)
    unused = list(whole.entries)
    random.shuffle(unused)
    entries = [unused.pop() for _ in range(len(unused) // 2)]
    for _ in range(CHANGES):
        request = replace(whole, entries=entries)
        fresh = to_body(compute_invoice(request)).model_dump_json()
        assert followed.body(request).model_dump_json() == fresh
        entries = changed(random, entries, unused)


def test_bodies_of_generated_firms_are_followed_often_enough_to_mean_something() -> None:
    """Among the firms above many bodies are followed: with caps, balances, tiers, discounts and roll-ups."""
    met = dict.fromkeys(("caps", "engagements", "tiers", "discounts", "rollups"), 0)
    for seed in range(120):
        request, followed = followable(seed, Random(seed)), FollowedInvoice()
        followed.body(replace(request, entries=request.entries[1:]))
        followed.body(request)
        document = request.contract.document
        clauses = {
            "caps": document.caps,
            "engagements": request.contract.engagements,
            "tiers": document.tiers,
            "discounts": document.discounts,
            "rollups": document.lines.rollups,
        }
        for name, rows in clauses.items():
            met[name] += followed.bodies[FOLLOWED] if rows else 0
    assert min(met.values()) > 1, met


def test_generated_firms_are_followed_often_enough_to_mean_something() -> None:
    """Among the first firms many can be followed, some with caps, balances or tiers."""
    answers = dict.fromkeys(("caps", "engagements", "all"), 0)
    for seed in range(150):
        request, followed = request_of(seed), FollowedInvoice()
        followed.compute(replace(request, entries=request.entries[1:]))
        followed.compute(request)
        answers["all"] += followed.answers[FOLLOWED]
        answers["caps"] += followed.answers[FOLLOWED] if request.contract.caps else 0
        answers["engagements"] += followed.answers[FOLLOWED] if request.contract.engagements else 0
    assert answers["all"] > 30
    assert answers["caps"] > 5
    assert answers["engagements"] > 1


def entry(number: int, **values: object) -> BillingEntry:
    """Two hours of Ana on a day of March."""
    made = BillingEntry(
        entry_id=f"e{number:02d}",
        content=f"content-{number}",
        premise="",
        source="toggl",
        source_entry_id=str(number),
        kind=EntryKind.TIME,
        person_id="ana",
        project_id="alpha",
        task="",
        service_item="",
        tags=(),
        description="work",
        start=datetime(2025, 3, 3 + number, 9, tzinfo=UTC),
        end=None,
        work_date=None,
        worked_seconds=7200,
        category=Category.BILLABLE,
        confidence=Decimal(1),
    )
    return replace(made, **values)  # type: ignore[arg-type]  # the caller names fields


def march(entries: Sequence[BillingEntry], **clauses: object) -> InvoiceRequest:
    """March of a contract with these clauses."""
    document = {"id": "c", "client": "acme", "currency": "EUR", "zone": "Europe/Berlin", "from": "2025-03-01"}
    return InvoiceRequest(
        tenant="firm",
        book="main",
        scope=DocumentScope(client_id="acme", contract_id="c", date_from=date(2025, 3, 1), date_to=date(2025, 4, 1)),
        contract=compile_contract(ContractDocument.model_validate(document | clauses)),
        contract_revision="contract-1",
        directory=compile_directory(DIRECTORY),
        directory_revision="directory-1",
        entries=entries,
        exchange_rates=(),
        invoice_date=date(2025, 4, 1),
    )


WEEK = {"id": "week", "window": "week", "hours": 3, "pool": "person", "overflow": "write_down"}
CARE = {"id": "care", "hours": 5, "fee": "400", "rollover": "none"}
PLAN = {"id": "site", "total": "100", "parts": [{"id": "m", "share": 1, "due": "acceptance"}]}
TIERS = {"id": "hourly", "bands": [{"up_to": 2, "rate": "150"}, {"rate": "130"}]}


@pytest.mark.parametrize(
    ("clauses", "answer"),
    [
        ({}, FOLLOWED),
        ({"caps": [WEEK]}, FOLLOWED),
        ({"caps": [WEEK], "retainers": [CARE], "tiers": [TIERS]}, FOLLOWED),
        ({"caps": [WEEK], "discounts": [{"id": "d", "percent": "5", "counts": "fees", "level": "line"}]}, FOLLOWED),
        ({"caps": [{**WEEK, "overflow": "carry_forward"}]}, "carried_time"),
        ({"caps": [{**WEEK, "window": "entry", "pool": "all"}]}, "windows_of_entries"),
        ({"increments": [{"minutes": 15, "scope": "day"}]}, "rounded_groups"),
        ({"day_attribution": "split"}, "split_days"),
        ({"money_retainer": {"id": "m"}}, "earlier_invoices"),
        ({"from": "2025-02-01", "milestones": [PLAN]}, "events"),
    ],
)
def test_the_counter_says_how_it_was_computed(clauses: dict[str, object], answer: str) -> None:
    """A contract that can be followed is, from the second time on; of another the counter says why not."""
    followed, request = FollowedInvoice(), march([entry(1), entry(2)], **clauses)
    for entries in ([entry(1), entry(2)], [*request.entries, entry(0)], [*request.entries, entry(4)]):
        again = replace(request, entries=entries)
        assert followed.compute(again) == compute_invoice(again)
    assert followed.answers == ({BEGUN: 1, FOLLOWED: 2} if answer == FOLLOWED else {answer: 3})


LOYAL = {"id": "d", "percent": "5", "counts": "fees"}


@pytest.mark.parametrize(
    ("clauses", "answer"),
    [
        ({"caps": [WEEK], "retainers": [CARE], "tiers": [TIERS]}, FOLLOWED),
        ({"discounts": [{**LOYAL, "level": "invoice"}]}, FOLLOWED),
        ({"discounts": [{**LOYAL, "level": "invoice", "people": ["bo"]}]}, FOLLOWED),
        ({"discounts": [{**LOYAL, "level": "invoice", "tasks": ["a"]}]}, "discounts"),
        ({"discounts": [{**LOYAL, "level": "invoice", "from": "2025-03-05"}]}, "dated_discounts"),
        ({"amount_caps": [{"id": "most", "window": "month", "amount": "500", "counts": "fees"}]}, "amount_caps"),
        ({"premiums": [{"id": "late", "outside": "08:00-10:00", "factor": "1.5"}]}, "premiums"),
        ({"lines": {"group_by": ["entry"]}}, "lines_of_entries"),
        ({"day_attribution": "split"}, "split_days"),
    ],
)
def test_another_counter_says_how_bodies_were_made(clauses: dict[str, object], answer: str) -> None:
    """The body of a contract that can be followed is; of another the counter says what asks for all its lines."""
    followed, some = FollowedInvoice(), [entry(1), entry(2, task="a")]
    request = march(some, **clauses)
    for entries in (some, [*some, entry(0, task="a")], [*some, entry(4)]):
        again = replace(request, entries=entries)
        assert followed.body(again) == to_body(compute_invoice(again))
    assert followed.bodies == ({BEGUN: 1, FOLLOWED: 2} if answer == FOLLOWED else {answer: 3})


@pytest.mark.parametrize("clauses", [{}, {"caps": [WEEK], "retainers": [CARE], "tiers": [TIERS]}])
def test_many_entries_may_come_or_leave_at_once(clauses: dict[str, object]) -> None:
    """What is put in order at once is in the order that single changes make."""
    followed, start = FollowedInvoice(), datetime(2025, 3, 1, 9, tzinfo=UTC)
    work = [
        entry(1, entry_id=f"e{number}", start=start + timedelta(days=number % 29, minutes=number), task=str(number % 3))
        for number in range(200)
    ]
    request = march([], **clauses)
    for entries in (work[:9], work[:100], work, work[:199], work[90:], work[:5], work[::-1], []):
        again = replace(request, entries=entries)
        assert followed.body(again) == to_body(compute_invoice(again))
    assert followed.bodies == {BEGUN: 1, FOLLOWED: 7}


def test_other_terms_are_computed_anew() -> None:
    """A changed contract begins again; the invoice date or a rate is no reason to."""
    followed, entries = FollowedInvoice(), [entry(1), entry(2)]
    first, second = march(entries), march(entries, caps=[WEEK])
    for request in (first, replace(first, invoice_date=date(2025, 4, 9)), second):
        assert followed.compute(request) == compute_invoice(request)
    assert followed.answers == {BEGUN: 2, FOLLOWED: 1}


def test_work_that_counts_before_other_work_is_computed_whole() -> None:
    """What stands on an approved document goes first in every window, so its day does not order it."""
    followed, entries = FollowedInvoice(), [entry(1), entry(2, billed_on="document-1")]
    request = march(entries, caps=[WEEK])
    assert followed.compute(request) == compute_invoice(request)
    assert followed.answers == {"order_of_days": 1}
