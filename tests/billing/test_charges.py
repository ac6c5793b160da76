"""Fees beside the hours: milestones, deposits, recurring and usage fees, and their place in the order of the rules."""

import pytest
from pydantic import ValidationError

from billing.testing import contract_of, open_desk

PORTAL: dict[str, object] = {
    "id": "portal",
    "name": "Portal",
    "total": "48000.00",
    "parts": [
        {"id": "m1", "name": "Concept", "percent": "30", "due": "acceptance"},
        {"id": "m2", "name": "Build", "percent": "40", "due": "acceptance"},
        {"id": "m3", "name": "Launch", "percent": "30", "due": "acceptance"},
    ],
}
SIGNING: dict[str, object] = {
    "id": "signing",
    "name": "Deposit",
    "plan": "portal",
    "percent": "10",
    "on": "2025-01-15",
    "deduct_from": "milestone",
}
COMPLETIONS = """
    entry  kind       date        task
    c1     milestone  2025-02-10  m1
    c2     milestone  2025-03-10  Build
    again  milestone  2025-03-20  m1
    c3     milestone  2025-04-10  launch
"""


def test_a_milestone_is_billed_once_and_the_deposit_leaves_the_last_one() -> None:
    """BD-43: 4,800.00 at signing, 14,400.00, 19,200.00, then 14,400.00 less the deposit: 48,000.00 in all."""
    desk = open_desk(milestones=[PORTAL], deposits=[SIGNING])
    months = ("2025-01", "2025-02", "2025-03", "2025-04")
    assert [desk.bill(COMPLETIONS, month).net for month in months] == ["4800.00", "14400.00", "19200.00", "9600.00"]
    desk.bill(COMPLETIONS, "2025-04").expect_lines("""
        kind       text                           amount
        milestone  Portal: Launch                 14400.00
        deposit    Deposit of 2025-01-15, deducted  -4800.00
    """)
    desk.bill(COMPLETIONS, "2025-03").expect_placements("""
        entry  bucket        reason              detail
        again  non_billable  milestone_repeated  c1
    """)


@pytest.mark.parametrize("attribution", ["start", "split"])
def test_what_is_due_before_the_contract_takes_no_room_of_its_limit(attribution: str) -> None:
    """Days that are cut at midnight are looked for a month earlier, fees are not."""
    parts = [{"id": "early", "amount": "900", "due": "date", "on": "2025-02-20"}]
    plan = {"id": "site", "total": "1000", "parts": [*parts, {"id": "late", "amount": "100", "due": "acceptance"}]}
    limit = {"id": "nte", "window": "contract", "amount": "1000", "counts": "everything"}
    also = {"from": "2025-03-01"}
    desk = open_desk(
        also=also, rates=[{"rate": "100"}], day_attribution=attribution, milestones=[plan], amount_caps=[limit]
    )
    billed = desk.bill("""
        date        worked
        2025-03-03  2.00
    """)
    assert billed.net == "200.00"


@pytest.mark.parametrize("attribution", ["start", "split"])
def test_what_the_first_invoice_bills_takes_room_of_the_limit_on_all_later_ones(attribution: str) -> None:
    """A set-up fee of March, due before the contract's first day: 900.00 and 50.00, then 50.00 of a limit of 1,000."""
    limit = {"id": "nte", "window": "contract", "amount": "1000", "counts": "everything"}
    desk = open_desk(
        also={"from": "2025-03-10"},
        rates=[{"rate": "100"}],
        day_attribution=attribution,
        fixed_fees=[{"id": "setup", "amount": "900", "on": "2025-03-05"}],
        amount_caps=[limit],
    )
    work = "date  worked\n2025-03-12  0.50\n2025-04-03  2.00"
    assert [desk.bill(work, period).net for period in ("2025-03", "2025-04")] == ["950.00", "50.00"]


def test_the_last_of_equal_milestones_absorbs_the_remainder() -> None:
    """BD-44: 10,000.00 in three equal parts is 3,333.33, 3,333.33 and 3,333.34."""
    parts = [{"id": f"m{n}", "share": 1, "due": "date", "on": f"2025-0{n}-15"} for n in (1, 2, 3)]
    desk = open_desk(milestones=[{"id": "site", "total": "10000.00", "parts": parts}])
    assert [desk.bill([], f"2025-0{n}").net for n in (1, 2, 3)] == ["3333.33", "3333.33", "3333.34"]


def test_a_completion_that_names_no_milestone_is_held() -> None:
    """Nothing is guessed: an unknown name waits, a dated milestone needs no word, a held completion bills nothing."""
    parts = [
        {"id": "m1", "share": 1, "due": "date", "on": "2025-03-15"},
        {"id": "m2", "share": 1, "due": "acceptance"},
    ]
    desk = open_desk(milestones=[{"id": "site", "total": "100.00", "parts": parts}])
    billed = desk.bill("""
        entry  kind       date        task  held
        a      milestone  2025-03-10  m9    -
        b      milestone  2025-03-11  m1    -
        c      milestone  2025-03-12  m2    on_hold
    """)
    assert billed.net == "50.00"
    billed.expect_placements("""
        entry  bucket        reason             detail
        a      held          milestone_unknown  m9
        b      non_billable  milestone_by_date  m1
        c      held          on_hold            -
    """)


def test_plans_of_two_projects_are_completed_apart() -> None:
    """A completion belongs to the plan of its project."""
    part = {"id": "done", "share": 1, "due": "acceptance"}
    plans = [{"id": one, "total": total, "project": one, "parts": [part]} for one, total in (("a", "10"), ("b", "20"))]
    billed = open_desk(milestones=plans).bill("""
        kind       date        task  project
        milestone  2025-03-10  done  b
    """)
    assert billed.net == "20.00"


def test_the_plan_of_a_project_goes_before_one_for_all() -> None:
    """A completion in a project with its own plan is not one of the general plan, whichever stands first."""
    part = {"id": "done", "share": 1, "due": "acceptance"}
    plans = [{"id": "all", "total": "10.00", "parts": [part]}]
    plans += [{"id": "own", "total": "20.00", "project": "shop", "parts": [part]}]
    table = "kind  date  task  project\nmilestone  2025-03-10  done  {project}"
    for rows in (plans, plans[::-1]):
        desk = open_desk(milestones=rows)
        assert [desk.bill(table.format(project=name)).net for name in ("shop", "other")] == ["20.00", "10.00"]


def test_a_deposit_can_be_used_up_by_the_next_invoices() -> None:
    """1,000.00 asked for in January leave what later invoices charge, and never more."""
    deposit = {
        "id": "start",
        "name": "Deposit",
        "amount": "1000.00",
        "on": "2025-01-10",
        "deduct_from": "next_invoices",
    }
    desk = open_desk(rates=[{"rate": "100.00"}], deposits=[deposit], also={"from": "2025-01-01"})
    entries = """
        date        worked
        2025-01-15  1.00
        2025-02-15  6.00
        2025-03-15  9.00
    """
    assert desk.bill(entries, "2025-01").net == "1100.00"
    assert desk.bill(entries, "2025-02").net == "0.00"
    desk.bill(entries, "2025-03").expect_lines("""
        kind     amount
        fee      900.00
        deposit  -400.00
    """)


def test_a_deposit_belongs_to_the_month_of_its_date() -> None:
    """The first and the last day of a month are inside."""
    for day in ("2025-03-01", "2025-03-31"):
        deposit = {"id": "start", "amount": "10.00", "on": day, "deduct_from": "next_invoices"}
        desk = open_desk(deposits=[deposit], also={"from": "2025-01-01"})
        assert [desk.bill([], f"2025-0{n}").net for n in (2, 3, 4)] == ["0.00", "10.00", "0.00"]


def test_recurring_fees_are_billed_at_the_start_or_the_end_of_their_span() -> None:
    """A quarter in arrears is on March's invoice, a month in advance on its own, a year on January's."""
    fees = [
        {"id": "hosting", "name": "Hosting", "amount": "90.00", "every": "quarter", "billed_at": "end"},
        {"id": "support", "name": "Support", "amount": "50.00", "every": "month", "billed_at": "start"},
        {"id": "licence", "name": "Licence", "amount": "700.00", "every": "year", "billed_at": "start"},
    ]
    desk = open_desk(recurring_fees=fees)
    assert [desk.bill([], f"2025-0{n}").net for n in (1, 2, 3)] == ["750.00", "50.00", "140.00"]
    desk.bill([], "2025-03").expect_lines("""
        kind           text              date        quantity  price  amount
        recurring_fee  Support, 2025-03  2025-03-01  1         50.00  50.00
        recurring_fee  Hosting, 2025-Q1  2025-03-31  1         90.00  90.00
    """)


@pytest.mark.parametrize(
    ("prorate", "amount", "text"),
    [
        ("none", "2400.00", "Care, 2025-04"),
        ("calendar_days", "1600.00", "Care, 2025-04 (20 of 30 days)"),
        ("workdays", "1527.27", "Care, 2025-04 (14 of 22 workdays)"),
    ],
)
def test_a_started_span_costs_all_or_its_share(prorate: str, amount: str, text: str) -> None:
    """BD-41 and BD-76 for a recurring fee from 11 April 2025; its own setting goes before the contract's."""
    fee = {"id": "care", "name": "Care", "amount": "2400.00", "every": "month", "billed_at": "end"}
    for own, general in ((prorate, "none"), (None, prorate)):
        desk = open_desk(
            recurring_fees=[fee | ({"prorate": own} if own else {})], prorate=general, also={"from": "2025-04-11"}
        )
        billed = desk.bill([], "2025-04")
        assert [(line.text, f"{line.amount:f}") for line in billed.body.lines] == [(text, amount)]


def test_a_price_that_changes_inside_a_span_is_shared_or_that_of_the_first_day() -> None:
    """Rows of one id are one fee: with proration each bills its days, without it a span costs one price."""
    rows = [
        {"id": "care", "amount": "310.00", "every": "month", "billed_at": "end", "to": "2025-03-11"},
        {"id": "care", "amount": "620.00", "every": "month", "billed_at": "end", "from": "2025-03-11"},
    ]
    assert open_desk(recurring_fees=rows).bill([], "2025-03").net == "310.00"
    assert open_desk(recurring_fees=rows, prorate="calendar_days").bill([], "2025-03").net == "520.00"
    for prorate in ("none", "calendar_days"):
        desk = open_desk(recurring_fees=rows, prorate=prorate)
        assert [desk.bill([], month).net for month in ("2025-02", "2025-04")] == ["310.00", "620.00"]


CALLS: dict[str, object] = {
    "id": "api",
    "name": "API calls",
    "meter": "calls",
    "unit": "calls",
    "included_units": "100000",
    "package_units": "1000",
    "price": "0.40",
}


@pytest.mark.parametrize(
    ("units", "packages", "amount"), [("137500", "38", "15.20"), ("100000", "0", "0.00"), ("100001", "1", "0.40")]
)
def test_usage_above_the_included_units_is_charged_in_started_packages(units: str, packages: str, amount: str) -> None:
    """BD-47: 100,000 calls are included, every started 1,000 beyond costs 0.40."""
    billed = open_desk(usage_fees=[CALLS]).bill(f"""
        kind   date        expense  quantity
        usage  2025-03-31  calls    {units}
    """)
    billed.expect_lines(f"""
        kind       quantity    unit                   price  amount
        usage_fee  {packages}  package of 1000 calls  0.40   {amount}
    """)


def test_an_agreed_charge_names_the_dates_of_what_is_behind_it() -> None:
    """Its sources were worked, and count, on the date of the charge."""
    invoice = (
        open_desk(usage_fees=[CALLS])
        .bill("""
        kind   date        expense  quantity
        usage  2025-03-30  calls    101000
    """)
        .invoice
    )
    sources = [source for line in invoice.lines for charge in line.charges for source in charge.sources]
    assert [(source.entry.entry_id, source.counted_day == source.day) for source in sources] == [("e01", True)]


def test_usage_is_counted_per_period_or_over_the_contract() -> None:
    """Included units are there anew each month, or once; what was counted before keeps its packages."""
    entries = """
        kind   date        expense  quantity
        usage  2025-01-31  calls    60000
        usage  2025-02-28  calls    60500
        usage  2025-03-31  calls    500
    """
    nets = {}
    for reset in ("period", "contract"):
        desk = open_desk(usage_fees=[CALLS | {"reset": reset}], also={"from": "2025-01-01"})
        nets[reset] = [desk.bill(entries, f"2025-0{n}").net for n in (1, 2, 3)]
    assert nets == {"period": ["0.00", "0.00", "0.00"], "contract": ["0.00", "8.40", "0.00"]}


def test_usage_belongs_to_the_month_of_its_day() -> None:
    """The first and the last day of a month are inside; what nobody counted has no line."""
    desk = open_desk(usage_fees=[CALLS | {"included_units": "0", "package_units": "1", "price": "1"}])
    entries = """
        kind   date        expense  quantity
        usage  2025-02-28  calls    1
        usage  2025-03-01  calls    10
        usage  2025-03-31  calls    20
        usage  2025-04-01  calls    100
    """
    assert [desk.bill(entries, f"2025-0{n}").net for n in (2, 3, 4)] == ["1.00", "30.00", "100.00"]
    assert desk.bill(entries, "2025-05").body.lines == ()


def test_usage_of_an_uncommon_period_is_counted_as_its_own() -> None:
    """Ten days around a month's end are one period with its included units; what was before has had its own."""
    desk = open_desk(
        usage_fees=[CALLS | {"included_units": "10", "package_units": "1", "price": "1"}],
        amount_caps=[{"id": "n", "window": "contract", "amount": "12.00", "counts": "all_fees"}],
        rates=[{"rate": "1.00"}],
        also={"from": "2025-03-01"},
    )
    billed = desk.bill(
        """
        kind   date        expense  quantity  worked
        usage  2025-03-20  calls    14        -
        usage  2025-03-27  calls    8         -
        usage  2025-04-02  calls    7         -
        time   2025-04-03  -        -         9.00
    """,
        "2025-03-26..2025-04-05",
    )
    # 4.00 before the period and 5.00 in it leave 3.00 for nine hours.
    assert [f"{line.amount:f}" for line in billed.body.lines] == ["3.00", "5.00"]


def test_a_deposit_is_no_charge_that_discounts_and_limits_look_at() -> None:
    """It is an advance: 10 % on everything and a limit of 50.00 leave a deposit of 100.00 and its deduction alone."""
    plan = {"id": "site", "total": "100.00", "parts": [{"id": "m", "share": 1, "due": "date", "on": "2025-04-15"}]}
    desk = open_desk(
        milestones=[plan],
        deposits=[{"id": "d", "plan": "site", "percent": "100", "on": "2025-03-10", "deduct_from": "milestone"}],
        discounts=[{"id": "ten", "percent": "10", "counts": "everything"}],
        amount_caps=[{"id": "n", "window": "month", "amount": "50.00", "counts": "everything"}],
        minimum=[{"amount": "10.00", "every": "month", "counts": "everything", "shortfall": "bill"}],
    )
    assert desk.bill([], "2025-03").net == "110.00"
    assert desk.bill([], "2025-04").net == "-10.00"


def test_a_package_can_be_charged_by_its_part() -> None:
    """37,500 calls beyond are 37.5 packages; the entries behind the line share it by their units."""
    billed = open_desk(usage_fees=[CALLS | {"partial_package": "pro_rata"}]).bill("""
        kind   date        expense  quantity
        usage  2025-03-10  calls    100000
        usage  2025-03-31  calls    37500
    """)
    billed.expect_lines("""
        quantity  amount  shares
        37.50     15.00   10.91 4.09
    """)


def test_what_stands_on_an_approved_document_is_not_billed_again() -> None:
    """A milestone is billed once for good; later units of usage cost what they add to those billed before."""
    plan = {"id": "site", "total": "100.00", "parts": [{"id": "m1", "share": 1, "due": "acceptance"}]}
    billed = open_desk(usage_fees=[CALLS], milestones=[plan]).bill("""
        entry  kind       date        task  expense  quantity  billed_on
        a      milestone  2025-03-10  m1    -        -         doc-1
        b      milestone  2025-03-11  m1    -        -         -
        c      usage      2025-03-12  -     calls    100500    doc-1
        d      usage      2025-03-13  -     calls    400       -
        e      usage      2025-03-14  -     calls    600       -
    """)
    billed.expect_lines("""
        kind       amount  shares
        usage_fee  0.40    0.16 0.24
    """)
    billed.expect_placements("""
        entry  bucket        reason              detail
        a      billed        billed_before       doc-1
        b      non_billable  milestone_repeated  a
        c      billed        billed_before       doc-1
    """)


def test_usage_that_nothing_prices_is_held() -> None:
    """An unknown meter and a missing number wait for a person."""
    billed = open_desk(usage_fees=[CALLS]).bill("""
        entry  kind   date        expense  quantity
        a      usage  2025-03-10  mails    5
        b      usage  2025-03-10  calls    -
    """)
    billed.expect_placements("""
        entry  bucket  reason             detail
        a      held    usage_without_fee  mails
        b      held    quantity_missing   -
    """)


def test_a_fixed_fee_is_charged_once() -> None:
    """On the invoice of its date, and on no other."""
    desk = open_desk(fixed_fees=[{"id": "audit", "name": "Audit", "amount": "900.00", "on": "2025-03-05"}])
    assert [desk.bill([], month).net for month in ("2025-02", "2025-03", "2025-04")] == ["0.00", "900.00", "0.00"]


def test_fees_are_taxed_by_their_item_and_project() -> None:
    """A rule for a service item reaches a recurring fee that names it; all others fall under the general rule."""
    fees = [
        {"id": "book", "amount": "10.00", "every": "month", "billed_at": "end", "service_item": "Books"},
        {"id": "care", "amount": "10.00", "every": "month", "billed_at": "end"},
    ]
    taxes = [{"service_items": ["Books"], "category": "AA", "percent": "5"}, {"category": "S", "percent": "20"}]
    body = open_desk(recurring_fees=fees, taxes=taxes).bill([]).body
    assert [(row.category, f"{row.tax:f}") for row in body.taxes] == [("AA", "0.50"), ("S", "2.00")]


@pytest.mark.parametrize(
    ("clauses", "word"),
    [
        ({"discounts": [{"id": "a", "percent": "5"}]}, "counts"),
        ({"discounts": [{"id": "a", "counts": "fees"}]}, "which of them"),
        ({"discounts": [{"id": "a", "counts": "fees", "amount": "5", "level": "line"}]}, "level 'invoice'"),
        ({"discounts": [{"id": "a", "counts": "fees", "percent": "5", "expense_categories": ["x"]}]}, "do they count"),
        ({"minimum": [{"amount": "4000", "every": "month", "shortfall": "bill"}]}, "counts"),
        ({"minimum": [{"amount": "4000", "every": "month", "counts": "fees"}]}, "shortfall"),
        ({"minimum": [{"amount": "1", "every": "month", "counts": "fees", "shortfall": "carry"}]}, "how many periods"),
        ({"minimum": [{"amount": "1", "every": "week", "counts": "fees", "shortfall": "bill"}]}, "same span"),
        ({"milestones": [PORTAL | {"total": "1.001"}]}, "more decimals"),
        (
            {"milestones": [PORTAL | {"parts": [{"id": "a", "percent": "30", "due": "acceptance"}]}]},
            "rest of the price",
        ),
        ({"milestones": [PORTAL | {"parts": [{"id": "a", "percent": "100"}]}]}, "due"),
        ({"deposits": [SIGNING]}, "does not have"),
        ({"milestones": [PORTAL], "deposits": [SIGNING | {"milestone": "m9"}]}, "does not have"),
        ({"milestones": [PORTAL], "deposits": [SIGNING | {"percent": "31"}]}, "more than"),
        ({"recurring_fees": [{"id": "a", "amount": "1", "every": "month"}]}, "billed_at"),
        ({"usage_fees": [CALLS, CALLS | {"id": "b"}]}, "one meter"),
        ({"money_retainer": {"id": "r", "threshold": "5"}}, "belong together"),
        ({"money_retainer": {"id": "r", "threshold": "5", "target": "4"}}, "below the threshold"),
        (
            {
                "amount_caps": [{"id": "n", "window": "contract", "amount": "1", "counts": "fees"}],
                "taxes": [{"category": "S", "percent": "20"}],
            },
            "includes_tax",
        ),
    ],
)
def test_what_a_clause_leaves_open_is_asked(clauses: dict[str, object], word: str) -> None:
    """Section 7 of the rules: an ambiguous sentence is an error that asks, and never a default."""
    with pytest.raises(ValidationError, match=word):
        contract_of(clauses)
