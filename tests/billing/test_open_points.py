"""What the rules leave open on the side of time, decided in docs/billing/engagements.md, one story each."""

import pytest
from pydantic import ValidationError

from billing.testing import contract_of, directory_of
from tests.billing.tables import check

LEVELS = (
    ("contract blended rate", "blended", "{rate: 10, roles: [senior]}"),
    ("contract blended rate", "blended", "{rate: 11}"),
    ("contract person ana", "rates", "{rate: 12, person: ana}"),
    ("contract role senior on Build", "rates", "{rate: 13, role: senior, service_item: Build}"),
    ("contract role senior", "rates", "{rate: 14, role: senior}"),
    ("contract default", "rates", "{rate: 15}"),
    ("project portal", "project", "{rate: 16}"),
    ("client acme", "client", "{rate: 17}"),
    ("firm role senior on Build", "firm", "{rate: 18, role: senior, service_item: Build}"),
    ("firm role senior", "firm", "{rate: 19, role: senior}"),
    ("default of ana", "person", "{rate: 20}"),
)


@pytest.mark.parametrize("winner", range(len(LEVELS)))
def test_each_level_of_rates_wins_when_no_level_before_it_speaks(winner: int) -> None:
    """BD-12: all levels from the winner down are there; the explanation names it, and all others as losers."""
    rows: dict[str, list[str]] = {place: [] for place in ("blended", "rates", "project", "client", "firm", "person")}
    for _, place, row in LEVELS[winner:]:
        rows[place].append(row)
    stated = {place: f"[{', '.join(found)}]" for place, found in rows.items()}
    done = check(f"""
    contract:
        blended: {stated["blended"]}
        rates: {stated["rates"]}
    directory:
        firm: {{name: Firm, zone: UTC, currency: USD, rates: {stated["firm"]}}}
        clients: [{{id: acme, name: Acme, rates: {stated["client"]}}}]
        projects: [{{id: portal, client: acme, name: Portal, rates: {stated["project"]}}}]
        people: [{{id: ana, name: Ana, roles: [{{role: senior}}], rates: {stated["person"]}}}]
    work:
        date        project  item   worked
        2025-03-03  portal   Build  1.00
    lines 2025-03:
        price         amount
        {10 + winner}            {10 + winner}.00
    """)
    [line] = done.bill("2025-03").body.lines
    assert line.charges[0].rate_origin.startswith(f"{LEVELS[winner][0]}: ")
    assert len(line.charges[0].lost) == len(LEVELS) - 1 - winner


def test_two_rows_of_one_level_on_one_date_are_a_mistake_of_the_file() -> None:
    """Which of them counts is never guessed, in the contract and in the directory; a row may begin where one ends."""
    for rows in (
        [{"rate": "1", "role": "a", "to": "2025-02-02"}, {"rate": "2", "role": "a", "from": "2025-02-01"}],
        [{"rate": "1", "person": "ana"}, {"rate": "2", "person": "ana", "from": "2030-01-01"}],
    ):
        with pytest.raises(ValidationError, match="valid on one date"):
            contract_of({"rates": rows})
        client = {"id": "acme", "name": "A", "rates": [{"rate": row["rate"]} for row in rows]}
        with pytest.raises(ValidationError, match="valid on one date"):
            directory_of("", {"clients": [client]})
    contract_of({"rates": [{"rate": "1", "to": "2025-02-01"}, {"rate": "2", "from": "2025-02-01"}]})


def test_an_hour_that_the_clock_skips_is_nobodys_hour() -> None:
    """Berlin, 30 March 2025, skips 02:00 to 03:00: a premium of that hour meets nothing, one from 02:30 starts at 3."""
    check("""
    contract:
        zone: Europe/Berlin
        rates: [{rate: 100.00}]
        premiums:
          - {id: skipped, factor: 9, inside: 02:00-03:00}
          - {id: early, factor: 2, inside: 02:30-04:00}
    work:
        start             worked
        2025-03-30 01:00  3.00
    lines 2025-03:
        text                                hours  amount
        Services, Ana (senior) (early x 2)  1.00   200.00
        Services, Ana (senior)              2.00   200.00
    """)


def test_a_day_without_a_midnight_begins_at_its_first_second() -> None:
    """In Cairo 25 April 2025 begins at 01:00: work over the missing midnight is split there, and no second is lost."""
    check("""
    contract:
        zone: Africa/Cairo
        day_attribution: split
        rates: [{rate: 100.00}]
        lines: {group_by: [date]}
    work:
        start             worked
        2025-04-24 23:00  3.00
    lines 2025-04:
        date        hours
        2025-04-24  1.00
        2025-04-25  2.00
    """)


def test_caps_go_from_entry_and_task_to_contract_and_from_person_to_role_to_all() -> None:
    """Step 7: each cap takes its part of what the narrower ones left, in this order and no other."""
    check("""
    contract:
        rates: [{rate: 100.00}]
        caps:
          - {id: f-all, window: week, hours: 12, pool: all, overflow: write_down}
          - {id: e-role, window: week, hours: 14, pool: role, roles: [senior], overflow: write_down}
          - {id: d-person, window: week, hours: 8, pool: person, overflow: write_down}
          - {id: c-day, window: day, hours: 9, pool: all, overflow: write_down}
          - {id: b-task, window: task, hours: 9.50, pool: all, tasks: [api], overflow: write_down}
          - {id: a-entry, window: entry, hours: 10, pool: all, overflow: write_down}
    people:
        ana senior
        bo senior
        cy junior
    work:
        entry  date        person  task  worked
        one    2025-03-03  ana     api   11.00
        two    2025-03-04  bo      api   2.00
        three  2025-03-05  bo      docs  7.00
        four   2025-03-06  cy      docs  3.00
    ledger 2025-03:
        bucket        reason        hours
        billed        -             12.00
        written_down  cap:a-entry   1.00
        written_down  cap:b-task    2.50
        written_down  cap:c-day     0.50
        written_down  cap:d-person  1.00
        written_down  cap:e-role    1.00
        written_down  cap:f-all     5.00
    """)


@pytest.mark.parametrize(
    ("basis", "billed", "over", "net"),
    [("worked", "1.50", "600 s", "200.00"), ("billable", "4800 s", "1200 s", "180.00")],
)
def test_a_cap_on_worked_time_leaves_the_rounding_where_it_lies(basis: str, billed: str, over: str, net: str) -> None:
    """BD-34: 50 minutes are 60; of 90 minutes the second entry gets 40 worked ones, or 30 after the first one's 60.

    With basis `worked` the first entry's ten minutes of rounding are billed beside the cap; the second entry's
    rounding lies behind its last second and leaves with it.
    """
    check(f"""
    contract:
        rates: [{{rate: 120.00}}]
        increments: [{{minutes: 30}}]
        caps: [{{id: day, window: day, hours: 1.50, pool: all, basis: {basis}, overflow: write_down}}]
    work:
        start             worked
        2025-03-03 09:00  50m
        2025-03-03 10:00  50m
    ledger 2025-03:
        bucket        reason   hours
        billed        -        {billed}
        written_down  cap:day  {over}
    invoices:
        period   net
        2025-03  {net}
    """)


@pytest.mark.parametrize(
    ("worked", "over"), [("110m", "1200 s"), ("140m", "3000 s")], ids=["the cut end is too short", "long enough"]
)
def test_a_rounding_that_takes_time_away_takes_it_from_the_end(worked: str, over: str) -> None:
    """Rounded down to one and to two hours; 90 minutes fit, and what the end is too short for is taken before it.

    Of 110 minutes 50 are rounded away: the 20 that the cap cuts off, and 30 of those that fit, so one hour is billed.
    Of 140 minutes 20 are rounded away, out of the 50 that are cut off.
    """
    net = {"110m": "120.00", "140m": "180.00"}[worked]
    check(f"""
    contract:
        rates: [{{rate: 120.00}}]
        increments: [{{minutes: 60, mode: down}}]
        caps: [{{id: day, window: day, hours: 1.50, pool: all, basis: worked, overflow: write_down}}]
    work:
        start             worked
        2025-03-03 09:00  {worked}
    ledger 2025-03:
        bucket        reason   hours
        billed        -        1.50
        written_down  cap:day  {over}
    invoices:
        period   net
        2025-03  {net}
    """)


def test_a_phase_with_dates_is_about_the_work_of_these_dates() -> None:
    """Work carried out of the phase by another cap still takes the phase's hours, work carried into it takes none."""
    check("""
    contract:
        rates: [{rate: 100.00}]
        caps:
          - {id: day, window: day, pool: all, hours: 4, overflow: carry_forward}
          - {id: phase, window: dates, window_from: 2025-03-04, window_to: 2025-03-06, pool: all, hours: 5,
             overflow: write_down}
    work:
        date        worked
        2025-03-03  6.00
        2025-03-05  7.00
    ledger 2025-03:
        bucket        reason     hours
        billed        -          11.00
        written_down  cap:phase  2.00
    """)


def test_what_holds_one_day_of_an_entry_holds_all_of_it() -> None:
    """Nine hours from 22:00 on, cut at midnight; the contract begins at midnight."""
    check("""
    contract:
        from: 2025-03-05
        rates: [{rate: 100.00}]
        day_attribution: split
    work:
        start             worked
        2025-03-04 22:00  9.00
    ledger 2025-03:
        bucket  reason            hours
        held    contract_missing  9.00
    """)


def test_each_day_of_an_entry_is_rounded_by_the_rule_of_that_day() -> None:
    """Four and a half hours from 22:00 on; from midnight on whole hours are billed."""
    check("""
    contract:
        rates: [{rate: 100.00}]
        day_attribution: split
        increments: [{minutes: 60, mode: down, from: 2025-03-04}]
    work:
        start             worked
        2025-03-03 22:00  4.50
        2025-03-04 22:00  3.50
    invoices:
        period   net
        2025-03  700.00
    """)


def test_a_rule_that_stands_in_two_rows_is_one_rule() -> None:
    """One hour from 23:30 on is one started hour, also where the contract says so in one row for each month."""
    check("""
    contract:
        rates: [{rate: 100.00}]
        day_attribution: split
        increments: [{minutes: 60, to: 2025-03-04, clause: Whole hours.}, {minutes: 60, from: 2025-03-04}]
    work:
        start             worked
        2025-03-03 23:30  1.00
    invoices:
        period   net
        2025-03  100.00
    """)


@pytest.mark.parametrize(
    ("first", "second", "worked", "net"),
    [
        ("minutes: 60", "minutes: 60, mode: down", "61m", "100.00"),
        ("minutes: 30", "minutes: 60", "60m", "150.00"),
        ("minutes: 60", "minutes: 60, tolerance_minutes: 29", "60m", "200.00"),
        ("minutes: 60", "minutes: 60, ignore_seconds: true", "60m", "200.00"),
        ("minutes: 60", "minutes: 60, minimum_minutes: 90", "60m", "250.00"),
        ("minutes: 60", "minutes: 60, scope: day", "60m", "200.00"),
    ],
)
def test_rules_that_say_different_things_are_two(first: str, second: str, worked: str, net: str) -> None:
    """Half an hour before midnight by the one, what is behind it by the other; by one alone it would be another sum."""
    check(f"""
    contract:
        rates: [{{rate: 100.00}}]
        day_attribution: split
        increments: [{{{first}, to: 2025-03-04}}, {{{second}, from: 2025-03-04}}]
    work:
        start             worked
        2025-03-03 23:30  {worked}
    invoices:
        period   net
        2025-03  {net}
    """)


@pytest.mark.parametrize("scope", ["line", "period"])
def test_a_group_goes_on_where_the_next_row_says_the_same(scope: str) -> None:
    """10, 10, 5 and 5 minutes are one half hour, though the contract has a row for each part of the month."""
    check(f"""
    contract:
        rates: [{{rate: 60.00}}]
        increments: [{{minutes: 30, scope: {scope}, to: 2025-03-10}}, {{minutes: 30, scope: {scope}, from: 2025-03-10}}]
    work:
        date        worked
        2025-03-03  10m
        2025-03-04  10m
        2025-03-12  5m
        2025-03-13  5m
    invoices:
        period   net
        2025-03  30.00
    """)


def test_an_entry_that_is_cut_at_the_periods_end_keeps_its_place_under_a_limit() -> None:
    """Two hours before midnight and two behind it, then an hour that began at 23:00, under a limit of three hours.

    The hour behind midnight goes before it, on whichever invoice it stands: both together keep the limit.
    """
    done = check("""
    contract:
        rates: [{rate: 100.00}]
        day_attribution: split
        amount_caps: [{id: nte, window: contract, amount: 300, counts: fees}]
    work:
        start             worked
        2025-03-31 22:00  4.00
        2025-03-31 23:00  1.00
    invoices:
        period   net
        2025-03  200.00
    """)
    assert done.bill("2025-04").body.net == 100


def test_only_a_balance_that_work_draws_from_asks_for_its_time() -> None:
    """The block of decided work weighs nights; billable work without a time of day draws from the other one."""
    check("""
    contract:
        rates: [{rate: 100.00, role: nobody}]
        premiums: [{id: night, factor: 1.5, inside: "00:00-06:00"}]
        tiers: [{id: t, bands: [{rate: 90}], premiums_apply: false}]
        prepaid_blocks:
          - {id: own, takes: decided, hours: 5, purchased: 2025-03-01, price: 400,
             weights: [{premium: night, factor: 2}]}
          - {id: all, takes: all, hours: 5, purchased: 2025-03-01, price: 400}
    work:
        date        worked
        2025-03-03  1.00
    ledger 2025-03:
        bucket    reason     hours
        retainer  block:all  1.00
    """)


@pytest.mark.parametrize(
    ("block", "more", "bucket"),
    [
        ("purchased: 2025-01-20, expires: 2025-02-28", "", "billed"),
        ("purchased: 2025-01-20, expires: 2025-03-03", "", "held"),
        ("purchased: 2025-01-20, expires: 2025-02-28, overage_rate: 80", "", "held"),
        ("purchased: 2025-03-20", "", "billed"),
        ("purchased: 2025-03-03", "", "held"),
        (
            "purchased: 2025-03-20",
            "caps: [{id: day, window: day, hours: 9, pool: all, overflow: carry_forward}]",
            "held",
        ),
    ],
    ids=["expired", "its last day", "it prices what is beyond", "not bought", "bought", "time may be carried to it"],
)
def test_a_balance_asks_for_the_time_of_work_only_where_it_can_meet_it(block: str, more: str, bucket: str) -> None:
    """A block whose hours burn twice as fast at night, and an hour of which nobody knows when in the day it was."""
    done = check(f"""
    contract:
        from: 2025-01-01
        rates: [{{rate: 100.00, role: nobody}}]
        premiums: [{{id: night, factor: 1.5, inside: "00:00-06:00"}}]
        blended: [{{rate: 90, premiums_apply: false}}]
        prepaid_blocks: [{{id: b, takes: all, hours: 1, {block}, price: 90, weights: [{{premium: night, factor: 2}}]}}]
        {more}
    work:
        date        worked
        2025-03-03  1.00
    invoices:
        period   {bucket}
        2025-03  1.00
    """)
    reasons = [one.reason for one in done.bill("2025-03").body.placements]
    assert reasons == ([] if bucket == "billed" else ["premium_time_missing"])
    beyond = [one.beyond_seconds for one in done.bill("2025-03").body.retainers]
    assert sum(beyond) == (3600 if bucket == "billed" else 0)


def test_carried_time_ends_with_the_contract() -> None:
    """What no later window of the contract can take stays carried for ever: it is on no invoice, and says why."""
    done = check("""
    contract:
        from: 2025-03-01
        to: 2025-03-17
        rates: [{rate: 100.00}]
        caps: [{id: week, window: week, hours: 10, pool: all, overflow: carry_forward}]
    work:
        date        worked
        2025-03-03  14.00
        2025-03-10  9.00
        2025-03-17  1.00
    ledger 2025-03:
        bucket   reason            hours
        billed   -                 20.00
        carried  cap:week          3.00
        held     contract_missing  1.00
    """)
    april = done.bill("2025-04").body
    assert (april.buckets, april.carried_in_seconds) == ((), 0)


def test_the_last_week_of_a_contract_takes_carried_time_although_it_ends_early() -> None:
    """The contract ends on a Thursday: its last week still has ten hours, and what it takes counts on that Thursday."""
    done = check("""
    contract:
        from: 2025-03-01
        to: 2025-03-14
        rates: [{rate: 100.00}]
        caps: [{id: week, window: week, hours: 10, pool: all, overflow: carry_forward}]
    work:
        date        worked
        2025-03-03  14.00
        2025-03-10  9.00
    ledger 2025-03:
        bucket   reason    hours
        billed   -         20.00
        carried  cap:week  3.00
    """)
    counted = {
        source.counted_day.isoformat()
        for line in done.bill("2025-03").invoice.lines
        for charge in line.charges
        for source in charge.sources
    }
    assert counted == {"2025-03-03", "2025-03-10", "2025-03-13"}


def test_a_decision_below_the_contracts_confidence_holds_the_entry() -> None:
    """The limit itself is enough; a person may release the entry; a non-billable guess is held as well."""
    check("""
    contract:
        rates: [{rate: 100.00}]
        decide: {confidence_min: 0.80}
        fixed_cover: [{id: portal, projects: [portal]}]
    work:
        entry  date        project  category      confidence  released        worked
        a      2025-03-03  -        billable      0.79        -               1.00
        b      2025-03-03  -        billable      0.80        -               1.00
        c      2025-03-03  -        billable      0.10        low_confidence  1.00
        d      2025-03-03  -        non_billable  0.50        -               1.00
        e      2025-03-03  portal   project       0.50        -               1.00
    placements 2025-03:
        entry  bucket  reason          detail
        a      held    low_confidence  0.79 is below 0.80
        d      held    low_confidence  0.5 is below 0.80
        e      held    low_confidence  0.5 is below 0.80
    invoices:
        period   billed  net
        2025-03  2.00    200.00
    """)
