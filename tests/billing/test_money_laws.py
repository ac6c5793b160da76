"""Laws of money: discounts, limits, residuals, minimums and held money over invented contracts and months."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.entries import BillingEntry
from billing.testing import Billed, Desk, open_desk, read_table
from schemas.draft import DraftLine, LineKind
from schemas.money import round_places
from schemas.period import parse_period

pytestmark = pytest.mark.proof

COUNTS = ["fees", "all_fees", "fees_and_expenses", "everything"]
AGREED = {LineKind.FIXED_FEE, LineKind.RECURRING_FEE, LineKind.USAGE_FEE, LineKind.MILESTONE}
MONTHS = ("2025-01", "2025-02", "2025-03")
CENT = Decimal("0.01")


@st.composite
def months_of_work(draw: st.DrawFn) -> str:
    """Time, expenses, usage and completions of a quarter as a table."""
    rows = ["kind  date  worked  amount  task  expense  quantity  person  item"]
    for _ in range(draw(st.integers(0, 14))):
        day = f"2025-{draw(st.integers(1, 3)):02d}-{draw(st.integers(1, 28)):02d}"
        match draw(st.integers(0, 5)):
            case 0:
                amount = Decimal(draw(st.integers(-20_000, 90_000))) / 100
                rows.append(f"expense  {day}  -  {amount}  -  {draw(st.sampled_from(['hotel', 'book']))}  -  -  -")
            case 1:
                rows.append(f"usage  {day}  -  -  -  calls  {draw(st.integers(0, 5000))}  -  -")
            case 2:
                rows.append(f"milestone  {day}  -  -  {draw(st.sampled_from(['m1', 'm2', 'm9']))}  -  -  -  -")
            case _:
                minutes = draw(st.sampled_from([1, 7, 50, 60, 95, 480]))
                who = draw(st.sampled_from(["ana", "bo", "cy"]))
                rows.append(f"time  {day}  {minutes}m  -  -  -  -  {who}  {draw(st.sampled_from(['A', 'B']))}")
    return "\n".join(rows)


@st.composite
def discounts(draw: st.DrawFn, shown: list[str]) -> list[dict[str, object]]:
    """Up to three discounts of both levels."""
    found: list[dict[str, object]] = []
    for number in range(draw(st.integers(0, 3))):
        row: dict[str, object] = {
            "id": f"d{number}",
            "counts": draw(st.sampled_from([*COUNTS, "expenses"])),
            "show": draw(st.sampled_from(shown)),
        }
        if draw(st.booleans()):
            row |= {"amount": draw(st.sampled_from(["0.01", "100.00", "99999.00"]))}
        else:
            row |= {
                "percent": draw(st.sampled_from(["0.5", "7.25", "33.333", "100"])),
                "level": draw(st.sampled_from(["line", "invoice"])),
            }
        if row["counts"] == "fees" and draw(st.booleans()):
            row["service_items"] = ["A"]
        found.append(row)
    return found


@st.composite
def contracts(draw: st.DrawFn, shown: tuple[str, ...] = ("included", "separate")) -> Desk:
    """A contract with most of what money can ask for."""
    percent = draw(st.sampled_from(["0", "19", "7.7"]))
    tax = {"category": "S", "percent": percent, "reason": "none is due"}
    cap: dict[str, object] = {"id": "nte", "amount": draw(st.sampled_from(["0", "250.55", "1500.00"]))}
    cap |= {
        "window": draw(st.sampled_from(["month", "contract", "week"])),
        "counts": draw(st.sampled_from([*COUNTS, "expenses"])),
        "includes_tax": draw(st.booleans()),
    }
    minimum: dict[str, object] = {"amount": "700.00", "every": "month", "counts": draw(st.sampled_from(COUNTS))}
    carried: dict[str, object] = {"shortfall": "carry", "carry_periods": draw(st.integers(1, 3))}
    minimum |= draw(st.sampled_from([{"shortfall": "bill"}, carried]))
    parts = [{"id": "m1", "share": 1, "due": "acceptance"}, {"id": "m2", "share": 2, "due": "acceptance"}]
    return open_desk(
        rates=[{"role": "senior", "rate": "99.99"}, {"role": "junior", "rate": "33.337"}],
        discounts=draw(discounts(list(shown))),
        amount_caps=draw(st.sampled_from([[], [cap]])),
        minimum=draw(st.sampled_from([[], [minimum]])),
        recurring_fees=[{"id": "care", "amount": "31.07", "every": "month", "billed_at": "end"}],
        usage_fees=[{"id": "api", "meter": "calls", "included_units": "500", "package_units": "100", "price": "0.37"}],
        milestones=draw(st.sampled_from([[], [{"id": "plan", "total": "1000.00", "parts": parts}]])),
        deposits=draw(
            st.sampled_from(
                [[], [{"id": "dep", "amount": "90.00", "on": "2025-01-05", "deduct_from": "next_invoices"}]]
            )
        ),
        money_retainer=draw(
            st.sampled_from(
                [
                    None,
                    {
                        "id": "r",
                        "threshold": "100",
                        "target": "500",
                        "received": [{"on": "2025-01-20", "amount": "640.11"}, {"on": "2025-03-02", "amount": "77.00"}],
                    },
                ]
            )
        ),
        taxes=[tax],
        lines={"group_by": draw(st.sampled_from([[], ["person"], ["entry"]]))},
        tax_rounding=draw(st.sampled_from(["document", "line"])),
        also={"from": "2025-01-01"},
    )


def own_lines(billed: Billed, *kinds: LineKind) -> list[DraftLine]:
    """The lines of some kinds."""
    return [line for line in billed.body.lines if line.kind in kinds]


@given(contracts(), months_of_work())
def test_lines_charges_and_sources_add_up(desk: Desk, work: str) -> None:
    """Net is the sum of lines, a line that of its charges, a charge that of its sources; due is what is left to pay."""
    for month in MONTHS:
        body = desk.bill(work, month).body
        assert body.net == sum((line.amount for line in body.lines), Decimal(0))
        assert len({line.line_id for line in body.lines}) == len(body.lines)
        for line in body.lines:
            assert line.amount == sum((charge.amount for charge in line.charges), Decimal(0))
            assert not line.sources or line.amount == sum((source.amount for source in line.sources), Decimal(0))
            assert abs(line.discount) <= abs(line.amount - line.adjustment) + CENT
        assert body.due == body.gross - sum((one.applied for one in body.held_money), Decimal(0))


@given(contracts(), months_of_work(), st.integers())
def test_no_order_changes_a_byte(desk: Desk, work: str, seed: int) -> None:
    """The order of entries does not matter, nor does handing over more than a month needs."""
    entries: list[BillingEntry] = desk.entries(work)
    shuffled = list(entries)
    Random(seed).shuffle(shuffled)
    assert desk.bill(entries, "2025-03").body == desk.bill(shuffled, "2025-03").body


@given(contracts(), months_of_work())
def test_a_discount_never_takes_more_than_there_is(desk: Desk, work: str) -> None:
    """What discounts leave of a positive line is not negative, and what they leave of an invoice is not either."""
    for month in MONTHS:
        for line in desk.bill(work, month).body.lines:
            before = line.amount - line.adjustment
            if line.kind in {LineKind.FEE, *AGREED}:
                assert 0 <= line.amount <= before
                assert line.adjustment <= line.discount <= 0


@given(contracts(shown=("included",)), months_of_work())
def test_no_limit_is_passed(desk: Desk, work: str) -> None:
    """What a limit counts stays within it, with its tax where it says so; only agreed fees may stand above it."""
    for month in MONTHS:
        body = desk.bill(work, month).body
        for cap in desk.contract.money_caps:
            row = cap.rows[0]
            lines = [
                line
                for line in body.lines
                if (cap.counts.time and line.kind is LineKind.FEE)
                or (cap.counts.expenses and line.kind is LineKind.EXPENSE)
                or (cap.counts.agreed_fees and line.kind in AGREED)
            ]
            reducible = [line for line in lines if line.kind not in AGREED]
            rate = lines[0].tax_rate / 100 if lines and row.includes_tax else Decimal(0)
            agreed = sum((line.amount for line in lines if line.kind in AGREED), Decimal(0)) * (1 + rate)
            if row.window != "week":
                is_by_line = desk.contract.document.tax_rounding == "line"
                limit = max(row.amount - agreed, Decimal(0)) + _refunds(work) * (1 + rate)
                assert _with_tax(reducible, rate, is_by_line=is_by_line) <= limit


def _with_tax(lines: list[DraftLine], rate: Decimal, *, is_by_line: bool) -> Decimal:
    """A sum with its tax, rounded as the contract says."""
    net = sum((line.amount for line in lines), Decimal(0))
    taxed = [line.amount for line in lines] if is_by_line else [net]
    return net + sum((round_places(amount * rate, 2) for amount in taxed), Decimal(0))


def _refunds(work: str) -> Decimal:
    """Refunds make room for what comes after them, in this month or a later one."""
    amounts = [Decimal(row["amount"]) for row in read_table(work) if row["kind"] == "expense"]
    return -sum((min(amount, Decimal(0)) for amount in amounts), Decimal(0))


@given(contracts(shown=("included",)), months_of_work())
def test_a_minimum_is_reached_and_not_passed(desk: Desk, work: str) -> None:
    """What counts and the line for what is missing are the minimum, or nothing is missing; a carried one bills less."""
    for row in desk.contract.document.minimum:
        kinds = {LineKind.FEE} | (AGREED if row.counts.agreed_fees else set())
        kinds |= {LineKind.EXPENSE} if row.counts.expenses else set()
        lacking = billed = Decimal(0)
        for month in MONTHS:
            one = desk.bill(work, month)
            counted = sum((line.amount for line in own_lines(one, *kinds)), Decimal(0))
            lifted = sum((line.amount for line in own_lines(one, LineKind.MINIMUM_TRUE_UP)), Decimal(0))
            lacking += max(row.amount - counted, Decimal(0))
            billed += lifted
            assert row.shortfall == "carry" or lifted == max(row.amount - counted, Decimal(0))
            assert 0 <= billed <= lacking


@given(contracts(), months_of_work())
def test_held_money_is_conserved(desk: Desk, work: str) -> None:
    """No balance is negative; each month begins with what the one before left; nothing pays a negative invoice."""
    if desk.contract.document.money_retainer is None:
        return
    left = Decimal(0)
    for month in MONTHS:
        dated = replace(desk, invoice_date=parse_period(month).end - timedelta(days=1))
        body = dated.bill(work, month).body
        [use] = body.held_money
        assert use.balance_before == left
        assert use.balance_before + use.received - use.applied == use.balance_after >= 0
        assert 0 <= use.applied <= max(body.gross, Decimal(0))
        assert use.requested == (500 - use.balance_after if use.balance_after < 100 else 0)
        left = use.balance_after


@given(months_of_work())
def test_the_parts_of_a_plan_are_its_price(work: str) -> None:
    """Whatever is completed when, and however often: no milestone is billed twice, and all together are the total."""
    parts = [{"id": "m1", "share": 1, "due": "acceptance"}, {"id": "m2", "share": 2, "due": "acceptance"}]
    desk = open_desk(
        milestones=[{"id": "plan", "total": "1000.00", "parts": parts}],
        rates=[{"rate": "1"}],
        also={"from": "2025-01-01"},
    )
    billed = [line for month in MONTHS for line in own_lines(desk.bill(work, month), LineKind.MILESTONE)]
    assert len({line.text for line in billed}) == len(billed)
    done = {row["task"] for row in read_table(work) if row["kind"] == "milestone"} - {"m9"}
    assert (
        sum((line.amount for line in billed), Decimal(0))
        == {
            frozenset(): Decimal(0),
            frozenset({"m1"}): Decimal("333.33"),
            frozenset({"m2"}): Decimal("666.67"),
            frozenset({"m1", "m2"}): Decimal(1000),
        }[frozenset(done)]
    )
