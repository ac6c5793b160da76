"""Which rate applies, and premiums: group C of the worked examples and BD-78."""

import pytest

from billing.testing import open_desk

LADDER = [
    {"person": "dana", "rate": "172.50"},
    {"role": "senior", "service_item": "Development", "rate": "165.00"},
    {"role": "senior", "rate": "160.00"},
]
DIRECTORY = {
    "firm": {
        "name": "Firm",
        "zone": "UTC",
        "currency": "USD",
        "rates": [
            {"role": "senior", "rate": "145.00"},
            {"role": "senior", "service_item": "Design", "rate": "146.00"},
        ],
    },
    "clients": [{"id": "acme", "name": "Acme", "rates": [{"rate": "155.00"}]}],
    "projects": [
        {"id": "portal", "client": "acme", "name": "Portal", "rates": [{"rate": "150.00"}]},
        {"id": "shop", "client": "acme", "name": "Shop"},
    ],
    "people": [{"id": "dana", "name": "Dana", "roles": [{"role": "senior"}], "rates": [{"rate": "140.00"}]}],
}


@pytest.mark.parametrize(
    ("rates", "project", "item", "amount", "origin"),
    [
        (LADDER, "portal", "Development", "345.00", "contract person dana"),
        (LADDER[1:], "portal", "Development", "330.00", "contract role senior on Development"),
        (LADDER[1:], "portal", "Design", "320.00", "contract role senior"),
        ([{"rate": "158.00"}], "portal", "Development", "316.00", "contract default"),
        ([], "portal", "Development", "300.00", "project portal"),
        ([], "shop", "Development", "310.00", "client acme"),
    ],
)
def test_the_most_specific_rate_wins(
    rates: list[dict[str, str]], project: str, item: str, amount: str, origin: str
) -> None:
    """BD-12: each level goes before the next; the explanation names the winner."""
    billed = open_desk(rates=rates, directory=DIRECTORY).bill(f"""
        date        person  project    item    worked
        2025-03-20  dana    {project}  {item}  2.00
    """)
    assert billed.net == amount
    assert billed.body.lines[0].charges[0].rate_origin.startswith(f"{origin}: ")


def test_the_explanation_lists_every_candidate_that_lost() -> None:
    """BD-12: lower levels lost to the winner; a row of another date lost because it is not valid."""
    rates = [*LADDER[1:], {"person": "dana", "rate": "172.50", "from": "2025-04-01"}]
    billed = open_desk(rates=rates, directory=DIRECTORY).bill("""
        date        person  project  item         worked
        2025-03-20  dana    portal   Development  2.00
    """)
    lost = billed.body.lines[0].charges[0].lost
    assert [one.split(":")[0] for one in lost] == [
        "contract person dana",
        "contract role senior",
        "project portal",
        "client acme",
        "firm role senior",
        "default of dana",
    ]
    assert lost[0].endswith("not valid on the work date")
    assert all(one.endswith("contract role senior on Development goes first") for one in lost[1:])


REVIEWED = [
    {"rate": "150.00", "from": "2025-01-01", "to": "2025-03-16"},
    {"rate": "165.00", "from": "2025-03-16"},
]


@pytest.mark.parametrize(("attribution", "net"), [("start", "450.00"), ("split", "472.50")])
def test_an_entry_across_the_change_belongs_to_its_start_or_is_split(attribution: str, net: str) -> None:
    """BD-14: three hours over midnight; both parts keep the source entry."""
    billed = open_desk(rates=REVIEWED, zone="Europe/Berlin", day_attribution=attribution).bill("""
        start             worked
        2025-03-15 22:30  3.00
    """)
    assert billed.net == net
    assert {source.entry_id for line in billed.body.lines for source in line.sources} == {"e01"}


def test_time_without_a_rate_is_held_and_never_free() -> None:
    """BD-16: 3.25 h stand in the ledger as held; nothing of them is on a line."""
    billed = open_desk(people="kim").bill("date  person  worked\n2025-03-03  kim  3.25")
    assert billed.body.lines == ()
    billed.expect_ledger("""
        bucket  reason        hours  value
        held    rate_missing  3.25   -
    """)


def test_a_rate_of_zero_is_a_rate() -> None:
    """BD-16: an explicit zero gives a line without charge."""
    billed = open_desk(rates=[{"rate": "0.00"}]).bill("date  worked\n2025-03-03  1.00")
    billed.expect_lines("hours  price  amount\n1.00  0.00  0.00")


STANDARD = [
    {"role": "senior", "rate": "180.00"},
    {"role": "mid", "rate": "130.00"},
    {"role": "junior", "rate": "90.00"},
]
MIXED_TEAM = """
    date        person  worked
    2025-03-03  ana     10.00
    2025-03-04  mo      25.00
    2025-03-05  cy      15.00
"""


def test_a_blended_rate_replaces_the_standard_rates_and_reports_the_variance() -> None:
    """BD-17: 50 h at 125.00; the variance of -150.00 against the standard value is a finding, not a charge."""
    desk = open_desk(
        people="ana senior, mo mid, cy junior", rates=STANDARD, blended=[{"rate": "125.00"}], lines={"group_by": []}
    )
    billed = desk.bill(MIXED_TEAM)
    billed.expect_lines("hours  price  amount\n50.00  125.00  6250.00")
    [finding] = billed.body.findings
    assert finding.code == "blended_variance"
    assert "standard value 6400.00, variance -150.00, effective standard rate 128.00" in finding.text


def test_a_blended_rate_of_named_roles_goes_before_one_of_all() -> None:
    """The more specific row wins, whatever the order of the rows."""
    blended = [{"rate": "125.00"}, {"rate": "170.00", "roles": ["senior"]}]
    desk = open_desk(people="ana senior, mo mid, cy junior", rates=STANDARD, blended=blended)
    assert desk.bill(MIXED_TEAM).net == "6700.00"


AFTER_HOURS = {"id": "after-hours", "factor": "1.5", "outside": "09:00-18:00"}
EMERGENCY = {"id": "emergency", "factor": "2.0", "tags": ["emergency"]}


def test_an_entry_is_cut_where_the_premium_begins() -> None:
    """BD-18: an hour and a half at the rate, the rest at one and a half times it."""
    desk = open_desk(rates=[{"rate": "120.00"}], premiums=[AFTER_HOURS], zone="Europe/Berlin")
    billed = desk.bill("start  worked\n2025-03-03 16:30  3.00")
    billed.expect_lines("""
        text                                            hours  price    amount
        Services, Ana (senior) (after-hours x 1.5)      1.50   180.000  270.00
        Services, Ana (senior)                          1.50   120.00   180.00
    """)
    assert billed.net == "450.00"


@pytest.mark.parametrize(("stacking", "net"), [("highest", "720.00"), ("compound", "900.00")])
def test_premiums_do_not_multiply_unless_the_contract_says_so(stacking: str, net: str) -> None:
    """BD-18, BD-78: emergency work that becomes after-hours work."""
    desk = open_desk(rates=[{"rate": "120.00"}], premiums=[AFTER_HOURS, EMERGENCY], premium_stacking=stacking)
    assert desk.bill("start  worked  tags\n2025-03-03 16:30  3.00  emergency").net == net


def test_a_premium_of_weekdays_ends_at_local_midnight() -> None:
    """Two hours of Sunday and one of Monday, in the contract's zone."""
    weekend = {"id": "weekend", "factor": "2", "weekdays": ["saturday", "sunday"]}
    desk = open_desk(rates=[{"rate": "100"}], premiums=[weekend], zone="America/New_York")
    assert desk.bill("start  worked\n2025-03-16 22:00  3.00").net == "500.00"
    assert desk.bill("date  worked\n2025-03-16  3.00").net == "600.00"


def test_a_rounding_delta_has_the_factor_of_the_last_worked_second() -> None:
    """The delta lies at the end: five minutes of work after 18:00 and ten of rounding count one and a half times."""
    desk = open_desk(rates=[{"rate": "120"}], premiums=[AFTER_HOURS], increments=[{"minutes": 15}])
    assert desk.bill("start  worked\n2025-03-03 17:55  5m").net == "30.00"
    assert desk.bill("start  worked\n2025-03-03 17:55  10m").net == "40.00"
    down = open_desk(rates=[{"rate": "120"}], premiums=[AFTER_HOURS], increments=[{"minutes": 15, "mode": "down"}])
    assert down.bill("start  worked\n2025-03-03 17:45  20m").net == "30.00"
    assert down.bill("start  worked\n2025-03-03 17:40  17m").net == "30.00"


def test_a_premium_of_the_time_of_day_needs_a_time() -> None:
    """An entry with only a date cannot be cut, so it is held instead of guessed."""
    desk = open_desk(rates=[{"rate": "120"}], premiums=[AFTER_HOURS])
    desk.bill("date  worked\n2025-03-03  1.00").expect_placements("""
        entry  bucket  reason                hours
        e01    held    premium_time_missing  1.00
    """)


def test_a_blended_rate_says_whether_premiums_multiply_it() -> None:
    """BD-17: the question must be answered in the contract, and the answer counts."""
    work = "start  worked\n2025-03-03 19:00  1.00"
    for applies, net in ((True, "187.50"), (False, "125.00")):
        blended = [{"rate": "125", "premiums_apply": applies}]
        assert open_desk(blended=blended, premiums=[AFTER_HOURS]).bill(work).net == net
    with pytest.raises(ValueError, match="premiums_apply"):
        open_desk(blended=[{"rate": "125"}], premiums=[AFTER_HOURS])


def test_another_clients_project_lends_no_rate() -> None:
    """A project that belongs to somebody else is no level of this contract; the client's own rate counts."""
    clients = [*DIRECTORY["clients"], {"id": "birch", "name": "Birch"}]
    projects = [{"id": "portal", "client": "birch", "name": "Portal", "rates": [{"rate": "1.00"}]}]
    desk = open_desk(directory=DIRECTORY | {"clients": clients, "projects": projects})
    assert desk.bill("date  person  project  worked\n2025-03-20  dana  portal  2.00").net == "310.00"
