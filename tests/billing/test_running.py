"""Running hours and alerts: BD-29, and what single entries add to cap windows."""

import pytest

from billing.running import CapShare, alert_thresholds, cap_limit, contributions
from billing.testing import open_desk

CAP = {"id": "week", "window": "week", "hours": "40", "roles": ["senior"], "pool": "person"}
HOUR = 3600


def messages(hours: list[str], *, rearm: bool) -> list[str]:
    """What is said after each change of a window of 40 hours, in words."""
    fired: frozenset[int] = frozenset()
    before, said = 0, []
    for text in hours:
        after = int(text.replace(".", "")) * 36
        change = alert_thresholds(before, after, 40 * HOUR, (50, 80, 100), fired, rearm)
        words = ["recovered"] if change.recovered else []
        words += [",".join(str(one) for one in change.fired_now)] if change.fired_now else []
        said.append(" ".join(words) or "-")
        before, fired = after, change.fired
    return said


COURSE = ["18.00", "21.00", "31.00", "33.00", "40.50", "31.00", "34.00"]


def test_each_threshold_fires_once_per_window() -> None:
    """BD-29: 50 at 21 h, 80 at 33 h, 100 at 40.5 h, a recovery at 31 h, and no second 80 at 34 h."""
    assert messages(COURSE, rearm=False) == ["-", "50", "-", "80", "100", "recovered", "-"]


def test_a_recovery_rearms_only_when_the_contract_says_so() -> None:
    """BD-29: with rearm the 80 % alert comes again at 34 h."""
    assert messages(COURSE, rearm=True) == ["-", "50", "-", "80", "100", "recovered", "80"]


def test_one_jump_is_one_message() -> None:
    """BD-29: from 18 h to 40.5 h names all three thresholds."""
    assert messages(["18.00", "40.50"], rearm=False) == ["-", "50,80,100"]


def test_a_threshold_fires_when_it_is_reached_exactly() -> None:
    """BD-29: 20 h of 40 h are 50 %; hours that only fall fire nothing."""
    assert messages(["20.00", "19.00", "20.00"], rearm=True) == ["50", "-", "-"]
    assert alert_thresholds(0, 0, 0, (50,), frozenset(), rearm=False).fired_now == ()
    assert alert_thresholds(HOUR, HOUR // 2, 0, (50,), frozenset(), rearm=False).fired_now == ()


@pytest.mark.parametrize(
    ("changes", "shares"),
    [
        ({}, [CapShare("week", "ana", "2025-W10", 900)]),
        ({"person": "cy"}, []),
        ({"category": "non_billable"}, []),
        ({"held": "possible_duplicate"}, []),
        ({"written_off": "courtesy"}, []),
        ({"category": "-"}, []),
        ({"worked": "0m"}, []),
        ({"kind": "expense"}, []),
    ],
)
def test_an_entry_adds_its_rounded_time_unless_it_is_not_billed(
    changes: dict[str, str], shares: list[CapShare]
) -> None:
    """Held, undecided, written off and non-billable time uses no cap; a role outside of the cap neither."""
    row = {
        "start": "2025-03-03 09:00",
        "person": "ana",
        "worked": "10m",
        "category": "billable",
        "held": "-",
        "written_off": "-",
        "kind": "time",
    } | changes
    desk = open_desk(rates=[{"rate": "100"}], caps=[CAP], increments=[{"minutes": 15}])
    [entry] = desk.entries("  ".join(row) + "\n" + "  ".join(row.values()))
    assert contributions(desk.contract, desk.directory, entry) == tuple(shares)


def test_what_a_fixed_fee_covers_adds_nothing() -> None:
    """Step 6 goes before step 7: covered work fills no cap; work of a retainer does, and what misses a fee's tags."""
    desk = open_desk(
        rates=[{"rate": "100"}],
        caps=[CAP],
        fixed_cover=[{"id": "portal", "projects": ["portal"]}, {"id": "launch", "tags": ["launch"]}],
        retainers=[{"id": "care", "hours": "5", "fee": "1"}],
    )
    entries = desk.entries("""
        date        project  category  worked
        2025-03-03  portal   billable  1.00
        2025-03-03  portal   project   1.00
        2025-03-03  -        retainer  1.00
        2025-03-03  -        project   1.00
    """)
    shares = [contributions(desk.contract, desk.directory, entry) for entry in entries]
    assert shares == [(), (), (CapShare("week", "ana", "2025-W10", HOUR),), ()]


def test_an_entry_across_midnight_adds_to_two_days() -> None:
    """With split attribution each day has its part; a wider scope than the entry adds worked seconds only."""
    cap = {"id": "day", "window": "day", "hours": "8", "pool": "all"}
    desk = open_desk(
        rates=[{"rate": "100"}],
        caps=[cap, CAP],
        day_attribution="split",
        increments=[{"minutes": 60, "scope": "day"}],
    )
    [entry] = desk.entries("start  worked\n2025-03-03 23:30  90m")
    assert contributions(desk.contract, desk.directory, entry) == (
        CapShare("day", "all", "2025-03-03", HOUR // 2),
        CapShare("week", "ana", "2025-W10", HOUR + HOUR // 2),
        CapShare("day", "all", "2025-03-04", HOUR),
    )


def test_a_window_knows_its_limit_by_its_key() -> None:
    """A limit that changes by date counts as on the window's last day; a prorated week by its part."""
    rows = [CAP | {"to": "2025-03-10"}, CAP | {"hours": "30", "from": "2025-03-10"}]
    prorated = {
        "id": "part",
        "window": "week",
        "hours": "40",
        "pool": "all",
        "week_cap_at_month_end": "prorate_by_workday",
    }
    whole = {"id": "all", "window": "contract", "hours": "100", "pool": "all"}
    contract = open_desk(caps=[*rows, prorated, whole]).contract
    assert cap_limit(contract, "week", "2025-W10") == 40 * HOUR
    assert cap_limit(contract, "week", "2025-W11") == 30 * HOUR
    assert cap_limit(contract, "part", "2025-W40/2025-09") == 16 * HOUR
    assert cap_limit(contract, "part", "2025-W40/2025-10") == 24 * HOUR
    assert cap_limit(contract, "part", "2025-W41") == 40 * HOUR
    assert cap_limit(contract, "all", "contract") == 100 * HOUR
    with pytest.raises(KeyError):
        cap_limit(contract, "none", "contract")


@pytest.mark.parametrize(
    ("cap_id", "key", "hours"),
    [
        ("week", "2025-W14", 40),
        ("part", "2025-W14/2025-03", 8),
        ("part", "2025-W14/2025-04", 32),
        ("part", "2025-W13/2025-03", 40),
        ("month", "2025-03", 100),
        ("day", "2025-03-31", 8),
        ("day", "2025-03-30", 7),
        ("project", "alpha", 60),
        ("project", "alpha/x", 60),
    ],
)
def test_the_limit_of_a_window_is_that_of_its_last_day(cap_id: str, key: str, hours: int) -> None:
    """31 March 2025 is a Monday: a week that is shared by workdays has one of five in March; rows change with dates."""
    caps = [
        {"id": "week", "window": "week", "hours": "40", "pool": "all"},
        {"id": "part", "window": "week", "hours": "40", "pool": "all", "week_cap_at_month_end": "prorate_by_workday"},
        {"id": "month", "window": "month", "hours": "90", "pool": "all", "to": "2025-03-31"},
        {"id": "month", "window": "month", "hours": "100", "pool": "all", "from": "2025-03-31"},
        {"id": "day", "window": "day", "hours": "7", "pool": "all", "to": "2025-03-31"},
        {"id": "day", "window": "day", "hours": "8", "pool": "all", "from": "2025-03-31"},
        {"id": "project", "window": "project", "hours": "50", "pool": "all", "to": "2025-03-31"},
        {"id": "project", "window": "project", "hours": "60", "pool": "all", "from": "2025-03-31"},
    ]
    assert cap_limit(open_desk(caps=caps).contract, cap_id, key) == hours * HOUR
