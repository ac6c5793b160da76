"""Tiered prices: group D of the worked examples, and all rules in their order (BD-74)."""

import pytest
from pydantic import ValidationError

from billing.testing import contract_of
from tests.billing.tables import check

BANDS = "bands: [{up_to: 20, rate: 150.00}, {up_to: 50, rate: 130.00}, {rate: 110.00}]"


def story(mode: str, hours: str, expected: str) -> str:
    """One entry of March under the three bands."""
    return f"""
    contract:
        tiers: [{{id: dev, mode: {mode}, {BANDS}}}]
    work:
        date        worked
        2025-03-03  {hours}
    {expected.strip()}
"""


def test_each_band_has_its_own_rate() -> None:
    """BD-19: twenty hours at the first rate, thirty at the second, the rest at the third."""
    check(
        story(
            "graduated",
            "63.50",
            """invoices:
        period   net
        2025-03  8385.00
    lines 2025-03:
        hours  price   amount
        20.00  150.00  3000.00
        30.00  130.00  3900.00
        13.50  110.00  1485.00""",
        )
    )


@pytest.mark.parametrize(
    ("hours", "net", "cliff"),
    [
        ("63.50", "6985.00", ""),
        ("50.00", "6500.00", ""),
        ("50.50", "5555.00", "Tier dev: 50.50 h cost 945.00 USD less than 50.00 h would have."),
    ],
)
def test_the_whole_quantity_has_the_rate_of_the_band_it_reaches(hours: str, net: str, cliff: str) -> None:
    """BD-20: a limit belongs to the band below it; where less work would have cost more, a finding says so."""
    expected = f"invoices:\n        period   net\n        2025-03  {net}"
    if cliff:
        expected += f"\n    findings 2025-03:\n        code          text\n        volume_cliff  {cliff}"
    done = check(story("volume", hours, expected))
    assert len(done.bill("2025-03").body.findings) == (1 if cliff else 0)


def test_an_entry_across_a_limit_is_cut_and_keeps_its_id() -> None:
    """BD-21: two hours of the later entry belong to the first band, four to the second."""
    done = check(f"""
    contract:
        tiers: [{{id: dev, {BANDS}}}]
    work:
        entry  start             worked
        b      2025-03-04 09:00  6.00
        a      2025-03-03 09:00  18.00
    lines 2025-03:
        hours  amount   shares
        20.00  3000.00  2700.00 300.00
        4.00   520.00   520.00
    """)
    lines = done.bill("2025-03").body.lines
    assert [[source.entry_id for source in line.sources] for line in lines] == [["a", "b"], ["b"]]
    assert sum(source.worked_seconds for line in lines for source in line.sources if source.entry_id == "b") == 6 * 3600
    assert "position 0.00 h -> 24.00 h" in lines[1].charges[0].rate_origin


@pytest.mark.parametrize(("reset", "february"), [("period", "1800.00"), ("contract", "1660.00")])
def test_a_tier_counts_anew_in_each_period_or_over_the_contract(reset: str, february: str) -> None:
    """BD-22: fifteen hours of January leave five at the first rate, where the tier counts over the contract."""
    check(f"""
    contract:
        from: 2025-01-01
        tiers: [{{id: dev, reset: {reset}, bands: [{{up_to: 20, rate: 150.00}}, {{rate: 130.00}}]}}]
    work:
        date        worked
        2025-01-10  15.00
        2025-02-10  12.00
    invoices:
        period                  net
        2025-01                 2250.00
        2025-02                 {february}
    """)


@pytest.mark.parametrize(("hours", "count", "net"), [("23.25", "3", "3900.00"), ("20.00", "2", "2600.00")])
def test_started_packages_are_charged_whole(hours: str, count: str, net: str) -> None:
    """BD-23: three packages of ten hours for 23.25 hours, two for twenty."""
    check(f"""
    contract:
        tiers: [{{id: pack, name: Block of 10 h, mode: block, block_hours: 10, block_price: 1300.00}}]
    work:
        date        person  worked
        2025-03-03  ana     5.00
        2025-03-04  bo      {float(hours) - 5:.2f}
    lines 2025-03:
        text                              hours    quantity  unit  price    amount
        Services, senior (Block of 10 h)  {hours}  {count}   unit  1300.00  {net}
    """)


def test_no_work_starts_no_package() -> None:
    """BD-23: no hours cost nothing."""
    check("""
    contract:
        tiers: [{id: pack, mode: block, block_hours: 10, block_price: 1300.00}]
    work:
        date        worked
        2025-03-03  0.00
    invoices:
        period   net
        2025-03  0.00
    """)


def test_a_package_over_the_contract_is_used_up_before_the_next_one_is_started() -> None:
    """BD-22, BD-23: January starts three packages; 6.75 hours of the third are left for February."""
    check("""
    contract:
        from: 2025-01-01
        tiers: [{id: pack, mode: block, reset: contract, block_hours: 10, block_price: 1300.00}]
    work:
        date        worked
        2025-01-10  23.25
        2025-02-10  6.75
        2025-03-10  0.25
    invoices:
        period   net
        2025-01  3900.00
        2025-02  0.00
        2025-03  1300.00
    """)


def test_packages_of_two_tax_rates_share_their_price_by_the_hours() -> None:
    """BD-23, BD-54: one package of 1,000.00, four hours of it taxed at 20 %, one at 5 %."""
    check("""
    contract:
        tiers: [{id: pack, mode: block, block_hours: 10, block_price: 1000.00}]
        taxes:
          - {category: R, percent: 5, service_items: [Books]}
          - {category: S, percent: 20}
    work:
        date        item   worked
        2025-03-03  Books  1.00
        2025-03-03  Build  4.00
    invoices:
        period   net      tax
        2025-03  1000.00  170.00
    """)


def test_a_tier_replaces_other_rates_of_its_work_only() -> None:
    """Work outside of the scope keeps its rate and does not count; a tag decides as well as an item."""
    check("""
    contract:
        rates: [{rate: 90.00}]
        tiers: [{id: ops, service_items: [Ops], tags: [ticket], bands: [{up_to: 2, rate: 50.00}, {rate: 40.00}]}]
    work:
        date        item  tags    worked
        2025-03-03  Ops   ticket  3.00
        2025-03-03  Ops   -       1.00
        2025-03-03  Dev   ticket  1.00
    lines 2025-03:
        text                         hours  price  amount
        Dev, Ana (senior)            1.00   90.00  90.00
        Ops, Ana (senior)            1.00   90.00  90.00
        Ops, Ana (senior)            2.00   50.00  100.00
        Ops, Ana (senior)            1.00   40.00  40.00
    """)


@pytest.mark.parametrize(("apply", "net"), [("true", "250.00"), ("false", "200.00")])
def test_a_tier_says_whether_premiums_multiply_it(apply: str, net: str) -> None:
    """Step 9: two hours at the band's rate, one of them in the evening."""
    check(f"""
    contract:
        premiums: [{{id: evening, name: evening, factor: 1.5, outside: 09:00-18:00}}]
        tiers: [{{id: dev, premiums_apply: {apply}, bands: [{{rate: 100.00}}]}}]
    work:
        start             worked
        2025-03-03 17:00  2.00
    invoices:
        period   net
        2025-03  {net}
    """)


def test_one_period_goes_through_all_rules_in_their_order() -> None:
    """BD-74: hour caps, retainer, tiers, discount, amount cap, fixed parts, expenses, tax."""
    check("""
    contract:
        from: 2025-03-01
        caps: [{id: role-week, window: week, hours: 23, pool: role, roles: [senior], overflow: write_down}]
        retainers: [{id: care, name: Retainer, hours: 20, fee: 2500.00}]
        tiers: [{id: hourly, bands: [{up_to: 10, rate: 150.00}, {rate: 130.00}]}]
        discounts: [{id: loyal, percent: 5, counts: fees}]
        amount_caps: [{id: nte, window: contract, amount: 3300.00, counts: fees, includes_tax: false}]
        taxes: [{category: S, percent: 20}]
    work:
        start             worked  kind     amount
        2025-03-03 09:00  25.00   time     -
        2025-03-10 09:00  25.00   time     -
        2025-03-12 09:00  0.00    expense  120.00
    ledger 2025-03:
        bucket        reason         hours
        billed        -              26.00
        retainer      retainer:care  20.00
        written_down  cap:role-week  4.00
    lines 2025-03:
        kind          hours  price    adjustment  amount
        fee           10.00  150.00   -75.00      1425.00
        fee           16.00  130.00   -205.00     1875.00
        retainer_fee  0.00   2500.00  0.00        2500.00
        retainer_fee  0.00   0        0.00        0.00
        expense       0.00   120.00   0.00        120.00
    invoices:
        period   worked  net      tax      gross
        2025-03  50.00   5920.00  1184.00  7104.00
    """)


def test_time_that_a_fixed_fee_covers_has_no_price() -> None:
    """BD-43: it stands in the ledger with its reason; other projects are billed, and its caps are not touched."""
    check("""
    contract:
        rates: [{rate: 100.00}]
        fixed_cover: [{id: portal, projects: [portal]}, {id: launch, takes: decided}]
        caps: [{id: week, window: week, hours: 2, pool: all, overflow: write_down}]
        increments: [{minutes: 15}]
    work:
        entry  date        project  category  worked
        a      2025-03-03  portal   billable  10m
        b      2025-03-03  portal   project   9.00
        c      2025-03-03  shop     project   1.00
        d      2025-03-03  shop     billable  2.00
    placements 2025-03:
        entry  bucket     reason            hours  delta
        a      fixed_fee  fixed_fee:portal  600 s  5
        b      fixed_fee  fixed_fee:portal  9.00   0
        c      fixed_fee  fixed_fee:launch  1.00   0
    invoices:
        period   billed  net
        2025-03  2.00    200.00
    """)


def test_covered_work_needs_no_rate_and_no_time_of_day() -> None:
    """What has no price is not held for one: neither a missing rate nor a premium of the evening matters."""
    check("""
    people:
        kim
    contract:
        premiums: [{id: evening, factor: 2, outside: 09:00-18:00}]
        fixed_cover: [{id: portal}]
    work:
        date        person  worked
        2025-03-03  kim     2.00
    invoices:
        period   fixed_fee  net
        2025-03  2.00       0.00
    """)


@pytest.mark.parametrize(
    ("clauses", "question"),
    [
        ({"tiers": [{"id": "a"}]}, "have bands"),
        ({"tiers": [{"id": "a", "bands": [{"up_to": "5", "rate": "1"}]}]}, "what does an hour beyond cost"),
        (
            {
                "tiers": [
                    {"id": "a", "bands": [{"up_to": "5", "rate": "1"}, {"up_to": "4", "rate": "1"}, {"rate": "2"}]}
                ]
            },
            "rising limits",
        ),
        ({"tiers": [{"id": "a", "mode": "block", "block_hours": "1"}]}, "block_price"),
        (
            {"tiers": [{"id": "a", "mode": "volume", "reset": "contract", "bands": [{"rate": "1"}]}]},
            "billed already",
        ),
        (
            {"tiers": [{"id": "a", "bands": [{"rate": "1"}]}, {"id": "b", "bands": [{"rate": "2"}]}]},
            "which tier prices",
        ),
        (
            {"tiers": [{"id": "a", "bands": [{"rate": "1"}]}], "blended": [{"rate": "2", "roles": ["senior"]}]},
            "which price counts",
        ),
        (
            {
                "tiers": [{"id": "a", "bands": [{"rate": "1"}]}],
                "premiums": [{"id": "x", "factor": "2", "tags": ["x"]}],
            },
            "premiums_apply",
        ),
        (
            {
                "tiers": [{"id": "a", "bands": [{"rate": "1"}]}],
                "retainers": [{"id": "r", "hours": "1", "fee": "1", "overage_rate": "1"}],
            },
            "both price the hours beyond",
        ),
        (
            {
                "retainers": [{"id": "r", "hours": "1", "fee": "1", "overage_rate": "1"}],
                "prepaid_blocks": [{"id": "b", "hours": "1", "purchased": "2025-01-01", "overage_rate": "2"}],
            },
            "which overage_rate counts",
        ),
        (
            {
                "tiers": [{"id": "a", "mode": "block", "block_hours": "1", "block_price": "1"}],
                "amount_caps": [{"id": "n", "window": "contract", "amount": "1", "counts": "fees"}],
            },
            "sells packages",
        ),
        (
            {
                "retainers": [{"id": "r", "hours": "1", "fee": "1"}],
                "tiers": [{"id": "r", "bands": [{"rate": "1"}]}],
            },
            "different kinds",
        ),
        (
            {
                "retainers": [
                    {"id": "r", "hours": "1", "fee": "1", "to": "2025-01-15"},
                    {"id": "r", "hours": "2", "fee": "1", "from": "2025-01-15"},
                ]
            },
            "beginning of a period",
        ),
        ({"retainers": [{"id": "r", "hours": "1", "fee": "1"}], "from": None}, "when is its first period"),
        ({"prepaid_blocks": [{"id": "b", "hours": "1", "purchased": "2025-01-01", "sale": "on_invoice"}]}, "cost"),
        (
            {"prepaid_blocks": [{"id": "b", "hours": "1", "purchased": "2025-01-02", "expires": "2025-01-01"}]},
            "on or after its purchase",
        ),
    ],
)
def test_what_two_clauses_leave_open_is_asked(clauses: dict[str, object], question: str) -> None:
    """A bill never depends on which of two clauses is read first: the contract must say."""
    with pytest.raises(ValidationError, match=question):
        contract_of(clauses)
