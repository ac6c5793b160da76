"""Repeats, edits, drafts and the ledger: what billing owes to group K of the worked examples."""

from dataclasses import replace
from decimal import Decimal
from hashlib import sha256

import pytest

from billing.testing import open_desk
from schemas.draft import Bucket, body_hash

ROLE_WEEK = {"id": "role-week", "window": "week", "hours": "40", "pool": "role", "overflow": "write_down"}


def test_an_entry_that_is_passed_twice_is_our_mistake() -> None:
    """BD-61: repeats end before billing, which refuses to count one entry twice."""
    desk = open_desk(rates=[{"rate": "100"}])
    entries = desk.entries("date  worked\n2025-03-03  2.00")
    with pytest.raises(AssertionError, match="twice"):
        desk.bill([*entries, *entries])


def test_a_conflicting_version_is_held() -> None:
    """BD-62: two contents of one version are a person's question, not ours."""
    desk = open_desk(rates=[{"rate": "100"}])
    billed = desk.bill("date  worked  held\n2025-03-03  1.50  conflicting_version")
    billed.expect_ledger("bucket  reason  hours\nheld  conflicting_version  1.50")
    released = replace(desk.entries("date  worked\n2025-03-03  1.50")[0], released=frozenset({"conflicting_version"}))
    assert desk.bill([released]).net == "150.00"


def test_an_edit_before_the_close_replaces_the_amount() -> None:
    """BD-63: 2.75 h instead of 2.00 h, the line keeps its id and has no adjustment."""
    desk = open_desk(rates=[{"rate": "150.00"}])
    before, after = (
        desk.bill(f"entry  version  date  worked\na  {version}  2025-03-03  {hours}")
        for version, hours in (("1", "2.00"), ("2", "2.75"))
    )
    assert (before.net, after.net) == ("300.00", "412.50")
    assert [line.line_id for line in before.body.lines] == [line.line_id for line in after.body.lines]
    assert after.body.lines[0].adjustment == 0
    assert before.body.entries_hash != after.body.entries_hash


def test_closing_twice_gives_the_same_bytes() -> None:
    """BD-70: same entries, same contract: same lines in the same order, same content hash."""
    desk = open_desk(rates=[{"rate": "100"}], lines={"group_by": ["person", "service_item"]})
    entries = desk.entries("""
        start             person  item    worked
        2025-03-03 09:00  ana     Design  1.00
        2025-03-03 09:00  bo      Design  1.00
        2025-03-03 10:00  ana     Build   1.00
    """)
    first, second = desk.bill(entries).body, desk.bill(entries[::-1]).body
    assert first.model_dump_json() == second.model_dump_json()
    assert body_hash(first) == body_hash(second)
    assert [line.position for line in first.lines] == [1, 2, 3]
    assert len({line.line_id for line in first.lines}) == 3


def test_every_second_is_in_exactly_one_bucket() -> None:
    """BD-72: billed, non-billable, written down, held and written off add up; rounding stands beside them."""
    desk = open_desk(rates=[{"rate": "100"}], caps=[ROLE_WEEK], increments=[{"minutes": 15}])
    billed = desk.bill("""
        start             worked  category      held     written_off
        2025-03-03 08:00  39.80   billable      -        -
        2025-03-04 08:00  0.30    billable      -        -
        2025-03-05 08:00  1.00    billable      -        -
        2025-03-06 08:00  2.00    non_billable  -        -
        2025-03-07 08:00  4.00    billable      on_hold  -
        2025-03-08 08:00  8.00    billable      -        courtesy
        2025-03-08 18:00  1.50    -             -        -
        2025-03-09 08:00  2.50    retainer      -        -
    """)
    billed.expect_ledger("""
        bucket        reason                       hours
        billed        -                            39.80
        non_billable  non_billable                 2.00
        written_down  cap:role-week                1.30
        held          category_without_engagement  2.50
        held          on_hold                      4.00
        held          undecided                    1.50
        written_off   written_off                  8.00
    """)
    assert billed.body.rounding_delta_seconds == int(Decimal("0.40") * 3600)
    assert billed.body.worked_seconds == sum(row.seconds for row in billed.body.buckets)
    assert billed.body.worked_seconds == int(Decimal("59.10") * 3600)


def test_a_capped_line_is_units_times_price_plus_adjustment() -> None:
    """BD-73: the mechanism of e-billing: units, unit cost, adjustment and total agree on each line and in the sum."""
    desk = open_desk(
        rates=[{"rate": "250.00"}],
        lines={"group_by": ["entry"]},
        amount_caps=[{"id": "nte", "window": "contract", "amount": "765.00", "counts": "fees"}],
    )
    billed = desk.bill("date  worked\n2025-03-03  3.40")
    billed.expect_lines("quantity  price  adjustment  amount\n3.40  250.00  -85.00  765.00")
    for line in billed.body.lines:
        assert line.quantity * line.unit_price + line.adjustment == line.amount
    assert sum(line.amount for line in billed.body.lines) == billed.body.net


def test_other_reasons_not_to_bill_are_named() -> None:
    """No contract on the date, another project's contract, an unknown person, a kind that has no price."""
    desk = open_desk(rates=[{"rate": "100"}], project="portal", to="2025-03-20")
    desk.bill("""
        kind       date        person  project  worked
        time       2025-03-25  ana     portal   1.00
        time       2025-03-05  ana     shop     1.00
        time       2025-03-05  nobody  portal   1.00
        milestone  2025-03-05  ana     portal   -
    """).expect_placements("""
        entry  bucket  reason
        e01    held    contract_missing
        e02    held    contract_missing
        e03    held    person_unknown
        e04    held    milestone_unknown
    """)


def test_a_contract_without_a_matter_names_none() -> None:
    """An agency's invoice has nothing where a law firm's has its matter."""
    body = open_desk(rates=[{"rate": "100"}]).bill("date  worked\n2025-03-03  1.00").body
    assert (body.matter_id, body.client_matter_id, body.matter_name) == ("", "", "")


def test_a_body_names_people_matter_and_sources() -> None:
    """What sinks print comes from directory and contract; each source keeps the entry's premise."""
    desk = open_desk(
        rates=[{"rate": "100"}],
        matter={"id": "M-1", "client_matter_id": "A-77", "name": "Dorsey"},
        payment_terms_days=14,
        lines={"group_by": ["entry"]},
    )
    body = desk.bill("date  worked  utbms  text\n2025-03-03  1.00  L120  Read the file").body
    assert (body.matter_id, body.client_matter_id, body.payment_terms_days) == ("M-1", "A-77", 14)
    assert body.matter_name == "Dorsey"
    [line] = body.lines
    assert (line.text, line.person_name, line.role, line.utbms_task) == ("Read the file", "Ana", "senior", "L120")
    assert line.sources[0].premise == "premise of e01"
    [keeper] = body.timekeepers
    assert (keeper.person_name, keeper.role, keeper.seconds, keeper.amount) == (
        "Ana",
        "senior",
        3600,
        Decimal("100.00"),
    )
    assert body.buckets[0].bucket is Bucket.BILLED


def test_an_unsure_decision_holds_the_entry_until_a_person_releases_it() -> None:
    """Low confidence is no decision, in either direction; the contract says how much is enough."""
    billed = open_desk(rates=[{"rate": "100"}], decide={"confidence_min": "0.9"}).bill("""
        date        worked  category      confidence  released
        2025-03-03  1.00    billable      0.89        -
        2025-03-04  1.00    non_billable  0.5         -
        2025-03-05  1.00    billable      0.5         low_confidence
        2025-03-06  1.00    billable      0.9         -
    """)
    assert billed.net == "200.00"
    billed.expect_placements("""
        entry  bucket  reason          detail
        e01    held    low_confidence  0.89 is below 0.9
        e02    held    low_confidence  0.5 is below 0.9
    """)


def test_what_stands_on_a_document_keeps_its_room_and_is_not_billed_again() -> None:
    """A late entry gets what the cap has left after the approved ones, whenever it was worked; amount caps alike."""
    table = """
        kind     start             worked  amount  billed_on
        time     2025-03-03 09:00  38.00   -       doc-1
        time     2025-03-03 08:00  5.00    -       -
        expense  2025-03-04 08:00  -       20.00   doc-1
    """
    hours = open_desk(rates=[{"rate": "100"}], caps=[ROLE_WEEK]).bill(table)
    hours.expect_ledger("""
        bucket        reason         hours  value
        billed        -              2.00   200.00
        billed        billed_before  38.00  -
        written_down  cap:role-week  3.00   300.00
    """)
    nte = {"id": "nte", "window": "contract", "amount": "4000", "counts": "fees_and_expenses"}
    assert open_desk(rates=[{"rate": "100"}], amount_caps=[nte]).bill(table).net == "180.00"


def test_the_value_of_what_is_not_billed_is_that_of_all_its_work() -> None:
    """Each hour at its own rate, a foreign one converted by its day: what the client would have paid for it."""
    desk = open_desk(
        rates=[{"rate": "160", "role": "senior"}, {"rate": "90", "role": "junior", "currency": "EUR"}],
        exchange={"fx_date": "work"},
        exchange_rates="base  quote  on  rate\nEUR  USD  2025-03-04  1.25\nEUR  USD  2025-03-05  1.50",
        caps=[{"id": "month", "window": "month", "hours": "2", "pool": "person", "overflow": "write_down"}],
    )
    desk.bill("""
        date        person  worked
        2025-03-03  ana     4.00
        2025-03-04  cy      3.00
        2025-03-05  cy      1.00
    """).expect_ledger("""
        bucket        reason     hours  value
        billed        -          4.00   545.00
        written_down  cap:month  4.00   567.50
    """)


def test_what_is_carried_inside_of_a_period_was_not_carried_into_it() -> None:
    """Six hours of 1 March, of which two count on the 2nd: all of them were worked in March."""
    cap = {"id": "day", "window": "day", "hours": "4", "pool": "all", "overflow": "carry_forward"}
    desk = open_desk(rates=[{"rate": "100"}], caps=[cap], also={"from": "2025-02-01"})
    body = desk.bill("date  worked\n2025-03-01  6.00").body
    assert (body.worked_seconds, body.carried_in_seconds) == (6 * 3600, 0)
    early = desk.bill("date  worked\n2025-02-28  6.00").body
    assert (early.worked_seconds, early.carried_in_seconds) == (0, 2 * 3600)


def test_a_body_pins_the_versions_that_it_was_made_of() -> None:
    """The hash of id and content of each entry, in order: whoever has the entries can make it again."""
    body = open_desk(rates=[{"rate": "100"}]).bill("entry  date  worked\nb  2025-03-03  1.00\na  2025-03-04  1.00").body
    assert body.entries_hash == sha256(b"a content of a \nb content of b \n").hexdigest()


def test_an_entry_of_no_length_is_billed_and_has_no_more_to_say() -> None:
    """Nothing was worked: no line, no detail, and nothing to ask for."""
    for days in ("start", "split"):
        open_desk(rates=[{"rate": "100"}], day_attribution=days).bill(
            "start  worked\n2025-03-03 09:00  0.00"
        ).expect_placements("entry  bucket  reason  hours  detail\ne01  billed  zero_length  0.00  -")


def test_a_fixed_fee_does_not_cover_work_that_it_does_not_take() -> None:
    """Decided as project work, but without the tag that the fee asks for: nothing prices it, so it waits."""
    desk = open_desk(rates=[{"rate": "100"}], fixed_cover=[{"id": "portal", "tags": ["portal"]}])
    billed = desk.bill("""
        entry  date        category  tags    worked
        a      2025-03-03  project   portal  1.00
        b      2025-03-04  project   other   1.00
    """)
    billed.expect_placements("""
        entry  bucket     reason                       detail
        a      fixed_fee  fixed_fee:portal             -
        b      held       category_without_engagement  project
    """)


@pytest.mark.parametrize(("scope", "hours"), [("period", "1.50"), ("line", "1.50")])
def test_a_group_is_of_one_rule(scope: str, hours: str) -> None:
    """Quarters until 10 March, half hours from then on: 25 minutes are 30, and 35 from the new rule on are 60."""
    rows = [{"minutes": 15, "scope": scope, "to": "2025-03-10"}, {"minutes": 30, "scope": scope, "from": "2025-03-10"}]
    billed = open_desk(rates=[{"rate": "60"}], increments=rows).bill("""
        date        worked
        2025-03-03  10m
        2025-03-04  15m
        2025-03-11  20m
        2025-03-12  15m
    """)
    billed.expect_lines(f"hours  delta\n{hours}  0 5 0 25")
