"""Edges of lines: their order, their words and quantities, which rate they have and why."""

import pytest

from billing.testing import open_desk

PROJECTS = {
    "projects": [{"id": "p1", "client": "acme", "name": "Zebra"}, {"id": "p2", "client": "acme", "name": "Ark"}]
}


def test_lines_stand_by_name_and_then_by_what_tells_them_apart() -> None:
    """Projects by their names, projects of one name by id, then task codes: not as entries came."""
    twins = [{"id": one, "client": "acme", "name": "Twin"} for one in ("t2", "t1")]
    directory = {"projects": [*PROJECTS["projects"], *twins]}
    billed = open_desk(directory=directory, rates=[{"rate": "60"}], lines={"group_by": ["project"]}).bill("""
        start             worked  project  utbms
        2025-03-03 09:00  1.00    p1       -
        2025-03-03 10:00  2.00    p2       L120
        2025-03-03 12:00  3.00    p2       L110
        2025-03-04 09:00  4.00    t2       -
        2025-03-05 09:00  5.00    t1       -
    """)
    billed.expect_lines("""
        text             utbms_task  hours
        Ark, Services    L110        3.00
        Ark, Services    L120        2.00
        Twin, Services   -           5.00
        Twin, Services   -           4.00
        Zebra, Services  -           1.00
    """)


def test_a_line_names_only_what_all_of_it_has() -> None:
    """Two people, two items and two projects on a line are none; it has the date of its last work."""
    billed = open_desk(rates=[{"rate": "60"}], lines={"group_by": []}).bill("""
        date        worked  person  item  project
        2025-03-03  1.00    ana     Plan  p1
        2025-03-31  1.00    bo      Talk  p2
    """)
    [line] = billed.body.lines
    assert (line.text, line.person_id, line.service_item, line.project_id) == ("Services", "", "", "")
    assert line.date.isoformat() == "2025-03-31"


def test_a_roll_up_names_roles_where_there_are_some() -> None:
    """Who has no role is not behind an empty bracket."""
    rollups = [{"id": "care", "text": "Care", "tags": ["care"]}]
    billed = open_desk(people="ana senior, kim", rates=[{"rate": "60"}], lines={"rollups": rollups}).bill("""
        date        worked  person  tags
        2025-03-03  1.00    ana     care
        2025-03-03  2.00    kim     care
    """)
    billed.expect_lines("""
        text           hours
        Care           2.00
        Care (senior)  1.00
    """)


def test_an_expense_is_named_by_what_is_known_of_it() -> None:
    """Its text, else its category, else that it is one."""
    open_desk().bill("""
        kind     date        amount  text   expense
        expense  2025-03-03  1.00    Hotel  travel
        expense  2025-03-04  2.00    -      travel
        expense  2025-03-05  3.00    -      -
    """).expect_lines("""
        text     amount
        Hotel    1.00
        travel   2.00
        Expense  3.00
    """)


@pytest.mark.parametrize(
    ("lines", "rates", "quantities"),
    [
        ({}, "one", ["1.25"]),
        ({"rates": "average"}, "two", ["0.50", "0.75"]),
        ({"rates": "lump"}, "one", ["1.25"]),
        ({"rates": "lump"}, "two", ["0.50", "0.75"]),
    ],
)
def test_a_charge_has_the_hours_behind_it(lines: dict[str, str], rates: str, quantities: list[str]) -> None:
    """BD-50: what is shown as one piece was worked in hours; each price has its own."""
    rollups = [{"id": "care", "text": "Care", "tags": ["care"]} | lines] if lines else []
    per_role = [{"role": "senior", "rate": "60"}, {"role": "junior", "rate": "60" if rates == "one" else "40"}]
    group: dict[str, object] = {"group_by": [], "rollups": rollups}
    billed = open_desk(rates=[{"rate": "60"}] if rates == "one" else per_role, lines=group).bill("""
        date        worked  person  tags
        2025-03-03  0.50    ana     care
        2025-03-04  0.75    cy      care
    """)
    [line] = billed.body.lines
    assert [f"{one.quantity:f}" for one in line.charges] == quantities


def test_the_charge_of_an_expense_has_its_quantity() -> None:
    """186 miles are 186, and no hours."""
    [line] = open_desk().bill("kind  date  quantity  price\nexpense  2025-03-05  186  0.30").body.lines
    assert [f"{one.quantity:f} x {one.unit_price:f}" for one in line.charges] == ["186 x 0.30"]


def test_the_id_of_a_line_stays_for_years() -> None:
    """Corrections find a line by its id, so what it is made of may not change."""
    billed = open_desk(rates=[{"rate": "60"}], fixed_fees=[{"id": "f", "amount": "1.00", "on": "2025-03-03"}]).bill("""
        kind     date        worked  amount
        time     2025-03-03  1.00    -
        expense  2025-03-05  -       3.00
    """)
    assert [line.line_id[:8] for line in billed.body.lines] == ["e1c8767b", "e9102a20", "65b8f4de"]


LADDER = [
    {"person": "dana", "rate": "172.50"},
    {"role": "senior", "service_item": "Talk", "rate": "165.00"},
    {"role": "senior", "rate": "160.00"},
    {"rate": "150.00"},
]
FIRM = {"name": "Firm", "zone": "UTC", "currency": "USD"}


def test_the_order_of_rates_in_a_file_decides_nothing() -> None:
    """BD-12: from the most general row to the most special, and the other way round."""
    for rows in (LADDER, LADDER[::-1]):
        for first, net in ((0, "172.50"), (1, "165.00"), (2, "160.00"), (3, "150.00")):
            rates = [row for row in rows if row in LADDER[first:]]
            desk = open_desk(people="dana senior", rates=rates)
            assert desk.bill("date  person  item  worked\n2025-03-03  dana  Talk  1.00").net == net
    cards = [{"role": "senior", "rate": "145.00"}, {"role": "senior", "service_item": "Talk", "rate": "146.00"}]
    for some in (cards, cards[::-1]):
        desk = open_desk(people="dana senior", directory={"firm": FIRM | {"rates": some}})
        billed = desk.bill("date  person  item  worked\n2025-03-03  dana  Talk  1.00")
        assert billed.net == "146.00"
        assert billed.body.lines[0].charges[0].rate_origin == "firm role senior on Talk: 146.00 USD [open, open)"


BLENDED = """
    date        person  worked
    2025-03-03  ana     2.00
    2025-03-04  cy      3.00
"""


@pytest.mark.parametrize(
    ("rates", "blended", "text"),
    [
        (
            [{"person": "ana", "rate": "90.00"}, {"rate": "50.00"}],
            [{"rate": "60.00"}],
            "5.00 h at blended rates: standard value 330.00, variance -30.00, effective standard rate 66.00.",
        ),
        (
            [{"person": "ana", "rate": "90.00"}, {"rate": "50.00"}],
            [{"rate": "60.00", "roles": ["junior"]}],
            "3.00 h at blended rates: standard value 150.00, variance 30.00, effective standard rate 50.00.",
        ),
        (
            [{"person": "ana", "rate": "90.00", "currency": "EUR"}, {"rate": "50.00"}],
            [{"rate": "60.00"}],
            "3.00 h at blended rates: standard value 150.00, variance 30.00, effective standard rate 50.00.",
        ),
    ],
)
def test_a_blended_rate_is_compared_with_what_it_replaces(
    rates: list[dict[str, str]], blended: list[dict[str, object]], text: str
) -> None:
    """BD-17: with the most special rate of each hour that it prices; what is in another currency is left out."""
    assert [one.text for one in open_desk(rates=rates, blended=blended).bill(BLENDED).body.findings] == [text]


def test_a_line_names_its_person_where_it_has_one() -> None:
    """BD-50: grouped by person a line says who worked; a line of two people names none."""
    work = "person  date        worked\nana  2025-03-05  1.00\nbo  2025-03-05  1.00"
    apart = open_desk(rates=[{"rate": "100"}], lines={"group_by": ["person"]}).bill(work)
    assert [(one.person_id, one.person_name) for one in apart.body.lines] == [("ana", "Ana"), ("bo", "Bo")]
    together = open_desk(rates=[{"rate": "100"}], lines={"group_by": ["service_item"]}).bill(work)
    assert [(one.person_id, one.person_name) for one in together.body.lines] == [("", "")]


def test_an_expense_has_the_code_of_its_category() -> None:
    """Step 12: the UTBMS code of the mark-up's row stands on the line."""
    markups = [{"category": "hotel", "percent": "10", "utbms_code": "E110"}]
    billed = open_desk(expenses={"markups": markups}).bill(
        "date  kind  amount  expense\n2025-03-05  expense  100.00  hotel\n2025-03-06  expense  10.00  taxi"
    )
    assert {line.expense_code: f"{line.amount:f}" for line in billed.body.lines} == {"E110": "110.00", "": "10.00"}


def test_a_tax_tells_each_reason_once_and_none_for_what_has_none() -> None:
    """BD-53: two rules of one category and rate are one row; its text is the reason that one of them has."""
    taxes = [{"category": "S", "percent": "20", "service_items": ["x"], "reason": "Local"}]
    taxes.append({"category": "S", "percent": "20"})
    desk = open_desk(rates=[{"rate": "100"}], lines={"group_by": ["service_item"]}, taxes=taxes)
    (row,) = desk.bill("date  worked  item\n2025-03-05  1.00  x\n2025-03-05  1.00  y").body.taxes
    assert (row.reason, f"{row.base:f}", f"{row.tax:f}") == ("Local", "200.00", "40.00")


def test_a_sum_for_all_still_tells_its_hours() -> None:
    """BD-50: the line is one lump, and its charge says how many hours are in it."""
    lump = {"rollups": [{"id": "all", "text": "All", "words": ["x"], "rates": "lump"}]}
    desk = open_desk(rates=[{"rate": "100"}], lines=lump)
    (line,) = desk.bill("date  worked  text\n2025-03-05  2.50  x").body.lines
    assert (f"{line.quantity:f}", line.unit, f"{line.charges[0].quantity:f}") == ("1", "lump", "2.50")
