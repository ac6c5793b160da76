"""What differs between two sets of invoices: reasons that add up, and lines that changed (the answer of a what-if)."""

from dataclasses import replace

import pytest

from billing.differences import Difference, LineChange, compare
from billing.testing import Desk, open_desk
from schemas.draft import LineKind

WORK = """
    entry  date        worked  person  item
    a      2025-03-03  2.10    ana     Talk
    b      2025-03-04  3.00    bo      Talk
    c      2025-03-05  1.00    ana     Plan
"""
TAX = [{"category": "S", "percent": "10"}]


def desk(**clauses: object) -> Desk:
    """100.00 an hour and 10 % tax, unless something else is agreed."""
    base: dict[str, object] = {"rates": [{"rate": "100.00"}], "taxes": TAX}
    return open_desk(also=base | clauses)


def between(before: Desk, after: Desk, work: str = WORK, then: str = "") -> Difference:
    """March under one contract and under another, or with other work."""
    return compare([before.bill(work).invoice], [after.bill(then or work).invoice])


def reasons(found: Difference) -> list[tuple[str, str, int, int]]:
    """Reason, amount, minutes and entries."""
    return [(one.reason, f"{one.units / 100:+.2f}", one.seconds // 60, one.entries) for one in found.reasons]


def lines(found: Difference) -> list[str]:
    """What became of each line that differs."""
    return [
        f"{one.kind.value} {one.text}: {one.before_units} -> {one.after_units}, "
        f"{one.before_seconds} -> {one.after_seconds} s ({', '.join(one.reasons)})"
        for one in found.lines
    ]


WEEK = {"id": "week", "window": "week", "hours": "4", "pool": "all", "overflow": "write_down"}
PLAN_FREE = [{"id": "plan", "service_items": ["Plan"]}]


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        pytest.param({}, [], id="the same"),
        pytest.param({"rates": [{"rate": "110.00"}]}, [("rate", "+61.00", 0, 3)], id="a higher rate"),
        pytest.param(
            {"rates": [{"rate": "100.00"}, {"person": "ana", "rate": "90.00"}]},
            [("rate", "-31.00", 0, 2)],
            id="a rate of one person",
        ),
        pytest.param({"caps": [WEEK]}, [("cap:week", "-210.00", -126, 2)], id="a cap of four hours"),
        pytest.param(
            {"caps": [WEEK], "rates": [{"rate": "110.00"}]},
            [("cap:week", "-210.00", -126, 2), ("rate", "+40.00", 0, 2)],
            id="a cap and a rate: time first, at the old price",
        ),
        pytest.param(
            {"rates": [{"person": "ana", "rate": "130.00"}, {"person": "bo", "rate": "69.00"}]},
            [("rate", "+0.00", 0, 3)],
            id="more for one is less for another",
        ),
        pytest.param({"increments": [{"minutes": 15}]}, [("increments", "+15.00", 9, 1)], id="quarters of an hour"),
        pytest.param(
            {"discounts": [{"id": "d", "percent": "10", "counts": "fees"}]},
            [("discounts and amount caps", "-61.00", 0, 3)],
            id="a discount",
        ),
        pytest.param(
            {"recurring_fees": [{"id": "care", "amount": "50.00", "every": "month", "billed_at": "end"}]},
            [("recurring_fee", "+50.00", 0, 0)],
            id="a fee beside the hours",
        ),
        pytest.param(
            {
                "recurring_fees": [
                    {"id": "care", "amount": "50.00", "every": "month", "billed_at": "end"},
                    {"id": "host", "amount": "30.00", "every": "month", "billed_at": "end"},
                ]
            },
            [("recurring_fee", "+80.00", 0, 0)],
            id="two fees beside the hours",
        ),
        pytest.param(
            {"minimum": [{"amount": "700.00", "every": "month", "counts": "fees", "shortfall": "bill"}]},
            [("minimum_true_up", "+90.00", 0, 0)],
            id="a minimum",
        ),
        pytest.param(
            {"amount_caps": [{"id": "n", "window": "month", "amount": "300", "counts": "fees", "includes_tax": False}]},
            [("discounts and amount caps", "-310.00", 0, 2)],
            id="a limit of money",
        ),
    ],
)
def test_reasons_add_up_to_the_difference(then: dict[str, object], expected: list[tuple[str, str, int, int]]) -> None:
    """Each entry's difference has its reason, largest first, and together they are the difference of the nets."""
    found = between(desk(), desk(**then))
    assert reasons(found) == expected
    assert sum(one.units for one in found.reasons) == found.after_net_units - found.before_net_units
    billable = sum(one.after_seconds - one.before_seconds for one in found.lines)
    assert sum(one.seconds for one in found.reasons) == billable
    back = between(desk(**then), desk())
    assert sum(one.units for one in back.reasons) == found.before_net_units - found.after_net_units


def test_a_price_that_is_only_written_otherwise_is_no_change() -> None:
    """100 and 100.00 are one price, also where a cap took time from the entry."""
    found = between(desk(), desk(rates=[{"rate": "100"}], caps=[WEEK]))
    assert reasons(found) == [("cap:week", "-210.00", -126, 2)]


def test_taxes_and_nets_of_both_sides_are_told() -> None:
    """610.00 with 61.00 of tax against 671.00 with 67.10."""
    found = between(desk(), desk(rates=[{"rate": "110.00"}]))
    sides = (found.before_net_units, found.after_net_units, found.before_tax_units, found.after_tax_units)
    assert sides == (61000, 67100, 6100, 6710)


def test_a_line_that_changed_names_the_reasons_of_its_entries() -> None:
    """Only lines that differ are told, by kind and text; a line that is not there has nothing."""
    fee = {"id": "care", "amount": "50.00", "every": "month", "billed_at": "end"}
    found = between(
        desk(recurring_fees=[fee]), desk(rates=[{"rate": "100"}, {"person": "ana", "rate": "90"}], caps=[WEEK])
    )
    assert lines(found) == [
        "fee Plan, Ana (senior): 10000 -> 0, 3600 -> 0 s (cap:week)",
        "fee Talk, Ana (senior): 21000 -> 18900, 7560 -> 7560 s (rate)",
        "fee Talk, Bo (senior): 30000 -> 19000, 10800 -> 6840 s (cap:week)",
        "recurring_fee care, 2025-03: 5000 -> 0, 0 -> 0 s (recurring_fee)",
    ]


def test_work_that_only_one_side_has_went_to_another_contract() -> None:
    """Two contracts before, one after: an entry that is nowhere on one side moved, with all its time and money."""
    found = between(desk(), desk(), then="entry  date  worked  person  item\na  2025-03-03  2.10  ana  Talk")
    assert reasons(found) == [("another contract", "-400.00", -240, 2)]
    back = between(desk(), desk(), work="entry  date  worked  person  item\na  2025-03-03  2.10  ana  Talk", then=WORK)
    assert reasons(back) == [("another contract", "+400.00", 240, 2)]


def test_several_invoices_of_a_side_are_one() -> None:
    """Time that lies on two invoices is the same as on one, and lines of one name are added up."""
    first, second = "entry  date  worked\na  2025-03-03  2.00", "entry  date  worked\nb  2025-03-04  3.00"
    whole = desk().bill(f"{first}\nb  2025-03-04  3.00").invoice
    halves = [desk().bill(first).invoice, desk().bill(second).invoice]
    found = compare(halves, [whole])
    assert (found.lines, found.reasons) == ((), ())
    twice = compare([], halves)
    assert twice.lines == (
        LineChange(LineKind.FEE, "Services, Ana (senior)", 0, 50000, 0, 18000, ("another contract",)),
    )


def test_time_that_moves_off_the_lines_tells_where_it_went_most() -> None:
    """Held, covered and written off: the reason whose seconds changed most, or its bucket where it has none."""
    held = WORK.replace("item\n", "item  held  category\n").replace("Talk\n", "Talk  on_hold  billable\n")
    held = held.replace("Plan\n", "Plan  -  non_billable\n")
    found = between(desk(), desk(), then=held)
    assert reasons(found) == [("on_hold", "-510.00", -306, 2), ("non_billable", "-100.00", -60, 1)]
    cover = desk(fixed_cover=[{"id": "all", "service_items": ["Plan"]}])
    assert reasons(between(desk(), cover)) == [("fixed_fee:all", "-100.00", -60, 1)]


def test_a_cent_of_a_line_that_no_entry_carries_is_rounding() -> None:
    """Lines are grouped otherwise, and their rounding with them: a cent is told as what it is."""
    third = [{"rate": "100.01"}]
    work = "entry  date  worked  item\na  2025-03-03  20m  A\nb  2025-03-04  20m  B\nc  2025-03-05  20m  C"
    apart, together = desk(rates=third), desk(rates=third, lines={"group_by": ["person"]})
    found = between(apart, together, work)
    assert (found.before_net_units, found.after_net_units) == (10002, 10001)
    assert [(one.reason, one.units) for one in found.reasons] == [("line rounding", -1)]


def test_money_on_a_fee_line_that_is_no_entrys_is_told_as_rounding() -> None:
    """A line may carry a unit beside its sources; the reasons still add up."""
    invoice = desk().bill(WORK).invoice
    line = invoice.lines[0]
    richer = replace(invoice, lines=(line._replace(units=line.units + 1), *invoice.lines[1:]), net_units=61001)
    assert [(one.reason, one.units, one.entries) for one in compare([invoice], [richer]).reasons] == [
        ("line rounding", 1, 0)
    ]


def test_what_does_not_add_up_is_a_mistake_of_ours() -> None:
    """A net that is not the sum of its lines is never explained away."""
    invoice = desk().bill(WORK).invoice
    with pytest.raises(AssertionError, match="the reasons do not add up to the difference"):
        compare([invoice], [replace(invoice, net_units=1)])


OWN_RATES = [{"person": "ana", "rate": "100.00"}, {"person": "bo", "rate": "100.00"}]
PREMIUM = [{"id": "noon", "factor": "2", "inside": "12:00-13:00"}]
DAYTIME = "entry  start  worked  person\na  2025-03-03 11:00  2:50  ana"


@pytest.mark.parametrize(
    ("both", "then", "expected"),
    [
        pytest.param({"caps": [WEEK]}, {"rates": [{"rate": "110.00"}]}, [("rate", "+40.00", 0, 2)], id="a cap on both"),
        pytest.param(
            {"premiums": PREMIUM}, {"rates": [{"rate": "110.00"}]}, [("rate", "+38.34", 0, 1)], id="two prices"
        ),
        pytest.param(
            {"premiums": PREMIUM}, {"increments": [{"minutes": 15}]}, [("increments", "+16.67", 10, 1)], id="rounding"
        ),
    ],
)
def test_what_both_sides_have_is_no_reason(
    both: dict[str, object], then: dict[str, object], expected: list[tuple[str, str, int, int]]
) -> None:
    """Time that a cap took before and after, and a premium of both: only what is agreed otherwise is told."""
    work = DAYTIME if "premiums" in both else WORK
    assert reasons(between(desk(**both), desk(**both | then), work)) == expected


def test_an_entry_that_a_premium_cuts_is_told_whole() -> None:
    """An hour of three costs double, ten minutes of it are rounding: the price changed, and no second did."""
    rounded = {"increments": [{"minutes": 15}]}
    work = "entry  start  worked  person\na  2025-03-03 10:00  2:50  ana"
    found = between(desk(**rounded), desk(**rounded, premiums=PREMIUM), work)
    assert [(one.reason, one.units, one.seconds) for one in found.reasons] == [("rate", 10000, 0)]


@pytest.mark.parametrize("seconds", [1, 2])
def test_a_second_that_a_cap_takes_is_told(seconds: int) -> None:
    """However little it is, the cap is the reason; and when the cap is gone, too."""
    rates = [{"rate": "3600.00"}]
    work = f"entry  date  worked\na  2025-03-03  4:00:0{seconds}"
    without, capped = desk(rates=rates), desk(rates=rates, caps=[WEEK])
    for one, other, sign in ((without, capped, -1), (capped, without, 1)):
        (found,) = between(one, other, work).reasons
        assert (found.reason, found.units, found.seconds) == ("cap:week", sign * seconds * 100, sign * seconds)


def test_of_two_caps_the_one_that_took_most_is_the_reason() -> None:
    """The day takes two hours, the week one: the name of the cap does not matter, nor which counts first."""
    day = {"id": "day", "window": "day", "hours": "5", "pool": "all", "overflow": "write_down"}
    work = "entry  date  worked\na  2025-03-03  7.00"
    assert [one.reason for one in between(desk(), desk(caps=[day, WEEK]), work).reasons] == ["cap:day"]
    more = day | {"hours": "6"}
    assert [one.reason for one in between(desk(), desk(caps=[more, WEEK]), work).reasons] == ["cap:week"]


def test_of_two_places_with_as_many_seconds_the_first_is_the_reason() -> None:
    """An hour more above the day's cap, and an hour above the week's: the earlier name, in either direction."""
    day = {"id": "day", "window": "day", "pool": "all", "overflow": "write_down"}
    week = WEEK | {"id": "zweek"}
    work = "entry  date  worked\na  2025-03-03  7.00"
    one, other = desk(caps=[day | {"hours": "6"}]), desk(caps=[day | {"hours": "5"}, week])
    for found in (between(one, other, work), between(other, one, work)):
        assert [reason.reason for reason in found.reasons] == ["cap:day"]


def test_a_line_with_more_time_for_the_same_money_is_told() -> None:
    """Under a full limit an hour more costs nothing, and the client sees that it was worked."""
    limit = {"id": "n", "window": "month", "amount": "100.00", "counts": "fees", "includes_tax": False}
    one, other = ("entry  date  worked\na  2025-03-03  2.00", "entry  date  worked\na  2025-03-03  3.00")
    found = between(desk(amount_caps=[limit]), desk(amount_caps=[limit]), one, then=other)
    assert [line.split(" (")[0] for line in lines(found)] == ["fee Services, Ana"]
    assert [(one.before_units, one.after_units, one.after_seconds) for one in found.lines] == [(10000, 10000, 10800)]


def test_lines_are_told_by_kind_and_text() -> None:
    """Time before expenses before fees, each by its text; lines that stay as they are between them are left out."""
    people = [{"id": "y", "name": "Ana"}, {"id": "z", "name": "Bea"}, {"id": "x", "name": "Cy"}]
    work = """
        kind     entry  date        worked  person  amount  expense
        time     a      2025-03-03  1.00    y       -       -
        time     b      2025-03-03  1.00    z       -       -
        time     c      2025-03-03  1.00    x       -       -
        expense  d      2025-03-04  -       x       20.00   book
    """
    fee: dict[str, object] = {"id": "care", "every": "month", "billed_at": "end"}

    def agreed(rate: str, amount: str) -> Desk:
        return open_desk(
            directory={"people": people},
            rates=[{"rate": rate}, {"person": "z", "rate": "100.00"}],
            recurring_fees=[fee | {"amount": amount}],
        )

    found = between(agreed("100.00", "50.00"), agreed("110.00", "60.00"), work, then=work.replace("20.00", "25.00"))
    assert [f"{one.kind.value} {one.text}" for one in found.lines] == [
        "fee Services, Ana",
        "fee Services, Cy",
        "expense book",
        "recurring_fee care, 2025-03",
    ]


def test_an_expense_that_is_held_is_told_as_an_expense() -> None:
    """It costs nothing any more and has no time: its kind is the whole reason."""
    work = "kind  entry  date  amount  held\nexpense  x  2025-03-03  20.00  {}"
    found = between(desk(), desk(), work.format("-"), then=work.format("on_hold"))
    assert reasons(found) == [("expense", "-20.00", 0, 0)]
