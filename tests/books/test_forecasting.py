"""Alerts before a cap or a balance is used up: once a window, from rows alone, judged on ticks."""

from datetime import UTC, datetime

from books.forecasting import JUDGED_AT_ONCE_MAX, outlooks
from books.testing import Story, contract, directory, entry, firm, terms, tick, week_cap


def forecasts(story: Story) -> list[str]:
    """The texts of forecasts, in the order in which consumers see them."""
    return [alert.text for alert in story.journal.alerts if alert.kind == "forecast"]


def test_a_cap_is_alerted_before_it_is_reached(story: Story) -> None:
    """Ten hours on Monday: on Monday evening Thursday is named; that is said once."""
    story.say(contract(terms(caps=[week_cap(thresholds=[100])])))
    story.say(entry("mon", start="2026-10-05T08:00", hours="10"))
    assert forecasts(story) == []
    story.say(tick("2026-10-05T20:00"))
    (text,) = forecasts(story)
    assert "is expected to be used up on 2026-10-08: 10.00 of 40.00 h used, 10.00 h a workday." in text
    story.say(tick("2026-10-06T00:02"), entry("tue", start="2026-10-06T08:00", hours="10"), tick("2026-10-07T00:01"))
    assert forecasts(story) == [text]
    (alert,) = [one for one in story.journal.alerts if one.kind == "forecast"]
    assert (alert.window, alert.thresholds, alert.used_seconds) == ("2026-W41", (), 36_000)


def test_a_slow_week_and_a_full_one_are_not_alerted(story: Story) -> None:
    """What lasts needs no alert, and what is reached has another one."""
    story.say(contract(terms(caps=[week_cap()])))
    story.say(entry("mon", start="2026-10-05T08:00", hours="7"), tick("2026-10-06T00:01"))
    story.say(entry("tue", start="2026-10-06T08:00", hours="18"), entry("more", start="2026-10-07T02:00", hours="17"))
    story.say(tick("2026-10-08T00:01"))
    assert forecasts(story) == []


def test_each_week_and_each_new_limit_has_its_own_alert(story: Story) -> None:
    """Another window is another question; a raised limit too."""
    story.say(contract(terms(caps=[week_cap(thresholds=[100])])))
    for day in ("05", "12"):
        story.say(entry(f"mon-{day}", start=f"2026-10-{day}T08:00", hours="12"))
        story.say(tick(f"2026-10-{int(day) + 1:02d}T00:01"))
    assert len(forecasts(story)) == 2
    story.say(contract(terms(caps=[week_cap(hours="48", thresholds=[100])]), event_id="raised"))
    story.say(tick("2026-10-14T00:01"))
    assert len(forecasts(story)) == 2
    story.say(entry("tue", start="2026-10-13T08:00", hours="12"), entry("wed", start="2026-10-14T08:00", hours="12"))
    story.say(tick("2026-10-15T00:01"))
    assert len(forecasts(story)) == 3


def test_a_retainer_is_alerted_before_its_balance_ends(story: Story) -> None:
    """Five hours a workday of a balance of twenty."""
    care = {"id": "care", "hours": 20, "fee": 2000, "overage_rate": 120, "from": "2026-10-01"}
    story.say(contract(terms(retainers=[care], **{"from": "2026-10-01"})))
    story.say(entry("thu", start="2026-10-01T08:00", hours="5"), entry("fri", start="2026-10-02T08:00", hours="5"))
    story.say(tick("2026-10-05T00:01"))
    (text,) = forecasts(story)
    assert text.startswith("Balance care (2026-10) is expected to be used up on 2026-10-06: 10.00 of 20.00 h used")


def test_outlooks_follow_from_rows_alone(story: Story) -> None:
    """What `status` shows is computed when it is asked, also for what is not alerted."""
    story.say(contract(terms(caps=[week_cap()])), entry("mon", start="2026-10-05T08:00", hours="6"))
    (one,) = outlooks(story.book, story.catalog, datetime(2026, 10, 6, 12, tzinfo=UTC))
    assert one.forecast.crosses_on is None
    assert one.forecast.expected == 30 * 3600
    assert not list(outlooks(story.book, story.catalog, datetime(2026, 10, 13, tzinfo=UTC)))


def test_a_tick_judges_some_contracts_and_the_next_one_goes_on(story: Story) -> None:
    """No tick has to judge a whole large book; each contract is judged once a day all the same."""
    names = [f"client-{number:02d}" for number in range(JUDGED_AT_ONCE_MAX + 5)]
    people = [{"id": f"of-{name}", "name": f"of {name}", "roles": [{"role": "senior"}]} for name in names]
    clients = [{"id": name, "name": name} for name in names]
    story.say(directory(firm(clients=clients, projects=[], people=people)))
    for name in names:
        story.say(contract(terms(client=name, caps=[week_cap(thresholds=[100])])))
        who = {"client_ref": name, "project_ref": "", "person_ref": f"of {name}"}
        story.say(entry(f"work of {name}", "2026-10-05T08:00", "12", **who))
    story.say(tick("2026-10-06T00:01"))
    assert len(forecasts(story)) == JUDGED_AT_ONCE_MAX
    story.say(tick("2026-10-06T00:02"))
    assert len(forecasts(story)) == len(names)
    story.say(tick("2026-10-06T00:03"))
    assert len(forecasts(story)) == len(names)


def test_a_limit_of_money_is_alerted_before_it_is_reached(story: Story) -> None:
    """Not to exceed 9,000: at 1,200 a workday it is reached in eight workdays."""
    nte = {"id": "nte", "window": "contract", "amount": "9000", "counts": "fees", "includes_tax": False}
    story.say(contract(terms(amount_caps=[nte], **{"from": "2026-10-01", "to": "2027-01-01"})))
    story.say(entry("mon", start="2026-10-05T08:00", hours="8"), entry("tue", start="2026-10-06T08:00", hours="8"))
    story.say(tick("2026-10-07T00:01"))
    (alert,) = [one for one in story.journal.alerts if one.kind == "forecast"]
    assert alert.text == (
        "Amount cap nte (contract) is expected to be used up on 2026-10-14: 2400.00 of 9000.00 EUR used, "
        "1200.00 EUR a workday."
    )
    assert (alert.pool, alert.used_seconds, str(alert.used_percent)) == ("amount", 0, "26.67")
