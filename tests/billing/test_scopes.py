"""Whose work a clause is about, and what work says that waits for a person: terms of one kind of work on a date."""

import pytest

from billing.explained import Explanations
from billing.invoice import trace_invoice
from billing.nodes import NodeKind
from billing.testing import open_desk
from schemas.draft import Bucket

SCOPES = [
    {"people": ["ana"]},
    {"roles": ["senior"]},
    {"projects": ["shop"]},
    {"service_items": ["Build"]},
    {"tasks": ["deploy"]},
    {"people": ["ana", "cy"], "roles": ["senior"]},
]
WORK = """
    entry    date        person  project  item   task    worked
    meant    2025-03-03  ana     shop     Build  deploy  2.00
    another  2025-03-04  dan     portal   Plan   review  3.00
"""
PEOPLE = "ana senior, dan junior"


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize(
    ("clause", "row", "net"),
    [
        ("tiers", {"bands": [{"rate": "50.00"}]}, "400.00"),
        ("fixed_cover", {}, "300.00"),
        ("retainers", {"hours": "2", "fee": "0"}, "300.00"),
        ("prepaid_blocks", {"hours": "2", "purchased": "2025-03-01"}, "300.00"),
        ("caps", {"window": "month", "hours": "1.5", "pool": "all", "overflow": "write_down"}, "450.00"),
        ("amount_caps", {"window": "month", "amount": "150.00", "counts": "fees"}, "450.00"),
        ("discounts", {"percent": "10", "counts": "fees"}, "480.00"),
    ],
)
def test_a_clause_takes_the_work_of_its_scope_only(
    scope: dict[str, list[str]], clause: str, row: dict[str, object], net: str
) -> None:
    """Two hours of 100.00 are meant and three are not; a person, role, project, item or task alone tells them apart."""
    desk = open_desk(
        PEOPLE, rates=[{"rate": "100.00"}], also={"from": "2025-03-01", clause: [{"id": "x"} | row | scope]}
    )
    assert desk.bill(WORK).net == net


HEAD = "date  person  project  item  worked"
LATER = {"from": "2025-03-10"}
WEEK = {"id": "week", "window": "week", "hours": "40"}
PRICED = {"rates": [{"rate": "100.00"}]}


@pytest.mark.parametrize(
    ("clauses", "person", "reason", "detail"),
    [
        ({}, "ana", "rate_missing", "no rate for Ana (senior) on the day of the work"),
        ({}, "kim", "rate_missing", "no rate for Kim (no role) on the day of the work"),
        (
            {"caps": [WEEK | {"pool": "role"}]},
            "kim",
            "rate_missing",
            "no rate for Kim (no role) on the day of the work",
        ),
        (PRICED, "zoe", "person_unknown", "zoe"),
        (
            {"caps": [WEEK, WEEK | {"id": "day", "window": "day"}]},
            "ana",
            "contract_incomplete",
            "cap day, week names no pool",
        ),
        (LATER | PRICED, "ana", "contract_missing", "contract c-1 is not valid on the day of the work"),
        ({"project": "x"} | PRICED, "ana", "contract_missing", "contract c-1 is for project x only"),
    ],
)
def test_held_work_says_why_word_for_word(clauses: dict[str, object], person: str, reason: str, detail: str) -> None:
    """The first reason counts: the contract's own, then the person, then the price, then the role."""
    body = open_desk("ana senior, kim", also=clauses).bill(f"{HEAD}\n2025-03-03  {person}  -  -  1.00").body
    assert [(one.bucket, one.reason, one.detail) for one in body.placements] == [(Bucket.HELD, reason, detail)]


SENIOR = {"roles": ["senior"]}
NTE = {"id": "nte", "window": "month", "amount": "100.00", "counts": "fees"}


@pytest.mark.parametrize(
    ("clauses", "is_asked"),
    [
        ({}, False),
        ({"retainers": [{"id": "r", "hours": "2", "fee": "0"} | SENIOR]}, True),
        ({"retainers": [{"id": "r", "hours": "2", "fee": "0"}]}, False),
        ({"prepaid_blocks": [{"id": "b", "hours": "2", "purchased": "2025-03-01"} | SENIOR]}, True),
        ({"tiers": [{"id": "t", "bands": [{"rate": "50.00"}]} | SENIOR]}, True),
        ({"tiers": [{"id": "t", "bands": [{"rate": "50.00"}]}]}, False),
        ({"fixed_cover": [{"id": "f"} | SENIOR]}, True),
        ({"caps": [WEEK | {"pool": "role"}]}, True),
        ({"caps": [WEEK | {"pool": "all"} | SENIOR]}, True),
        ({"caps": [WEEK | {"pool": "all"}]}, False),
        ({"caps": [WEEK | {"pool": "role"} | LATER]}, False),
        ({"caps": [WEEK | {"pool": "role", "people": ["ana"]}]}, False),
        ({"caps": [WEEK | {"pool": "role", "people": ["kim"]}]}, True),
        ({"caps": [WEEK | {"pool": "role", "service_items": ["Build"]}]}, False),
        ({"caps": [WEEK | {"pool": "role", "service_items": ["Plan"]}]}, True),
        ({"amount_caps": [NTE | SENIOR]}, True),
        ({"amount_caps": [NTE]}, False),
        ({"blended": [{"rate": "80.00"} | SENIOR]}, True),
        ({"blended": [{"rate": "80.00"} | SENIOR | LATER]}, False),
        ({"blended": [{"rate": "80.00"}]}, False),
        ({"discounts": [{"id": "d", "percent": "10", "counts": "fees"} | SENIOR]}, True),
        ({"discounts": [{"id": "d", "percent": "10", "counts": "fees"} | SENIOR | LATER]}, False),
        ({"discounts": [{"id": "d", "percent": "10", "counts": "fees"}]}, False),
    ],
)
def test_a_role_is_asked_for_where_it_decides(clauses: dict[str, object], is_asked: bool) -> None:
    """Kim has no role and plans: held only if a clause of that day looks at roles for such work, else nobody waits."""
    desk = open_desk("ana senior, kim", also={"from": "2025-03-01"} | PRICED | clauses)
    body = desk.bill(f"{HEAD}\n2025-03-03  kim  -  Plan  1.00").body
    held = [(one.reason, one.detail) for one in body.placements if one.bucket is Bucket.HELD]
    assert held == ([("role_missing", "Kim has no role on the day of the work")] if is_asked else [])


@pytest.mark.parametrize(
    ("clause", "applies", "net"),
    [
        ({"blended": [{"rate": "80.00", "premiums_apply": True}]}, True, "120.00"),
        ({"blended": [{"rate": "80.00", "premiums_apply": False}]}, False, "80.00"),
        ({"rates": [{"rate": "80.00"}]}, True, "120.00"),
    ],
)
def test_a_blended_rate_says_whether_premiums_multiply_it(clause: dict[str, object], applies: bool, net: str) -> None:
    """BD-17: an hour at 20:00 with half more for evenings; without premiums nobody asks for its time."""
    evening = {"id": "evening", "factor": "1.5", "outside": "09:00-18:00"}
    desk = open_desk(also=clause, premiums=[evening])
    assert desk.bill("start  worked\n2025-03-03 20:00  1.00").net == net
    asked = [one.reason for one in desk.bill("date  worked\n2025-03-03  1.00").body.placements]
    assert asked == (["premium_time_missing"] if applies else [])


def test_a_package_is_not_explained_by_a_premium_that_it_is_named_like() -> None:
    """The premium for late work has no part in a package of that name, so its clause is no reason for the price."""
    late = {"id": "late", "factor": "2", "outside": "09:00-18:00", "clause": "§ 7: nights cost double"}
    pack = {"id": "pack", "name": "late work", "mode": "block", "block_hours": "2", "block_price": "150.00"}
    billed = open_desk(premiums=[late], tiers=[pack | {"premiums_apply": False}]).bill(
        "start  worked\n2025-03-03T20:00  1.00"
    )
    assert billed.net == "150.00"
    waiting = [*Explanations(trace_invoice(billed.invoice.request)).lines()]
    kinds = []
    while waiting:
        node = waiting.pop()
        assert late["clause"] not in node.text
        kinds.append(node.kind)
        waiting += node.below
    assert NodeKind.ALLOCATION in kinds


def test_a_retainer_for_some_tags_takes_no_other_work_of_the_same_day() -> None:
    """BD-36: the hour with the tag is drawn, the next hour of the same person is billed."""
    care = {"id": "care", "hours": 10, "fee": 0, "takes": "all", "tags": ["care"]}
    billed = open_desk(rates=[{"rate": "100"}], retainers=[care]).bill("""
        date        tags  worked
        2025-03-03  care  1.00
        2025-03-03  -     1.00
    """)
    assert (billed.net, billed.seconds_in(Bucket.RETAINER)) == ("100.00", 3600)
