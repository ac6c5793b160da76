"""Laws of every invoice, over generated firms of the whole contract language."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from billing.entries import BillingEntry
from schemas.clauses import CapPool, CapWindow, Overflow
from schemas.contract import ContractDocument
from schemas.draft import DraftBody, LineKind
from schemas.entry import EntryKind
from schemas.inputs import Category
from tests.second.caps import calendar_window, in_scope, limit_of
from tests.second.case import Case
from tests.second.firms import generate
from tests.second.product import product_body
from tests.second.sorting import days_of_entry, with_role
from tests.second.stretch import days_of

SEEDS = st.integers(0, 10**12)
HOURLY = (LineKind.FEE, LineKind.EXPENSE, LineKind.MARKUP)


def with_clauses(case: Case, **clauses: object) -> Case:
    """The same firm under a changed contract."""
    given = case.contract.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return replace(case, contract=ContractDocument.model_validate(given | clauses))


@given(SEEDS, st.integers())
@example(seed=17_201_327_922, order=1)  # the reason of a hold named the day of the entry that was looked at first
def test_no_order_of_entries_or_rates_changes_a_byte(seed: int, order: int) -> None:
    """The same facts in any order give the same body."""
    case = generate(seed)
    entries, rates = list(case.entries), list(case.rates)
    Random(order).shuffle(entries)
    Random(order).shuffle(rates)
    other = replace(case, entries=tuple(entries), rates=tuple(rates))
    assert product_body(case).model_dump_json() == product_body(other).model_dump_json()


@given(SEEDS)
def test_work_after_the_period_changes_nothing(seed: int) -> None:
    """What comes later, and what another calculation before knew, leaves a closed span alone."""
    case = generate(seed)
    later = [
        replace(entry, entry_id=f"later {number}", start=None, work_date=case.period.end + timedelta(days=1 + number))
        for number, entry in enumerate(case.entries)
    ]
    before = product_body(case)
    after = product_body(replace(case, entries=(*case.entries, *later)))
    assert before.model_dump_json() == after.model_dump_json()


@given(SEEDS)
def test_every_second_of_every_entry_is_in_one_place(seed: int) -> None:
    """Entry by entry: lines and placements add up to what was worked in the period, and buckets to all of it."""
    case = generate(seed)
    body = product_body(case)
    worked = worked_in(case, body)
    expected = Counter[str]()
    for entry in case.entries:
        for part in days_of_entry(case, entry):
            if entry.kind is EntryKind.TIME and part.day in case.period:
                expected[entry.entry_id] += part.worked
    assert sum(row.seconds for row in body.buckets) == body.worked_seconds + body.carried_in_seconds
    assert sum(expected.values()) == body.worked_seconds
    missing = {one: expected[one] - worked[one] for one in expected if expected[one] != worked[one]}
    assert all(seconds < 0 for seconds in missing.values()), "only time carried in may be more than was worked here"
    assert -sum(missing.values()) <= body.carried_in_seconds


def worked_in(case: Case, body: DraftBody) -> Counter[str]:
    """Worked seconds by entry, wherever the body has them; what a balance paid is in the placements."""
    found = Counter[str]()
    for line in body.lines:
        for source in line.sources if line.kind is LineKind.FEE else ():
            found[source.entry_id] += source.worked_seconds
    for one in body.placements:
        found[one.entry_id] += one.seconds
    return found


@given(SEEDS)
@example(2062)  # a refund under a discount
@example(59076)  # a limit on a line of mark-ups on a cost and a refund
def test_every_cent_of_every_line_is_explained(seed: int) -> None:
    """Net is the sum of lines, a line that of its charges and of its sources; tax and due follow."""
    case = generate(seed)
    body, amounts = product_body(case), {entry.entry_id: entry.amount or Decimal(0) for entry in case.entries}
    assert body.net == sum((line.amount for line in body.lines), Decimal(0))
    assert body.gross == body.net + body.tax
    assert body.due == body.gross - sum((held.applied for held in body.held_money), Decimal(0))
    assert body.tax == sum((row.tax for row in body.taxes), Decimal(0))
    assert body.net == sum((row.base for row in body.taxes), Decimal(0))
    for line in body.lines:
        assert line.amount == sum((charge.amount for charge in line.charges), Decimal(0))
        if line.kind in HOURLY:
            assert line.amount == sum((source.amount for source in line.sources), Decimal(0))
            gross = line.amount - line.adjustment
            # Of a line of mark-ups on costs and refunds a limit takes from those on costs alone.
            is_mixed = len({amounts[source.entry_id] < 0 for source in line.sources}) > 1
            is_right = line.adjustment <= 0 if gross >= 0 else line.adjustment >= 0
            assert is_mixed or is_right, "what is taken is of the line's sign"


@given(SEEDS)
@example(146477237)  # a cap on worked time cuts off less of an entry than its rounding takes away
@example(288090527)  # work of a later period that stands on a document
def test_consecutive_invoices_share_out_all_work(seed: int) -> None:
    """Over all periods since the start no second is worked twice or never, and no more is carried in than out."""
    case = generate(seed)
    # What stands on documents takes room before its time, and none of these invoices knows of those documents.
    open_entries = tuple(replace(entry, billed_on="", rank=0) for entry in case.entries)
    case = replace(case, entries=open_entries)
    bodies = [product_body(replace(case, period=period)) for period in case.periods()]
    expected = 0
    for entry in case.entries:
        for part in days_of_entry(case, entry) if entry.kind is EntryKind.TIME else ():
            if case.periods()[0].start <= part.day < case.period.end:
                expected += part.worked
    assert sum(body.worked_seconds for body in bodies) == expected
    carried_out = sum(row.seconds for body in bodies for row in body.buckets if row.bucket.value == "carried")
    assert sum(body.carried_in_seconds for body in bodies) <= carried_out


def full_windows(case: Case) -> Iterator[tuple[str, int, int]]:
    """Billed seconds and limit of every window of a strict hour cap that lies whole in the period."""
    body = product_body(case)
    sources = [source for line in body.lines if line.kind is LineKind.FEE for source in line.sources]
    entries = {entry.entry_id: entry for entry in case.entries}
    for cap in case.contract.caps:
        calendar = cap.window in (CapWindow.DAY, CapWindow.WEEK, CapWindow.MONTH)
        if (
            not calendar
            or cap.overflow is Overflow.OVERAGE_RATE
            or cap.pool is not CapPool.ALL
            or cap.basis != "billable"
        ):
            continue
        for window in dict.fromkeys(calendar_window(cap, day) for day in days_of(case.period)):
            inside = 0
            for source in sources:
                part = with_role(case, days_of_entry(case, entries[source.entry_id])[0])
                if source.work_date in window and in_scope(cap, part):
                    inside += source.worked_seconds + source.delta_seconds
            if case.period.start <= window.start and window.end <= case.period.end:
                yield f"{cap.id} {window.start}", inside, limit_of(case, cap, window)


@given(SEEDS)
def test_no_strict_cap_is_exceeded(seed: int) -> None:
    """Without approvals, overage and carrying no whole window bills more than its hours."""
    rows = [
        {"id": "day", "window": "day", "hours": "5", "pool": "all", "overflow": "write_down"},
        {"id": "week", "window": "week", "hours": "15.25", "pool": "all", "overflow": "hold_for_approval"},
        {"id": "month", "window": "month", "hours": "30", "pool": "all", "overflow": "write_down", "roles": ["senior"]},
    ]
    case = with_clauses(generate(seed), caps=rows)
    case = replace(case, entries=tuple(replace(entry, released=frozenset()) for entry in case.entries))
    assert [window for window in full_windows(case) if window[1] > window[2]] == []


@given(SEEDS, st.integers(1, 99))
def test_a_higher_limit_never_bills_less(seed: int, more: int) -> None:
    """A larger not-to-exceed, alone among what looks at amounts, bills at least as much."""
    limit = {"id": "nte", "window": "month", "counts": "everything", "includes_tax": False}
    case = with_clauses(generate(seed), minimum=None, tiers=None, amount_caps=[limit | {"amount": "1000"}])
    raised = [limit | {"amount": str(1000 + more)}]
    # Several windows share the last cents of their roundings, one each at most.
    slack = Decimal(len(case.entries)) / 100
    assert product_body(with_clauses(case, amount_caps=raised)).net >= product_body(case).net - slack


@given(SEEDS, st.integers(1, 100))
def test_a_discount_never_raises_an_invoice(seed: int, percent: int) -> None:
    """A percentage more off everything lowers the net or leaves it, where no minimum fills it up again."""
    case = with_clauses(generate(seed), discounts=None, minimum=None, amount_caps=[])
    plain = product_body(case)
    assume(all(line.amount >= 0 for line in plain.lines))
    row = {"id": "all", "percent": str(percent), "counts": "everything"}
    assert product_body(with_clauses(case, discounts=[row])).net <= plain.net


@given(SEEDS, st.sampled_from(["0.5", "3", "40"]))
def test_more_retainer_hours_never_bill_more_time(seed: int, more: str) -> None:
    """Larger grants cover at least as many seconds of the period."""
    row = {"id": "ret", "hours": "6.5", "fee": "1000"}
    case = with_clauses(generate(seed), tiers=None, prepaid_blocks=None, retainers=[row])
    larger = [row | {"hours": str(Decimal("6.5") + Decimal(more))}]

    def billed(body: DraftBody) -> int:
        return sum(line.seconds for line in body.lines if line.kind is LineKind.FEE)

    assert billed(product_body(with_clauses(case, retainers=larger))) <= billed(product_body(case))


@pytest.mark.parametrize("mode", ["up", "nearest", "down"])
@given(seconds=st.lists(st.integers(0, 40_000), max_size=8), minutes=st.sampled_from([1, 5, 6, 10, 15, 30, 60]))
def test_no_entry_is_rounded_by_a_whole_increment(mode: str, seconds: list[int], minutes: int) -> None:
    """Per entry: `up` never takes, `down` never adds, `nearest` moves at most half an increment."""
    clauses: dict[str, object] = {"id": "c", "client": "acme", "currency": "USD", "zone": "UTC"}
    clauses |= {"rates": [{"rate": "60"}], "increments": [{"minutes": minutes, "mode": mode}]}
    clauses |= {"lines": {"group_by": ["entry"]}}
    case = replace(generate(1), contract=ContractDocument.model_validate(clauses))
    entries = tuple(plain_work(case, at, worked) for at, worked in enumerate(seconds))
    body = product_body(replace(case, entries=entries))
    step = minutes * 60
    low, high = {"up": (0, step - 1), "down": (1 - step, 0), "nearest": (-(step - 1) // 2, step // 2)}[mode]
    deltas = [source.delta_seconds for line in body.lines for source in line.sources]
    assert all(low <= delta <= high for delta in deltas)
    assert all(line.amount == Decimal(line.seconds) / 60 for line in body.lines), "60.00 an hour is 1.00 a minute"


def plain_work(case: Case, number: int, seconds: int) -> BillingEntry:
    """So many seconds of Ana on the first day of the period, with nothing special about them."""
    return BillingEntry(
        entry_id=f"e{number}",
        content=f"c{number}",
        premise="",
        source="toggl",
        source_entry_id=f"s{number}",
        kind=EntryKind.TIME,
        person_id="ana",
        project_id="alpha",
        task="",
        service_item="Development",
        tags=(),
        description="work",
        start=None,
        end=None,
        work_date=case.period.start,
        worked_seconds=seconds,
        category=Category.BILLABLE,
    )
