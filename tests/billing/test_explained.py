"""The tree behind an amount: its figures add up, states follow each other, and clauses stand in their own words."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.certificate import differences
from billing.explain import clock_text, signed_clock
from billing.explained import Explanations
from billing.invoice import trace_invoice
from billing.nodes import Node, NodeKind
from billing.testing import Billed, open_desk


def all_nodes(node: Node) -> Iterator[Node]:
    yield node
    for below in node.below:
        yield from all_nodes(below)


def of_kind(node: Node, kind: NodeKind) -> list[Node]:
    return [one for one in all_nodes(node) if one.kind is kind]


def explained(billed: Billed) -> Explanations:
    return Explanations(trace_invoice(billed.invoice.request))


def amount(node: Node) -> Decimal:
    return Decimal(str(node.facts["amount"]))


FIVE_DAYS = """
    entry  start             worked
    mon    2025-03-03 09:00  9:00
    tue    2025-03-04 09:00  9:00
    wed    2025-03-05 09:00  9:00
    thu    2025-03-06 09:00  9:00
    fri    2025-03-07 09:00  7:00
"""
WEEK = {
    "id": "role-week",
    "window": "week",
    "roles": ["senior"],
    "hours": 40,
    "pool": "role",
    "overflow": "write_down",
    "clause": "§ 4: at most 40 hours a week",
}


def test_tracing_computes_the_same_invoice() -> None:
    """What is explained is what was billed."""
    billed = open_desk(caps=[WEEK], rates=[{"rate": 160}]).bill(FIVE_DAYS)
    assert trace_invoice(billed.invoice.request).invoice == billed.invoice


def test_a_line_leads_to_its_entries_with_the_state_of_the_cap() -> None:
    """BD-24: Friday meets 36 of 40 hours and ends at 40; the clause stands beside the cap."""
    rates = [{"rate": 160, "role": "senior", "clause": "§ 3"}, {"rate": 150}]
    answers = explained(open_desk(caps=[WEEK], rates=rates).bill(FIVE_DAYS))
    (line,) = answers.lines()
    assert amount(line) == Decimal("6400.00")
    friday = next(one for one in of_kind(line, NodeKind.ALLOCATION) if one.facts["entry_id"] == "fri")
    (cap,) = of_kind(friday, NodeKind.CAP)
    assert (cap.facts["before_seconds"], cap.facts["after_seconds"]) == (36 * 3600, 40 * 3600)
    assert cap.facts["clause"] == "§ 4: at most 40 hours a week"
    assert [one.text for one in of_kind(cap, NodeKind.CLAUSE)] == ["Clause: § 4: at most 40 hours a week"]
    (rate,) = of_kind(line, NodeKind.RATE)
    assert rate.facts["clause"] == "§ 3"
    assert "contract default" in of_kind(rate, NodeKind.LOST)[0].text


def test_an_absent_amount_is_explained_by_the_same_tree() -> None:
    """BD-24: three hours of Friday are on no line; the cap that took them is named with its clause."""
    answers = explained(open_desk(caps=[WEEK], rates=[{"rate": 160}]).bill(FIVE_DAYS))
    node = answers.entry("fri")
    assert node is not None
    (placed,) = of_kind(node, NodeKind.PLACEMENT)
    assert placed.facts["reason"] == "cap:role-week"
    assert placed.facts["worked_seconds"] == 3 * 3600
    (cap,) = of_kind(placed, NodeKind.CAP)
    assert cap.facts["before_seconds"] == cap.facts["limit_seconds"] == 40 * 3600
    (billed,) = of_kind(node, NodeKind.ALLOCATION)
    assert Decimal(str(billed.facts["amount"])) == 640
    assert str(billed.facts["line_id"]) == str(next(answers.lines()).facts["line_id"])
    assert answers.entry("nobody") is None
    assert answers.line_of(str(billed.facts["line_id"])[:10]) is not None


def test_nested_caps_keep_their_own_count() -> None:
    """BD-27: what the month takes was kept by the week, so the week's state counts it."""
    month = {"id": "month", "window": "month", "hours": 38, "pool": "all", "overflow": "write_down"}
    answers = explained(open_desk(caps=[WEEK, month], rates=[{"rate": 160}]).bill(FIVE_DAYS))
    node = answers.entry("fri")
    assert node is not None
    (billed,) = of_kind(node, NodeKind.ALLOCATION)
    states = {one.facts["cap"]: one.facts for one in of_kind(billed, NodeKind.CAP)}
    assert (states["role-week"]["before_seconds"], states["role-week"]["after_seconds"]) == (36 * 3600, 38 * 3600)
    assert (states["month"]["before_seconds"], states["month"]["after_seconds"]) == (36 * 3600, 38 * 3600)
    assert {one.facts["reason"] for one in of_kind(node, NodeKind.PLACEMENT)} == {"cap:role-week", "cap:month"}


def test_a_retainer_shows_its_balance_before_and_after() -> None:
    """BD-35: hours that the balance pays for are on no line; the tree tells what was there and what is left."""
    care = {"id": "care", "hours": 20, "fee": 2400, "overage_rate": 140, "from": "2025-03-01", "clause": "§ 2"}
    billed = open_desk(retainers=[care], rates=[{"rate": 160}]).bill(
        """
        entry  start             worked
        one    2025-03-03 09:00  15:00
        two    2025-03-04 09:00  8:00
        """
    )
    node = explained(billed).entry("two")
    assert node is not None
    (balance,) = of_kind(node, NodeKind.BALANCE)
    assert balance.facts["clause"] == "§ 2"
    assert "18000 s -> 0 s" in str(balance.facts["change"])
    (beyond,) = of_kind(node, NodeKind.ALLOCATION)
    assert beyond.facts["worked_seconds"] == 3 * 3600
    fee = next(line for line in explained(billed).lines() if line.facts["kind"] == "retainer_fee")
    assert amount(fee) == 2400


def test_a_tier_shows_its_position() -> None:
    """BD-21: the second entry begins at 18 hours and is cut at 20."""
    tier = {"id": "hours", "bands": [{"up_to": 20, "rate": 150}, {"rate": 130}], "clause": "Annex A"}
    billed = open_desk(tiers=[tier], rates=[{"rate": 1}]).bill(
        """
        entry  start             worked
        a      2025-03-03 00:00  18:00
        b      2025-03-04 00:00  6:00
        """
    )
    node = explained(billed).entry("b")
    assert node is not None
    positions = [(one.facts["before_seconds"], one.facts["after_seconds"]) for one in of_kind(node, NodeKind.TIER)]
    assert positions == [(18 * 3600, 20 * 3600), (20 * 3600, 24 * 3600)]
    assert {one.facts["clause"] for one in of_kind(node, NodeKind.TIER)} == {"Annex A"}


def test_a_tier_shows_its_position_on_both_sides_of_a_premium() -> None:
    """Work that runs into the evening is two stretches: the second begins where the first ended."""
    tier = {"id": "hours", "premiums_apply": True, "bands": [{"up_to": 20, "rate": 100}, {"rate": 90}]}
    evening = {"id": "evening", "name": "evening", "factor": "1.5", "outside": "09:00-18:00"}
    billed = open_desk(tiers=[tier], premiums=[evening]).bill(
        """
        entry  start             worked
        a      2025-03-03 16:00  4:00
        """
    )
    node = explained(billed).entry("a")
    assert node is not None
    hours = [
        [(one.facts["before_seconds"], one.facts["after_seconds"]) for one in of_kind(part, NodeKind.TIER)]
        for part in of_kind(node, NodeKind.ALLOCATION)
    ]
    assert sorted(hours) == [[(0, 2 * 3600)], [(2 * 3600, 4 * 3600)]]


RICH = {
    "rates": [{"rate": "33.37", "role": "senior", "clause": "§ 1"}, {"rate": 25, "currency": "EUR"}],
    "increments": [{"minutes": 6, "mode": "up", "scope": "day", "clause": "tenths"}],
    "premiums": [{"id": "night", "name": "Night", "factor": "1.5", "outside": "09:00-18:00", "clause": "§ 5"}],
    "caps": [{**WEEK, "hours": 6}],
    "amount_caps": [{"id": "nte", "window": "contract", "amount": "150.00", "counts": "fees", "clause": "§ 6"}],
    "discounts": [{"id": "loyal", "percent": 5, "counts": "fees", "clause": "§ 7"}],
    "expenses": {"markups": [{"percent": 10}]},
    "exchange": {"fx_date": "period_end"},
}


def test_the_tree_of_every_line_adds_up() -> None:
    """Allocations add up to their charge, charges to their line, lines to the net."""
    billed = open_desk(exchange_rates="base  quote  on          rate\nEUR  USD  2025-03-31  1.0817", also=RICH).bill(
        """
        entry  person  start             worked   kind     amount  expense
        one    ana     2025-03-03 08:13  3:31     -        -       -
        two    ana     2025-03-04 16:40  2:25     -        -       -
        three  bo      2025-03-05 10:00  1:00:07  -        -       -
        four   cy      2025-03-05 17:30  2:00     -        -       -
        five   cy      2025-03-06 10:00  0:20     -        -       -
        hotel  ana     2025-03-06 10:00  -        expense  99.37   hotel
        """.replace("-        -       -", "time     -       -")
    )
    lines = list(explained(billed).lines())
    assert sum(amount(line) for line in lines) == billed.body.net
    for line in lines:
        charges = [one for one in line.below if one.kind is NodeKind.CHARGE]
        assert sum(amount(charge) for charge in charges) == amount(line)
        for charge in charges:
            parts = [one for one in charge.below if one.kind is NodeKind.ALLOCATION]
            assert sum(amount(one) for one in parts) == amount(charge)
    shares = [
        one.facts for line in lines for one in of_kind(line, NodeKind.ALLOCATION) if "discount_share" in one.facts
    ]
    assert shares
    assert all(Decimal(str(one["discount_share"])) < 0 for one in shares)
    kinds = {one.kind for line in lines for one in all_nodes(line)}
    assert kinds >= {
        NodeKind.INCREMENT,
        NodeKind.PREMIUM,
        NodeKind.CAP,
        NodeKind.DISCOUNT,
        NodeKind.AMOUNT_CAP,
        NodeKind.CURRENCY,
        NodeKind.ROUNDING,
        NodeKind.DECISION,
    }
    clauses = {str(one.facts["clause"]) for line in lines for one in of_kind(line, NodeKind.CLAUSE)}
    assert clauses >= {"§ 1", "tenths", "§ 5", "§ 6", "§ 7"}


def test_a_premium_is_explained_by_its_own_clause() -> None:
    """The name of one premium may stand in that of another; only the one that was met is told."""
    premiums = [
        {"id": "late", "factor": "1.5", "inside": "18:00-20:00", "clause": "§ 5"},
        {"id": "late-night", "factor": "2", "inside": "20:00-23:00", "clause": "§ 6"},
    ]
    billed = open_desk(premiums=premiums, rates=[{"rate": 100}]).bill("start  worked\n2025-03-03 20:30  1:00")
    [premium] = [one for line in explained(billed).lines() for one in of_kind(line, NodeKind.PREMIUM)]
    assert (premium.text, premium.facts["clause"]) == ("late-night x 2", "§ 6")


@pytest.mark.parametrize("basis", ["billable", "worked"])
def test_the_last_state_of_a_window_is_what_the_cap_used(basis: str) -> None:
    """Whatever a cap counts, its states follow each other without a gap, and end where billing ended."""
    cap = {**WEEK, "hours": 6, "basis": basis}
    billed = open_desk(caps=[cap], rates=[{"rate": 90}], increments=[{"minutes": 15}]).bill(
        """
        entry  start             worked
        a      2025-03-03 09:00  0:50
        b      2025-03-03 11:00  2:10
        c      2025-03-04 09:00  1:07
        d      2025-03-05 09:00  4:00
        """
    )
    traced = trace_invoice(billed.invoice.request)
    states = [one.facts for line in Explanations(traced).lines() for one in of_kind(line, NodeKind.CAP)]
    ordered = sorted((int(one["before_seconds"]), int(one["after_seconds"])) for one in states)
    assert ordered[0][0] == 0
    assert [after for _, after in ordered[:-1]] == [before for before, _ in ordered[1:]]
    (state,) = traced.allocated.windows.values()
    assert ordered[-1][1] == state.used_seconds


def test_long_ids_are_told_by_their_beginning() -> None:
    """Twelve characters are enough to find a revision or an entry; the facts beside the text have all of it."""
    desk = open_desk(rates=[{"rate": 160}])
    billed = desk.bill("entry  date  worked\n0123456789abcdef  2025-03-03  1.00")
    request = replace(billed.invoice.request, contract_revision="fedcba9876543210")
    node = Explanations(trace_invoice(request)).entry("0123456789abcdef")
    assert node is not None
    (terms,) = of_kind(node, NodeKind.CONTRACT)
    assert (terms.text, terms.facts["contract_revision"]) == (
        "Contract c-1, revision fedcba987654",
        "fedcba9876543210",
    )
    assert (node.text, node.facts["entry_id"]) == (
        "Entry 0123456789ab of ana: 1:00:00, '(no text)'",
        "0123456789abcdef",
    )


def test_each_answer_to_who_lost_is_told_once() -> None:
    """One price for all three: Bo has no rate of his own, Ana and Cy each have one that lost."""
    people = [
        {"id": "ana", "name": "Ana", "rates": [{"rate": 90}]},
        {"id": "bo", "name": "Bo"},
        {"id": "cy", "name": "Cy", "rates": [{"rate": 80}]},
    ]
    desk = open_desk(directory={"people": people}, rates=[{"rate": 160}], lines={"group_by": []})
    (line,) = explained(
        desk.bill("""
            person  date        worked
            bo      2025-03-03  1.00
            bo      2025-03-04  2.00
            ana     2025-03-05  1.00
            bo      2025-03-06  1.00
            cy      2025-03-07  1.00
        """)
    ).lines()
    lost = [[one.text for one in of_kind(rate, NodeKind.LOST)] for rate in of_kind(line, NodeKind.RATE)]
    assert [[text.partition(":")[0] for text in texts] for texts in lost] == [[], ["default of ana"], ["default of cy"]]


def test_a_reason_that_a_cap_is_named_after_is_not_that_cap() -> None:
    """Work of an earlier document is on no line, but no cap took it, whatever caps are called."""
    cap = {"id": "billed_before", "window": "week", "hours": 40, "pool": "all", "overflow": "write_down"}
    desk = open_desk(rates=[{"rate": 160}], caps=[cap])
    [entry] = desk.entries("entry  date  worked\nold  2025-03-03  1.00")
    node = explained(desk.bill([replace(entry, billed_on="INV-1")])).entry("old")
    assert node is not None
    (placed,) = of_kind(node, NodeKind.PLACEMENT)
    assert (placed.facts["reason"], placed.facts["detail"], placed.below) == ("billed_before", "INV-1", ())


PEOPLE = st.sampled_from(["ana", "bo", "cy"])
WORK = st.tuples(PEOPLE, st.integers(1, 28), st.integers(1, 36_000), st.sampled_from(["", "Support"]), st.booleans())


@st.composite
def firms(draw: st.DrawFn) -> Billed:
    """An invoice of some work under clauses that may or may not be there."""
    rows = [
        f"e{number}  {person}  2025-03-{day:02d}  {seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}  "
        f"{item or '-'}  {'rush' if rush else '-'}"
        for number, (person, day, seconds, item, rush) in enumerate(draw(st.lists(WORK, min_size=1, max_size=12)))
    ]
    care = {
        "id": "care",
        "hours": 9,
        "fee": 700,
        "overage_rate": 80,
        "service_items": ["Support"],
        "from": "2025-03-01",
    }
    clauses = {
        "caps": [{**WEEK, "hours": 12}, {"id": "all", "window": "month", "hours": 40, "pool": "all"}],
        "tiers": [{"id": "t", "service_items": [""], "bands": [{"up_to": 7, "rate": 110}, {"rate": 90}]}],
        "increments": [{"minutes": 15, "mode": "nearest", "scope": "day"}],
        "retainers": [care],
        "discounts": [{"id": "d", "percent": 7, "counts": "fees"}],
        "amount_caps": [{"id": "n", "window": "month", "amount": 1500, "counts": "fees"}],
    }
    chosen = draw(st.sets(st.sampled_from(sorted(clauses))))
    desk = open_desk(rates=[{"rate": "97.31"}], also={name: clauses[name] for name in sorted(chosen)})
    return desk.bill("\n".join(["entry  person  date  worked  item  tags", *rows]))


@given(firms())
def test_every_tree_adds_up_and_every_second_is_told(billed: Billed) -> None:
    """Whatever the clauses: allocations are their charge, charges their line, lines the net; the certificate holds; and
    all seconds of an entry are on lines or in placements of its own tree.
    """
    answers = explained(billed)
    lines = list(answers.lines())
    assert sum((amount(line) for line in lines), Decimal(0)) == billed.body.net
    for line in lines:
        charges = [one for one in line.below if one.kind is NodeKind.CHARGE]
        assert sum((amount(one) for one in charges), Decimal(0)) == amount(line)
        for charge in charges:
            parts = [one for one in charge.below if one.kind is NodeKind.ALLOCATION]
            assert not parts or sum((amount(one) for one in parts), Decimal(0)) == amount(charge)
    for entry in billed.invoice.request.entries:
        node = answers.entry(entry.entry_id)
        assert node is not None
        told = [one for one in node.below if one.kind in (NodeKind.ALLOCATION, NodeKind.PLACEMENT)]
        assert sum(int(one.facts["worked_seconds"]) for one in told) == entry.worked_seconds
    assert differences(billed.body) == ()


@pytest.mark.parametrize(
    ("seconds", "text", "signed"),
    [
        (0, "0:00:00", "+0:00:00"),
        (8290, "2:18:10", "+2:18:10"),
        (-60, "-0:01:00", "-0:01:00"),
        (360_001, "100:00:01", "+100:00:01"),
    ],
)
def test_time_is_told_to_the_second(seconds: int, text: str, signed: str) -> None:
    """Hours, minutes and seconds, never rounded; a rounding delta has its sign."""
    assert (clock_text(seconds), signed_clock(seconds)) == (text, signed)


def test_two_premiums_are_explained_by_a_clause_of_theirs() -> None:
    """BD-18: where factors are multiplied, the first premium with a clause says why."""
    premiums = [
        {"id": "night", "name": "Night", "factor": "1.5", "outside": "09:00-18:00"},
        {"id": "sunday", "name": "Sunday", "factor": "2", "weekdays": ["sunday"], "clause": "§ 5"},
    ]
    desk = open_desk(rates=[{"rate": 10}], premiums=premiums, also={"premium_stacking": "compound"})
    (line,) = explained(desk.bill("start             worked\n2025-03-02 20:00  1.00")).lines()
    (premium,) = of_kind(line, NodeKind.PREMIUM)
    assert premium.facts["variant"] == "Night x 1.5, Sunday x 2"
    assert premium.facts["clause"] == "§ 5"
