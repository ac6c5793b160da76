"""An invoice that follows its entries is the invoice: every sequence of changes, every kind of contract."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.bundles import Kinds
from billing.contract import compile_contract
from billing.currency import Rate
from billing.directory import compile_directory
from billing.entries import BillingEntry
from billing.followed_days import Days
from billing.following import BEGUN, FOLLOWED, FollowedInvoice
from billing.invoice import InvoiceRequest, compute_invoice, to_body
from billing.portions import cut
from schemas.clauses import CapBasis, CapWindow, DayAttribution, GroupBy, IncrementScope, Overflow
from schemas.draft import DocumentKind, DocumentScope
from schemas.inputs import Category
from tests.billing.march import CARE, HOUR, WEEK, entry, march, same_bodies, work
from tests.second.firms import generate

CHANGES = 6


def test_what_was_refused_half_way_is_not_gone_on_from() -> None:
    """An entry that is passed twice is our mistake; the next invoice is computed as if nobody had tried."""
    first, second, third = (work(day, day, 9, HOUR) for day in (3, 4, 5))
    request, followed = march([first, second]), FollowedInvoice()
    followed.body(replace(request, entries=[first, second]))
    with pytest.raises(AssertionError, match="passed twice"):
        followed.body(replace(request, entries=[first, second, third, replace(first)]))
    same_bodies(followed, request, [first, second], [second])


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
LUMP = {"id": "all", "text": "All", "words": ["work"], "rates": "lump"}
TWO_PRICES = {"tiers": [TIERS], "lines": {"rollups": [LUMP]}}


@pytest.mark.parametrize(
    ("clauses", "answer"),
    [
        ({"caps": [WEEK], "retainers": [CARE], "tiers": [TIERS]}, FOLLOWED),
        ({"discounts": [{**LOYAL, "level": "invoice"}]}, FOLLOWED),
        ({"discounts": [{**LOYAL, "level": "invoice", "people": ["bo"]}]}, FOLLOWED),
        ({"discounts": [{**LOYAL, "level": "invoice", "tasks": ["a"]}]}, "discounts"),
        ({"discounts": [{**LOYAL, "level": "invoice", "from": "2025-03-05"}]}, "dated_discounts"),
        ({"discounts": [{**LOYAL, "level": "invoice"}], **TWO_PRICES}, "discounts"),
        ({"discounts": [{**LOYAL, "level": "invoice", "people": ["bo"]}], **TWO_PRICES}, FOLLOWED),
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


@pytest.mark.parametrize("number", [1, 2])
def test_work_that_counts_before_other_work_is_computed_whole(number: int) -> None:
    """What stands on an approved document goes first in every window, so its day does not order it."""
    followed, entries = FollowedInvoice(), [entry(1), entry(2)]
    entries[number - 1] = entry(number, billed_on="document-1")
    request = march(entries, caps=[WEEK])
    assert followed.compute(request) == compute_invoice(request)
    assert followed.answers == {"order_of_days": 1}


USD = [
    Rate("USD", "EUR", date(2025, 3, day), Decimal(rate), "bank")
    for day, rate in ((4, "0.90"), (5, "0.80"), (7, "0.9"))
]
BEYOND = {"pool": "all", "overflow": "overage_rate"}
LONG_DAY = {"id": "day", "window": "day", "hours": 4, "overage_rate": "150", **BEYOND}
LONG_WEEK = {"id": "week", "window": "week", "hours": 6, "overage_rate": "200", **BEYOND}
PACKAGES = {"id": "pack", "mode": "block", "block_hours": 2, "block_price": "180"}
FIX = {"id": "fix", "text": "Repairs", "words": ["fix"]}
TWO_HOURS, NEXT_HOUR = work(1, 4, 9, 2 * HOUR), work(2, 5, 10, HOUR)
HOURS = [work(day, day, 9, HOUR) for day in (4, 5, 6)]
GIFT = work(1, 6, 9, HOUR, written_off="a gift")
UNBILLED = [GIFT, *(work(9 + number, 5, number, HOUR, category=one) for number, one in enumerate(Category))]


@pytest.mark.parametrize(
    ("clauses", "steps"),
    [
        pytest.param({"lines": {"group_by": ["date"]}}, [[TWO_HOURS, NEXT_HOUR]], id="a line for each date"),
        pytest.param(
            {"lines": {"group_by": [], "rollups": [FIX]}},
            [[work(1, 4, 9, HOUR, description="fix"), work(2, 4, 10, HOUR), work(3, 5, 9, HOUR, description="fix")]],
            id="a roll-up takes one of two entries of a day",
        ),
        pytest.param(
            {"caps": [LONG_DAY, LONG_WEEK]},
            [[work(1, 4, 9, 5 * HOUR)], [work(1, 4, 9, 5 * HOUR), work(2, 5, 9, 2 * HOUR), work(3, 6, 9, 2 * HOUR)]],
            id="two overage rates",
        ),
        pytest.param(
            {"rates": [{"rate": "100", "currency": "USD"}], "exchange": {"fx_date": "work"}},
            [[work(4, 4, 9, HOUR), work(5, 5, 9, HOUR), work(6, 6, 9, HOUR), work(7, 7, 9, HOUR)]],
            id="each date has its exchange rate, and one has none",
        ),
        pytest.param(
            {"tiers": [TIERS], "increments": [{"minutes": 60, "mode": "down"}]},
            [[TWO_HOURS, NEXT_HOUR], [TWO_HOURS, work(3, 5, 9, 600), NEXT_HOUR], [TWO_HOURS, NEXT_HOUR]],
            id="work rounded to nothing at the limit of a band",
        ),
        pytest.param(
            {"tiers": [TIERS]},
            [[work(1, 4, 9, 3 * HOUR)], [work(1, 4, 9, 3 * HOUR), work(2, 5, 9, HOUR)]],
            id="a full band says which position is reached",
        ),
        pytest.param(
            TWO_PRICES,
            [[work(1, 4, 9, 3 * HOUR), work(2, 5, 9, HOUR)]],
            id="one line with two prices",
        ),
        pytest.param(
            {"increments": [{"minutes": 15}]},
            [[work(1, 4, 9, 600), work(2, 4, 10, 1800)]],
            id="amounts are shared by rounded time",
        ),
        pytest.param(
            {"increments": [{"minutes": 60, "mode": "down"}]}, [[work(1, 4, 9, 600)]], id="a line is rounded away"
        ),
        pytest.param(
            {"lines": {"group_by": ["person"]}},
            [[work(n, 4, 9 + n, 100, task=task) for n, task in enumerate("abab")]],
            id="tasks take turns on a line",
        ),
        pytest.param(
            {},
            [[HOURS[0], *UNBILLED]],
            id="each kind of time that is not billed",
        ),
        pytest.param(
            {"caps": [WEEK]},
            [HOURS, [work(4, 4, 9, 2 * HOUR), *HOURS[1:]]],
            id="one hour more takes one of a later day",
        ),
        pytest.param(
            {"caps": [LONG_DAY], "lines": {"rollups": [LUMP]}},
            [[work(1, 4, 9, 5 * HOUR), work(2, 5, 9, HOUR)]],
            id="one line with an overage",
        ),
        pytest.param({"tiers": [PACKAGES]}, [HOURS], id="started packages"),
    ],
)  # fmt: skip
def test_a_followed_body_says_the_same(clauses: dict[str, object], steps: list[list[BillingEntry]]) -> None:
    """What is special about some work is said by a followed body as by one that is computed from nothing."""
    followed = FollowedInvoice()
    same_bodies(followed, replace(march([], **clauses), exchange_rates=USD), *steps)
    assert set(followed.bodies) <= {BEGUN, FOLLOWED}


@pytest.mark.parametrize(
    ("before", "now"),
    [("ab", "ca"), ("ab", "bc"), ("xabz", "yaz"), ("xaz", "yabz"), ("abc", "ac"), ("ab", "abc"), ("abc", "cba")],
)
def test_entries_come_and_leave_wherever_they_stand(before: str, now: str) -> None:
    """The entries of a second time may begin, end and be ordered as they like."""
    known = {name: work(number, 4 + number, 9, HOUR) for number, name in enumerate("abcxyz")}
    steps = [[known[name] for name in names] for names in (before, now, before)]
    same_bodies(FollowedInvoice(), march([]), *steps)


def test_another_kind_of_document_has_other_lines() -> None:
    """Lines are named after the document, so the same lines of another one have other names."""
    followed, request = FollowedInvoice(), march([entry(1)])
    names = set()
    for kind in (*DocumentKind, *DocumentKind):
        again = replace(request, scope=request.scope.model_copy(update={"kind": kind}))
        body = followed.body(again)
        assert body == to_body(compute_invoice(again))
        names.add(body.lines[0].line_id)
    assert len(names) == len(DocumentKind)


def test_the_parts_of_an_entry_are_one_member_of_a_bundle() -> None:
    """What was cut and is priced alike counts once, with all of its time and of its rounding."""
    request = march([entry(1), entry(2)])
    days = Days(request.contract, request.directory, request.period)
    days.take(request.entries)
    days.allot()
    portion = days.in_order()[0][1].live[0]._replace(delta_seconds=900)
    parts = cut(portion, 3000, 300)
    (bundle,) = Kinds(request.contract).bundles_of(portion.day, parts, ())
    assert bundle.members == [(portion.order, portion.entry, 7200, 900)]
    assert (bundle.seconds, bundle.worked_seconds, bundle.delta_seconds) == ({"e01": 7200}, 7200, 900)


def test_what_did_not_change_is_not_said_again() -> None:
    """After a change elsewhere the line, its sources and the placements are the objects that they were."""
    followed, free = FollowedInvoice(), [entry(2, category=Category.NON_BILLABLE), entry(3)]
    request = march([entry(1), *free, entry(6, project_id="beta")], lines={"group_by": ["project"]})
    first = followed.body(request)
    more = [entry(4, start=free[0].start, category=Category.NON_BILLABLE), entry(7, project_id="beta")]
    second = followed.body(replace(request, entries=[*request.entries, *more]))
    assert second.lines[0] is first.lines[0]
    assert second.lines[1].sources[0] is first.lines[1].sources[0]
    assert second.placements[0] is first.placements[0]
    third = followed.body(replace(request, entries=[*request.entries, *more, entry(8, start=entry(1).start)]))
    assert third.lines[0].sources[-1] is first.lines[0].sources[-1]
    assert third.lines[1] is second.lines[1]


def test_a_day_is_said_again_only_where_its_work_is_another() -> None:
    """Other work on a day, or one cent less for some of it, leaves what is said of the rest."""
    followed, some = FollowedInvoice(), [work(1, 6, 9, 100), work(2, 6, 10, 100)]
    request = march(some, lines={"group_by": ["person"]})
    first = followed.body(request).lines[0].sources
    other = followed.body(replace(request, entries=[*some, work(3, 6, 11, 3600, task="other")])).lines[0].sources
    assert other[0] is first[0]
    less = followed.body(replace(request, entries=[work(4, 5, 9, 100), *some])).lines[0].sources
    assert [one.amount for one in less] == [Decimal("2.78"), Decimal("2.78"), Decimal("2.77")]
    assert less[1] is first[0]
