"""Edges of discounts, limits, taxes and rounding, where a cent or a second decides."""

from dataclasses import replace

import pytest

from billing.entries import Hold
from billing.testing import open_desk

TEN = {"id": "d", "amount": "40.00", "counts": "fees"}


def test_a_fixed_discount_of_a_month_belongs_to_all_of_its_work() -> None:
    """A limit from 15 February: of February's 40.00 off 400.00 only 10.00 are off the 100.00 that the limit counts."""
    phase = {"id": "p", "window": "dates", "window_from": "2025-02-15", "window_to": "2025-04-01", "amount": "190.00"}
    desk = open_desk(
        rates=[{"rate": "100"}], discounts=[TEN], amount_caps=[phase | {"counts": "fees"}], also={"from": "2025-01-01"}
    )
    work = "date  worked\n2025-02-03  3.00\n2025-02-20  1.00\n2025-03-03  2.00"
    assert [desk.bill(work, month).net for month in ("2025-02", "2025-03")] == ["360.00", "100.00"]


def test_a_usage_fee_of_a_month_belongs_to_all_of_its_units() -> None:
    """A limit from 15 February: ten units of February cost one package, whenever they were counted."""
    phase = {"id": "p", "window": "dates", "window_from": "2025-02-15", "window_to": "2025-04-01", "amount": "100.00"}
    fee = {"id": "u", "meter": "calls", "included_units": "5", "package_units": "5", "price": "30.00"}
    desk = open_desk(
        rates=[{"rate": "100"}],
        usage_fees=[fee],
        amount_caps=[phase | {"counts": "everything"}],
        also={"from": "2025-01-01"},
    )
    work = """
        kind   date        worked  quantity  expense
        usage  2025-02-03  -       6         calls
        usage  2025-02-20  -       4         calls
        time   2025-03-03  2.00    -         -
    """
    assert desk.bill(work, "2025-03").net == "70.00"


def test_a_line_is_rounded_by_each_rule_for_its_own_days() -> None:
    """Quarters until 10 March, half hours from then on: two lots of one line, 25 minutes to 30 and 35 to 60."""
    rows = [
        {"minutes": 15, "scope": "line", "to": "2025-03-10"},
        {"minutes": 30, "scope": "line", "from": "2025-03-10"},
    ]
    billed = open_desk(rates=[{"rate": "60"}], increments=rows).bill(
        "date  worked\n2025-03-03  10m\n2025-03-04  15m\n2025-03-11  20m\n2025-03-12  15m"
    )
    billed.expect_lines("""
        hours  amount  delta
        1.50   90.00   0 5 0 25
    """)


@pytest.mark.parametrize(("worked", "left"), [("0:59:59", 1), ("1:00:00", 0), ("1:00:01", 0), ("0:59:58", 2)])
def test_a_cap_is_filled_to_the_second(worked: str, left: int) -> None:
    """An hour a day: what the first entry leaves, be it one second, the second one is paid for."""
    cap = {"id": "day", "window": "day", "hours": "1", "pool": "all", "overflow": "write_down"}
    billed = open_desk(rates=[{"rate": "3600"}], caps=[cap]).bill(
        f"start  worked\n2025-03-03T09:00  {worked}\n2025-03-03T12:00  1:00:00"
    )
    assert sum(line.seconds for line in billed.body.lines) == 3600
    assert [one.seconds for line in billed.body.lines for one in line.charges] == [3600]
    seconds = {source.entry_id: source.worked_seconds for line in billed.body.lines for source in line.sources}
    assert seconds.get("e02", 0) == left


def test_an_entry_stands_once_on_a_line_however_it_was_cut() -> None:
    """An hour in the middle costs double: the hours before and after it are one source of the other line."""
    noon = {"id": "noon", "factor": "2", "inside": "12:00-13:00"}
    billed = open_desk(rates=[{"rate": "60"}], premiums=[noon]).bill("start  worked\n2025-03-03T11:00  3.00")
    billed.expect_lines("""
        hours  amount  shares
        1.00   120.00  120.00
        2.00   120.00  120.00
    """)


@pytest.mark.parametrize(
    ("limit", "net", "gross"),
    [
        ("119.00", "100.00", "119.00"),
        ("118.99", "99.99", "118.99"),
        ("60.00", "50.42", "60.00"),
        ("0.01", "0.01", "0.01"),
    ],
)
def test_a_limit_with_two_taxes_is_met_to_the_cent(limit: str, net: str, gross: str) -> None:
    """19 % on fees and 7 % on meals count together; rounding never lifts an invoice above its limit."""
    nte = {"id": "n", "window": "contract", "amount": limit, "counts": "everything", "includes_tax": True}
    taxes = [{"kinds": ["expense"], "category": "R", "percent": "7"}, {"category": "S", "percent": "19"}]
    desk = open_desk(rates=[{"rate": "100"}], amount_caps=[nte], taxes=taxes)
    body = desk.bill("kind  date  worked  amount\ntime  2025-03-03  1.00  -\nexpense  2025-03-04  -  33.33").body
    assert (f"{body.net:f}", f"{body.gross:f}") == (net, gross)


@pytest.mark.parametrize(("first", "net"), [("2.50", "250.00"), ("1.00", "150.00"), ("4.00", "300.00")])
def test_a_limit_that_is_lowered_leaves_what_was_worked_before(first: str, net: str) -> None:
    """300.00 until 10 March, 150.00 from then on: later work only has what the lower limit still leaves."""
    nte = {"id": "n", "window": "contract", "counts": "fees"}
    rows = [nte | {"amount": "300.00", "to": "2025-03-10"}, nte | {"amount": "150.00", "from": "2025-03-10"}]
    desk = open_desk(rates=[{"rate": "100"}], amount_caps=rows)
    assert desk.bill(f"date  worked\n2025-03-03  {first}\n2025-03-12  1.00").net == net


def test_a_lowered_limit_binds_to_the_cent_when_all_fits_into_it() -> None:
    """33.335 and what is left of 150.00 are half a cent each: rounded both up they would be 150.01."""
    nte = {"id": "n", "window": "contract", "counts": "fees"}
    rows = [nte | {"amount": "300.00", "to": "2025-03-10"}, nte | {"amount": "150.00", "from": "2025-03-10"}]
    desk = open_desk(rates=[{"rate": "66.67"}], amount_caps=rows, lines={"group_by": ["entry"]})
    body = desk.bill("date  worked\n2025-03-03  0.50\n2025-03-12  3.00").body
    assert [f"{line.amount:f}" for line in body.lines] == ["33.34", "116.66"]


def test_a_phase_counts_what_a_month_before_left_of_its_work() -> None:
    """24 h of September are above its 1,000.00, so the last eight took nothing of the phase: October has room."""
    phase = {"id": "p", "window": "dates", "window_from": "2025-09-24", "window_to": "2025-10-09", "amount": "600.00"}
    month = {"id": "m", "window": "month", "amount": "1000.00", "to": "2025-10-01"}
    desk = open_desk(
        also={"from": "2025-01-01"},
        rates=[{"rate": "100.00"}],
        amount_caps=[phase | {"counts": "fees"}, month | {"counts": "fees"}],
    )
    work = "date  worked\n2025-09-21  16.00\n2025-09-25  8.00\n2025-10-02  5.00"
    assert desk.bill(work, "2025-10").net == "500.00"


NTE = {"id": "n", "window": "contract", "counts": "fees"}
LOWERED_TWICE = [
    NTE | {"amount": "300.00", "to": "2025-03-10"},
    NTE | {"amount": "200.00", "from": "2025-03-10", "to": "2025-03-20"},
    NTE | {"amount": "100.00", "from": "2025-03-20"},
]


@pytest.mark.parametrize("later", ["", "2025-03-25  1.00"])
def test_a_limit_that_is_lowered_twice_binds_as_the_limit_of_the_last_work_that_it_paid(later: str) -> None:
    """33.335 and 166.665 of 200.00 are half a cent each; an hour that gets nothing gives neither of them its cent."""
    desk = open_desk(rates=[{"rate": "66.67"}], amount_caps=LOWERED_TWICE, lines={"group_by": ["entry"]})
    body = desk.bill(f"date  worked\n2025-03-03  0.50\n2025-03-12  3.00\n{later}").body
    assert [f"{line.amount:f}" for line in body.lines if line.amount] == ["33.34", "166.66"]


@pytest.mark.parametrize(
    ("later", "net"),
    [
        ("expense  2025-03-25  -  -10.00", "240.00"),
        ("expense  2025-03-25  -  -0.01\ntime  2025-03-26  1.00  -", "249.99"),
        ("expense  2025-03-25  -  -200.00\ntime  2025-03-26  1.00  -", "100.00"),
    ],
    ids=["a refund", "and work that finds no room", "and work that finds half of it"],
)
def test_a_refund_after_a_limit_was_lowered_takes_nothing_back(later: str, net: str) -> None:
    """250.00 under 300.00 stay when the limit is 100.00 afterwards; a refund pays for nothing and makes room behind."""
    nte = NTE | {"counts": "fees_and_expenses"}
    rows = [nte | {"amount": "300.00", "to": "2025-03-20"}, nte | {"amount": "100.00", "from": "2025-03-20"}]
    desk = open_desk(rates=[{"rate": "100.00"}], amount_caps=rows)
    assert desk.bill(f"kind  date  worked  amount\ntime  2025-03-03  2.50  -\n{later}").net == net


def test_work_is_rounded_under_the_limit_that_paid_it_when_a_lower_one_is_full() -> None:
    """Two lines of 75.00 and half a cent, and an hour that gets nothing of 150.00: the limit of both was 300.00."""
    rows = [NTE | {"amount": "300.00", "to": "2025-03-10"}, NTE | {"amount": "150.01", "from": "2025-03-10"}]
    desk = open_desk(rates=[{"rate": "75.005"}], amount_caps=rows, lines={"group_by": ["entry"]})
    body = desk.bill("date  worked\n2025-03-03  1.00\n2025-03-04  1.00\n2025-03-12  1.00").body
    assert f"{body.net:f}" == "150.02"


@pytest.mark.parametrize(
    ("on", "findings"), [("2025-03-03", []), ("2025-03-22", ["Agreed fees are 60.00 USD above the limit of cap n."])]
)
def test_only_agreed_fees_that_pass_the_limit_of_their_day_are_told(on: str, findings: list[str]) -> None:
    """160.00 under 300.00, which is lowered later, or under 100.00; work that was paid before is no finding."""
    rows = [row | {"counts": "all_fees"} for row in LOWERED_TWICE]
    fees = [{"id": "f", "amount": "160.00", "on": on}, {"id": "none", "amount": "0.00", "on": "2025-03-23"}]
    desk = open_desk(rates=[{"rate": "100.00"}], amount_caps=rows, fixed_fees=fees)
    body = desk.bill("date  worked\n2025-03-03  1.00\n2025-03-25  1.00").body
    assert [one.text for one in body.findings if one.code == "amount_cap_passed"] == findings


def test_a_surplus_of_tax_takes_no_cent_too_much() -> None:
    """138.80 with 50 % tax per line under 54.72 with tax: 4.08 and 2.04 reach it to the cent, where 4.07 would not."""
    nte = {"id": "n", "window": "month", "amount": "54.72", "counts": "fees", "includes_tax": True}
    desk = open_desk(
        rates=[{"rate": "138.80"}],
        amount_caps=[nte],
        lines={"group_by": ["entry"]},
        taxes=[{"category": "S", "percent": "50"}],
        tax_rounding="line",
    )
    minutes = (7, 2, 2, 3, 2, 11, 7, 7, 7, 2, 4)
    work = [f"2025-03-{day:02}  {one}m" for day, one in enumerate(minutes, start=3)]
    body = desk.bill("\n".join(["date  worked", *work])).body
    assert (f"{body.gross:f}", f"{[line.amount for line in body.lines if line.amount][-1]:f}") == ("54.72", "4.08")


def test_a_surplus_of_many_lines_leaves_no_more_than_it_is() -> None:
    """Forty lines of 1.005 are 40.40 instead of 40.20: what is above 60.30 with tax leaves the latest line alone."""
    nte = {"id": "n", "window": "month", "amount": "60.30", "counts": "fees", "includes_tax": True}
    desk = open_desk(
        rates=[{"rate": "100.50"}],
        amount_caps=[nte],
        lines={"group_by": ["entry"]},
        taxes=[{"category": "S", "percent": "50"}],
    )
    work = [f"2025-03-03 {8 + number // 6:02}:{number % 6}0  36 s" for number in range(40)]
    body = desk.bill("\n".join(["start  worked", *(one.replace("36 s", "0.6m") for one in work)])).body
    assert (f"{body.gross:f}", f"{body.lines[-1].amount:f}") == ("60.30", "0.81")
    assert {f"{line.amount:f}" for line in body.lines[:-1]} == {"1.01"}


def test_agreed_fees_pass_a_limit_with_their_tax() -> None:
    """160.00 with 19 % are 190.40: 90.40 above 100.00."""
    nte = {"id": "n", "window": "month", "amount": "100.00", "counts": "all_fees", "includes_tax": True}
    fee = {"id": "f", "amount": "160.00", "on": "2025-03-03"}
    desk = open_desk(amount_caps=[nte], fixed_fees=[fee], taxes=[{"category": "S", "percent": "19"}])
    told = [one.text for one in desk.bill([]).body.findings if one.code == "amount_cap_passed"]
    assert told == ["Agreed fees are 90.40 USD above the limit of cap n."]


def test_a_surplus_of_rounded_tax_leaves_the_latest_work_alone() -> None:
    """Two minutes of February leave a fraction of 20.27; the latest line gives both cents, the one before keeps all."""
    nte = {"id": "n", "window": "contract", "amount": "20.27", "counts": "fees", "includes_tax": True}
    desk = open_desk(
        also={"from": "2025-02-01"},
        rates=[{"rate": "73.19"}],
        amount_caps=[nte],
        lines={"group_by": ["entry"]},
        taxes=[{"category": "S", "percent": "7"}],
    )
    body = desk.bill("date  worked\n2025-02-10  2m\n2025-03-03  11m\n2025-03-04  7m").body
    assert [f"{line.amount:f}" for line in body.lines] == ["13.42", "3.07"]


def test_a_limit_sees_a_discount_that_stands_apart() -> None:
    """10 % off on a line of its own: 200.00 less 20.00 are 90.00 above the limit, so the line keeps 110.00."""
    nte = {"id": "n", "window": "contract", "amount": "90.00", "counts": "fees", "includes_tax": False}
    off = {"id": "d", "percent": "10", "counts": "fees", "show": "separate"}
    taxes = [{"category": "S", "percent": "19"}]
    body = (
        open_desk(rates=[{"rate": "100"}], amount_caps=[nte], discounts=[off], taxes=taxes)
        .bill("date  worked\n2025-03-03  1.00\n2025-03-04  1.00")
        .body
    )
    assert [(line.kind.value, f"{line.amount:f}") for line in body.lines] == [("fee", "110.00"), ("discount", "-20.00")]
    assert f"{body.net:f}" == "90.00"


@pytest.mark.parametrize("mode", ["half_up", "half_even"])
@pytest.mark.parametrize(
    ("minutes", "up", "even"),
    [(1, "0.01", "0.00"), (3, "0.02", "0.02"), (5, "0.03", "0.02"), (7, "0.04", "0.04"), (9, "0.05", "0.04")],
)
def test_half_a_cent(mode: str, minutes: int, up: str, even: str) -> None:
    """0.30 an hour is half a cent a minute: up, or to the even cent."""
    desk = open_desk(rates=[{"rate": "0.30"}], rounding={"money_rounding": mode})
    assert desk.bill(f"date  worked\n2025-03-03  {minutes}m").net == (up if mode == "half_up" else even)


def test_refunds_are_rounded_away_from_nothing_alike() -> None:
    """Half a cent given back is a cent: -0.005 rounds as 0.005 does."""
    desk = open_desk(expenses={"markups": [{"percent": "50"}]})
    table = "kind  date  amount\nexpense  2025-03-03  {amount}"
    assert [desk.bill(table.format(amount=one)).net for one in ("0.01", "-0.01", "0.03")] == ["0.02", "-0.02", "0.05"]


def test_the_rank_of_late_work_is_behind_all_that_stands() -> None:
    """What is billed already comes first, then what is known, then what came late, whatever their hours."""
    cap = {"id": "day", "window": "day", "hours": "2", "pool": "all", "overflow": "write_down"}
    desk = open_desk(rates=[{"rate": "100"}], caps=[cap])
    late, known, old = desk.entries(
        "entry  start  worked\nlate  2025-03-03T08:00  1.00\nknown  2025-03-03T09:00  1.00\nold  2025-03-03T10:00  1.00"
    )
    billed = desk.bill([replace(late, rank=1), known, replace(old, billed_on="INV-1")])
    assert [source.entry_id for line in billed.body.lines for source in line.sources] == ["known"]
    assert [(one.entry_id, one.reason) for one in billed.body.placements] == [
        ("late", "cap:day"),
        ("old", "billed_before"),
    ]


@pytest.mark.parametrize(("change", "tax"), [("2025-03-31", "20.00"), ("2025-04-01", "10.00"), ("2025-03-30", "20.00")])
def test_a_tax_is_that_of_the_last_day(change: str, tax: str) -> None:
    """10 % until a date, 20 % from it: what is invoiced for March has the rate of 31 March."""
    taxes = [{"category": "S", "percent": "10", "to": change}, {"category": "S", "percent": "20", "from": change}]
    body = open_desk(rates=[{"rate": "100"}], taxes=taxes).bill("date  worked\n2025-03-03  1.00").body
    assert f"{body.tax:f}" == tax


@pytest.mark.parametrize(
    ("reasons", "shown"),
    [
        (("one", "two"), "one; two"),
        (("two", "one"), "one; two"),
        (("one", "one"), "one"),
        (("", "two"), "two"),
        (("", ""), ""),
    ],
)
def test_a_row_of_the_tax_names_each_reason_once(reasons: tuple[str, str], shown: str) -> None:
    """Fees and expenses of one category and rate share a row; their reasons stand there in one order (BD-54)."""
    fees, expenses = ({"category": "S", "percent": "5", "reason": reason} for reason in reasons)
    desk = open_desk(rates=[{"rate": "100"}], taxes=[fees | {"kinds": ["fee"]}, expenses])
    [row] = desk.bill("kind  date  worked  amount\ntime  2025-03-03  1.00  -\nexpense  2025-03-04  -  50.00").body.taxes
    assert (f"{row.base:f}", f"{row.tax:f}", row.reason) == ("150.00", "7.50", shown)


def test_a_mark_up_is_shared_by_what_is_left_of_each_expense() -> None:
    """10 % on two expenses of 100.00; half of all that is travel is given: 5.00 of the mark-up are its part."""
    off = {"id": "d", "percent": "50", "counts": "expenses", "expense_categories": ["travel"]}
    markup = {"markups": [{"percent": "10"}], "show_markup": "separate"}
    billed = open_desk(expenses=markup, discounts=[off]).bill("""
        kind     date        amount  expense
        expense  2025-03-03  100.00  travel
        expense  2025-03-04  100.00  print
    """)
    billed.expect_lines("""
        kind     amount  shares
        expense  50.00   50.00
        expense  100.00  100.00
        markup   15.00   5.00 10.00
    """)


@pytest.mark.parametrize(("threshold", "requested"), [("399.99", "0"), ("400.00", "0"), ("400.01", "1600.00")])
def test_money_is_asked_for_below_the_threshold_only(threshold: str, requested: str) -> None:
    """500.00 less an invoice of 100.00 leave 400.00; what is asked for brings the account to its target."""
    account = {"id": "a", "threshold": threshold, "target": "2000.00"}
    received = [{"on": "2025-01-02", "amount": "500.00", "reference": "wire"}]
    desk = open_desk(rates=[{"rate": "100"}], money_retainer=account | {"received": received})
    [use] = desk.bill("date  worked\n2025-03-03  1.00").body.held_money
    assert (f"{use.balance_after:f}", f"{use.requested:f}") == ("400.00", requested)


def test_what_is_deducted_stands_on_the_last_day() -> None:
    """A deposit of February is deducted on the last day of March, and says which one it was."""
    row = {"id": "a", "name": "Advance", "amount": "50.00", "on": "2025-02-02", "deduct_from": "next_invoices"}
    desk = open_desk(rates=[{"rate": "100"}], deposits=[row], also={"from": "2025-02-01"})
    *_, line = desk.bill("date  worked\n2025-03-03  1.00", "2025-03").body.lines
    assert (line.text, line.date.isoformat(), f"{line.amount:f}") == (
        "Advance of 2025-02-02, deducted",
        "2025-03-31",
        "-50.00",
    )


@pytest.mark.parametrize(
    ("first", "end", "net"),
    [
        ("2025-01-01", "2025-03-01", "0.00"),
        ("2025-04-01", "2025-09-01", "0.00"),
        ("2025-03-31", "2025-09-01", "600.00"),
        ("2025-01-01", "2025-03-02", "600.00"),
    ],
)
def test_a_minimum_is_asked_for_while_there_is_a_contract(first: str, end: str, net: str) -> None:
    """No shortfall before the first day of a contract and none after its last."""
    row = {"amount": "600.00", "every": "month", "counts": "fees", "shortfall": "bill"}
    assert open_desk(minimum=[row], also={"from": first, "to": end}).bill([], "2025-03").net == net


def test_the_firm_and_the_client_are_named_with_all_their_facts() -> None:
    """Who sends an invoice and who gets it: name, address, tax number, and the id of the electronic format."""
    firm = {
        "name": "The Firm",
        "zone": "UTC",
        "currency": "USD",
        "address": ["1 Street"],
        "tax_id": "T-1",
        "ledes_id": "L1",
    }
    client = {"id": "acme", "name": "Acme", "address": ["2 Road", "City"], "tax_id": "T-2", "ledes_id": "L2"}
    body = open_desk(directory={"firm": firm, "clients": [client]}).bill([]).body
    assert (body.firm.name, body.firm.address, body.firm.tax_id, body.firm.ledes_id) == (
        "The Firm",
        ("1 Street",),
        "T-1",
        "L1",
    )
    assert (body.client.name, body.client.address, body.client.tax_id, body.client.ledes_id) == (
        "Acme",
        ("2 Road", "City"),
        "T-2",
        "L2",
    )


def test_lines_of_other_utbms_codes_are_other_lines() -> None:
    """Task and activity of a legal matter tell lines apart; the text of a person and a project does not."""
    billed = open_desk(rates=[{"rate": "100"}], lines={"group_by": ["person"]}).bill("""
        date        worked  utbms  project
        2025-03-03  1.00    L110   a
        2025-03-04  2.00    L120   a
        2025-03-05  4.00    L110   b
    """)
    assert sorted((line.utbms_task, line.seconds // 3600) for line in billed.body.lines) == [("L110", 5), ("L120", 2)]


def test_a_limit_of_money_is_called_by_its_newest_name() -> None:
    """Forecasts and alerts call a limit by its name, and by its id where it has none."""
    limit = {"window": "contract", "amount": "10", "counts": "fees", "to": "2025-03-01"}
    rows = [
        limit | {"id": "a", "name": "Ceiling"},
        limit | {"id": "a", "name": "New ceiling", "from": "2025-03-01", "to": "2025-06-01"},
        limit | {"id": "b"},
    ]
    caps = open_desk(amount_caps=rows).contract.money_caps
    assert {cap.id: cap.name for cap in caps} == {"a": "New ceiling", "b": "b"}


def test_people_have_the_hours_that_are_billed() -> None:
    """Twice 50 minutes on one day and once on another are three rounded hours of Ana, with all of their money."""
    desk = open_desk(rates=[{"rate": "90"}], increments=[{"minutes": 60}])
    work = "date  worked\n2025-03-03  50m\n2025-03-03  50m\n2025-03-04  50m"
    [ana] = desk.bill(work).body.timekeepers
    assert (ana.seconds, f"{ana.amount:f}") == (3 * 3600, "270.00")


def test_a_held_entry_says_what_is_missing() -> None:
    """The words of whoever held it stand on the document, so that somebody can answer."""
    desk = open_desk(rates=[{"rate": "90"}])
    [entry] = desk.entries("entry  date  worked\na  2025-03-03  1.00")
    held = replace(entry, holds=(Hold("on_hold", "which of the two projects?"),))
    desk.bill([held]).expect_placements("""
        entry  bucket  reason   detail
        a      held    on_hold  which of the two projects?
    """)
