"""Forecasts of caps and balances: the pace so far, workdays and holidays, and the day on which nothing is left."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.forecast import (
    Forecast,
    Window,
    balance_forecasts,
    cap_forecast,
    cap_window,
    forecast,
    may_be_used_up,
    sentence,
)
from billing.invoice import trace_invoice
from billing.money_forecast import amount_cap_forecasts
from billing.testing import open_desk, read_table, seconds_of

OCTOBER = Window(date(2026, 10, 1), date(2026, 11, 1))
WEEK = Window(date(2026, 10, 5), date(2026, 10, 12))
NONE: frozenset[date] = frozenset()


def days(text: str) -> dict[date, Fraction]:
    """`05 9:00, 06 8:00` in October 2026."""
    pairs = [one.split() for one in text.split(",") if one.strip()]
    return {date(2026, 10, int(day)): Fraction(seconds_of(hours)) for day, hours in pairs}


def expected(found: Forecast) -> str:
    return "never" if found.crosses_on is None else f"{found.crosses_on:%d}"


CASES = read_table("""
    case                        limit   used                        today  holidays  crosses  workdays
    nothing yet                 40:00   -                           06     -         never    1
    one day of nine             40:00   05 9:00                     06     -         09       1
    two days of eight           40:00   05 8:00, 06 8:00            07     -         09       2
    slow                        40:00   05 6:00, 06 6:00            07     -         never    2
    half of a usual day today   40:00   05 8:00, 06 4:00            06     -         09       1.5
    half a day of the third     40:00   05 8:00, 06 8:00, 07 4:00   07     -         09       2.5
    more than a usual day       40:00   05 8:00, 06 10:00           06     -         09       2
    the first day               40:00   05 9:00                     05     -         09       1
    before the first hour       40:00   -                           05     -         never    0
    a holiday takes a day       32:00   05 8:00                     06     07        09       1
    the weekend counts as pace  40:00   05 8:00, 10 8:00            11     -         never    5
    Saturday, no workday left   40:00   05 9:00, 06 9:00, 07 9:00   10     -         never    5
    reached                     16:00   05 8:00, 06 8:00            07     -         never    2
    planned work is used        40:00   05 8:00, 09 20:00           06     -         07       1
    one second is left          16:00   05 8:00, 06 7:59:59         07     -         07       2
""")


@pytest.mark.parametrize("row", CASES, ids=lambda row: row["case"])
def test_the_day_of_crossing(row: dict[str, str]) -> None:
    """A week from Monday 5 October 2026: the pace is per workday, and today counts by what was worked."""
    holidays = frozenset({date(2026, 10, int(row["holidays"]))}) if row["holidays"] else NONE
    found = forecast(
        days(row["used"]), Fraction(seconds_of(row["limit"])), WEEK, date(2026, 10, int(row["today"])), holidays
    )
    assert expected(found) == row["crosses"]
    assert found.workdays == Fraction(row["workdays"])


def test_a_warning_needs_a_whole_workday_and_ends_with_the_limit() -> None:
    """Nobody is alarmed by the first hour of a week, nor by what happened already."""
    limit = Fraction(seconds_of("40:00"))
    early = forecast(days("05 9:00"), limit, WEEK, date(2026, 10, 5), frozenset({date(2026, 10, 5)}))
    assert not early.is_warning
    soon = forecast(days("05 9:00"), limit, WEEK, date(2026, 10, 6), NONE)
    assert soon.is_warning
    reached = forecast(days("05 41:00"), limit, WEEK, date(2026, 10, 6), NONE)
    assert reached.is_reached
    assert not reached.is_warning


def test_the_use_at_the_end_goes_on_at_the_same_pace() -> None:
    """Two days of eight hours and three workdays left: forty hours."""
    found = forecast(days("05 8:00, 06 8:00"), Fraction(seconds_of("60:00")), WEEK, date(2026, 10, 7), NONE)
    assert found.expected == seconds_of("40:00")
    assert found.crosses_on is None


def test_what_has_not_begun_goes_nowhere_and_what_is_over_goes_no_further() -> None:
    """Without a workday there is no pace; on the Monday after the week its use is what it was."""
    limit = Fraction(seconds_of("60:00"))
    early = forecast({}, limit, WEEK, date(2026, 10, 5), NONE)
    assert early == Forecast(Fraction(0), limit, Fraction(0), Fraction(0), None, Fraction(0))
    for today in ("05 8:00, 06 8:00", "05 8:00, 06 8:00, 12 4:00"):
        over = forecast(days(today), limit, WEEK, date(2026, 10, 12), NONE)
        assert over.expected == over.used == sum(days(today).values())


@given(
    st.dictionaries(st.dates(date(2026, 10, 1), date(2026, 10, 14)), st.integers(1, 50_000), max_size=10),
    st.integers(1, 400_000),
    st.sets(st.dates(date(2026, 10, 1), date(2026, 10, 31)), max_size=4),
)
def test_a_larger_limit_is_never_crossed_earlier(used: dict[date, int], limit: int, holidays: set[date]) -> None:
    """Monotonicity: more hours last no shorter; a crossing lies in the window, on a workday, not before today."""
    exact = {day: Fraction(seconds) for day, seconds in used.items()}
    today = date(2026, 10, 14)
    small = forecast(exact, Fraction(limit), OCTOBER, today, frozenset(holidays))
    large = forecast(exact, Fraction(limit + 36_000), OCTOBER, today, frozenset(holidays))
    if small.crosses_on is not None:
        assert OCTOBER.start <= today <= small.crosses_on < date(2026, 11, 1)
        assert small.crosses_on.weekday() < 5
        assert small.crosses_on not in holidays
        assert large.crosses_on is None or large.crosses_on >= small.crosses_on
    elif not small.is_reached:
        assert large.crosses_on is None


DATES = {"window_from": "2026-10-05", "window_to": "2026-10-09"}


@given(
    st.dictionaries(st.dates(date(2026, 10, 5), date(2026, 10, 11)), st.integers(1, 40_000), max_size=5),
    st.dates(date(2026, 10, 5), date(2026, 10, 11)),
)
def test_the_cheap_look_misses_no_warning(used: dict[date, int], today: date) -> None:
    """What may not be used up by its total is no warning by its days either."""
    contract = open_desk(caps=CAPS).contract
    found = cap_forecast(contract, "week", "2026-W41", used, today)
    assert found is not None
    if found.is_warning:
        assert may_be_used_up(contract, "week", "2026-W41", sum(used.values()), today)


CAPS = [
    {"id": "week", "window": "week", "hours": 40, "pool": "person"},
    {
        "id": "part",
        "window": "week",
        "hours": 40,
        "pool": "person",
        "week_cap_at_month_end": "prorate_by_workday",
    },
    {"id": "month", "window": "month", "hours": 100, "pool": "all"},
    {
        "id": "dates",
        "window": "dates",
        "hours": 9,
        "pool": "all",
        "window_from": "2026-10-05",
        "window_to": "2026-10-09",
    },
    {"id": "whole", "window": "contract", "hours": 500, "pool": "all"},
    {"id": "day", "window": "day", "hours": 8, "pool": "person"},
]


@pytest.mark.parametrize(
    ("cap", "key", "today", "window"),
    [
        ("week", "2026-W41", "2026-10-05", ("2026-10-05", "2026-10-12")),
        ("week", "2026-W41", "2026-10-12", None),
        ("part", "2026-W40/2026-10", "2026-10-01", ("2026-10-01", "2026-10-05")),
        ("part", "2026-W40/2026-09", "2026-10-01", None),
        ("month", "2026-10", "2026-10-31", ("2026-10-01", "2026-11-01")),
        ("day", "2026-10-05", "2026-10-04", None),
        ("day", "2026-10-05", "2026-10-05", ("2026-10-05", "2026-10-06")),
        ("day", "2026-10-05", "2026-10-06", None),
        ("dates", "dates", "2026-10-08", ("2026-10-05", "2026-10-09")),
        ("dates", "dates", "2026-10-09", None),
        ("whole", "contract", "2026-10-09", ("2024-01-01", None)),
    ],
)
def test_windows_that_hold_today(cap: str, key: str, today: str, window: tuple[str, str | None] | None) -> None:
    """BD-30, BD-31: the window of a key, as dates; one that is over or not begun has no forecast."""
    contract = open_desk(caps=CAPS).contract
    found = cap_window(contract, cap, key, date.fromisoformat(today))
    shown = None if found is None else (str(found.start), None if found.end is None else str(found.end))
    assert shown == window


def test_a_long_window_has_the_pace_since_its_work_began() -> None:
    """A contract of 500 hours that slept for years: 20 hours a day since Monday cross it on the 25th workday."""
    contract = open_desk(caps=CAPS).contract
    used = {date(2026, 10, 5): seconds_of("20:00"), date(2026, 10, 6): seconds_of("20:00")}
    found = cap_forecast(contract, "whole", "contract", used, date(2026, 10, 7))
    assert found is not None
    assert found.workdays == 2
    assert found.crosses_on == date(2026, 11, 6)
    assert found.expected is None
    assert "is expected to be used up on 2026-11-06: 40.00 of 500.00 h used, 20.00 h a workday" in sentence(
        "Cap", found
    )


def test_a_long_window_without_work_has_no_pace() -> None:
    """Nobody worked in it yet: nothing is expected to be used up, whenever it began."""
    contract = open_desk(caps=CAPS).contract
    found = cap_forecast(contract, "whole", "contract", {}, date(2026, 10, 7))
    assert found is not None
    assert found == Forecast(Fraction(0), Fraction(seconds_of("500:00")), Fraction(0), Fraction(0), None, None)


def test_a_retainer_lasts_until_its_balance_is_drawn() -> None:
    """BD-35: 20 hours a month; three hours a workday in the first four workdays leave eight, used up on the 7th."""
    desk = open_desk(
        people="ana senior",
        rates=[{"rate": 100}],
        retainers=[{"id": "care", "hours": 20, "fee": 2400, "overage_rate": 140, "from": "2026-10-01"}],
        **{"from": "2026-10-01"},  # type: ignore[arg-type]  # a keyword of Python
    )
    billed = desk.bill(
        """
        entry  date        worked
        one    2026-10-01  3:00
        two    2026-10-02  3:00
        three  2026-10-05  3:00
        four   2026-10-06  3:00
        """,
        "2026-10",
    )
    ((account, found),) = balance_forecasts(billed.invoice, date(2026, 10, 7))
    assert account.engagement_id == "care"
    assert found.used == seconds_of("12:00")
    assert found.limit == seconds_of("20:00")
    assert found.crosses_on == date(2026, 10, 9)
    assert found.is_warning


def test_emergency_work_burns_the_forecast_too() -> None:
    """BD-39: weighted work counts as it burns, so the balance ends earlier."""
    desk = open_desk(
        people="ana senior",
        rates=[{"rate": 100}],
        retainers=[
            {
                "id": "care",
                "hours": 20,
                "fee": 2400,
                "overage_rate": 140,
                "from": "2026-10-01",
                "weights": [{"factor": 2, "tags": ["emergency"]}],
            }
        ],
        **{"from": "2026-10-01"},  # type: ignore[arg-type]  # a keyword of Python
    )
    billed = desk.bill(
        """
        entry  date        worked  tags
        one    2026-10-01  3:00    emergency
        two    2026-10-02  3:00    emergency
        """,
        "2026-10",
    )
    ((_, found),) = balance_forecasts(billed.invoice, date(2026, 10, 5))
    assert found.used == seconds_of("12:00")
    assert found.pace == seconds_of("6:00")
    assert found.crosses_on == date(2026, 10, 6)
    assert Decimal(found.used.numerator) > 0


def test_a_block_lasts_beyond_the_month() -> None:
    """BD-36: hours bought in advance are asked about until they expire, at the pace of the month."""
    block = {"id": "a", "hours": 20, "purchased": "2026-09-01", "expires": "2027-01-31", "overage_rate": 150}
    desk = open_desk(people="ana senior", rates=[{"rate": 100}], prepaid_blocks=[block])
    billed = desk.bill("entry  date  worked\none  2026-10-01  2:00\ntwo  2026-10-16  4:00", "2026-10")
    ((_, found),) = balance_forecasts(billed.invoice, date(2026, 10, 19))
    assert found.used == seconds_of("6:00")
    assert found.limit == seconds_of("20:00")
    assert found.workdays == 12
    assert found.crosses_on == date(2026, 11, 25)


TAXED = [{"category": "S", "percent": 25}]
NTE = {"id": "nte", "window": "contract", "amount": "6000.00", "counts": "fees", "includes_tax": False}


@pytest.mark.parametrize(
    ("clauses", "used", "crosses"),
    [
        ({}, "3200", "2026-10-13"),
        ({"taxes": TAXED, "amount_caps": [{**NTE, "includes_tax": True}]}, "4000", "2026-10-08"),
        ({"discounts": [{"id": "d", "percent": 50, "counts": "fees"}]}, "1600", "2026-10-28"),
        ({"amount_caps": [{**NTE, "amount": "3200.00"}]}, "3200", None),
        ({"amount_caps": [{**NTE, "window": "month"}]}, "2000", "2026-10-13"),
    ],
)
def test_a_limit_of_money_is_forecast_from_what_was_charged(
    clauses: dict[str, object], used: str, crosses: str | None
) -> None:
    """BD-27: 3,200 in six workdays of a limit of 6,000, as the cap itself counts it: with tax, after discounts."""
    desk = open_desk(
        people="ana senior",
        rates=[{"rate": 100}],
        also={"from": "2026-09-01", "amount_caps": [NTE], **clauses},
    )
    rows = "\n".join(f"e{day}  2026-{day}  4:00" for day in ("09-28", "09-29", "09-30", "10-01"))
    more = "\n".join(f"f{day}  2026-{day}  8:00" for day in ("10-02", "10-05"))
    billed = desk.bill(f"entry  date  worked\n{rows}\n{more}", "2026-10")
    found = amount_cap_forecasts(trace_invoice(billed.invoice.request), date(2026, 10, 6))
    assert [one.cap.id for one in found] == ["nte"]
    assert found[0].forecast.used == Fraction(used)
    assert str(found[0].forecast.crosses_on) == str(crosses)
