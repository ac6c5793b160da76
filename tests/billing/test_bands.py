"""Bands of a tier at their limits, to the second, and the words that people read about them (BD-19..21)."""

import pytest

from billing.testing import open_desk, seconds_of


@pytest.mark.parametrize(
    ("mode", "bands", "hours", "text"),
    [
        ("volume", "10=200 20=90 80", "21.00", "Tier dev: 21.00 h cost 320.00 USD less than 10.00 h would have."),
        ("volume", "10=200 20=100 50", "21.00", "Tier dev: 21.00 h cost 950.00 USD less than 10.00 h would have."),
        ("volume", "10=100 20=120 50", "21.00", "Tier dev: 21.00 h cost 1350.00 USD less than 20.00 h would have."),
        ("volume", "20=150 100", "30.00", ""),
        ("volume", "20=150 100", "20.00", ""),
        ("volume", "10=100 20=150 100", "10.00", ""),
        ("volume", "0.5=100 20", "2.4975", "Tier dev: 2.4975 h cost 0.05 USD less than 0.50 h would have."),
        ("graduated", "20=150 130", "21.00", ""),
    ],
)
def test_a_cliff_names_the_hours_that_would_have_cost_most(mode: str, bands: str, hours: str, text: str) -> None:
    """BD-20: of several limits the dearest, the first of equals; what costs as much is none, and bands have none."""
    *limited, last = [one.split("=") for one in bands.split()]
    rows = [{"up_to": limit, "rate": rate} for limit, rate in limited] + [{"rate": last[0]}]
    desk = open_desk(tiers=[{"id": "dev", "mode": mode, "bands": rows}])
    body = desk.bill(f"date  worked\n2025-03-03  {hours}").body
    assert [(one.code, one.text) for one in body.findings] == ([("volume_cliff", text)] if text else [])


def test_each_row_of_a_tier_has_its_own_cliff() -> None:
    """The prices of a volume change on 15 March: only the new ones have a cliff."""
    old = {
        "id": "dev",
        "mode": "volume",
        "bands": [{"up_to": "10", "rate": "100"}, {"rate": "100"}],
        "to": "2025-03-15",
    }
    new = old | {"bands": [{"up_to": "10", "rate": "100"}, {"rate": "50"}], "from": "2025-03-15", "to": None}
    for rows in ([old, new], [new | {"from": None, "to": "2025-03-15"}, old | {"from": "2025-03-15", "to": None}]):
        body = open_desk(tiers=rows).bill("date  worked\n2025-03-03  6.00\n2025-03-20  6.00").body
        texts = [one.text for one in body.findings]
        assert texts == ["Tier dev: 12.00 h cost 400.00 USD less than 10.00 h would have."]


@pytest.mark.parametrize(
    ("worked", "net", "lines"),
    [
        ("0:59:59", "3599.00", 1),
        ("1:00:00", "3600.00", 1),
        ("1:00:01", "3602.00", 2),
        ("2:00:00", "10800.00", 2),
        ("2:00:01", "10803.00", 3),
    ],
)
def test_bands_are_filled_to_the_second(worked: str, net: str, lines: int) -> None:
    """One unit of money a second in the first hour, two in the second, then three; no band has a line for no time."""
    bands = [{"up_to": "1", "rate": "3600"}, {"up_to": "2", "rate": "7200"}, {"rate": "10800"}]
    body = open_desk(tiers=[{"id": "dev", "bands": bands}]).bill(f"date  worked\n2025-03-03  {worked}").body
    assert (f"{body.net:f}", len(body.lines)) == (net, lines)


@pytest.mark.parametrize("first", ["0:00:01", "0:59:58", "0:59:59", "1:00:00"])
def test_bands_go_on_with_the_next_entry_to_the_second(first: str) -> None:
    """What the first entry leaves of the first hour, be it one second or none, the second one has at its price."""
    bands = [{"up_to": "1", "rate": "3600"}, {"rate": "7200"}]
    billed = open_desk(tiers=[{"id": "dev", "bands": bands}]).bill(
        f"start  worked\n2025-03-03T09:00  {first}\n2025-03-03T12:00  1:00:00"
    )
    dear, cheap = billed.body.lines
    assert (cheap.seconds, dear.seconds) == (3600, seconds_of(first))
    assert [one.worked_seconds for one in cheap.sources if one.entry_id == "e01"] == [seconds_of(first)]
    assert [one.entry_id for one in dear.sources] == ["e02"]


@pytest.mark.parametrize(("minutes", "hours"), [(("25m", "65m"), "1.50 0.25"), (("10m", "100m"), "1.50 0.50")])
def test_rounded_time_fills_the_bands(minutes: tuple[str, str], hours: str) -> None:
    """Steps 5 and 9: quarters of hours are what a band counts, so 25 and 65 minutes are 1.75 hours and not 1.50."""
    bands = [{"up_to": "1.5", "rate": "100"}, {"rate": "60"}]
    desk = open_desk(tiers=[{"id": "dev", "bands": bands}], increments=[{"minutes": 15}])
    billed = desk.bill("date  worked\n2025-03-03  {}\n2025-03-04  {}".format(*minutes))
    billed.expect_lines("hours\n" + "\n".join(hours.split()))


@pytest.mark.parametrize(
    ("mode", "worked", "origin"),
    [
        ("graduated", "20m", "tier dev, hours from 0.00 to 20.00: 150 USD (position 0.00 h -> 0.3333 h)"),
        ("volume", "20m", "tier dev, all hours, up to 20.00: 150 USD (position 0.00 h -> 0.3333 h)"),
        ("volume", "30.00", "tier dev, all hours, up to 50.00: 130 USD (position 0.00 h -> 30.00 h)"),
        ("volume", "51.125", "tier dev, all hours, beyond the last limit: 110 USD (position 0.00 h -> 51.125 h)"),
    ],
)
def test_the_price_of_a_tier_says_which_hours_it_is_for(mode: str, worked: str, origin: str) -> None:
    """People read which band counts, and where in the tier the period stands."""
    bands = [{"up_to": "20", "rate": "150"}, {"up_to": "50", "rate": "130"}, {"rate": "110"}]
    desk = open_desk(tiers=[{"id": "dev", "mode": mode, "bands": bands}])
    [line] = desk.bill(f"date  worked\n2025-03-03  {worked}").body.lines
    assert line.charges[0].rate_origin == origin
