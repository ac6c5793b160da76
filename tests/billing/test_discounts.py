"""Discounts and amount caps: what they count, how they are spread, and in which order (steps 10 and 11)."""

import pytest

from billing.testing import Desk, open_desk

FEES_AND_A_BOOK = """
    entry  kind     date        person  worked  amount  item  expense
    a      time     2025-03-03  ana     1.00    -       A     -
    b      time     2025-03-04  bo      1.00    -       B     -
    c      time     2025-03-05  cy      1.00    -       C     -
    d      expense  2025-03-06  -       -       80.00   -     book
"""
PRICES = [
    {"person": "ana", "rate": "333.10"},
    {"person": "bo", "rate": "210.45"},
    {"person": "cy", "rate": "156.45"},
]


def with_discount(**discount: object) -> Desk:
    """A contract whose three fees are 333.10, 210.45 and 156.45, with one discount."""
    return open_desk(rates=PRICES, discounts=[{"id": "spring", "name": "Spring discount"} | discount])


def test_a_percentage_on_fees_is_rounded_once_and_spread() -> None:
    """BD-48: 10 % of 700.00 is 70.00; a tie of the shares goes to the earlier line; the expense is untouched."""
    billed = with_discount(percent="10", counts="fees").bill(FEES_AND_A_BOOK)
    billed.expect_lines(
        """
        item  price   adjustment  discount  amount
        A     333.10  -33.31      -33.31    299.79
        B     210.45  -21.05      -21.05    189.40
        C     156.45  -15.64      -15.64    140.81
        -     80.00   0.00        0         80.00
    """.replace("item", "service_item")
    )
    assert billed.net == "710.00"


@pytest.mark.parametrize(
    ("items", "amounts"),
    [
        pytest.param(("x", "x", "-"), ["100.00", "99.99"], id="the line that begins earlier, not the one shown first"),
        pytest.param(("y", "x", "x"), ["100.00", "199.99"], id="also where its own reduced work is later"),
    ],
)
def test_a_tie_goes_to_the_line_whose_work_begins_earlier(items: tuple[str, str, str], amounts: list[str]) -> None:
    """One cent off what is `x`: of beta, which begins on 3 March, though alpha comes first on the invoice."""
    desk = open_desk(
        rates=[{"rate": "100.00"}],
        discounts=[{"id": "cent", "amount": "0.01", "counts": "fees", "service_items": ["x"]}],
        lines={"group_by": ["project"]},
    )
    days = zip(("2025-03-03", "2025-03-04", "2025-03-05"), ("beta", "alpha", "beta"), items, strict=True)
    work = [f"{day}  {project}  {item}  1.00" for day, project, item in days if item != "-"]
    body = desk.bill("\n".join(["date  project  item  worked", *work])).body
    assert [(line.project_id, f"{line.amount:f}") for line in body.lines] == list(
        zip(("alpha", "beta"), amounts, strict=True)
    )


def test_a_fixed_discount_is_spread_by_largest_remainder() -> None:
    """BD-48: 100.00 on 700.00 of fees leaves 285.51, 180.39 and 134.10."""
    billed = with_discount(amount="100.00", counts="fees").bill(FEES_AND_A_BOOK)
    billed.expect_lines("""
        discount  amount
        -47.59    285.51
        -30.06    180.39
        -22.35    134.10
        0         80.00
    """)


def test_a_discount_on_a_line_is_its_adjustment() -> None:
    """BD-73: 3.40 h at 250.00 with 10 % for the client: adjustment -85.00, total 765.00, named in the explanation."""
    desk = open_desk(
        rates=[{"rate": "250.00"}], discounts=[{"id": "client", "percent": "10", "counts": "fees", "level": "line"}]
    )
    billed = desk.bill("date  worked\n2025-03-03  3.40")
    billed.expect_lines("""
        quantity  price   adjustment  amount
        3.40      250.00  -85.00      765.00
    """)
    assert "discount client takes 85.00 USD" in billed.body.lines[0].charges[0].steps


@pytest.mark.parametrize(
    ("discount", "net"),
    [
        ({"percent": "10", "counts": "everything"}, "702.00"),
        ({"percent": "10", "counts": "expenses"}, "772.00"),
        ({"percent": "10", "counts": "expenses", "expense_categories": ["hotel"]}, "780.00"),
        ({"percent": "10", "counts": "fees_and_expenses", "service_items": ["A"]}, "738.69"),
        ({"percent": "100", "counts": "fees", "people": ["cy"]}, "623.55"),
        ({"percent": "10", "counts": "fees", "roles": ["senior"]}, "725.64"),
        ({"amount": "5000.00", "counts": "fees"}, "80.00"),
        ({"percent": "10", "counts": "fees", "from": "2025-03-05"}, "764.35"),
        ({"percent": "10", "counts": "fees", "to": "2025-03-05"}, "725.64"),
        ({"percent": "10", "counts": "fees", "service_items": ["A", "C"], "projects": [""]}, "731.04"),
        ({"amount": "10.00", "counts": "fees", "to": "2025-03-31"}, "780.00"),
    ],
)
def test_a_discount_reduces_what_it_names(discount: dict[str, object], net: str) -> None:
    """It may cover expenses; a percentage asks for the work date, a fixed amount for the period's last day."""
    assert with_discount(**discount).bill(FEES_AND_A_BOOK).net == net


def test_entries_alike_share_a_discounted_line_alike() -> None:
    """A tie goes to the earlier entry, discounted or not, and whatever the amount is made of."""
    desk = open_desk(
        rates=[{"rate": "155.00"}],
        rounding={"amount_basis": "displayed", "quantity_decimals": 2},
        discounts=[{"id": "d", "percent": "7.5", "counts": "fees", "level": "line"}],
    )
    billed = desk.bill("date  worked\n2025-03-03  3.00\n2025-03-04  50m\n2025-03-05  50m")
    billed.expect_lines("""
        amount  shares
        669.56  430.43 119.57 119.56
    """)


def test_discounts_follow_each_other_lines_first() -> None:
    """10 % on lines leave 630.00; the fixed 30.00 and then 50 % of what is left come off the invoice."""
    rows = [
        {"id": "fixed", "amount": "30.00", "counts": "fees"},
        {"id": "half", "percent": "50", "counts": "fees"},
        {"id": "line", "percent": "10", "counts": "fees", "level": "line"},
    ]
    desk = open_desk(rates=[{"rate": "700.00"}], discounts=rows)
    assert desk.bill("date  worked\n2025-03-03  1.00").net == "300.00"


def test_a_discount_may_stand_on_a_line_of_its_own() -> None:
    """Shown apart it leaves the lines as they are: one line for each tax of what it reduces."""
    taxes = [{"kinds": ["expense"], "category": "AA", "percent": "5"}, {"category": "S", "percent": "20"}]
    discount = {"id": "spring", "name": "Spring discount", "percent": "10", "counts": "everything", "show": "separate"}
    billed = open_desk(rates=PRICES, discounts=[discount], taxes=taxes).bill(FEES_AND_A_BOOK)
    billed.expect_lines("""
        kind      text             date        adjustment  amount  tax_category
        fee       A, Ana (senior)  2025-03-03  0.00        333.10  S
        fee       B, Bo (senior)   2025-03-04  0.00        210.45  S
        fee       C, Cy (junior)   2025-03-05  0.00        156.45  S
        expense   book             2025-03-06  0.00        80.00   AA
        discount  Spring discount  2025-03-31  0.00        -8.00   AA
        discount  Spring discount  2025-03-31  0.00        -70.00  S
    """)
    assert [f"{row.tax:f}" for row in billed.body.taxes] == ["3.60", "126.00"]


def test_a_refund_lowers_what_a_discount_is_taken_of() -> None:
    """A negative sum has no discount: nothing is given on money that goes back."""
    desk = with_discount(percent="10", counts="expenses")
    table = "kind  date  amount\nexpense  2025-03-03  100.00\nexpense  2025-03-04  {refund}"
    assert desk.bill(table.format(refund="-40.00")).net == "54.00"
    assert desk.bill(table.format(refund="-140.00")).net == "-40.00"


def test_an_amount_cap_meets_discounted_amounts() -> None:
    """Step 10 before step 11: 1,000.00 less 10 % are 900.00, and a limit of 950.00 takes nothing."""
    desk = open_desk(
        rates=[{"rate": "100.00"}],
        discounts=[{"id": "d", "percent": "10", "counts": "fees"}],
        amount_caps=[{"id": "nte", "window": "contract", "amount": "950.00", "counts": "fees"}],
    )
    assert desk.bill("date  worked\n2025-03-03  10.00").net == "900.00"
    body = desk.bill("date  worked\n2025-03-03  10.00\n2025-03-04  1.00").body
    assert f"{body.net:f}" == "950.00"
    assert [f"{line.discount:f} {line.adjustment:f}" for line in body.lines] == ["-110.00 -150.00"]


def test_an_amount_cap_remembers_discounted_months() -> None:
    """The limit over the contract counts February with its discounts, percent and fixed alike."""
    nte = {"id": "nte", "window": "contract", "amount": "1500.00", "counts": "fees"}
    rows = [{"id": "p", "percent": "10", "counts": "fees"}, {"id": "f", "amount": "100.00", "counts": "fees"}]
    desk = open_desk(rates=[{"rate": "100.00"}], discounts=rows, amount_caps=[nte], also={"from": "2025-02-01"})
    entries = "date  worked\n2025-02-03  10.00\n2025-03-03  10.00"
    assert [desk.bill(entries, month).net for month in ("2025-02", "2025-03")] == ["800.00", "700.00"]


def capped(counts: str, amount: str, **more: object) -> Desk:
    """A contract with a limit over the contract, a monthly fee of 300.00 and 20 % tax."""
    cap: dict[str, object] = {"id": "nte", "window": "contract", "amount": amount, "counts": counts}
    return open_desk(
        rates=[{"rate": "100.00"}],
        amount_caps=[cap | {"includes_tax": False} | more],
        taxes=[{"category": "S", "percent": "20"}],
        recurring_fees=[{"id": "care", "amount": "300.00", "every": "month", "billed_at": "end"}],
        also={"from": "2025-03-01"},
    )


WORK_AND_TRAVEL = """
    kind     date        worked  amount
    time     2025-03-03  5.00    -
    expense  2025-03-04  -       200.00
    time     2025-03-05  5.00    -
"""


@pytest.mark.parametrize(
    ("counts", "amount", "more", "net"),
    [
        ("fees", "800.00", {}, "1300.00"),
        ("fees_and_expenses", "800.00", {}, "1100.00"),
        ("all_fees", "800.00", {}, "1000.00"),
        ("everything", "800.00", {}, "800.00"),
        ("expenses", "150.00", {}, "1450.00"),
        ("everything", "960.00", {"includes_tax": True}, "800.00"),
        ("fees", "960.00", {"includes_tax": True}, "1300.00"),
        ("all_fees", "250.00", {}, "500.00"),
        ("fees", "0", {}, "500.00"),
    ],
)
def test_a_not_to_exceed_says_what_it_includes(counts: str, amount: str, more: dict[str, object], net: str) -> None:
    """With or without agreed fees, expenses and tax. Agreed fees take their room first and are never reduced."""
    assert capped(counts, amount, **more).bill(WORK_AND_TRAVEL).net == net


def test_agreed_fees_above_a_limit_stand_and_are_told() -> None:
    """A fee of 300.00 under a limit of 250.00 keeps its price; what is worked beside it is 0.00."""
    billed = capped("all_fees", "250.00").bill("date  worked\n2025-03-03  1.00")
    billed.expect_lines("""
        kind           adjustment  amount
        fee            -100.00     0.00
        recurring_fee  0.00        300.00
    """)
    assert [one.text for one in billed.body.findings] == [
        "Cap nte takes 100.00 USD.",
        "Agreed fees are 50.00 USD above the limit of cap nte.",
    ]


def test_a_limit_with_tax_is_not_passed_by_rounding() -> None:
    """100.00 with 19 % tax leave 84.03 net and 15.97 tax: exactly the limit, never a cent above."""
    desk = open_desk(
        rates=[{"rate": "100.00"}],
        amount_caps=[{"id": "n", "window": "contract", "amount": "100.00", "counts": "fees", "includes_tax": True}],
        taxes=[{"category": "S", "percent": "19"}],
    )
    body = desk.bill("date  worked  person\n2025-03-03  0.50  ana\n2025-03-04  1.00  bo").body
    assert (f"{body.net:f}", f"{body.tax:f}", f"{body.gross:f}") == ("84.03", "15.97", "100.00")
    assert [one.text for one in body.findings] == ["Cap n takes 65.97 USD."]


@pytest.mark.parametrize(("limit", "net", "gross"), [("99.99", "84.02", "99.98"), ("100.00", "84.03", "100.00")])
def test_a_cent_that_rounding_adds_leaves_again(limit: str, net: str, gross: str) -> None:
    """A net that rounds up would pass the limit with its tax; one cent less is as near as it gets."""
    desk = open_desk(
        rates=[{"rate": "1000.00"}],
        amount_caps=[{"id": "n", "window": "contract", "amount": limit, "counts": "fees", "includes_tax": True}],
        taxes=[{"category": "S", "percent": "19"}],
    )
    body = desk.bill("date  worked\n2025-03-03  1.00").body
    assert (f"{body.net:f}", f"{body.gross:f}") == (net, gross)


def test_what_earlier_months_took_is_taken_exactly() -> None:
    """February was worth 33.335 of 100.00; March may take 66.665, and so bills 66.66 and not 66.67."""
    nte = {"id": "nte", "window": "contract", "amount": "100.00", "counts": "fees"}
    desk = open_desk(rates=[{"rate": "66.67"}], amount_caps=[nte], also={"from": "2025-02-01"})
    assert desk.bill("date  worked\n2025-02-03  0.50\n2025-03-03  5.00", "2025-03").net == "66.66"


def test_a_limit_may_be_about_the_expenses_of_some_people_and_projects() -> None:
    """Only Ana's travel for Alpha is limited to 50.00."""
    cap = {"id": "travel", "window": "month", "amount": "50.00", "counts": "expenses", "people": ["ana"]}
    billed = open_desk(amount_caps=[cap | {"projects": ["alpha"]}]).bill("""
        kind     date        person  project  amount
        expense  2025-03-03  ana     alpha    40.00
        expense  2025-03-04  ana     beta     40.00
        expense  2025-03-05  bo      alpha    40.00
        expense  2025-03-06  ana     alpha    40.00
    """)
    assert [f"{line.amount:f}" for line in billed.body.lines] == ["40.00", "40.00", "40.00", "10.00"]


def test_a_phase_ends_before_its_last_date() -> None:
    """A limit over dates counts time, expenses and agreed fees from the first date up to, not including, the last."""
    phase = {"id": "phase", "window": "dates", "window_from": "2025-03-03", "window_to": "2025-03-05", "amount": "0"}
    fees = [{"id": f"f{day}", "amount": "1.00", "on": f"2025-03-0{day}"} for day in (2, 3, 4, 5)]
    desk = open_desk(rates=[{"rate": "10.00"}], amount_caps=[phase | {"counts": "everything"}], fixed_fees=fees)
    billed = desk.bill("""
        kind     date        worked  amount
        time     2025-03-02  1.00    -
        time     2025-03-03  1.00    -
        time     2025-03-05  1.00    -
        expense  2025-03-02  -       100.00
        expense  2025-03-04  -       100.00
        expense  2025-03-05  -       100.00
    """)
    assert billed.net == "224.00"
    assert [one.text for one in billed.body.findings] == [
        "Cap phase takes 110.00 USD.",
        "Agreed fees are 2.00 USD above the limit of cap phase.",
    ]


def test_narrow_limits_go_before_wide_ones() -> None:
    """An entry, its task (work without a task is one), a project, the contract; each takes the latest work."""
    caps = [
        {"id": "all", "window": "contract", "amount": "550.00", "counts": "fees"},
        {"id": "project", "window": "project", "amount": "400.00", "counts": "fees"},
        {"id": "task", "window": "task", "amount": "150.00", "counts": "fees"},
        {"id": "entry", "window": "entry", "amount": "180.00", "counts": "fees"},
    ]
    desk = open_desk(rates=[{"rate": "100.00"}], amount_caps=caps, lines={"group_by": ["entry"]})
    billed = desk.bill("""
        entry  date        worked  project  task
        a      2025-03-03  2.00    alpha    plan
        b      2025-03-04  3.00    alpha    -
        c      2025-03-05  1.00    alpha    plan
        d      2025-03-06  2.00    beta     plan
        e      2025-03-07  2.00    beta     -
    """)
    assert [f"{line.amount:f}" for line in billed.body.lines] == ["150.00", "150.00", "0.00", "150.00", "100.00"]


def test_what_a_limit_took_is_in_the_findings() -> None:
    """The reader learns which limit took how much."""
    notes = capped("everything", "800.00").bill(WORK_AND_TRAVEL).body.findings
    assert [(one.code, one.text) for one in notes] == [("amount_cap_reached", "Cap nte takes 700.00 USD.")]


def test_mark_up_on_a_line_of_its_own_is_shared_by_what_it_is_of() -> None:
    """BD-45, `separate`: 51.14 of mark-up are 41.24 and 9.90; 10 % off everything takes from cost and mark-up alike."""
    table = "kind  date  amount\nexpense  2025-03-03  412.37\nexpense  2025-03-04  99.00"
    terms = {"markups": [{"percent": "10"}], "show_markup": "separate"}
    open_desk(expenses=terms).bill(table).expect_lines("""
        kind     amount  shares
        expense  412.37  412.37
        expense  99.00   99.00
        markup   51.14   41.24 9.90
    """)
    reduced = open_desk(expenses=terms, discounts=[{"id": "d", "percent": "10", "counts": "expenses"}]).bill(table)
    reduced.expect_lines("""
        kind     discount  amount  shares
        expense  -41.24    371.13  371.13
        expense  -9.90     89.10   89.10
        markup   -5.11     46.03   37.12 8.91
    """)
